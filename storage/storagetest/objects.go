package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// Objects runs the suite for a set of objects.
func Objects(t *testing.T, maker Maker[storage.Objects]) {
	t.Run("put, read and list", func(t *testing.T) { testObjects(t, maker(t, nil)) })
	t.Run("names", func(t *testing.T) { testObjectNames(t, maker(t, nil)) })
	t.Run("puts at once", func(t *testing.T) { testObjectsConcurrency(t, maker(t, nil)) })
	t.Run("remove", func(t *testing.T) { testObjectRemove(t, maker(t, nil)) })
	t.Run("removals and all else at once", func(t *testing.T) { testObjectRemovers(t, maker(t, nil)) })
	t.Run("removals", func(t *testing.T) { runTrials(t, maker, testObjectRemoveEnds) })
	runHistories(t, maker, func() history[storage.Objects] {
		return &objectHistory{held: map[string][]byte{}}
	})
}

func testObjects(t *testing.T, s Subject[storage.Objects]) {
	ctx, o := t.Context(), s.open(t)
	wantList(t, o, "")
	_, err := o.Read(ctx, "a")
	wantErr(t, "read what is not there", err, storage.ErrNotFound)
	data := []byte("one")
	must(t, "put", o.Put(ctx, "tile/0/000", data))
	data[0] = 'x' // the caller's slice is the caller's
	must(t, "put", o.Put(ctx, "tile/0/000.p/5", []byte("five")))
	must(t, "put nothing", o.Put(ctx, "tile/0-a", nil))
	must(t, "put", o.Put(ctx, "checkpoint", bytes.Repeat([]byte("c"), 1<<20)))
	for range 2 {
		must(t, "put the same again", o.Put(ctx, "tile/0/000", []byte("one")))
		wantErr(t, "put other bytes", o.Put(ctx, "tile/0/000", []byte("two")), storage.ErrExists)
		wantErr(t, "put fewer bytes", o.Put(ctx, "tile/0/000", []byte("on")), storage.ErrExists)
		wantErr(t, "put an object where a directory is", o.Put(ctx, "tile/0", []byte("one")), storage.ErrExists)
		wantErr(t, "put an object below an object", o.Put(ctx, "checkpoint/a/b", []byte("one")), storage.ErrExists)
		_, err = o.Read(ctx, "tile/0")
		wantErr(t, "read a directory", err, storage.ErrNotFound)
		_, err = o.Read(ctx, "checkpoint/a")
		wantErr(t, "read below an object", err, storage.ErrNotFound)
		wantList(t, o, "", "checkpoint", "tile/0-a", "tile/0/000", "tile/0/000.p/5")
		wantList(t, o, "tile/0/0", "tile/0/000", "tile/0/000.p/5")
		wantList(t, o, "tile/0/", "tile/0/000", "tile/0/000.p/5")
		wantList(t, o, "tile/0", "tile/0-a", "tile/0/000", "tile/0/000.p/5")
		wantList(t, o, "checkpoint", "checkpoint")
		wantList(t, o, "checkpoint/")
		wantList(t, o, "../")
		wantList(t, o, "/")
		for name, want := range map[string]string{"tile/0/000": "one", "tile/0/000.p/5": "five", "tile/0-a": ""} {
			got, err := o.Read(ctx, name)
			if err != nil || string(got) != want {
				t.Errorf("Read of %q = %q, %v, want %q", name, got, err, want)
			}
		}
		o = s.reopen(t)
	}
	for name := range o.List(ctx, "") {
		if name != "checkpoint" {
			t.Errorf("the first name is %q", name)
		}
		break
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, "a cancelled put", o.Put(cancelled, "x", nil), context.Canceled)
	_, err = o.Read(cancelled, "checkpoint")
	wantErr(t, "a cancelled read", err, context.Canceled)
}

func wantList(t *testing.T, o storage.Objects, prefix string, want ...string) {
	t.Helper()
	var got []string
	for name, err := range o.List(t.Context(), prefix) {
		must(t, "list", err)
		got = append(got, name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("List(%q) = %q, want %q", prefix, got, want)
	}
}

func testObjectNames(t *testing.T, s Subject[storage.Objects]) {
	ctx, o := t.Context(), s.open(t)
	for _, name := range []string{
		"", "/", "/a", "a/", "..", "../a", "a/../b", "a/..", ".", "./a", "a//b", ".a", "a/.b",
		"A", "a\x00", "a\nb", "a b", "a\\b", "ä", strings.Repeat("a", 256),
	} {
		wantErr(t, fmt.Sprintf("put %q", name), o.Put(ctx, name, []byte("x")), storage.ErrInvalid)
		_, err := o.Read(ctx, name)
		wantErr(t, fmt.Sprintf("read %q", name), err, storage.ErrInvalid)
		wantErr(t, fmt.Sprintf("remove %q", name), o.Remove(ctx, name), storage.ErrInvalid)
	}
	wantErr(t, "put too much", o.Put(ctx, "a", make([]byte, storage.MaxObject+1)), storage.ErrInvalid)
	wantList(t, o, "")
	long := []string{strings.Repeat("a", 255), strings.Repeat("b/", 127) + "b", "con", "a.b-c_d"}
	for _, name := range long {
		must(t, "put", o.Put(ctx, name, []byte(name)))
		got, err := o.Read(ctx, name)
		if err != nil || string(got) != name {
			t.Errorf("Read of %.20q = %.20q, %v", name, got, err)
		}
	}
	slices.Sort(long)
	wantList(t, s.reopen(t), "", long...)
}

// testObjectsConcurrency lets goroutines put equal and different bytes under
// the same names: for each name exactly one content wins.
func testObjectsConcurrency(t *testing.T, s Subject[storage.Objects]) {
	const workers, names = 6, 8
	o := s.open(t)
	var mu sync.Mutex
	won := make(map[string]string)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range names {
				name, data := fmt.Sprintf("d%d/%d", n%2, n), fmt.Sprint(w%3)
				err := o.Put(t.Context(), name, []byte(data))
				if err != nil && !errors.Is(err, storage.ErrExists) {
					t.Error(err)
				}
				mu.Lock()
				if err == nil && won[name] != "" && won[name] != data {
					t.Errorf("%s is both %q and %q", name, won[name], data)
				} else if err == nil {
					won[name] = data
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	o = s.reopen(t)
	wantList(t, o, "", slices.Sorted(maps.Keys(won))...)
	for name, want := range won {
		got, err := o.Read(t.Context(), name)
		if err != nil || string(got) != want {
			t.Errorf("Read of %q = %q, %v, want %q", name, got, err, want)
		}
	}
}
