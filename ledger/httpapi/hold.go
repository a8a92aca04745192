package httpapi

import (
	"net/http"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// A HoldRequest says what is to be held: see [ledger.HoldConfig].
type HoldRequest struct {
	Stream  string              `json:"stream,omitempty"`
	Subject string              `json:"subject,omitempty"`
	Fields  []client.FieldValue `json:"fields,omitempty"`
	Entries []proofs.Run        `json:"entries,omitempty"`
	Reason  string              `json:"reason"`
}

// A Reason says why something is done.
type Reason struct {
	Reason string `json:"reason"`
}

// A Releasing is the answer to a release: what became of it, and whether it is
// done.
type Releasing struct {
	ledger.Releasing
	Done bool `json:"done"`
}

func (a *API) holds(c *call) error {
	list, err := c.session().Holds(c.Context())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list)
}

func (a *API) addHold(c *call) error {
	var r HoldRequest
	if err := c.readJSON(&r); err != nil {
		return err
	}
	if err := c.because(r.Reason); err != nil {
		return err
	}
	config := ledger.HoldConfig{Stream: r.Stream, Subject: r.Subject, Entries: r.Entries, Reason: r.Reason, Fields: make(map[string]string)}
	for _, f := range r.Fields {
		if _, again := config.Fields[f.Name]; again {
			return badRequest("the field %.40q is there twice", f.Name)
		}
		config.Fields[f.Name] = f.Value
	}
	info, err := c.session().Hold(c.Context(), config)
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, info)
}

func (a *API) releaseHold(c *call) error {
	hold, timeout, err := c.awaited("hold")
	if err != nil {
		return err
	}
	var r Reason
	if err := c.readJSON(&r); err != nil {
		return err
	}
	if err := c.because(r.Reason); err != nil {
		return err
	}
	releasing, err := c.session().Release(c.Context(), ledger.Release{Hold: hold, Reason: r.Reason})
	if err != nil {
		return err
	}
	status, done, err := c.settle(outcome{releasing.Announced, releasing.Requested}, timeout)
	if err != nil {
		return err
	}
	return c.json(status, Releasing{*releasing, done})
}
