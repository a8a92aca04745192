package memory

import (
	"bytes"
	"context"
	"slices"

	"github.com/cairnlog/cairn/storage"
)

// Rewrite asks change while the world is unlocked: it may read other stores.
func (v *vault) Rewrite(ctx context.Context, number uint32, change func([]storage.VaultRecord) error) error {
	v.changing.Lock()
	defer v.changing.Unlock()
	held, err := v.held(ctx, number)
	if err != nil || held == nil {
		return err
	}
	left, err := rewritten(ctx, held, change)
	if err != nil {
		return err
	}
	if err := v.begin(ctx); err != nil {
		return err
	}
	defer v.world.mu.Unlock()
	same := slices.EqualFunc(held, left, func(a, b storage.VaultRecord) bool {
		return a.Index == b.Index && bytes.Equal(a.Data, b.Data)
	})
	if same && v.buckets[number].durable == len(held) {
		return nil
	}
	return v.step("rewrite", func(whole bool) {
		switch {
		case !whole:
		case len(left) == 0:
			delete(v.buckets, number)
		default:
			v.buckets[number] = &bucket{records: left, durable: len(left)}
		}
	})
}

// held returns the records of a bucket, nil if there is none.
func (v *vault) held(ctx context.Context, number uint32) ([]storage.VaultRecord, error) {
	if err := v.begin(ctx); err != nil {
		return nil, err
	}
	defer v.world.mu.Unlock()
	if b := v.buckets[number]; b != nil {
		return b.records, nil
	}
	return nil, nil
}

// rewritten returns what change leaves of the records.
func rewritten(ctx context.Context, records []storage.VaultRecord, change func([]storage.VaultRecord) error) ([]storage.VaultRecord, error) {
	var left []storage.VaultRecord
	for some := range slices.Chunk(records, storage.RewriteBatch) {
		batch := make([]storage.VaultRecord, len(some))
		for i, r := range some {
			batch[i] = storage.VaultRecord{Bucket: r.Bucket, Index: r.Index, Data: bytes.Clone(r.Data)}
		}
		if err := change(batch); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, r := range some {
			if batch[i].Data == nil {
				continue
			}
			r.Data = bytes.Clone(batch[i].Data)
			if err := storage.CheckVaultRecord(r); err != nil {
				return nil, err
			}
			left = append(left, r)
		}
	}
	return left, nil
}
