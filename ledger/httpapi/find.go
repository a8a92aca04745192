package httpapi

import (
	"net/http"

	"github.com/cairnlog/cairn/client"
)

// find answers with the events that a query fits. It is a POST, so that no log
// of a proxy has the values that somebody looked for.
func (a *API) find(c *call) error {
	var q client.FindQuery
	if err := c.readJSON(&q); err != nil {
		return err
	}
	if !a.finds.enter() { // only now: whoever sends a query slowly keeps nobody from it
		return overloaded()
	}
	defer a.finds.leave()
	found, err := c.session().Find(c.Context(), q)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, found)
}

// proveComplete answers with a proof of which events have some values, and that
// there are no others. It is a POST for the same reason.
func (a *API) proveComplete(c *call) error {
	var q client.CompleteQuery
	if err := c.readJSON(&q); err != nil {
		return err
	}
	if !a.finds.enter() {
		return overloaded()
	}
	defer a.finds.leave()
	proof, err := c.session().ProveComplete(c.Context(), q)
	if err != nil {
		return err
	}
	c.w.rate = listRate // it can be large, and takes one of few places until it is taken
	c.w.Header().Set("Content-Disposition", "attachment")
	return c.answer(http.StatusOK, client.SearchProofType, proof)
}
