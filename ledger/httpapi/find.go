package httpapi

import (
	"context"
	"net/http"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
)

// find answers with the events that a query fits. It is a POST, so that no log
// of a proxy has the values that somebody looked for.
func (a *API) find(c *call) error {
	return answerQuery(c, a.finds, (*ledger.Session).Find)
}

// search answers with the events that a query fits, by the index.
func (a *API) search(c *call) error {
	return answerQuery(c, a.searches, (*ledger.Session).Search)
}

// count answers with how many events a query fits.
func (a *API) count(c *call) error {
	return answerQuery(c, a.searches, (*ledger.Session).Count)
}

// answerQuery answers a query in JSON, if there is room for one more.
func answerQuery[Query, Answer any](c *call, room gate, ask func(*ledger.Session, context.Context, Query) (*Answer, error)) error {
	var q Query
	if err := c.readJSON(&q); err != nil {
		return err
	}
	if !room.enter() { // only now: whoever sends a query slowly keeps nobody from it
		return overloaded()
	}
	defer room.leave()
	answer, err := ask(c.session(), c.Context(), q)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
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
