package httpapi

import (
	"net/http"

	"github.com/cairnlog/cairn/ledger"
)

// An Erasing is the answer to an erasure: what it closes, and whether it is
// done.
type Erasing struct {
	ledger.ErasurePlan
	Done bool `json:"done"`
}

// planErasure answers with what an erasure would close, and erases nothing.
func (a *API) planErasure(c *call) error {
	e, err := c.readErasure()
	if err != nil {
		return err
	}
	plan, err := c.session().PlanErasure(c.Context(), e)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, plan)
}

func (a *API) erase(c *call) error {
	timeout, err := c.waitingForDone()
	if err != nil {
		return err
	}
	e, err := c.readErasure()
	if err != nil {
		return err
	}
	plan, err := c.session().Erase(c.Context(), e)
	if err != nil {
		return err
	}
	status, done, err := c.settle(outcome{plan.Announced, plan.Requested}, timeout)
	if err != nil {
		return err
	}
	return c.json(status, Erasing{*plan, done})
}

func (c *call) readErasure() (e ledger.Erasure, err error) {
	if err := c.readJSON(&e); err != nil {
		return e, err
	}
	return e, c.because(e.Reason)
}
