package retain_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A model says the same as a State, entry by entry and with sets of indices,
// by the rule of the package comment alone.
type model struct {
	entries  []modelEntry
	holds    map[uint64]*modelHold
	closings map[uint64]*modelClosing
	days     map[uint16]uint32
	buckets  []modelBucket // by number, from 1

	// gone is what closes at a moment, by its index.
	gone map[uint64]map[lock]bool
}

type modelEntry struct{ stream, bucket uint32 }

type modelHold struct {
	streams  map[uint32]bool
	indices  map[uint64]bool
	released bool
}

// A modelClosing is an expiry or an erasure.
type modelClosing struct {
	share retain.Share // without runs
	kept  map[uint64]bool
}

type modelBucket struct {
	stream  uint32
	class   uint16
	period  uint32
	indices []uint64
	expiry  uint64
}

// A lock is what one expiry or erasure closes of one entry.
type lock struct{ closing, index uint64 }

func newModel() *model {
	return &model{
		holds: map[uint64]*modelHold{}, closings: map[uint64]*modelClosing{},
		days: map[uint16]uint32{}, gone: map[uint64]map[lock]bool{},
	}
}

func (m *model) entry(stream, bucket uint32) {
	if bucket > 0 {
		b := &m.buckets[bucket-1]
		b.indices = append(b.indices, uint64(len(m.entries)))
	}
	m.entries = append(m.entries, modelEntry{stream, bucket})
}

// add adds to a hold, or makes it.
func (m *model) add(hold uint64, stream uint32, runs []proofs.Run) {
	h := m.holds[hold]
	if h == nil {
		h = &modelHold{streams: map[uint32]bool{}, indices: map[uint64]bool{}}
		m.holds[hold] = h
	}
	if stream > 0 {
		h.streams[stream] = true
	}
	for _, r := range runs {
		for i := r.First; i <= r.Last; i++ {
			h.indices[i] = true
		}
	}
}

// covering returns the active holds that cover an entry, rising.
func (m *model) covering(index uint64) (holds []uint64) {
	for _, n := range slices.Sorted(maps.Keys(m.holds)) {
		if h := m.holds[n]; !h.released && (h.streams[m.entries[index].stream] || h.indices[index]) {
			holds = append(holds, n)
		}
	}
	return holds
}

func (m *model) streamHeld(stream uint32) bool {
	for _, h := range m.holds {
		if !h.released && h.streams[stream] {
			return true
		}
	}
	return false
}

// announce is the moment of an expiry or erasure.
func (m *model) announce(index uint64, share retain.Share, indices []uint64) {
	c := &modelClosing{share: share, kept: map[uint64]bool{}}
	m.closings[index], m.gone[index] = c, map[lock]bool{}
	for _, i := range indices {
		if len(m.covering(i)) > 0 {
			c.kept[i] = true
		} else {
			m.gone[index][lock{index, i}] = true
		}
	}
}

// release is the moment of a release.
func (m *model) release(index, hold uint64) {
	m.holds[hold].released = true
	m.gone[index] = map[lock]bool{}
	for n, c := range m.closings {
		for i := range c.kept {
			if len(m.covering(i)) == 0 {
				delete(c.kept, i)
				m.gone[index][lock{n, i}] = true
			}
		}
	}
}

// due returns the buckets that are due, by the kept checkpoints, rising.
func (m *model) due(kept []retain.Checkpoint) (due []uint32) {
	now := kept[len(kept)-1].Time
	for n, b := range m.buckets {
		days := uint64(m.days[b.class])
		if b.expiry > 0 || len(b.indices) == 0 || days == 0 || m.streamHeld(b.stream) || uint64(b.period+1)*day > now {
			continue
		}
		for _, c := range kept {
			if c.Size > b.indices[len(b.indices)-1] {
				if now >= c.Time+days*day {
					due = append(due, uint32(n+1))
				}
				break
			}
		}
	}
	return due
}

// A vault does what a State says, with keys and rings: what it opens in the
// end is what the state was worth.
type vault struct {
	m       *model
	done    map[uint64]bool // expiries and erasures whose keys are destroyed
	rings   map[retain.RingName]map[lock]bool
	expired map[uint64]bool // entries whose record is gone
}

func newVault(m *model) *vault {
	return &vault{m: m, done: map[uint64]bool{}, rings: map[retain.RingName]map[lock]bool{}, expired: map[uint64]bool{}}
}

// locks returns those of the entries of a share that there are.
func (v *vault) locks(s retain.Share) (list []lock) {
	for _, r := range s.Runs {
		for i := r.First; i <= r.Last && i < uint64(len(v.m.entries)); i++ {
			if s.Bucket == 0 || v.m.entries[i].bucket == s.Bucket {
				list = append(list, lock{s.Closing, i})
			}
		}
	}
	return list
}

// opens reports whether there is a key for what a lock closes.
func (v *vault) opens(l lock) bool {
	if v.expired[l.index] {
		return false
	}
	if !v.done[l.closing] {
		return true
	}
	for _, ring := range v.rings {
		if ring[l] {
			return true
		}
	}
	return false
}

// do takes every step of a closing, and returns what it has closed. Of an
// erasure nothing may be named that is gone already, if its bucket is not.
func (v *vault) do(c retain.Closing) (gone map[lock]bool, err error) {
	closes := map[lock]bool{}
	for _, s := range c.Closes {
		for _, l := range v.locks(s) {
			closes[l] = true
			if s.Bucket == 0 && !v.expired[l.index] && !v.opens(l) {
				return nil, fmt.Errorf("entry %d is gone already", l.index)
			}
		}
	}
	for i, r := range c.Rings {
		if slices.ContainsFunc(c.Rings[:i], func(o retain.Ring) bool { return o.Hold == r.Hold && o.Closing == r.Closing }) {
			return nil, fmt.Errorf("hold %d keeps something of closing %d twice", r.Hold, r.Closing)
		}
		name := retain.RingName{Hold: r.Hold, Closing: c.Index}
		if v.rings[name] == nil {
			v.rings[name] = map[lock]bool{}
		}
		for _, l := range v.locks(r.Share) {
			if !closes[l] {
				return nil, fmt.Errorf("entry %d is kept and not closed", l.index)
			}
			if v.opens(l) {
				v.rings[name][l] = true
			}
		}
	}
	gone = map[lock]bool{}
	for _, s := range c.Gone() {
		for _, l := range v.locks(s) {
			if v.opens(l) {
				gone[l] = true
			}
		}
	}
	v.destroy(c, gone)
	return gone, nil
}

// destroy destroys the keys of a closing, and removes the records of what has
// expired.
func (v *vault) destroy(c retain.Closing, gone map[lock]bool) {
	if c.Kind == proofs.Release {
		maps.DeleteFunc(v.rings, func(name retain.RingName, _ map[lock]bool) bool { return name.Hold == c.Hold })
	} else {
		v.done[c.Index] = true
	}
	for l := range gone {
		if v.m.closings[l.closing].share.Bucket > 0 {
			v.expired[l.index] = true
		}
	}
}
