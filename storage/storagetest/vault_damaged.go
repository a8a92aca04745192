package storagetest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// testVaultRewriteDamaged rewrites a bucket with records that are damaged: the
// first, the last and one that is large among them. They stay so, are removed or
// get other bytes, and all others are as change makes them.
func testVaultRewriteDamaged(t *testing.T, s Subject[storage.Vault]) {
	if s.Damage == nil {
		return
	}
	const n = storage.RewriteBatch + 20
	ctx, v := t.Context(), s.open(t)
	text := func(index uint64) string {
		size := int(index % 7)
		if index == 12 {
			size = 500_000
		}
		return fmt.Sprintf("record %d/", index) + strings.Repeat("x", size)
	}
	damaged := map[uint64]bool{0: true, 12: true, 14: true, 2 * storage.RewriteBatch: true, 2 * (n - 1): true}
	for i := range uint64(n) {
		must(t, "write", v.Write(ctx, []storage.VaultRecord{record(1, 2*i, text(2*i))}))
	}
	must(t, "sync", v.Sync(ctx))
	must(t, "close", s.Close())
	for index := range damaged {
		must(t, "damage", s.Damage(fmt.Appendf(nil, "record %d/", index)))
	}
	v = s.open(t)
	rewrite := func(what string, change func(r storage.VaultRecord) []byte) {
		t.Helper()
		next := uint64(0)
		must(t, what, v.Rewrite(ctx, 1, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) {
			if r.Index != next || r.Damaged != damaged[r.Index] || r.Damaged == bytes.HasPrefix(r.Data, fmt.Appendf(nil, "record %d/", r.Index)) {
				t.Errorf("%s: gives record %d as %.20q, damaged %v, want record %d", what, r.Index, r.Data, r.Damaged, next)
			}
			next = r.Index + 2
			return change(r), nil
		})))
		if next != 2*n {
			t.Errorf("%s: gives the records below %d, want all", what, next)
		}
	}
	look := func(want func(index uint64) string) {
		t.Helper()
		for range 2 {
			for index := uint64(0); index < 2*n; index += 2 {
				got, err := v.Read(ctx, 1, index)
				switch {
				case want(index) == "" && damaged[index]:
					wantErr(t, fmt.Sprintf("read damaged record %d", index), err, storage.ErrCorrupt)
				case err != nil || string(got) != want(index):
					t.Errorf("Read of index %d = %.20q, %v, want %.20q", index, got, err, want(index))
				}
			}
			v = s.reopen(t)
		}
	}
	whole := func(more string) func(index uint64) string {
		return func(index uint64) string {
			if damaged[index] {
				return ""
			}
			return text(index) + more
		}
	}
	rewrite("change nothing", func(r storage.VaultRecord) []byte { return r.Data })
	look(whole(""))
	rewrite("change all but the damaged ones", func(r storage.VaultRecord) []byte {
		if r.Damaged {
			return r.Data
		}
		return append(r.Data, "+"...)
	})
	look(whole("+"))
	rewrite("mend the damaged ones", func(r storage.VaultRecord) []byte {
		if r.Damaged {
			return []byte(text(r.Index) + "+")
		}
		return r.Data
	})
	clear(damaged)
	look(whole("+"))
	must(t, "close", s.Close())
	must(t, "damage", s.Damage([]byte("record 4/")))
	v = s.open(t)
	must(t, "remove the damaged one", v.Rewrite(ctx, 1, func(records []storage.VaultRecord) error {
		for i, r := range records {
			if r.Damaged || r.Index > 8 {
				records[i].Data = nil
			}
		}
		return nil
	}))
	wantScan(t, s.reopen(t), 1, 0, record(1, 0, text(0)+"+"), record(1, 2, text(2)+"+"), record(1, 6, text(6)+"+"), record(1, 8, text(8)+"+"))
}
