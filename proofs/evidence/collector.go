package evidence

import (
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A Collector reads the leaves of a ledger, and knows what context the entries
// of a file need: which entries say how their tags are made, and why something
// of them is gone. It keeps what control entries say, and nothing of events.
type Collector struct {
	facts    *facts
	erasures map[uint32][]uint64 // by stream, the announcements
	expiries map[uint32][]uint64 // by bucket
	releases map[uint64][]uint64 // by hold
}

// NewCollector returns a collector that has read nothing.
func NewCollector() *Collector {
	return &Collector{
		facts: newFacts(), erasures: make(map[uint32][]uint64),
		expiries: make(map[uint32][]uint64), releases: make(map[uint64][]uint64),
	}
}

// Take reads the next leaf; they come by rising index. An error says that a
// control entry does not say what its kind does: it is passed over.
func (c *Collector) Take(index uint64, leaf proofs.Leaf) error {
	switch leaf.Kind {
	case proofs.Settings, proofs.BucketOpened, proofs.Hold, proofs.Administration, proofs.Expiry, proofs.Erasure, proofs.Release:
	default:
		return nil
	}
	if err := c.facts.take(&Entry{Index: index}, leaf); err != nil {
		return err
	}
	a := c.facts.closings[index]
	switch {
	case a.expired != nil:
		c.expiries[a.expired.Bucket] = append(c.expiries[a.expired.Bucket], index)
	case a.erased != nil:
		c.erasures[a.erased.Stream] = append(c.erasures[a.erased.Stream], index)
	case a.released != nil:
		c.releases[a.released.Hold] = append(c.releases[a.released.Hold], index)
	}
	return nil
}

// Streams returns the numbers of all streams that were set, rising.
func (c *Collector) Streams() []uint32 { return slices.Sorted(maps.Keys(c.facts.streams)) }

// Settings returns the entry that set a stream last before an index.
func (c *Collector) Settings(stream uint32, before uint64) (index uint64, ok bool) {
	set := c.facts.settingsAt(stream, before)
	if set == nil {
		return 0, false
	}
	return set.index, true
}

// Context returns the entries that it takes to compute the tags of an event
// again, and to know what its bucket is: rising.
func (c *Collector) Context(index uint64, leaf proofs.Leaf) (context []uint64) {
	if leaf.Kind != proofs.Event {
		return nil
	}
	if set, ok := c.Settings(leaf.Stream, index); ok {
		context = append(context, set)
	}
	if b := c.facts.buckets[leaf.Bucket]; b != nil {
		for _, opened := range b.opened {
			if opened < index {
				context = append(context, opened)
			}
		}
	}
	slices.Sort(context)
	return context
}

// Because returns the entries that an [Entry] names as reasons: rising, and at
// most [MaxBecause].
func (c *Collector) Because(index uint64, leaf proofs.Leaf) (because []uint64) {
	for _, announced := range c.expiries[leaf.Bucket] {
		if x := c.facts.closings[announced].expired; x.First <= index && index <= x.Last && index < announced {
			because = append(because, announced)
		}
	}
	for i, announced := range c.erasures[leaf.Stream] {
		x := c.facts.closings[announced].erased
		if !x.Names(index) || index >= announced {
			continue
		}
		because = append(because, announced)
		for _, later := range c.erasures[leaf.Stream][i+1:] {
			if last := c.facts.closings[later].erased; last.Part == last.Parts && completes(last, x) {
				because = append(because, later)
				break
			}
		}
	}
	if isOwn(leaf) {
		because = append(because, c.erasuresFrom(index)...)
	}
	if len(because) == 0 {
		return nil // nothing of it was closed, so nothing had to be held
	}
	for at, h := range c.facts.holds {
		if covers(h, leaf.Stream, index) {
			because = append(because, at)
			because = append(because, c.releases[holdOf(at, h)]...)
		}
	}
	slices.Sort(because)
	because = slices.Compact(because)
	return because[:min(len(because), MaxBecause)]
}

// maxPossible bounds how many erasures are named of which one may have closed
// what an entry of the ledger's own says of somebody.
const maxPossible = 16

// erasuresFrom returns the last announcements of the erasures from an entry
// on; of that entry alone, if it announces one.
func (c *Collector) erasuresFrom(index uint64) (lasts []uint64) {
	for _, list := range c.erasures {
		for _, at := range list {
			if x := c.facts.closings[at].erased; at >= index && x.Part == x.Parts {
				lasts = append(lasts, at)
			}
		}
	}
	slices.Sort(lasts)
	own := c.facts.closings[index].erased != nil
	if own && len(lasts) > 0 {
		return lasts[:1]
	}
	return lasts[:min(len(lasts), maxPossible)]
}

// Behind returns what reasons refer to: the entries that set the class of an
// expiry, asked for and approved an erasure or a release, and say that the keys
// are destroyed; and the checkpoints by which the age was told.
func (c *Collector) Behind(because []uint64) (context []uint64, checkpoints []proofs.CheckpointRef) {
	for _, index := range because {
		context = append(context, index)
		if at, ok := c.facts.done[index]; ok {
			context = append(context, at)
		}
		a, request := c.facts.closings[index], uint64(0)
		switch {
		case a.expired != nil:
			context = append(context, a.expired.Settings)
			checkpoints = append(checkpoints, a.expired.Closed, a.expired.Now)
		case a.erased != nil:
			request = a.erased.Request
		case a.released != nil:
			request = a.released.Request
		}
		if _, ok := c.facts.requests[request]; !ok {
			continue
		}
		context = append(context, request)
		for _, answer := range c.facts.answers[request] {
			context = append(context, answer.index)
		}
	}
	slices.Sort(context)
	return slices.Compact(context), checkpoints
}

// holdOf returns the hold that an entry makes or adds to.
func holdOf(index uint64, h proofs.HoldBody) uint64 {
	if h.Hold == 0 {
		return index
	}
	return h.Hold
}
