package storagetest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// A vaultHistory writes, syncs, rewrites and drops at random.
type vaultHistory struct {
	buckets map[uint32]*vaultBucket
	index   uint64 // the next one
}

// A vaultBucket's first records were synced; of the rest a prefix may survive.
type vaultBucket struct {
	records []storage.VaultRecord // with those of a write in doubt
	synced  int
	dropped bool // in doubt

	rewritten bool // in doubt, to what follows
	left      []storage.VaultRecord
}

func (h *vaultHistory) step(t *testing.T, v storage.Vault, rng *rand.Rand) error {
	switch rng.IntN(10) {
	case 0, 1:
		return h.sync(t, v)
	case 2:
		return h.drop(t, v, uint32(rng.IntN(4)))
	case 3:
		return h.rewrite(t, v, uint32(rng.IntN(4)), rng.Uint64N(4))
	}
	var batch []storage.VaultRecord
	for range 1 + rng.IntN(6) {
		h.index += 1 + uint64(rng.IntN(3))
		bucket := uint32(rng.IntN(4))
		if b := h.buckets[bucket]; b != nil && rng.IntN(3) == 0 && len(batch) == 0 {
			batch = append(batch, b.records[rng.IntN(len(b.records))]) // a repeat
		}
		batch = append(batch, storage.VaultRecord{Bucket: bucket, Index: h.index, Data: someBytes(rng, 2000)})
	}
	err := v.Write(t.Context(), batch)
	if err != nil && refused(err) {
		return nil
	}
	for _, r := range batch {
		h.add(r)
	}
	return err
}

// add adds a record that the history did not have yet.
func (h *vaultHistory) add(r storage.VaultRecord) {
	b := h.buckets[r.Bucket]
	if b == nil {
		b = new(vaultBucket)
		h.buckets[r.Bucket] = b
	}
	if len(b.records) == 0 || b.records[len(b.records)-1].Index < r.Index {
		b.records = append(b.records, r)
	}
}

func (h *vaultHistory) sync(t *testing.T, v storage.Vault) error {
	err := v.Sync(t.Context())
	if err == nil {
		for _, b := range h.buckets {
			b.synced = len(b.records)
		}
	}
	if err == nil || refused(err) {
		return nil
	}
	return err
}

func (h *vaultHistory) drop(t *testing.T, v storage.Vault, bucket uint32) error {
	err := v.Drop(t.Context(), bucket)
	if err == nil {
		delete(h.buckets, bucket)
	}
	if err == nil || refused(err) {
		return nil
	}
	if b := h.buckets[bucket]; b != nil {
		b.dropped = true
	}
	return err
}

// rewrite removes, changes or leaves the records of a bucket as their indices
// and a number say.
func (h *vaultHistory) rewrite(t *testing.T, v storage.Vault, bucket uint32, n uint64) error {
	change := func(r storage.VaultRecord) ([]byte, error) {
		switch (r.Index/2 + n) % 4 {
		case 0:
			return nil, nil
		case 1:
			return append(r.Data, r.Data[0]), nil
		}
		return r.Data, nil
	}
	err := v.Rewrite(t.Context(), bucket, storage.EachRecord(change))
	b := h.buckets[bucket]
	if b == nil || err != nil && refused(err) {
		return nil
	}
	left := changed(b.records, change)
	switch {
	case err != nil:
		b.rewritten, b.left = true, left
	case len(left) == 0:
		delete(h.buckets, bucket)
	default:
		b.records, b.synced = left, len(left)
	}
	return err
}

func (h *vaultHistory) settle(t *testing.T, v storage.Vault) error {
	for bucket, b := range h.buckets {
		var held []storage.VaultRecord
		for r, err := range v.Scan(t.Context(), bucket, 0) {
			wantErr(t, "scan", err, nil)
			held = append(held, r)
		}
		n := len(held)
		switch old := n >= b.synced && n <= len(b.records) && slices.EqualFunc(held, b.records[:n], sameRecord); {
		case old:
			b.records = held
		case b.rewritten && slices.EqualFunc(held, b.left, sameRecord):
			b.records, b.synced = held, n
		case n > 0 || !b.dropped:
			t.Errorf("bucket %d has %d records, want %d to %d", bucket, n, b.synced, len(b.records))
			return nil
		}
		b.dropped, b.rewritten = false, false
		if n == 0 {
			delete(h.buckets, bucket)
		}
	}
	h.check(t, v)
	return nil
}

func (h *vaultHistory) check(t *testing.T, v storage.Vault) {
	for bucket := range uint32(4) {
		b := h.buckets[bucket]
		if b == nil {
			wantScan(t, v, bucket, 0)
			continue
		}
		wantScan(t, v, bucket, 0, b.records...)
		for _, r := range b.records {
			got, err := v.Read(t.Context(), bucket, r.Index)
			if err != nil || !bytes.Equal(got, r.Data) {
				t.Errorf("Read of %d/%d = %.20x, %v, want %.20x", bucket, r.Index, got, err, r.Data)
			}
		}
	}
}

func (h *vaultHistory) probe(v storage.Vault) []error {
	ctx := context.Background()
	_, err := v.Read(ctx, 0, 0)
	var scan error
	for _, scan = range v.Scan(ctx, 0, 0) {
		break
	}
	r := record(9, h.index+1, "x")
	return []error{err, scan, v.Write(ctx, []storage.VaultRecord{r}), v.Sync(ctx), v.Rewrite(ctx, 9, storage.EachRecord(removeAll)), v.Drop(ctx, 9)}
}
