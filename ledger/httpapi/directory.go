package httpapi

import (
	"net/http"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// directory answers with what the directory of a segment is made of: of all
// streams where the path names none, which takes the right to all sealed records.
func (a *API) directory(c *call) error {
	q := client.DirectoryQuery{Stream: c.PathValue("stream")}
	switch c.PathValue("size") {
	case "small":
	case "large":
		q.Segment.Large = true
	default:
		return client.NewProblem(client.NotFound, "segments are small or large", "")
	}
	var err error
	if q.Segment.Number, err = parseNumber("the segment", c.PathValue("number")); err != nil {
		return err
	}
	if rows := c.query.Get("rows"); c.query.Has("rows") && rows != "true" && rows != "false" {
		return badRequest("rows is %.40q, neither true nor false", rows)
	}
	q.Rows = c.query.Get("rows") == "true"
	if !a.finds.enter() {
		return overloaded()
	}
	defer a.finds.leave()
	shown, err := c.session().Directory(c.Context(), q)
	if err != nil {
		return err
	}
	body, err := proofs.FormatShownDirectory(shown)
	if err != nil {
		return err
	}
	c.w.rate = listRate // it is large, and takes one of few places until it is taken
	c.w.Header().Set("Content-Disposition", "attachment")
	return c.answer(http.StatusOK, client.ShownDirectoryType, body)
}
