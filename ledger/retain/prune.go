package retain

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A minimum is an announced minimum index.
type minimum struct {
	index uint64 // below it entries may be pruned
	entry uint64 // that announced it
	now   uint64 // size of the checkpoint whose time it was announced by
}

// A Pruning is what is said about public entries that nobody needs any more.
type Pruning struct {
	Days    uint32 // how long they must have been closed; 0: nothing more is pruned
	Minimum uint64 // the minimum index that was announced last; 0: none was
	Entry   uint64 // index of the entry that announced it
	Now     uint64 // size of the checkpoint by whose time it was
}

// Pruning returns what is said about pruning.
func (s *State) Pruning() Pruning {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Pruning{Days: s.pruning, Minimum: s.minimum.index, Entry: s.minimum.entry, Now: s.minimum.now}
}

// Minimum returns the minimum index that is in force when so many entries are
// published. It counts once the entry that announces it is among them.
func (s *State) Minimum(published uint64) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.minimum.entry < published {
		return s.minimum.index
	}
	return s.before.index
}

// Controls returns the hash that commits to all lasting entries so far:
// [proofs.NextControls].
func (s *State) Controls() proofs.Hash {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.controls
}

// A Limit is how far pruning may go, and what keeps it from going further:
// one of the last three, or that younger entries are not old enough.
type Limit struct {
	Index  uint64 // a multiple of 256: all below it may be pruned
	Bucket uint32 // that is not closed, or not for long enough
	Hold   uint64 // that covers what is behind the limit
	Open   uint64 // index of the announcement of what is not done yet: nothing more is pruned meanwhile
}

// Prunable returns how far pruning may go by what is closed, where the checkpoint
// that is old enough has a size.
func (s *State) Prunable(aged uint64) Limit {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.prunable(aged)
}

func (s *State) prunable(aged uint64) Limit {
	if len(s.open) > 0 {
		return Limit{Open: s.open[0].index}
	}
	l := Limit{Index: aged}
	lower := func(to Limit) {
		if to.Index < l.Index {
			l = to
		}
	}
	heldBy := map[uint32]uint64{} // whole streams
	for _, h := range s.holds {
		for _, c := range h.claims {
			for _, stream := range c.streams {
				heldBy[stream] = h.index
			}
			if len(c.runs) > 0 {
				lower(Limit{Index: c.runs[0].First, Hold: h.index})
			}
		}
	}
	for i := range s.buckets {
		b := &s.buckets[i]
		if b.stream == 0 || b.count == 0 {
			continue // the ledger's own are for auditors: what lasts of them stays
		}
		if b.expiry == 0 || b.expiry >= aged {
			lower(Limit{Index: b.first, Bucket: uint32(i + 1)})
		}
		if hold := heldBy[b.stream]; hold > 0 {
			lower(Limit{Index: b.first, Hold: hold})
		}
	}
	l.Index -= l.Index % proofs.TileWidth
	return l
}

func (s *State) judgeMinimum(index uint64, m *proofs.MinimumBody) error {
	switch {
	case s.pruning == 0:
		return errors.New("no entry says that anything is pruned")
	case m.Index <= s.minimum.index:
		return fmt.Errorf("the minimum index %d is not above the one of entry %d, %d", m.Index, s.minimum.entry, s.minimum.index)
	case m.Now.Size > index:
		return fmt.Errorf("a checkpoint of %d entries cannot be older than entry %d", m.Now.Size, index)
	case s.minimum.entry > 0 && m.Now.Size <= s.minimum.entry:
		return fmt.Errorf("the minimum index of entry %d is not in force before a checkpoint covers it", s.minimum.entry)
	case m.Controls != s.controls:
		return errors.New("the announcement commits to other entries than are to last")
	}
	if l := s.prunable(m.Aged.Size); m.Index > l.Index {
		return fmt.Errorf("entries below %d are not to be pruned yet, only those below %d", m.Index, l.Index)
	}
	return nil
}

func (s *State) setMinimum(index uint64, m *proofs.MinimumBody) {
	s.before, s.minimum = s.minimum, minimum{index: m.Index, entry: index, now: m.Now.Size}
}

// A savedPruning is what is said about pruning.
type savedPruning struct {
	Controls []byte         `json:"controls,omitempty"`
	Days     uint32         `json:"days,omitempty"`
	Minima   []savedMinimum `json:"minima,omitempty"` // the last two, rising
}

type savedMinimum struct {
	Index uint64 `json:"index"`
	Entry uint64 `json:"entry"`
	Now   uint64 `json:"now"`
}

func (s *State) savePruning() *savedPruning {
	out := savedPruning{Days: s.pruning}
	if s.controls != (proofs.Hash{}) {
		out.Controls = slices.Clone(s.controls[:]) // which go on while this is written
	}
	for _, m := range []minimum{s.before, s.minimum} {
		if m.entry > 0 {
			out.Minima = append(out.Minima, savedMinimum{m.index, m.entry, m.now})
		}
	}
	if out.Controls == nil && out.Days == 0 && out.Minima == nil {
		return nil
	}
	return &out
}

func (s *State) loadPruning(saved *snapshot) error {
	p := saved.Pruning
	if p == nil {
		return nil
	}
	if len(p.Controls) != 0 && len(p.Controls) != proofs.HashSize || len(p.Minima) > 2 {
		return errors.New("pruning: it cannot be so")
	}
	copy(s.controls[:], p.Controls)
	s.pruning = p.Days
	for _, m := range p.Minima {
		if m.Index%proofs.TileWidth != 0 || m.Index <= s.minimum.index || m.Now < m.Index || m.Now > m.Entry ||
			s.minimum.entry > 0 && m.Now <= s.minimum.entry || m.Entry >= s.size {
			return fmt.Errorf("minimum index %d: it cannot be so", m.Index)
		}
		s.before, s.minimum = s.minimum, minimum{m.Index, m.Entry, m.Now}
	}
	return nil
}
