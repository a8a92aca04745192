package httpapi

import (
	"errors"
	"net/http"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
)

// A Requested is a request, and whether what it asked for is done.
type Requested struct {
	ledger.RequestInfo
	Done bool `json:"done"`
}

func (a *API) requests(c *call) error {
	list, err := c.session().Requests(c.Context())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list)
}

func (a *API) request(c *call) error {
	index, timeout, err := c.awaited("index")
	if err != nil {
		return err
	}
	r, err := c.session().Request(c.Context(), index)
	if err != nil {
		return err // there is nothing to wait for
	}
	if r.Moot == nil {
		if err := c.awaitDone(index, timeout); err != nil {
			return err
		}
	}
	return c.requested(http.StatusOK, r)
}

// requested answers with a request, and what became of it by now: that stands
// in clear in the log, and is no other read.
func (c *call) requested(status int, r *ledger.RequestInfo) error {
	now, _ := c.api.ledger.Requested(r.Request)
	now.Act = r.Act
	if now.Used == 0 && now.Withdrawn == 0 {
		now.Moot = r.Moot
	}
	done, err := c.isUsed(r.Request)
	if err != nil {
		return err
	}
	return c.json(status, Requested{now, done})
}

func (a *API) approve(c *call) error {
	index, timeout, err := c.awaited("index")
	if err == nil {
		err = c.hasNoBody()
	}
	if err != nil {
		return err
	}
	s := c.session()
	approved, err := s.Approve(c.Context(), index)
	if err != nil {
		asked, _ := s.Request(c.Context(), index) // nil: there is no such request, which the error says
		return c.oneIdentity(asked, err)
	}
	status, _, err := c.settle(outcome{requested: index}, timeout)
	if err != nil {
		return err
	}
	return c.requested(status, approved)
}

// oneIdentity says of an approval that was refused what to do where whoever
// approves is whoever asked.
func (c *call) oneIdentity(asked *ledger.RequestInfo, err error) error {
	var p *client.Problem
	if asked == nil || asked.Act.Who != c.who.Name || !errors.As(err, &p) || p.Code() != client.NotNow {
		return err
	}
	own := *p
	own.Hint = "another identity than " + c.who.Name + ", who asked, has to approve it"
	if c.local {
		own.Hint += ": whoever uses the server's socket is one, so use the tokens of two custodians, with --url and --token-file"
	}
	return &own
}

func (a *API) withdraw(c *call) error {
	index, err := parseNumber("index", c.PathValue("index"))
	if err == nil {
		err = c.hasNoBody()
	}
	if err != nil {
		return err
	}
	r, err := c.session().Withdraw(c.Context(), index)
	if err != nil {
		return err
	}
	return c.requested(http.StatusOK, r)
}
