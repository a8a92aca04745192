package memory

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"sync"

	"github.com/cairnlog/cairn/storage"
)

// Vault returns the vault of that name.
func (w *World) Vault(name string) storage.Vault {
	return open(w, "vault", name, func(s state) *vault {
		return &vault{state: s, buckets: make(map[uint32]*bucket)}
	})
}

type vault struct {
	state
	changing sync.Mutex // one Write, Rewrite or Drop at a time; locked before the world
	buckets  map[uint32]*bucket
}

// A bucket's first durable records survive any crash.
type bucket struct {
	records []storage.VaultRecord // indices rise
	durable int
}

func (v *vault) clone(s state, keep func(int) int) store {
	c := &vault{state: s, buckets: make(map[uint32]*bucket)}
	for _, number := range slices.Sorted(maps.Keys(v.buckets)) { // so that a seed tells all
		b := v.buckets[number]
		if n := b.durable + keep(len(b.records)-b.durable); n > 0 {
			c.buckets[number] = &bucket{records: b.records[:n:n], durable: b.durable}
		}
	}
	return c
}

func (v *vault) Write(ctx context.Context, records []storage.VaultRecord) error {
	v.changing.Lock()
	defer v.changing.Unlock()
	if err := v.begin(ctx); err != nil {
		return err
	}
	defer v.world.mu.Unlock()
	fresh, err := v.fresh(records)
	if err != nil || len(fresh) == 0 {
		return err
	}
	return v.step("write", func(whole bool) {
		if !whole {
			fresh = fresh[:len(fresh)/2]
		}
		for _, r := range fresh {
			b := v.buckets[r.Bucket]
			if b == nil {
				b = new(bucket)
				v.buckets[r.Bucket] = b
			}
			r.Data = bytes.Clone(r.Data)
			b.records = append(b.records, r)
		}
	})
}

// fresh returns the records that are not yet held, or why the write is refused.
func (v *vault) fresh(records []storage.VaultRecord) ([]storage.VaultRecord, error) {
	var fresh []storage.VaultRecord
	next := make(map[uint32]uint64) // by bucket: one more than the last index
	for _, r := range records {
		if err := storage.CheckVaultRecord(r); err != nil {
			return nil, err
		}
		held, ok := v.find(r.Bucket, r.Index)
		if ok && !bytes.Equal(held.Data, r.Data) {
			return nil, fmt.Errorf("vault record %d/%d: %w", r.Bucket, r.Index, storage.ErrExists)
		}
		if ok {
			continue
		}
		if b := v.buckets[r.Bucket]; next[r.Bucket] == 0 && b != nil {
			next[r.Bucket] = b.records[len(b.records)-1].Index + 1
		}
		if r.Index < next[r.Bucket] {
			return nil, fmt.Errorf("vault record %d/%d: below the last one: %w", r.Bucket, r.Index, storage.ErrConflict)
		}
		next[r.Bucket] = r.Index + 1
		fresh = append(fresh, r)
	}
	return fresh, nil
}

func (v *vault) find(number uint32, index uint64) (storage.VaultRecord, bool) {
	b := v.buckets[number]
	if b == nil {
		return storage.VaultRecord{}, false
	}
	i := b.from(index)
	if i == len(b.records) || b.records[i].Index != index {
		return storage.VaultRecord{}, false
	}
	return b.records[i], true
}

// from returns where the first record at or above index is.
func (b *bucket) from(index uint64) int {
	return sort.Search(len(b.records), func(i int) bool { return b.records[i].Index >= index })
}

func (v *vault) Sync(ctx context.Context) error {
	if err := v.begin(ctx); err != nil {
		return err
	}
	defer v.world.mu.Unlock()
	var dirty []*bucket
	for _, b := range v.buckets {
		if b.durable < len(b.records) {
			dirty = append(dirty, b)
		}
	}
	if len(dirty) == 0 {
		return nil
	}
	return v.step("sync", func(whole bool) {
		for _, b := range dirty {
			n := len(b.records) - b.durable
			if !whole {
				n /= 2
			}
			b.durable += n
		}
	})
}

func (v *vault) Read(ctx context.Context, number uint32, index uint64) ([]byte, error) {
	if err := v.begin(ctx); err != nil {
		return nil, err
	}
	defer v.world.mu.Unlock()
	r, ok := v.find(number, index)
	if !ok {
		return nil, fmt.Errorf("vault record %d/%d: %w", number, index, storage.ErrNotFound)
	}
	return bytes.Clone(r.Data), nil
}

func (v *vault) Scan(ctx context.Context, number uint32, from uint64) iter.Seq2[storage.VaultRecord, error] {
	return func(yield func(storage.VaultRecord, error) bool) {
		if err := v.begin(ctx); err != nil {
			yield(storage.VaultRecord{}, err)
			return
		}
		var records []storage.VaultRecord
		if b := v.buckets[number]; b != nil {
			records = slices.Clip(b.records[b.from(from):])
		}
		v.world.mu.Unlock()
		for _, r := range records {
			if err := ctx.Err(); err != nil {
				yield(storage.VaultRecord{}, err)
				return
			}
			r.Data = bytes.Clone(r.Data)
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (v *vault) Drop(ctx context.Context, number uint32) error {
	v.changing.Lock()
	defer v.changing.Unlock()
	if err := v.begin(ctx); err != nil {
		return err
	}
	defer v.world.mu.Unlock()
	if v.buckets[number] == nil {
		return nil
	}
	return v.step("drop", func(whole bool) {
		if whole {
			delete(v.buckets, number)
		}
	})
}
