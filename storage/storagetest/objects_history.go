package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// An objectHistory puts and removes objects at random.
type objectHistory struct {
	held  map[string][]byte
	doubt struct { // the put or removal that may have happened
		name string
		data []byte // what may be there
	}
}

func (h *objectHistory) step(t *testing.T, o storage.Objects, rng *rand.Rand) error {
	name := fmt.Sprintf("d%d/e%d/%d", rng.IntN(2), rng.IntN(3), rng.IntN(4))
	if rng.IntN(4) == 0 {
		return h.remove(t, o, name)
	}
	data := someBytes(rng, 3000)
	if held, ok := h.held[name]; ok && rng.IntN(2) == 0 {
		data = held
	}
	err := o.Put(t.Context(), name, data)
	held, ok := h.held[name]
	switch {
	case ok && !bytes.Equal(held, data):
		wantErr(t, "put other bytes", err, storage.ErrExists)
		return nil
	case err == nil:
		h.held[name] = data
	case !refused(err):
		h.doubt.name, h.doubt.data = name, data
		return err
	}
	return nil
}

func (h *objectHistory) remove(t *testing.T, o storage.Objects, name string) error {
	err := o.Remove(t.Context(), name)
	switch {
	case err == nil:
		delete(h.held, name)
	case !refused(err):
		h.doubt.name, h.doubt.data = name, h.held[name]
		delete(h.held, name)
		return err
	}
	return nil
}

func (h *objectHistory) settle(t *testing.T, o storage.Objects) error {
	if name := h.doubt.name; name != "" {
		// A crash may still undo what is in doubt, until it is repeated.
		_, err := o.Read(t.Context(), name)
		switch {
		case err == nil:
			if err := o.Put(t.Context(), name, h.doubt.data); err != nil {
				return err
			}
			h.held[name] = h.doubt.data
		case !errors.Is(err, storage.ErrNotFound):
			return err
		default:
			if err := o.Remove(t.Context(), name); err != nil {
				return err
			}
		}
		h.doubt.name = ""
	}
	h.check(t, o)
	return nil
}

func (h *objectHistory) check(t *testing.T, o storage.Objects) {
	for name, want := range h.held {
		got, err := o.Read(t.Context(), name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("Read of %q = %.20x, %v, want %.20x", name, got, err, want)
		}
	}
	wantList(t, o, "", slices.Sorted(maps.Keys(h.held))...)
}

func (h *objectHistory) probe(o storage.Objects) []error {
	_, err := o.Read(context.Background(), "x")
	err2 := o.Put(context.Background(), "x", nil)
	var err3 error
	for _, err3 = range o.List(context.Background(), "") {
		break
	}
	return []error{err, err2, err3, o.Remove(context.Background(), "x")}
}
