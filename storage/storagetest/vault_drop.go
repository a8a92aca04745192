package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
)

// A drop drops buckets of a vault, whatever befalls it, and knows what is left.
type drop struct {
	t   *testing.T
	s   Subject[storage.Vault]
	rng *rand.Rand
	v   storage.Vault
}

// kept is a bucket that nobody drops.
const kept = 9

// testVaultDrops runs testVaultDrop for every way in which a store can end, and
// if the subject follows a plan for every step and every outcome.
func testVaultDrops(t *testing.T, maker Maker[storage.Vault]) {
	for e := closed; e <= powerCutRandom; e++ {
		run := func(t *testing.T, plan *fault.Plan, rng *rand.Rand) { testVaultDrop(t, maker(t, plan), rng, e) }
		if maker(t, nil).FollowsPlan {
			Table(t, run)
		} else {
			run(t, nil, rand.New(rand.NewPCG(1, 1)))
		}
	}
}

// testVaultDrop drops a bucket and ends the store: after a Drop that succeeded
// the bucket is gone, after another all or nothing of it can be read, and to
// drop it again is fine.
func testVaultDrop(t *testing.T, s Subject[storage.Vault], rng *rand.Rand, e ending) {
	const bucket = 1
	d := &drop{t: t, s: s, rng: rng}
	d.open()
	d.write(kept, 1)
	held := d.write(bucket, 10)
	d.drop(bucket, held, e)
	d.until(func() error { return d.v.Drop(t.Context(), bucket) })
	d.end(powerCutRandom)
	wantScan(t, d.v, bucket, 0)
	again := d.write(bucket, 5) // of the old records nothing is in the way
	d.end(e)
	wantScan(t, d.v, bucket, 0, again...)
	wantScan(t, d.v, kept, 0, d.write(kept, 1)...)
}

// drop drops a bucket once, ends the store, and looks at what is there.
func (d *drop) drop(bucket uint32, held []storage.VaultRecord, e ending) {
	d.t.Helper()
	err := d.v.Drop(d.t.Context(), bucket)
	if err == nil || refused(err) {
		d.look(bucket, held, err) // at once
	}
	d.end(e)
	d.look(bucket, held, err)
	d.end(powerCut)
	d.look(bucket, held, err)
}

// look checks that a bucket is there whole, or not at all. After a successful
// Drop it is not, after one that was refused it is.
func (d *drop) look(bucket uint32, held []storage.VaultRecord, err error) {
	d.t.Helper()
	gone := err == nil
	if !gone && !refused(err) {
		_, err := d.v.Read(d.t.Context(), bucket, held[0].Index)
		gone = err != nil // which the scan judges
	}
	if gone {
		held = nil
	}
	wantScan(d.t, d.v, bucket, 0, held...)
}

// write writes some records into a bucket and makes them durable.
func (d *drop) write(bucket uint32, first uint64) []storage.VaultRecord {
	d.t.Helper()
	var records []storage.VaultRecord
	for i := range uint64(5) {
		records = append(records, record(bucket, first+2*i, fmt.Sprintf("record %d of bucket %d", first+i, bucket)))
	}
	for part := range slices.Chunk(records, 3) { // in two parts, of which a fault may leave one
		d.until(func() error {
			if err := d.v.Write(d.t.Context(), part); err != nil {
				return err
			}
			return d.v.Sync(d.t.Context())
		})
	}
	return records
}

// until repeats what can be repeated until it succeeds.
func (d *drop) until(do func() error) {
	d.t.Helper()
	var err error
	for range 20 {
		if err = do(); err == nil {
			return
		}
		if !refused(err) {
			someEnding(d.s, d.rng, true)
			d.open()
		}
	}
	d.t.Fatal(err)
}

// end ends the store, if it can end so, and opens it again.
func (d *drop) end(e ending) {
	d.t.Helper()
	if !d.s.end(e, d.rng) {
		d.s.end(closed, d.rng)
	}
	d.open()
}

func (d *drop) open() {
	d.t.Helper()
	var err error
	for range 20 {
		if d.v, err = d.s.Open(); err == nil {
			return
		}
		someEnding(d.s, d.rng, true)
	}
	d.t.Fatal(err)
}
