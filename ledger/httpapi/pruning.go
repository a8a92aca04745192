package httpapi

import (
	"net/http"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
)

// A PruningChange is when public entries are pruned from now on.
type PruningChange struct {
	Days *uint32 `json:"days"` // 0: nothing more is
}

// pruning answers with what is pruned, and what keeps it from being more.
func (a *API) pruning(c *call) error { return c.json(http.StatusOK, a.ledger.Pruning()) }

// setPruning is for operators, where it takes nothing more from the public, and
// else for custodians too; where two are needed, for them alone.
func (a *API) setPruning(c *call) error {
	var change PruningChange
	if err := c.readJSON(&change); err != nil {
		return err
	}
	if change.Days == nil {
		return badRequest("after how many days? 0 prunes nothing more")
	}
	next := ledger.PruningConfig{Days: *change.Days}
	less, two, err := c.weakens(next)
	switch {
	case err != nil:
	case two:
		err = c.needing(identity.Close, "to prune public entries two custodians are needed")
	case !less:
		err = c.needing(identity.ChangeSettings, "to prune later, or nothing more, is for operators")
	}
	if err != nil {
		return err
	}
	index, requested, err := c.session().SetPruning(c.Context(), next)
	if err != nil {
		return err
	}
	return c.changed(index, requested)
}
