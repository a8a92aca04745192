package storagetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// Each Rewrite here raises the number in each record by one. At any moment
// records with higher indices, which were written later, have no higher number.
func number(r storage.VaultRecord) (n int) {
	_, _ = fmt.Sscanf(string(r.Data), "number %d", &n)
	return n
}

func raise(r storage.VaultRecord) ([]byte, error) {
	return numbered(r.Bucket, r.Index, number(r)+1).Data, nil
}

// numbered returns a record whose length depends on its index and its number.
func numbered(bucket uint32, index uint64, n int) storage.VaultRecord {
	return record(bucket, index, fmt.Sprintf("number %d %0*d", n, 1+(int(index)+n)*37%50, 0))
}

// testVaultRewriteConcurrency writes to a bucket, reads it and scans it while
// it is rewritten, and writes, syncs, rewrites and drops others.
func testVaultRewriteConcurrency(t *testing.T, s Subject[storage.Vault]) {
	const rewrites, records = 15, 300
	ctx, v := t.Context(), s.open(t)
	must(t, "write", v.Write(ctx, []storage.VaultRecord{numbered(1, 0, 0)}))
	done, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	readAll(t, &wg, v, done, records)
	wg.Go(func() {
		for i := range uint64(rewrites) {
			wantErr(t, "write another bucket", v.Write(ctx, []storage.VaultRecord{record(2, i, "x")}), nil)
			wantErr(t, "rewrite another bucket", v.Rewrite(ctx, 2, storage.EachRecord(scrub)), nil)
			wantErr(t, "sync", v.Sync(ctx), nil)
			wantErr(t, "drop another bucket", v.Drop(ctx, 2), nil)
		}
	})
	var changes sync.WaitGroup
	changes.Go(func() {
		for i := range uint64(records - 1) {
			wantErr(t, "write", v.Write(ctx, []storage.VaultRecord{numbered(1, 1+i, 0)}), nil)
		}
	})
	for range rewrites {
		must(t, "rewrite", v.Rewrite(ctx, 1, storage.EachRecord(raise)))
	}
	changes.Wait()
	cancel()
	wg.Wait()
	must(t, "rewrite", v.Rewrite(ctx, 1, storage.EachRecord(raise)))
	got, err := v.Read(ctx, 1, 0)
	if n := number(storage.VaultRecord{Data: got}); err != nil || n != rewrites+1 {
		t.Errorf("the first record has the number %d, %v, want %d", n, err, rewrites+1)
	}
	for range 2 {
		if n := wantFalling(t, v); n != records {
			t.Errorf("%d records are there, want %d", n, records)
		}
		wantScan(t, v, 2, 0)
		v = s.reopen(t)
	}
}

// readAll starts goroutines that read until done is.
func readAll(t *testing.T, wg *sync.WaitGroup, v storage.Vault, done context.Context, records uint64) {
	for range 2 {
		wg.Go(func() {
			for done.Err() == nil {
				wantFalling(t, v)
			}
		})
		wg.Go(func() {
			seen := make(map[uint64]int)
			for i := uint64(0); done.Err() == nil; i++ {
				index := i % 5 * records / 5
				data, err := v.Read(t.Context(), 1, index)
				if err != nil && index > 0 { // perhaps not yet written
					wantErr(t, "read", err, storage.ErrNotFound)
					continue
				}
				n := number(storage.VaultRecord{Data: data})
				if err != nil || n < seen[index] {
					t.Errorf("Read of index %d = number %d, %v, after number %d", index, n, err, seen[index])
				}
				seen[index] = n
			}
		})
	}
}

// wantFalling scans the bucket, which is as it was at one moment, and returns
// how many records it has.
func wantFalling(t *testing.T, v storage.Vault) (records uint64) {
	last := -1
	for r, err := range v.Scan(t.Context(), 1, 0) {
		n := number(r)
		if err != nil || r.Index != records || last >= 0 && n > last || !sameRecord(r, numbered(1, r.Index, n)) {
			t.Errorf("Scan yields index %d %.20q, %v, want index %d and a number of at most %d", r.Index, r.Data, err, records, last)
			break
		}
		last = n
		records++
	}
	return records
}
