package storagetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// Register runs the suite for a single register.
func Register(t *testing.T, maker Maker[storage.Register]) {
	t.Run("compare and swap", func(t *testing.T) { testSwap(t, maker(t, nil)) })
	t.Run("many counters at once", func(t *testing.T) { testCounters(t, maker(t, nil)) })
	runHistories(t, maker, func() history[storage.Register] {
		return &cellHistory[storage.Register]{
			names: []string{""},
			pick:  func(r storage.Register, _ string) storage.Register { return r },
			held:  map[string][]byte{},
		}
	})
}

func testSwap(t *testing.T, s Subject[storage.Register]) {
	ctx, r := t.Context(), s.open(t)
	load := func(want string) {
		t.Helper()
		got, err := r.Load(ctx)
		if err != nil || string(got) != want {
			t.Errorf("Load = %q, %v, want %q", got, err, want)
		}
	}
	swap := func(old, new string, want error) {
		t.Helper()
		wantErr(t, fmt.Sprintf("swap %.10q for %.10q", old, new), r.Swap(ctx, []byte(old), []byte(new)), want)
	}
	_, err := r.Load(ctx)
	wantErr(t, "load of a register never set", err, storage.ErrNotFound)
	swap("a", "b", storage.ErrConflict)
	swap("", "", storage.ErrInvalid)
	wantErr(t, "swap for too much", r.Swap(ctx, nil, make([]byte, storage.MaxRegister+1)), storage.ErrInvalid)
	swap("", "a", nil)
	load("a")
	swap("", "b", storage.ErrConflict)
	swap("b", "c", storage.ErrConflict)
	swap("a", "", storage.ErrInvalid)
	swap("a", "a", nil)
	swap("a", "\x00\n", nil)
	load("\x00\n")

	large := bytes.Repeat([]byte("x"), storage.MaxRegister)
	wantErr(t, "swap for the maximum", r.Swap(ctx, []byte("\x00\n"), large), nil)
	large[0] = 'y' // the caller's slice is the caller's
	got, err := r.Load(ctx)
	must(t, "load", err)
	got[1] = 'y'
	load("x" + string(large[1:]))
	swap("x"+string(large[1:]), "z", nil)

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, "a cancelled swap", r.Swap(cancelled, []byte("z"), []byte("w")), context.Canceled)
	_, err = r.Load(cancelled)
	wantErr(t, "a cancelled load", err, context.Canceled)
	r = s.reopen(t)
	load("z")
}

// testCounters lets goroutines count by compare-and-swap: no increment is lost.
func testCounters(t *testing.T, s Subject[storage.Register]) {
	const workers, each = 4, 8
	r := s.open(t)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				increment(t, r)
			}
		})
	}
	wg.Wait()
	got, err := s.reopen(t).Load(t.Context())
	must(t, "load", err)
	if n := binary.BigEndian.Uint64(got); n != workers*each {
		t.Errorf("counted to %d, want %d", n, workers*each)
	}
}

// increment adds one to the number in a register, trying until it wins.
func increment(t *testing.T, r storage.Register) {
	for {
		old, err := r.Load(t.Context())
		n := uint64(0)
		if err == nil {
			n = binary.BigEndian.Uint64(old)
		} else if !errors.Is(err, storage.ErrNotFound) {
			t.Error(err)
			return
		}
		err = r.Swap(t.Context(), old, binary.BigEndian.AppendUint64(nil, n+1))
		if err == nil {
			return
		}
		if !errors.Is(err, storage.ErrConflict) {
			t.Error(err)
			return
		}
	}
}

// Registers runs the suite for a set of registers.
func Registers(t *testing.T, maker Maker[storage.Registers]) {
	t.Run("names", func(t *testing.T) { testRegisterNames(t, maker(t, nil)) })
	t.Run("each is a register", func(t *testing.T) {
		s := maker(t, nil)
		testSwap(t, Subject[storage.Register]{
			Open: func() (storage.Register, error) {
				rs, err := s.Open()
				if err != nil {
					return nil, err
				}
				return rs.Register("one of them"), nil
			},
			Close: s.Close,
		})
	})
	t.Run("many counters at once", func(t *testing.T) { testManyCounters(t, maker(t, nil)) })
	runHistories(t, maker, func() history[storage.Registers] {
		return &cellHistory[storage.Registers]{
			names: []string{"a", "b", "c/../d", "Ωμέγα"},
			pick:  storage.Registers.Register,
			held:  map[string][]byte{},
		}
	})
}

func testRegisterNames(t *testing.T, s Subject[storage.Registers]) {
	ctx, rs := t.Context(), s.open(t)
	for _, name := range []string{"", "a\nb", "a\xff"} {
		_, err := rs.Register(name).Load(ctx)
		wantErr(t, fmt.Sprintf("load %q", name), err, storage.ErrInvalid)
		wantErr(t, fmt.Sprintf("swap %q", name), rs.Register(name).Swap(ctx, nil, []byte("x")), storage.ErrInvalid)
	}
	want := []string{"..", "/etc/passwd", "A", "a", "b c", "Ωμέγα"}
	for _, name := range want {
		must(t, "swap", rs.Register(name).Swap(ctx, nil, []byte(name)))
	}
	rs.Register("never set")
	for range 2 {
		got, err := rs.Names(ctx)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Names = %q, %v, want %q", got, err, want)
		}
		for _, name := range want {
			got, err := rs.Register(name).Load(ctx)
			if err != nil || string(got) != name {
				t.Errorf("Load of %q = %q, %v", name, got, err)
			}
		}
		rs = s.reopen(t)
	}
}

// testManyCounters lets goroutines count in registers that they share and in
// ones of their own.
func testManyCounters(t *testing.T, s Subject[storage.Registers]) {
	const workers, each = 16, 20
	rs := s.open(t)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				increment(t, rs.Register("shared"))
				increment(t, rs.Register(fmt.Sprint(w)))
			}
		})
	}
	wg.Wait()
	rs = s.reopen(t)
	want := map[string]uint64{"shared": workers * each}
	for w := range workers {
		want[fmt.Sprint(w)] = each
	}
	for name, n := range want {
		got, err := rs.Register(name).Load(t.Context())
		must(t, "load", err)
		if got := binary.BigEndian.Uint64(got); got != n {
			t.Errorf("%s counted to %d, want %d", name, got, n)
		}
	}
}

// A cellHistory swaps registers at random.
type cellHistory[S any] struct {
	names []string
	pick  func(store S, name string) storage.Register
	held  map[string][]byte
	doubt struct { // the swap that may have happened
		name  string
		value []byte
	}
}

func (h *cellHistory[S]) step(t *testing.T, store S, rng *rand.Rand) error {
	name := h.names[rng.IntN(len(h.names))]
	value := someBytes(rng, 5000)
	err := h.pick(store, name).Swap(t.Context(), h.held[name], value)
	if err == nil {
		h.held[name] = value
	}
	if err == nil || refused(err) {
		return nil
	}
	h.doubt.name, h.doubt.value = name, value
	return err
}

func (h *cellHistory[S]) settle(t *testing.T, store S) error {
	if h.doubt.value != nil {
		got, err := h.pick(store, h.doubt.name).Load(t.Context())
		if err == nil && bytes.Equal(got, h.doubt.value) {
			h.held[h.doubt.name] = got
		}
		h.doubt.value = nil
	}
	h.check(t, store)
	return nil
}

func (h *cellHistory[S]) check(t *testing.T, store S) {
	for _, name := range h.names {
		got, err := h.pick(store, name).Load(t.Context())
		want, set := h.held[name]
		if !set {
			wantErr(t, "load", err, storage.ErrNotFound)
		} else if err != nil || !bytes.Equal(got, want) {
			t.Errorf("register %q = %.20x, %v, want %.20x", name, got, err, want)
		}
	}
}

func (h *cellHistory[S]) probe(store S) []error {
	r := h.pick(store, h.names[0])
	_, err := r.Load(context.Background())
	return []error{err, r.Swap(context.Background(), h.held[h.names[0]], []byte("x"))}
}
