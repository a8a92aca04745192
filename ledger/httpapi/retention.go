package httpapi

import (
	"net/http"
	"strconv"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
)

// A ClassChange is how long a class keeps entries from now on.
type ClassChange struct {
	Days *uint32 `json:"days"` // 0: for ever
}

// A CustodyChange is what it takes from now on to do what cannot be undone.
type CustodyChange struct {
	Custodians *uint8  `json:"custodians"`
	Grace      *uint32 `json:"grace"` // seconds
}

// A Changed is the answer to a change of settings: the entry that made it, or
// the request that another custodian has to approve.
type Changed struct {
	Index     uint64 `json:"index,omitempty"`
	Requested uint64 `json:"requested,omitempty"`
}

func (c *call) changed(index uint64, requested bool) error {
	if requested {
		c.w.Header().Set("Location", "/v1/requests/"+strconv.FormatUint(index, 10))
		return c.json(http.StatusAccepted, Changed{Requested: index})
	}
	return c.json(http.StatusOK, Changed{Index: index})
}

func (a *API) setClass(c *call) error {
	var change ClassChange
	if err := c.readJSON(&change); err != nil {
		return err
	}
	if change.Days == nil {
		return badRequest("for how many days? 0 is for ever")
	}
	class := ledger.ClassConfig{Name: c.PathValue("class"), Days: *change.Days}
	if err := c.mayKeep(class); err != nil {
		return err
	}
	index, requested, err := c.session().SetClass(c.Context(), class)
	if err != nil {
		return err
	}
	return c.changed(index, requested)
}

// maySetStream refuses a change of a stream to who may not make it: to take
// something from it is for custodians where two are needed, and all else for
// operators.
func (c *call) maySetStream(s ledger.StreamConfig) error {
	_, two, err := c.weakens(s)
	switch {
	case err != nil:
		return err
	case two:
		return c.needing(identity.Close, "to take something from a stream two custodians are needed")
	}
	return c.needing(identity.ChangeSettings, "what takes nothing from a stream is for operators")
}

// mayKeep refuses a change of a class to who may not make it: longer is for
// operators. Shorter is for custodians where two are needed, and else for both.
func (c *call) mayKeep(class ledger.ClassConfig) error {
	less, two, err := c.weakens(class)
	switch {
	case err != nil:
		return err
	case two:
		return c.needing(identity.Close, "to keep entries for less time two custodians are needed")
	case !less:
		return c.needing(identity.ChangeSettings, "to keep entries for longer is for operators")
	}
	return nil
}

// weakens reports whether a change takes something from what there is, and
// whether that takes two custodians. What cannot be is an error, whoever asks:
// nobody else may do it either.
func (c *call) weakens(change ledger.Setting) (less, two bool, err error) {
	taken, err := c.api.ledger.Weakens(change)
	less = err == nil && taken != ""
	return less, less && c.api.ledger.Custody().Custodians > 1, err
}

func (a *API) custody(c *call) error { return c.json(http.StatusOK, a.ledger.Custody()) }

func (a *API) setCustody(c *call) error {
	var change CustodyChange
	if err := c.readJSON(&change); err != nil {
		return err
	}
	if change.Custodians == nil || change.Grace == nil {
		return badRequest("say both: custodians, 1 or 2, and grace, in seconds")
	}
	next := ledger.CustodyConfig{Custodians: *change.Custodians, Grace: *change.Grace}
	_, two, err := c.weakens(next)
	if err == nil && two {
		err = c.needing(identity.Close, "to need less, two custodians are needed")
	}
	if err != nil {
		return err
	}
	index, requested, err := c.session().SetCustody(c.Context(), next)
	if err != nil {
		return err
	}
	return c.changed(index, requested)
}

func (a *API) custodians(c *call) error { return c.json(http.StatusOK, a.ledger.Custodians()) }

func (a *API) setCustodians(c *call) error {
	var next ledger.CustodiansConfig
	if err := c.readJSON(&next); err != nil {
		return err
	}
	if next.Names == nil {
		return badRequest("say who the custodians are: names, which may be none")
	}
	for _, name := range next.Names {
		// Whom nobody can be could not be taken back either, where two are needed.
		if who, err := identity.ParseName(name); err != nil || who.Kind == identity.ByNothing {
			return client.NewProblem(client.BadRequest, "no identity has the name "+printable(name, 64),
				"name them as the history does: carla, cert:staff:carla or oidc:corp:carla@example.com")
		}
	}
	_, two, err := c.weakens(next)
	if err == nil && two {
		err = c.needing(identity.Close, "who the custodians are, two of them say")
	}
	if err != nil {
		return err
	}
	index, requested, err := c.session().SetCustodians(c.Context(), next)
	if err != nil {
		return err
	}
	return c.changed(index, requested)
}

func (a *API) retention(c *call) error {
	info, err := c.session().Retention(c.Context())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, info)
}

// runRetention lets the ledger look now for what has reached its age.
func (a *API) runRetention(c *call) error {
	if err := c.hasNoBody(); err != nil {
		return err
	}
	s := c.session()
	info, err := s.Retention(c.Context())
	if err == nil {
		err = s.Retain(c.Context())
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/v1/retention")
	return c.json(http.StatusAccepted, info)
}
