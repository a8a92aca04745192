package memory

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/storage"
)

// Objects returns the set of objects of that name.
func (w *World) Objects(name string) storage.Objects {
	return open(w, "objects", name, func(s state) *objects {
		return &objects{state: s, data: make(map[string][]byte), directories: make(map[string]bool)}
	})
}

type objects struct {
	state
	data        map[string][]byte
	directories map[string]bool // the names that objects lie below
}

func (o *objects) clone(s state, _ func(int) int) store {
	return &objects{state: s, data: maps.Clone(o.data), directories: maps.Clone(o.directories)}
}

func (o *objects) Put(ctx context.Context, name string, data []byte) error {
	if err := storage.CheckObjectName(name); err != nil {
		return err
	}
	if len(data) > storage.MaxObject {
		return fmt.Errorf("object %q: %d bytes: %w", name, len(data), storage.ErrInvalid)
	}
	if err := o.begin(ctx); err != nil {
		return err
	}
	defer o.world.mu.Unlock()
	if held, ok := o.data[name]; ok && bytes.Equal(held, data) {
		return nil
	}
	if o.taken(name) {
		return fmt.Errorf("object %q: %w", name, storage.ErrExists)
	}
	return o.step("put "+name, func(whole bool) {
		if !whole {
			return
		}
		o.data[name] = bytes.Clone(data)
		for dir := range parents(name) {
			o.directories[dir] = true
		}
	})
}

// taken reports whether name is an object's, a directory's or below an object's.
func (o *objects) taken(name string) bool {
	if _, ok := o.data[name]; ok || o.directories[name] {
		return true
	}
	for dir := range parents(name) {
		if _, ok := o.data[dir]; ok {
			return true
		}
	}
	return false
}

// parents yields "a" and "a/b" for "a/b/c".
func parents(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, c := range name {
			if c == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}

func (o *objects) Read(ctx context.Context, name string) ([]byte, error) {
	if err := storage.CheckObjectName(name); err != nil {
		return nil, err
	}
	if err := o.begin(ctx); err != nil {
		return nil, err
	}
	defer o.world.mu.Unlock()
	data, ok := o.data[name]
	if !ok {
		return nil, fmt.Errorf("object %q: %w", name, storage.ErrNotFound)
	}
	return bytes.Clone(data), nil
}

func (o *objects) Remove(ctx context.Context, name string) error {
	if err := storage.CheckObjectName(name); err != nil {
		return err
	}
	if err := o.begin(ctx); err != nil {
		return err
	}
	defer o.world.mu.Unlock()
	if _, ok := o.data[name]; !ok {
		return nil
	}
	return o.step("remove "+name, func(whole bool) {
		if whole {
			delete(o.data, name)
		}
	})
}

func (o *objects) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := o.begin(ctx); err != nil {
			yield("", err)
			return
		}
		names := slices.Sorted(maps.Keys(o.data))
		o.world.mu.Unlock()
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if strings.HasPrefix(name, prefix) && !yield(name, nil) {
				return
			}
		}
	}
}
