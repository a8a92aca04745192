package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
)

// healthy says that the process lives.
func (a *API) healthy(c *call) error {
	return c.answer(http.StatusOK, textType, []byte("ok\n"))
}

// maxClockAhead is how many seconds the clock may differ from the witnesses'
// before no entries are taken, see [ledger.Status].
const maxClockAhead = 60

// ready says whether the ledger takes entries, and if not why.
func (a *API) ready(c *call) error {
	if p := notReady(a.ledger.Status(), a.ledger.Stopped()); p != nil {
		return p
	}
	return c.answer(http.StatusOK, textType, []byte("ok\n"))
}

// notReady returns why a ledger takes no entries; nil where it does.
func notReady(s ledger.Status, stopped error) *client.Problem {
	var p *client.Problem
	switch {
	case s.Stopped != "" && stopped == nil:
		return client.NewProblem(client.Unavailable, "the ledger is closed", "")
	case s.Stopped != "":
		return client.NewProblem(client.Unavailable, "the ledger has stopped by itself", "an operator must look at: cairnd status")
	case s.Ready:
		return nil
	case math.Abs(s.ClockAhead) > maxClockAhead:
		side := "ahead of"
		if s.ClockAhead < 0 {
			side = "behind"
		}
		apart := time.Duration(math.Abs(s.ClockAhead)) * time.Second
		p = client.NewProblem(client.Unavailable, fmt.Sprintf("the ledger's clock is %v %s its witnesses'", apart, side), "set the clock right; the next checkpoint shows that it is")
	default:
		p = client.NewProblem(client.Unavailable, "the ledger still waits for its witnesses after the start", "see which witness does not answer with: cairnd status")
	}
	p.RetryAfter = time.Second
	return p
}
