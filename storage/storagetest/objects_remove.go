package storagetest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

func testObjectRemove(t *testing.T, s Subject[storage.Objects]) {
	ctx, o := t.Context(), s.open(t)
	must(t, "remove what is not there", o.Remove(ctx, "a/b/c"))
	for _, name := range []string{"a/b", "a/c", "a/c.d/e", "f"} {
		must(t, "put", o.Put(ctx, name, []byte(name)))
	}
	for _, name := range []string{"a", "a/c.d", "a/b/c", "f/g"} {
		must(t, "remove a directory, or what is below an object", o.Remove(ctx, name))
	}
	wantList(t, o, "", "a/b", "a/c", "a/c.d/e", "f")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, "a cancelled removal", o.Remove(cancelled, "a/b"), context.Canceled)
	for range 2 {
		must(t, "remove", o.Remove(ctx, "a/b"))
		must(t, "remove", o.Remove(ctx, "a/c.d/e"))
		_, err := o.Read(ctx, "a/b")
		wantErr(t, "read what was removed", err, storage.ErrNotFound)
		wantList(t, o, "", "a/c", "f")
		o = s.reopen(t)
	}
	wantErr(t, "put an object where a directory was", o.Put(ctx, "a/c.d", []byte("x")), storage.ErrExists)
	must(t, "put below a directory", o.Put(ctx, "a/c.d/e", []byte("anew")))
	must(t, "put what was removed", o.Put(ctx, "a/b", []byte("other bytes")))
	must(t, "remove", o.Remove(ctx, "f"))
	must(t, "put below what was an object", o.Put(ctx, "f/g", []byte("x")))
	o = s.reopen(t)
	wantList(t, o, "", "a/b", "a/c", "a/c.d/e", "f/g")
	for name, want := range map[string]string{"a/b": "other bytes", "a/c": "a/c", "a/c.d/e": "anew", "f/g": "x"} {
		got, err := o.Read(ctx, name)
		if err != nil || string(got) != want {
			t.Errorf("Read of %q = %q, %v, want %q", name, got, err, want)
		}
	}
}

// testObjectRemovers lets goroutines put and remove contents of many sizes
// under one name: a Read returns one of them whole, or nothing.
func testObjectRemovers(t *testing.T, s Subject[storage.Objects]) {
	const workers, rounds = 3, 30
	ctx, o := t.Context(), s.open(t)
	content := func(w int) []byte { return bytes.Repeat([]byte{byte('a' + w)}, 1+3000*w) }
	done, cancel := context.WithCancel(ctx)
	var writers, readers sync.WaitGroup
	for w := range workers {
		writers.Go(func() {
			for range rounds {
				if err := o.Put(ctx, "d/name", content(w)); !errors.Is(err, storage.ErrExists) {
					wantErr(t, "put", err, nil)
				}
				wantErr(t, "remove", o.Remove(ctx, "d/name"), nil)
			}
		})
		readers.Go(func() {
			for done.Err() == nil {
				got, err := o.Read(ctx, "d/name")
				if errors.Is(err, storage.ErrNotFound) {
					continue
				}
				if err != nil || len(got) == 0 || !bytes.Equal(got, content(int(got[0]-'a'))) {
					t.Errorf("Read = %d bytes %.20q, %v, want a content whole", len(got), got, err)
				}
			}
		})
	}
	writers.Wait()
	cancel()
	readers.Wait()
	wantList(t, s.reopen(t), "")
}

// testObjectRemoveEnds removes an object and ends the store: after a Remove
// that succeeded it is gone, after another it is there whole or not at all, and
// to remove it again is fine.
func testObjectRemoveEnds(d *trial[storage.Objects], e ending) {
	ctx := d.t.Context()
	put := func(name, data string) {
		d.t.Helper()
		d.until(func() error { return d.store.Put(ctx, name, []byte(data)) })
	}
	put("d/kept", "kept")
	put("d/name", "first")
	remove := func() error { return d.store.Remove(ctx, "d/name") }
	d.attempt(e, remove, func(err error) {
		got, there := d.store.Read(ctx, "d/name")
		switch {
		case errors.Is(there, storage.ErrNotFound) && (err == nil || !refused(err)):
		case there == nil && err != nil && string(got) == "first":
		default:
			d.t.Errorf("after a removal that ended with %v Read = %q, %v", err, got, there)
		}
	})
	d.until(remove)
	d.end(powerCutRandom)
	wantList(d.t, d.store, "", "d/kept")
	put("d/name", "second")
	d.end(e)
	wantList(d.t, d.store, "", "d/kept", "d/name")
	for name, want := range map[string]string{"d/kept": "kept", "d/name": "second"} {
		got, err := d.store.Read(ctx, name)
		if err != nil || string(got) != want {
			d.t.Errorf("Read of %q = %q, %v, want %q", name, got, err, want)
		}
	}
}
