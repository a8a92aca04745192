package retain

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/proofs"
)

// A State is what the entries of a ledger say about retention. The zero State
// is that of a ledger without entries.
type State struct {
	mu   sync.RWMutex // guards all below
	size uint64       // entries that were applied

	buckets []bucket // by number, from 1
	paths   map[path]uint32
	classes map[uint16][]ClassSetting
	streams map[uint32]proofs.StreamBody // as they are now
	ledger  proofs.LedgerBody            // Custodians 0: never set
	named   proofs.CustodiansBody

	holds    []*hold    // whose release is not done, rising
	closings []*closing // that are open, or of which something is kept, rising
	kept     map[place][]*closing
	open     []*closing // the open ones of them
	erasing  *erasing   // the erasure whose parts are coming
	spans    []span     // of all announced erasures, rising
	requests []*Request // rising

	controls        proofs.Hash // commits to the lasting entries
	pruning         uint32      // days; 0: nothing more is pruned
	minimum, before minimum     // the last two announced; entry 0: none

	destroyed proofs.KeysDestroyed // the latest; Announced 0: none yet
}

// Size returns how many entries were applied: the index of the next one.
func (s *State) Size() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.size
}

// KeyState returns the latest entry that says that keys were destroyed; ok is
// false before the first. A key state with a lower epoch is older than the
// ledger.
func (s *State) KeyState() (k proofs.KeysDestroyed, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.destroyed, s.destroyed.Announced > 0
}

// Apply takes over what the next entry says, events included. An entry that
// was applied before changes nothing. The error is an [EntryError], and then
// nothing has changed: the entry is in the log and must not be, so the ledger
// must stop. Use [State.Check] before it is.
func (s *State) Apply(index uint64, leaf proofs.Leaf) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index < s.size {
		return nil
	}
	change, err := s.judge(index, &leaf)
	controls := s.controls
	if err == nil && leaf.Lasts() {
		controls, err = proofs.NextControls(controls, index, &leaf)
	}
	if err != nil {
		return &EntryError{Index: index, Kind: leaf.Kind, Err: err}
	}
	if leaf.Bucket > 0 {
		s.buckets[leaf.Bucket-1].add(index, leaf.Time)
	}
	if change != nil {
		change()
	}
	s.controls = controls
	s.size++
	return nil
}

// Check reports whether an entry can follow those that were applied, at the
// index [State.Size]. What is checked belongs in a batch of its own, in the
// same goroutine that applies, so that nothing comes between. Of an erasure in
// several parts, check the first.
func (s *State) Check(leaf proofs.Leaf) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, err := s.judge(s.size, &leaf); err != nil {
		return &EntryError{Index: s.size, Kind: leaf.Kind, Err: err}
	}
	return nil
}

// judge returns what an entry changes beside its own bucket; nil is nothing.
func (s *State) judge(index uint64, leaf *proofs.Leaf) (change func(), err error) {
	if index != s.size {
		return nil, fmt.Errorf("entry %d is to be applied first: %w", s.size, ErrGap)
	}
	if (index == 0) != (leaf.Kind == proofs.Created) {
		return nil, errors.New("entry 0 and no other says that the ledger was created")
	}
	if leaf.Bucket > 0 {
		if err := s.judgeUse(leaf); err != nil {
			return nil, err
		}
	}
	switch leaf.Kind {
	case proofs.Settings:
		return s.judgeSettings(index, leaf)
	case proofs.BucketOpened:
		return s.judgeBucket(leaf)
	case proofs.Expiry:
		return s.judgeExpiry(index, leaf)
	case proofs.Hold:
		return s.judgeHold(index, leaf)
	case proofs.Release:
		return s.judgeRelease(index, leaf)
	case proofs.Erasure:
		return s.judgeErasure(index, leaf)
	case proofs.Administration:
		return s.judgeAdministration(index, leaf)
	}
	return nil, nil
}

// judgeUse checks that the entry's bucket takes it.
func (s *State) judgeUse(leaf *proofs.Leaf) error {
	b, err := s.bucket(leaf.Bucket)
	switch {
	case err != nil:
		return err
	case b.expiry > 0:
		return fmt.Errorf("bucket %d: entry %d announced its expiry: %w", leaf.Bucket, b.expiry, ErrClosed)
	case b.stream != leaf.Stream:
		return fmt.Errorf("bucket %d is of stream %d, not %d", leaf.Bucket, b.stream, leaf.Stream)
	}
	return nil
}

// bucket returns an opened bucket.
func (s *State) bucket(number uint32) (*bucket, error) {
	if number == 0 || uint64(number) > uint64(len(s.buckets)) {
		return nil, fmt.Errorf("no entry opened bucket %d", number)
	}
	return &s.buckets[number-1], nil
}

// judgeDone judges the completion of a closing.
func (s *State) judgeDone(kind proofs.Kind, done *proofs.KeysDestroyed) (change func(), err error) {
	switch {
	case len(s.open) == 0:
		return nil, errors.New("nothing is open that could be done")
	case s.open[0].index != done.Announced:
		return nil, fmt.Errorf("what entry %d announced is to be done first", s.open[0].index)
	case s.open[0].kind != kind:
		return nil, fmt.Errorf("entry %d did not announce this but: %v", done.Announced, s.open[0].kind)
	case done.Epoch < s.destroyed.Epoch:
		return nil, fmt.Errorf("key state %d is older than %d, which the ledger had before", done.Epoch, s.destroyed.Epoch)
	case done.Epoch == s.destroyed.Epoch && done.State != s.destroyed.State && s.destroyed.Announced > 0:
		return nil, fmt.Errorf("key state %d is another one than the ledger had before", done.Epoch)
	}
	return func() {
		s.destroyed = *done
		s.finish(s.open[0])
		s.open = slices.Delete(s.open, 0, 1)
	}, nil
}
