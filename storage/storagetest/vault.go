package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// Vault runs the suite for a vault.
func Vault(t *testing.T, maker Maker[storage.Vault]) {
	t.Run("write, read, scan and drop", func(t *testing.T) { testVault(t, maker(t, nil)) })
	t.Run("refused writes", func(t *testing.T) { testVaultRefusals(t, maker(t, nil)) })
	t.Run("many buckets", func(t *testing.T) { testVaultBuckets(t, maker(t, nil)) })
	t.Run("large gaps between indices", func(t *testing.T) { testVaultGaps(t, maker(t, nil)) })
	t.Run("writes and reads at once", func(t *testing.T) { testVaultConcurrency(t, maker(t, nil)) })
	t.Run("rewrite", func(t *testing.T) { testVaultRewrite(t, maker(t, nil)) })
	t.Run("what a rewrite writes", func(t *testing.T) { testVaultRewriteData(t, maker(t, nil)) })
	t.Run("rewrite in batches", func(t *testing.T) { testVaultRewriteBatches(t, maker(t, nil)) })
	t.Run("rewrites of what is damaged", func(t *testing.T) { testVaultRewriteDamaged(t, maker(t, nil)) })
	t.Run("refused rewrites", func(t *testing.T) { testVaultRewriteRefusals(t, maker(t, nil)) })
	t.Run("rewrites and all else at once", func(t *testing.T) { testVaultRewriteConcurrency(t, maker(t, nil)) })
	t.Run("drops", func(t *testing.T) { vaultTrials(t, maker, testVaultDrop) })
	t.Run("rewrites", func(t *testing.T) { vaultTrials(t, maker, testVaultRewriteEnds) })
	runHistories(t, maker, func() history[storage.Vault] {
		return &vaultHistory{buckets: map[uint32]*vaultBucket{}}
	})
}

func record(bucket uint32, index uint64, data string) storage.VaultRecord {
	return storage.VaultRecord{Bucket: bucket, Index: index, Data: []byte(data)}
}

func testVault(t *testing.T, s Subject[storage.Vault]) {
	ctx, v := t.Context(), s.open(t)
	_, err := v.Read(ctx, 1, 1)
	wantErr(t, "read what is not there", err, storage.ErrNotFound)
	wantScan(t, v, 1, 0)
	must(t, "write nothing", v.Write(ctx, nil))
	must(t, "sync nothing", v.Sync(ctx))
	must(t, "drop nothing", v.Drop(ctx, 1))
	a, b, c, d := record(1, 5, "a"), record(1, 7, "b"), record(2, 6, "c"), record(1, 8, "d")
	batch := []storage.VaultRecord{record(1, 5, "a"), c, b}
	must(t, "write", v.Write(ctx, batch))
	batch[0].Data[0] = 'x' // the caller's slice is the caller's
	wantScan(t, v, 1, 0, a, b)
	must(t, "write again and more", v.Write(ctx, []storage.VaultRecord{a, b, c, d}))
	must(t, "sync", v.Sync(ctx))
	v = s.reopen(t)
	wantScan(t, v, 1, 0, a, b, d)
	wantScan(t, v, 1, 5, a, b, d)
	wantScan(t, v, 1, 6, b, d)
	wantScan(t, v, 1, 9)
	wantScan(t, v, 2, 0, c)
	for _, r := range []storage.VaultRecord{a, b, c, d} {
		got, err := v.Read(ctx, r.Bucket, r.Index)
		if err != nil || !bytes.Equal(got, r.Data) {
			t.Errorf("Read of %d/%d = %q, %v, want %q", r.Bucket, r.Index, got, err, r.Data)
		}
	}
	for _, index := range []uint64{0, 4, 6, 9, math.MaxUint64} {
		_, err = v.Read(ctx, 1, index)
		wantErr(t, fmt.Sprintf("read at index %d", index), err, storage.ErrNotFound)
	}
	for range v.Scan(ctx, 1, 0) {
		break
	}
	must(t, "drop", v.Drop(ctx, 1))
	for range 2 {
		_, err = v.Read(ctx, 1, 5)
		wantErr(t, "read what was dropped", err, storage.ErrNotFound)
		wantScan(t, v, 1, 0)
		wantScan(t, v, 2, 0, c)
		v = s.reopen(t)
	}
	must(t, "write to a dropped bucket", v.Write(ctx, []storage.VaultRecord{record(1, 2, "new")}))
	must(t, "sync", v.Sync(ctx))
	wantScan(t, s.reopen(t), 1, 0, record(1, 2, "new"))
}

func wantScan(t *testing.T, v storage.Vault, bucket uint32, from uint64, want ...storage.VaultRecord) {
	t.Helper()
	var n int
	for got, err := range v.Scan(t.Context(), bucket, from) {
		must(t, "scan", err)
		if n >= len(want) || got.Bucket != bucket || got.Index != want[n].Index || !bytes.Equal(got.Data, want[n].Data) {
			t.Errorf("record %d of the scan is %d/%d %.20q, want one of %d", n, got.Bucket, got.Index, got.Data, len(want))
		}
		n++
	}
	if n != len(want) {
		t.Errorf("the scan of bucket %d from %d yields %d records, want %d", bucket, from, n, len(want))
	}
}

func testVaultRefusals(t *testing.T, s Subject[storage.Vault]) {
	ctx, v := t.Context(), s.open(t)
	held := []storage.VaultRecord{record(1, 5, "a"), record(1, 9, "b"), record(2, 5, "c")}
	must(t, "write", v.Write(ctx, held))
	good := record(3, 1, "good")
	for what, c := range map[string]struct {
		records []storage.VaultRecord
		want    error
	}{
		"other bytes":                  {[]storage.VaultRecord{good, record(1, 5, "x")}, storage.ErrExists},
		"longer bytes":                 {[]storage.VaultRecord{good, record(1, 9, "bb")}, storage.ErrExists},
		"an index below the last one":  {[]storage.VaultRecord{good, record(1, 6, "x")}, storage.ErrConflict},
		"an index below the first one": {[]storage.VaultRecord{good, record(1, 1, "x")}, storage.ErrConflict},
		"falling indices":              {[]storage.VaultRecord{good, record(1, 11, "x"), record(1, 10, "x")}, storage.ErrConflict},
		"an index twice":               {[]storage.VaultRecord{good, record(1, 10, "x"), record(1, 10, "x")}, storage.ErrConflict},
		"no bytes":                     {[]storage.VaultRecord{good, record(1, 10, "")}, storage.ErrInvalid},
		"an index too large":           {[]storage.VaultRecord{good, record(1, 1<<63, "x")}, storage.ErrInvalid},
		"too many bytes":               {[]storage.VaultRecord{good, {Bucket: 1, Index: 10, Data: make([]byte, storage.MaxVaultRecord+1)}}, storage.ErrInvalid},
	} {
		wantErr(t, what, v.Write(ctx, c.records), c.want)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, "a cancelled write", v.Write(cancelled, []storage.VaultRecord{good}), context.Canceled)
	wantErr(t, "a cancelled sync", v.Sync(cancelled), context.Canceled)
	wantErr(t, "a cancelled drop", v.Drop(cancelled, 1), context.Canceled)
	_, err := v.Read(cancelled, 1, 5)
	wantErr(t, "a cancelled read", err, context.Canceled)
	must(t, "sync", v.Sync(ctx))
	for range 2 {
		wantScan(t, v, 1, 0, held[:2]...)
		wantScan(t, v, 2, 0, held[2])
		wantScan(t, v, 3, 0)
		v = s.reopen(t)
	}
	must(t, "write after refusals", v.Write(ctx, []storage.VaultRecord{good, record(1, 10, "x")}))
}

func testVaultBuckets(t *testing.T, s Subject[storage.Vault]) {
	ctx, v := t.Context(), s.open(t)
	const buckets, rounds = 300, 3
	var index uint64
	want := make(map[uint32][]storage.VaultRecord)
	for range rounds {
		var batch []storage.VaultRecord
		for n := range uint32(buckets) {
			r := record(n*n*7919, index, fmt.Sprintf("record %d", index))
			batch, index = append(batch, r), index+1
			want[r.Bucket] = append(want[r.Bucket], r)
		}
		must(t, "write", v.Write(ctx, batch))
	}
	must(t, "sync", v.Sync(ctx))
	for range 2 {
		for bucket, records := range want {
			wantScan(t, v, bucket, 0, records...)
		}
		v = s.reopen(t)
	}
	for bucket := range want {
		must(t, "drop", v.Drop(ctx, bucket))
	}
	v = s.reopen(t)
	for bucket := range want {
		wantScan(t, v, bucket, 0)
	}
}

// testVaultGaps reads by indices that lie as unevenly as they can.
func testVaultGaps(t *testing.T, s Subject[storage.Vault]) {
	ctx, v := t.Context(), s.open(t)
	var records []storage.VaultRecord
	for i := range uint64(3000) {
		index := i
		if i >= 1000 {
			index = 1<<40 + i*i*i
		}
		if i >= 2900 {
			index = 1<<63 - 6000 + 2*i
		}
		records = append(records, record(1, index, fmt.Sprint("record ", i)))
	}
	for part := range slices.Chunk(records, 700) {
		must(t, "write", v.Write(ctx, part))
	}
	must(t, "sync", v.Sync(ctx))
	v = s.reopen(t)
	for i, r := range records {
		got, err := v.Read(ctx, 1, r.Index)
		if err != nil || !bytes.Equal(got, r.Data) {
			t.Fatalf("Read of index %d = %q, %v, want %q", r.Index, got, err, r.Data)
		}
		if i < len(records)-1 && records[i+1].Index > r.Index+1 {
			_, err := v.Read(ctx, 1, r.Index+1)
			wantErr(t, "read in a gap", err, storage.ErrNotFound)
		}
	}
	for _, i := range []int{0, 1, 999, 1000, 1500, 2999} {
		wantScan(t, v, 1, records[i].Index, records[i:]...)
	}
}

func testVaultConcurrency(t *testing.T, s Subject[storage.Vault]) {
	const workers, each = 4, 40
	ctx, v := t.Context(), s.open(t)
	var wg sync.WaitGroup
	for w := range uint32(workers) {
		wg.Go(func() {
			for i := range uint64(each) {
				r := record(w, i, fmt.Sprintf("%d of %d", i, w))
				wantErr(t, "write", v.Write(ctx, []storage.VaultRecord{r}), nil)
				got, err := v.Read(ctx, w, i)
				if err != nil || !bytes.Equal(got, r.Data) {
					t.Errorf("Read of %d/%d = %q, %v", w, i, got, err)
				}
				if i%10 == 9 {
					wantErr(t, "sync", v.Sync(ctx), nil)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				var next uint64
				for r, err := range v.Scan(ctx, w, 0) {
					if err != nil || r.Index != next {
						t.Errorf("scan yields %d, %v, want %d", r.Index, err, next)
					}
					next++
				}
				wantErr(t, "drop another bucket", v.Drop(ctx, 1000+w), nil)
			}
		})
	}
	wg.Wait()
	must(t, "sync", v.Sync(ctx))
	v = s.reopen(t)
	for w := range uint32(workers) {
		var want []storage.VaultRecord
		for i := range uint64(each) {
			want = append(want, record(w, i, fmt.Sprintf("%d of %d", i, w)))
		}
		wantScan(t, v, w, 0, want...)
	}
}
