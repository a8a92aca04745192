package client

import "slices"

// maxRecent is how many views a verifier keeps: as many as cairn append has
// batches under way, whose answers come in any order.
const maxRecent = 64

// A recent holds the views that were believed a moment ago, the last used one
// first. What was believed once stays so, as the memory only ever moves on to
// what extends it.
type recent []recentView

type recentView struct {
	signed string // not the view's own bytes, which others have too
	view   View
}

// find returns the view of a checkpoint, as it was signed.
func (r *recent) find(signed []byte) (View, bool) {
	i := slices.IndexFunc(*r, func(v recentView) bool { return v.signed == string(signed) })
	if i < 0 {
		return View{}, false
	}
	found := (*r)[i]
	copy((*r)[1:], (*r)[:i])
	(*r)[0] = found
	return found.view, true
}

// add keeps a view that is believed, and forgets the one used longest ago if
// there are too many.
func (r *recent) add(v View) {
	if _, ok := r.find(v.Signed); ok {
		(*r)[0].view = v
		return
	}
	*r = slices.Insert((*r)[:min(len(*r), maxRecent-1)], 0, recentView{string(v.Signed), v})
}
