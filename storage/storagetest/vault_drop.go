package storagetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// A vaultTrial drops or rewrites buckets of a vault.
type vaultTrial struct{ *trial[storage.Vault] }

func vaultTrials(t *testing.T, maker Maker[storage.Vault], run func(d vaultTrial, e ending)) {
	runTrials(t, maker, func(d *trial[storage.Vault], e ending) { run(vaultTrial{d}, e) })
}

// kept is a bucket that nobody drops or rewrites.
const kept = 9

// testVaultDrop drops a bucket and ends the store: after a Drop that succeeded
// the bucket is gone, after another all or nothing of it can be read, and to
// drop it again is fine.
func testVaultDrop(d vaultTrial, e ending) {
	const bucket = 1
	d.write(kept, 1)
	held := d.write(bucket, 10)
	drop := func() error { return d.store.Drop(d.t.Context(), bucket) }
	d.attempt(e, drop, func(err error) {
		switch {
		case err == nil:
			wantScan(d.t, d.store, bucket, 0)
		case refused(err):
			wantScan(d.t, d.store, bucket, 0, held...)
		default:
			d.wantOneOf(bucket, nil, held)
		}
	})
	d.until(drop)
	d.end(powerCutRandom)
	wantScan(d.t, d.store, bucket, 0)
	again := d.write(bucket, 5) // of the old records nothing is in the way
	d.end(e)
	wantScan(d.t, d.store, bucket, 0, again...)
	wantScan(d.t, d.store, kept, 0, d.write(kept, 1)...)
}

// write writes some records into a bucket and makes them durable.
func (d vaultTrial) write(bucket uint32, first uint64) []storage.VaultRecord {
	d.t.Helper()
	var records []storage.VaultRecord
	for i := range uint64(5) {
		records = append(records, record(bucket, first+2*i, fmt.Sprintf("record %d of bucket %d", first+i, bucket)))
	}
	for part := range slices.Chunk(records, 3) { // in two parts, of which a fault may leave one
		d.until(func() error {
			if err := d.store.Write(d.t.Context(), part); err != nil {
				return err
			}
			return d.store.Sync(d.t.Context())
		})
	}
	return records
}

// content returns what a bucket holds, the same for a Scan and for Reads.
func (d vaultTrial) content(bucket uint32) (records []storage.VaultRecord) {
	d.t.Helper()
	for r, err := range d.store.Scan(d.t.Context(), bucket, 0) {
		must(d.t, "scan", err)
		data, err := d.store.Read(d.t.Context(), bucket, r.Index)
		if err != nil || !bytes.Equal(data, r.Data) {
			d.t.Errorf("Read of %d/%d = %.20q, %v, want %.20q as Scan yields", bucket, r.Index, data, err, r.Data)
		}
		records = append(records, r)
	}
	return records
}

// wantOneOf checks that a bucket holds one of several contents.
func (d vaultTrial) wantOneOf(bucket uint32, contents ...[]storage.VaultRecord) {
	d.t.Helper()
	got := d.content(bucket)
	for _, want := range contents {
		if slices.EqualFunc(got, want, sameRecord) {
			return
		}
	}
	d.t.Errorf("bucket %d holds %d records, which are none of the %d contents that it may have", bucket, len(got), len(contents))
}

func sameRecord(a, b storage.VaultRecord) bool {
	return a.Bucket == b.Bucket && a.Index == b.Index && bytes.Equal(a.Data, b.Data)
}
