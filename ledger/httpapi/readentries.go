package httpapi

import (
	"bufio"
	"net/http"

	"github.com/cairnlog/cairn/client"
)

// readEntries answers with several entries, a line each and one after the
// other: in memory there is one. Where one cannot be read at all the connection
// is cut.
func (a *API) readEntries(c *call) error {
	if !c.query.Has("entries") {
		return badRequest("say which: entries, a list such as 4102,4711-4713")
	}
	runs, err := client.ParseRuns(c.query.Get("entries"))
	if err != nil {
		return badRequest("entries: %v", err)
	}
	if err := a.enterEntry(c.Context()); err != nil {
		return err
	}
	defer a.entries.Release(a.most)
	h := c.w.Header()
	out := bufio.NewWriterSize(c.w, writePiece)
	for e, err := range c.session().Entries(c.Context(), runs) {
		if err != nil {
			return err
		}
		line, err := formatJSON(e)
		if err != nil {
			return err
		}
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", linesType)
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Disposition", "attachment")
		}
		if _, err := out.Write(line); err != nil || c.Method == http.MethodHead {
			return err
		}
	}
	return out.Flush()
}
