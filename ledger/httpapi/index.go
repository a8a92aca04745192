package httpapi

import "net/http"

// rebuildIndex lets the search index begin anew. How far it has come then is in
// the status.
func (a *API) rebuildIndex(c *call) error {
	if err := c.hasNoBody(); err != nil {
		return err
	}
	info, err := c.session().RebuildIndex(c.Context())
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/v1/status")
	return c.json(http.StatusAccepted, info)
}
