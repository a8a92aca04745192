package storagetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// A change is what a Rewrite does to a record.
type change = func(storage.VaultRecord) ([]byte, error)

// scrub removes each third record, changes each third, and leaves the others.
// What it has been done to it leaves as it is.
func scrub(r storage.VaultRecord) ([]byte, error) {
	switch r.Index % 3 {
	case 0:
		return nil, nil
	case 1:
		return r.Data, nil
	}
	return append([]byte("scrubbed: "), bytes.TrimPrefix(r.Data, []byte("scrubbed: "))...), nil
}

func removeAll(storage.VaultRecord) ([]byte, error) { return nil, nil }

// changed returns what a change leaves of the records.
func changed(records []storage.VaultRecord, change change) []storage.VaultRecord {
	var left []storage.VaultRecord
	for _, r := range records {
		data, _ := change(storage.VaultRecord{Bucket: r.Bucket, Index: r.Index, Data: bytes.Clone(r.Data)})
		if data != nil {
			left = append(left, storage.VaultRecord{Bucket: r.Bucket, Index: r.Index, Data: data})
		}
	}
	return left
}

func testVaultRewrite(t *testing.T, s Subject[storage.Vault]) {
	ctx, v := t.Context(), s.open(t)
	must(t, "rewrite nothing", v.Rewrite(ctx, 1, storage.EachRecord(removeAll)))
	old := []storage.VaultRecord{record(1, 3, "a"), record(1, 4, "b"), record(1, 5, "c"), record(1, 7, "d"), record(1, 9, "e")}
	other := record(2, 3, "other")
	must(t, "write", v.Write(ctx, append([]storage.VaultRecord{other}, old[:3]...)))
	must(t, "sync", v.Sync(ctx))
	must(t, "write", v.Write(ctx, old[3:])) // not synced
	for n, held := range [][]storage.VaultRecord{old, changed(old, scrub)} {
		var asked []storage.VaultRecord
		must(t, "rewrite", v.Rewrite(ctx, 1, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) {
			asked = append(asked, record(r.Bucket, r.Index, string(r.Data)))
			return scrub(r)
		})))
		if !slices.EqualFunc(asked, held, sameRecord) {
			t.Errorf("rewrite %d asks for %d records, want each of %d once", n, len(asked), len(held))
		}
		wantScan(t, v, 1, 0, changed(old, scrub)...)
		wantScan(t, v, 2, 0, other)
		if s.Crash == nil {
			v = s.reopen(t)
		} else { // all of it is durable
			s.Crash(nil)
			v = s.open(t)
		}
	}
	for _, index := range []uint64{3, 9} {
		_, err := v.Read(ctx, 1, index)
		wantErr(t, "read what was removed", err, storage.ErrNotFound)
	}
	wantErr(t, "write the old bytes again", v.Write(ctx, old[2:3]), storage.ErrExists)
	wantErr(t, "write what was removed again", v.Write(ctx, old[:1]), storage.ErrConflict)
	must(t, "write behind the last one", v.Write(ctx, []storage.VaultRecord{record(1, 8, "f")}))
	wantScan(t, v, 1, 5, record(1, 5, "scrubbed: c"), record(1, 7, "d"), record(1, 8, "f"))
	must(t, "rewrite", v.Rewrite(ctx, 1, storage.EachRecord(removeAll)))
	wantScan(t, v, 1, 0)
	v = s.reopen(t)
	wantScan(t, v, 1, 0)
	must(t, "write to the empty bucket", v.Write(ctx, []storage.VaultRecord{record(1, 2, "new")}))
	must(t, "sync", v.Sync(ctx))
	wantScan(t, s.reopen(t), 1, 0, record(1, 2, "new"))
}

// testVaultRewriteData gives back every kind of bytes: the record's own after
// they were altered, a part of them, much more, and as much as there may be.
func testVaultRewriteData(t *testing.T, s Subject[storage.Vault]) {
	ctx, v := t.Context(), s.open(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), storage.MaxVaultRecord/16)
	texts := []string{"a", "stays", "altered", "cut short", "grows", string(large), string(large), string(large), "z"}
	for i, text := range texts {
		must(t, "write", v.Write(ctx, []storage.VaultRecord{record(1, uint64(i), text)}))
	}
	must(t, "sync", v.Sync(ctx))
	var last []byte
	must(t, "rewrite", v.Rewrite(ctx, 1, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) {
		switch r.Index {
		case 2, 5:
			r.Data[0] = 'A'
		case 3:
			return r.Data[:3], nil
		case 4:
			return large, nil
		case 6:
			return []byte("small"), nil
		case 8:
			last = []byte("last")
			return last, nil
		}
		return r.Data, nil
	})))
	last[0], large[0] = 'x', 'x' // the caller's slices are the caller's
	texts[2], texts[3], texts[4], texts[6], texts[8] = "Altered", "cut", texts[5], "small", "last"
	texts[5] = "A" + texts[5][1:]
	var want []storage.VaultRecord
	for i, text := range texts {
		want = append(want, record(1, uint64(i), text))
	}
	for range 2 {
		wantScan(t, v, 1, 0, want...)
		for _, r := range want {
			got, err := v.Read(ctx, 1, r.Index)
			if err != nil || !bytes.Equal(got, r.Data) {
				t.Errorf("Read of index %d = %.20q, %v, want %.20q", r.Index, got, err, r.Data)
			}
		}
		v = s.reopen(t)
	}
}

func testVaultRewriteRefusals(t *testing.T, s Subject[storage.Vault]) {
	ctx, v := t.Context(), s.open(t)
	held := []storage.VaultRecord{record(1, 1, "a"), record(1, 2, "b"), record(1, 3, "c")}
	must(t, "write", v.Write(ctx, held))
	must(t, "sync", v.Sync(ctx))
	refusal := errors.New("refusal")
	cancelled, cancel := context.WithCancel(ctx)
	at := func(index uint64, do func() ([]byte, error)) change {
		return func(r storage.VaultRecord) ([]byte, error) {
			if r.Index == index {
				return do()
			}
			return []byte("changed"), nil
		}
	}
	for _, c := range []struct {
		what   string
		change change
		want   error
	}{
		{"an error at the last record", at(3, func() ([]byte, error) { return nil, refusal }), refusal},
		{"an error with bytes", at(1, func() ([]byte, error) { return []byte("x"), refusal }), refusal},
		{"no bytes", at(2, func() ([]byte, error) { return []byte{}, nil }), storage.ErrInvalid},
		{"too many bytes", at(2, func() ([]byte, error) { return make([]byte, storage.MaxVaultRecord+1), nil }), storage.ErrInvalid},
		{"cancelled in the middle", at(2, func() ([]byte, error) { cancel(); return nil, nil }), context.Canceled},
		{"cancelled before", at(1, func() ([]byte, error) { t.Error("was asked"); return nil, nil }), context.Canceled},
	} {
		err := v.Rewrite(cancelled, 1, storage.EachRecord(c.change))
		wantErr(t, c.what, err, c.want)
		if c.want == refusal && err != refusal {
			t.Errorf("%s: error is %q, not as it was", c.what, err)
		}
		wantScan(t, v, 1, 0, held...)
	}
	wantScan(t, s.reopen(t), 1, 0, held...)
	v = s.reopen(t)
	must(t, "rewrite after refusals", v.Rewrite(ctx, 1, storage.EachRecord(scrub)))
	wantScan(t, v, 1, 0, changed(held, scrub)...)
}

// testVaultRewriteEnds rewrites a bucket and ends the store: after a Rewrite
// that succeeded the bucket is the new one, after one that was refused the old
// one, and after another one of them whole; and to rewrite it again is fine.
func testVaultRewriteEnds(d vaultTrial, e ending) {
	const bucket = 1
	d.rewrite(e, d.write(bucket, 10), []storage.VaultRecord{record(bucket, 20, "late")}, scrub)
	same := func(r storage.VaultRecord) ([]byte, error) { return r.Data, nil }
	d.rewrite(e, d.content(bucket), []storage.VaultRecord{record(bucket, 22, "later")}, same)
	d.rewrite(e, d.content(bucket), nil, removeAll)
	anew := d.write(bucket, 5) // of the old records nothing is in the way
	d.end(e)
	wantScan(d.t, d.store, bucket, 0, anew...)
}

// rewrite rewrites a bucket that holds some records durably and late ones not.
func (d vaultTrial) rewrite(e ending, held, late []storage.VaultRecord, change change) {
	d.t.Helper()
	d.until(func() error { return d.store.Write(d.t.Context(), late) })
	all := slices.Concat(held, late)
	rewrite := func() error { return d.store.Rewrite(d.t.Context(), held[0].Bucket, storage.EachRecord(change)) }
	d.attempt(e, rewrite, func(err error) {
		switch {
		case err == nil:
			d.wantOneOf(held[0].Bucket, changed(all, change))
		case refused(err):
			d.wantOneOf(held[0].Bucket, all, held)
		default:
			d.wantOneOf(held[0].Bucket, all, held, changed(all, change))
		}
	})
	if left := d.content(held[0].Bucket); !slices.EqualFunc(left, changed(all, change), sameRecord) {
		all = left
		d.until(rewrite)
	}
	d.end(powerCutRandom)
	d.wantOneOf(held[0].Bucket, changed(all, change))
}

// testVaultRewriteBatches gives a change as many records at a time as there may
// be, in order, whatever it does to those of a batch together.
func testVaultRewriteBatches(t *testing.T, s Subject[storage.Vault]) {
	const n = 2*storage.RewriteBatch + 10
	ctx, v := t.Context(), s.open(t)
	var old []storage.VaultRecord
	for i := range uint64(n) {
		old = append(old, record(1, 2*i, fmt.Sprintf("record %d", i)))
	}
	must(t, "write", v.Write(ctx, old))
	must(t, "sync", v.Sync(ctx))
	var asked []storage.VaultRecord
	must(t, "rewrite", v.Rewrite(ctx, 1, func(records []storage.VaultRecord) error {
		if len(records) < 1 || len(records) > storage.RewriteBatch {
			t.Errorf("%d records are given at a time", len(records))
		}
		for i := range slices.Backward(records) {
			r := &records[i]
			asked = append(asked, record(r.Bucket, r.Index, string(r.Data)))
			r.Data = append(r.Data, " and much more than it was, so that it would reach into the next one"...)
			r.Index = 7 // its own, but not the vault's
		}
		slices.SortFunc(asked, func(a, b storage.VaultRecord) int { return cmp.Compare(a.Index, b.Index) })
		return nil
	}))
	if !slices.EqualFunc(asked, old, sameRecord) {
		t.Errorf("rewrite gives %d records, want each of %d once", len(asked), n)
	}
	for i := range old {
		old[i].Data = append(old[i].Data, " and much more than it was, so that it would reach into the next one"...)
	}
	wantScan(t, v, 1, 0, old...)
	wantScan(t, s.reopen(t), 1, 0, old...)
}
