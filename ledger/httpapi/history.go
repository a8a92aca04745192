package httpapi

import (
	"net/http"

	"github.com/cairnlog/cairn/client"
)

// history answers with what was recorded of reads and administration, and with
// what proves it.
func (a *API) history(c *call) error {
	q, err := c.historyQuery()
	if err != nil {
		return err
	}
	h, err := c.session().ProvenHistory(c.Context(), q)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, h)
}

func (c *call) historyQuery() (client.HistoryQuery, error) {
	q := client.HistoryQuery{Stream: c.query.Get("stream"), Who: c.query.Get("who"), What: c.query.Get("what")}
	var entry, limit uint64
	for _, p := range []struct {
		name string
		to   *uint64
	}{{"entry", &entry}, {"from", &q.From}, {"before", &q.Before}, {"limit", &limit}} {
		if !c.query.Has(p.name) {
			continue
		}
		var err error
		if *p.to, err = c.number(p.name); err != nil {
			return q, err
		}
	}
	if c.query.Has("entry") {
		q.Entry = &entry
	}
	q.Limit = int(min(limit, client.MaxHistory+1))
	return q, nil
}
