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
