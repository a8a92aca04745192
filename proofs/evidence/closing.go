package evidence

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A Closing is what was published about the end of an entry's payload, or of
// what in it concerns one person.
type Closing struct {
	What      string `json:"what"`      // expiry or erasure
	Announced uint64 `json:"announced"` // index of the entry that announced it

	// Effective is the index of the entry from which on nothing kept the
	// entry: the announcement itself, the last one of an erasure in several
	// entries, or the release of the last hold. 0: holds keep it.
	Effective uint64   `json:"effective,omitempty"`
	Holds     []uint64 `json:"holds,omitempty"` // that kept it at the announcement, or still do

	// Done is the index of the entry that says that the keys are destroyed; 0:
	// the file has none.
	Done uint64 `json:"done,omitempty"`

	// Settings is the entry that set the class which the expiry names, and Days
	// how long it keeps entries. Aged reports whether the file shows, by
	// checkpoints that the quorum cosigned, that they were over.
	Settings uint64 `json:"settings,omitempty"`
	Days     uint32 `json:"days,omitempty"`
	Aged     bool   `json:"aged,omitempty"`

	// Request is the entry that asked for the erasure, where two custodians
	// had to want it, and Approval the one by which another approved; 0: the
	// file has none.
	Request  uint64 `json:"request,omitempty"`
	Approval uint64 `json:"approval,omitempty"`

	// Possible says that the erasure names no entry of the ledger's own, and so
	// perhaps is not of the person whom this one named.
	Possible bool `json:"possible,omitempty"`
}

// A reasons is the entries of the context that an entry names, in their order.
type reasons struct {
	f     *facts
	chain *chain
	index uint64
	leaf  proofs.Leaf
	own   bool // an entry of the ledger's own that still shows what it is about

	closings []Closing
	lasts    []uint64          // last parts of erasures
	claims   map[uint64]uint64 // by hold: the entry from which on it covers the entry
	released map[uint64]uint64 // by hold: the announcement of its release
}

// explain returns the closings that an entry names. An error says that what it
// names is no reason for anything of this entry, or not a good one.
func (f *facts) explain(c *chain, e *Entry, leaf proofs.Leaf) ([]Closing, error) {
	r := &reasons{f: f, chain: c, index: e.Index, leaf: leaf, claims: make(map[uint64]uint64), released: make(map[uint64]uint64)}
	r.own = isOwn(leaf) && e.Disclosure != nil && len(e.Disclosure.Parts) > 0 && e.Disclosure.Parts[0].Shown()
	for _, index := range e.Because {
		if err := r.name(index); err != nil {
			return nil, err
		}
	}
	for i := range r.closings {
		if err := r.finish(&r.closings[i]); err != nil {
			return nil, err
		}
	}
	return r.closings, nil
}

// name takes the next entry that is named.
func (r *reasons) name(index uint64) error {
	if h, ok := r.f.holds[index]; ok {
		return r.nameHold(index, h)
	}
	a := r.f.closings[index]
	switch {
	case a.expired != nil && a.expired.Bucket == r.leaf.Bucket && a.expired.First <= r.index && r.index <= a.expired.Last && r.index < index:
		r.closings = append(r.closings, Closing{What: proofs.Expiry.String(), Announced: index})
		return nil
	case a.erased != nil && r.own && a.erased.Part == a.erased.Parts && r.index <= index:
		r.closings = append(r.closings, Closing{What: proofs.Erasure.String(), Announced: index, Request: a.erased.Request, Possible: r.index < index})
		return nil
	case a.erased != nil && a.erased.Stream == r.leaf.Stream:
		return r.nameErasure(index, a.erased)
	case a.released != nil && r.claims[a.released.Hold] > 0:
		r.released[a.released.Hold] = index
		return nil
	}
	return fmt.Errorf("%w: entry %d says nothing about it", proofs.ErrNotVerified, index)
}

// isOwn reports whether an entry is of the ledger's own stream. Where such an
// entry names a data subject, in a part of its own, an erasure of the subject
// closes that part too; but it does not say of which entries.
func isOwn(leaf proofs.Leaf) bool { return leaf.Stream == 0 && leaf.Kind != proofs.Event }

func (r *reasons) nameHold(index uint64, h proofs.HoldBody) error {
	if !covers(h, r.leaf.Stream, r.index) {
		return fmt.Errorf("%w: the hold of entry %d does not cover it", proofs.ErrNotVerified, index)
	}
	if hold := holdOf(index, h); r.claims[hold] == 0 {
		r.claims[hold] = index
	}
	return nil
}

// nameErasure takes an announcement that names the entry, or the last one of
// an erasure in several of which another does.
func (r *reasons) nameErasure(index uint64, x *proofs.ErasedBody) error {
	if x.Part == x.Parts {
		r.lasts = append(r.lasts, index)
	}
	if x.Names(r.index) && r.index < index {
		r.closings = append(r.closings, Closing{What: proofs.Erasure.String(), Announced: index, Request: x.Request})
		return nil
	}
	for _, c := range r.closings {
		if before := r.f.closings[c.Announced].erased; x.Part == x.Parts && before != nil && completes(x, before) {
			return nil
		}
	}
	return fmt.Errorf("%w: the erasure of entry %d does not name it", proofs.ErrNotVerified, index)
}

// completes reports whether an announcement can be the last one of the erasure
// in several that another is of.
func completes(last, part *proofs.ErasedBody) bool {
	return part.Part < part.Parts && last.Parts == part.Parts && last.Stream == part.Stream && last.Request == part.Request
}

// finish tells when a closing took hold, and whether it was allowed.
func (r *reasons) finish(c *Closing) error {
	a := r.f.closings[c.Announced]
	moment := c.Announced // from which on it counts
	if a.erased != nil && a.erased.Part < a.erased.Parts {
		i := slices.IndexFunc(r.lasts, func(last uint64) bool {
			return last > c.Announced && completes(r.f.closings[last].erased, a.erased)
		})
		if i < 0 {
			return fmt.Errorf("%w: the erasure of entry %d was not announced to its end", proofs.ErrNotVerified, c.Announced)
		}
		moment = r.lasts[i]
	}
	c.Effective, c.Holds = r.effective(moment)
	c.Done = r.f.done[moment]
	if released := r.f.closings[c.Effective].released; released != nil {
		c.Done = r.f.done[c.Effective]
	}
	if a.expired != nil {
		return r.age(c, a.expired)
	}
	if c.Request > 0 {
		c.Approval, _ = r.f.approval(c.Request, c.Announced)
	}
	return nil
}

// effective returns the first moment, from an announcement on, at which no hold
// kept the entry, or 0; and the holds that kept it at the announcement.
func (r *reasons) effective(moment uint64) (at uint64, holds []uint64) {
	holds = r.holdsAt(moment)
	if len(holds) == 0 {
		return moment, nil
	}
	for _, m := range slices.Sorted(maps.Values(r.released)) {
		if m > moment && len(r.holdsAt(m)) == 0 {
			return m, holds
		}
	}
	return 0, holds
}

// holdsAt returns the holds that keep the entry at a moment. A hold does not
// any more at its own release.
func (r *reasons) holdsAt(moment uint64) (holds []uint64) {
	for hold, since := range r.claims {
		if since < moment && (r.released[hold] == 0 || r.released[hold] > moment) {
			holds = append(holds, hold)
		}
	}
	slices.Sort(holds)
	return holds
}

const secondsPerDay = 24 * 60 * 60

// age judges whether the bucket had the age at which its class expires.
func (r *reasons) age(c *Closing, x *proofs.ExpiredBody) error {
	class, ok := r.f.classes[x.Settings]
	b := r.f.buckets[x.Bucket]
	if !ok || b == nil {
		return nil
	}
	c.Settings, c.Days = x.Settings, class.Days
	if class.Class != b.class || x.Settings >= c.Announced || class.Days == 0 {
		return fmt.Errorf("%w: the expiry of entry %d names settings by which bucket %d does not expire", proofs.ErrNotVerified, c.Announced, x.Bucket)
	}
	closed, now := r.chain.find(x.Closed), r.chain.find(x.Now)
	if closed.time == 0 || now.time == 0 {
		return nil // the file does not have them, or the quorum does not attest their time
	}
	if now.time < closed.time || now.time-closed.time < uint64(class.Days)*secondsPerDay {
		return fmt.Errorf("%w: entry %d expires bucket %d before its %d days are over, by the checkpoints that it names", proofs.ErrNotVerified, c.Announced, x.Bucket, class.Days)
	}
	c.Aged = true
	return nil
}
