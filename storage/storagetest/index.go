package storagetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// Index runs the suite for an index.
func Index(t *testing.T, maker Maker[storage.Index]) {
	t.Run("insert, look up and drop", func(t *testing.T) { testIndex(t, maker(t, nil)) })
	t.Run("inserts and look-ups at once", func(t *testing.T) { testIndexConcurrency(t, maker(t, nil)) })
	runHistories(t, maker, func() history[storage.Index] {
		return &indexHistory{may: map[rowName][]lookup{}}
	})
}

func row(bucket uint32, key byte, value uint64) storage.IndexRow {
	return storage.IndexRow{Bucket: bucket, Key: [16]byte{15: key}, Value: value}
}

func wantValue(t *testing.T, x storage.Index, bucket uint32, key byte, want uint64, wantOK bool) {
	t.Helper()
	got, ok, err := x.Lookup(t.Context(), bucket, [16]byte{15: key})
	if err != nil || ok != wantOK || got != want {
		t.Errorf("Lookup of %d/%d = %d, %t, %v, want %d, %t", bucket, key, got, ok, err, want, wantOK)
	}
}

func testIndex(t *testing.T, s Subject[storage.Index]) {
	ctx, x := t.Context(), s.open(t)
	wantValue(t, x, 1, 1, 0, false)
	must(t, "insert nothing", x.Insert(ctx, nil))
	must(t, "drop nothing", x.Drop(ctx, 1))
	const last = 1<<32 - 1
	must(t, "insert", x.Insert(ctx, []storage.IndexRow{
		row(1, 1, 0), row(1, 2, 1<<64-1), row(0, 1, 3), row(2, 0, 4), row(last, 255, 5), row(1, 3, 6), row(1, 3, 7),
	}))
	must(t, "insert again", x.Insert(ctx, []storage.IndexRow{row(2, 0, 8)}))
	must(t, "sync", x.Sync(ctx))
	for range 2 {
		wantValue(t, x, 1, 1, 0, true)
		wantValue(t, x, 1, 2, 1<<64-1, true)
		wantValue(t, x, 1, 3, 7, true)
		wantValue(t, x, 0, 1, 3, true)
		wantValue(t, x, 2, 0, 8, true)
		wantValue(t, x, last, 255, 5, true)
		wantValue(t, x, 1, 4, 0, false)
		wantValue(t, x, 3, 1, 0, false)
		x = s.reopen(t)
	}
	must(t, "drop", x.Drop(ctx, 1))
	must(t, "drop the last bucket", x.Drop(ctx, last))
	must(t, "insert into a dropped bucket", x.Insert(ctx, []storage.IndexRow{row(1, 2, 9)}))
	must(t, "sync", x.Sync(ctx))
	for range 2 {
		wantValue(t, x, 1, 1, 0, false)
		wantValue(t, x, 1, 2, 9, true)
		wantValue(t, x, 0, 1, 3, true)
		wantValue(t, x, 2, 0, 8, true)
		wantValue(t, x, last, 255, 0, false)
		x = s.reopen(t)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, "a cancelled insert", x.Insert(cancelled, []storage.IndexRow{row(1, 1, 1)}), context.Canceled)
	wantErr(t, "a cancelled sync", x.Sync(cancelled), context.Canceled)
	wantErr(t, "a cancelled drop", x.Drop(cancelled, 1), context.Canceled)
	_, _, err := x.Lookup(cancelled, 1, [16]byte{})
	wantErr(t, "a cancelled look-up", err, context.Canceled)
}

func testIndexConcurrency(t *testing.T, s Subject[storage.Index]) {
	x := s.open(t)
	var wg sync.WaitGroup
	for w := range uint32(4) {
		wg.Go(func() {
			for key := range byte(50) {
				wantErr(t, "insert", x.Insert(t.Context(), []storage.IndexRow{row(w, key, uint64(key))}), nil)
				wantValue(t, x, w, key, uint64(key), true)
				if key%20 == 0 {
					wantErr(t, "drop another bucket", x.Drop(t.Context(), 1000+w), nil)
					wantErr(t, "sync", x.Sync(t.Context()), nil)
				}
			}
		})
	}
	wg.Wait()
	must(t, "sync", x.Sync(t.Context()))
	x = s.reopen(t)
	for w := range uint32(4) {
		for key := range byte(50) {
			wantValue(t, x, w, key, uint64(key), true)
		}
	}
}

type rowName struct {
	bucket uint32
	key    byte
}

// A lookup is an answer of an index.
type lookup struct {
	value uint64
	ok    bool
}

// An indexHistory inserts, drops and syncs at random. Its values grow, so that
// none comes back by chance.
type indexHistory struct {
	may   map[rowName][]lookup // what may be found after an ending; the last one now
	value uint64
}

func (h *indexHistory) step(t *testing.T, x storage.Index, rng *rand.Rand) error {
	var err error
	switch n := rng.IntN(10); n {
	case 0:
		if err = x.Sync(t.Context()); err == nil {
			for name, may := range h.may {
				h.may[name] = may[len(may)-1:]
			}
		}
	case 1:
		bucket := uint32(rng.IntN(3))
		if err = x.Drop(t.Context(), bucket); !refused(err) {
			h.drop(bucket)
		}
	default:
		var rows []storage.IndexRow
		for range n {
			h.value++
			rows = append(rows, row(uint32(rng.IntN(3)), byte(rng.IntN(5)), h.value))
		}
		if err = x.Insert(t.Context(), rows); !refused(err) {
			h.insert(rows)
		}
	}
	if err != nil && !refused(err) {
		return err
	}
	return nil
}

func (h *indexHistory) check(t *testing.T, x storage.Index) {
	h.compare(t, x, func(may []lookup) []lookup { return may[len(may)-1:] })
}

func (h *indexHistory) insert(rows []storage.IndexRow) {
	for _, r := range rows {
		name := rowName{r.Bucket, r.Key[15]}
		if h.may[name] == nil {
			h.may[name] = []lookup{{}}
		}
		h.may[name] = append(h.may[name], lookup{r.Value, true})
	}
}

func (h *indexHistory) drop(bucket uint32) {
	for name, may := range h.may {
		if name.bucket == bucket {
			h.may[name] = append(may, lookup{})
		}
	}
}

func (h *indexHistory) settle(t *testing.T, x storage.Index) error {
	h.compare(t, x, func(may []lookup) []lookup { return may })
	// What was found may still be undurable: it goes last, the rest stays possible.
	for name, may := range h.may {
		value, ok, err := x.Lookup(t.Context(), name.bucket, [16]byte{15: name.key})
		must(t, "look up", err)
		h.may[name] = append(may, lookup{value, ok})
	}
	return nil
}

// compare holds every row against what may be found.
func (h *indexHistory) compare(t *testing.T, x storage.Index, allowed func([]lookup) []lookup) {
	for bucket := range uint32(3) {
		for key := range byte(5) {
			want := []lookup{{}}
			if may := h.may[rowName{bucket, key}]; may != nil {
				want = allowed(may)
			}
			value, ok, err := x.Lookup(t.Context(), bucket, [16]byte{15: key})
			if err != nil || !slices.Contains(want, lookup{value, ok}) {
				t.Errorf("Lookup of %d/%d = %d, %t, %v, want one of %v", bucket, key, value, ok, err, want)
			}
		}
	}
}

func (h *indexHistory) probe(x storage.Index) []error {
	ctx := context.Background()
	_, _, err := x.Lookup(ctx, 0, [16]byte{})
	return []error{err, x.Insert(ctx, []storage.IndexRow{row(9, 9, 9)}), x.Sync(ctx), x.Drop(ctx, 9)}
}
