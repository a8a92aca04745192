package httpapi

import (
	"net/http"
	"time"

	"github.com/cairnlog/cairn/client"
)

// healthy says that the process lives.
func (a *API) healthy(c *call) error {
	return c.answer(http.StatusOK, textType, []byte("ok\n"))
}

// ready says whether the ledger takes entries, and if not why.
func (a *API) ready(c *call) error {
	s := a.ledger.Status()
	var p *client.Problem
	switch {
	case s.Stopped != "" && a.ledger.Stopped() == nil:
		p = client.NewProblem(client.Unavailable, "the ledger is closed", "")
	case s.Stopped != "":
		p = client.NewProblem(client.Unavailable, "the ledger has stopped by itself", "an operator must look at: cairnd status")
	case !s.Ready:
		p = client.NewProblem(client.Unavailable, "the ledger still waits for its witnesses after the start", "see which witness does not answer with: cairnd status")
		p.RetryAfter = time.Second
	default:
		return c.answer(http.StatusOK, textType, []byte("ok\n"))
	}
	return p
}
