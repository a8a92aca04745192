package storagetest

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
)

// A Subject is one store under test, empty at first.
type Subject[S any] struct {
	// Open opens the store; after an ending it opens it again.
	Open func() (S, error)

	// Close ends the store in an orderly way.
	Close func() error

	// Kill ends the store as the death of its process would. Nil where that
	// cannot be tried.
	Kill func()

	// Crash ends the store as a power cut would: what was synced stays, and if
	// rng is not nil a random part of the rest. Nil where it cannot be tried.
	Crash func(rng *rand.Rand)

	// Damage changes a bit of the bytes, wherever a store that is closed has them.
	// Nil where that cannot be tried.
	Damage func(bytes []byte) error

	// FollowsPlan says that the store's durable steps end as the plan says
	// that it was made with.
	FollowsPlan bool
}

// A Maker makes a new empty subject that follows the plan if it can.
type Maker[S any] func(t *testing.T, plan *fault.Plan) Subject[S]

// An ending is a way in which a store ends before it is opened again.
type ending uint8

const (
	closed ending = iota
	killed
	powerCut       // nothing but what was synced stays
	powerCutRandom // a random part of the rest stays too
)

// end ends the store and reports whether the subject can end so.
func (s Subject[S]) end(e ending, rng *rand.Rand) bool {
	switch {
	case e == closed:
		_ = s.Close() // of a failed store it is an error, and no matter
		return true
	case e == killed && s.Kill != nil:
		s.Kill()
	case e == powerCut && s.Crash != nil:
		s.Crash(nil)
	case e == powerCutRandom && s.Crash != nil:
		s.Crash(rng)
	default:
		return false
	}
	return true
}

// open opens the subject, which must succeed.
func (s Subject[S]) open(t *testing.T) S {
	t.Helper()
	store, err := s.Open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return store
}

// reopen closes the subject and opens it again.
func (s Subject[S]) reopen(t *testing.T) S {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	return s.open(t)
}

// wantErr reports an error that does not match want (nil: no error).
func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Errorf("%s: error = %v, want %v", what, err, want)
	}
}

// must stops the test at an error.
func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// refused reports whether err is one after which the store goes on.
func refused(err error) bool {
	return errors.Is(err, storage.ErrNoSpace)
}

// someBytes returns up to limit random bytes, at least one, now and then with
// long runs of zeros: files are full of them, and decoders trip over them.
func someBytes(rng *rand.Rand, limit int) []byte {
	b := make([]byte, 1+rng.IntN(limit))
	if rng.IntN(4) == 0 {
		b[rng.IntN(len(b))] = 1
		return b
	}
	for n := 0; n < len(b); n += 8 {
		copy(b[n:], binary.NativeEndian.AppendUint64(nil, rng.Uint64()))
	}
	return b
}
