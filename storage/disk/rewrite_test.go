package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

func openVaultIn(t *testing.T, fsys *memfs.FS) *disk.Vault {
	t.Helper()
	v, err := openSimulated(t, fsys).Vault("vault")
	must(t, err)
	return v
}

func one(bucket uint32, index uint64, data string) []storage.VaultRecord {
	return []storage.VaultRecord{{Bucket: bucket, Index: index, Data: []byte(data)}}
}

func upper(r storage.VaultRecord) ([]byte, error) { return bytes.ToUpper(r.Data), nil }

// TestRewriteLeavesNoFiles compares the files before and after rewrites that
// change nothing, or remove everything.
func TestRewriteLeavesNoFiles(t *testing.T) {
	fsys := memfs.New(nil)
	v := openVaultIn(t, fsys)
	for i := range uint64(3) {
		must(t, v.Write(t.Context(), one(1, i, "text")))
	}
	must(t, v.Sync(t.Context()))
	before := files(t, fsys, "vault")
	must(t, v.Rewrite(t.Context(), 1, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) { return r.Data, nil })))
	refusal := errors.New("refusal")
	wantErr(t, "rewrite", v.Rewrite(t.Context(), 1, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) {
		if r.Index == 2 {
			return nil, refusal
		}
		return upper(r)
	})), refusal)
	must(t, v.Rewrite(t.Context(), 2, storage.EachRecord(upper)))
	if after := files(t, fsys, "vault"); !slices.Equal(after, before) {
		t.Errorf("files are %q, want %q", after, before)
	}
	must(t, v.Rewrite(t.Context(), 1, storage.EachRecord(func(storage.VaultRecord) ([]byte, error) { return nil, nil })))
	if got, want := files(t, fsys, "vault"), []string{"vault/extents"}; !slices.Equal(got, want) {
		t.Errorf("after all was removed files are %q, want %q", got, want)
	}
}

// A misread lets the next read that has some bytes give one of them wrong.
type misread struct {
	disk.FS
	next []byte
}

func (m *misread) Open(name string) (disk.File, error) {
	f, err := m.FS.Open(name)
	return misreadFile{f, m}, err
}

type misreadFile struct {
	disk.File
	m *misread
}

func (f misreadFile) ReadAt(b []byte, offset int64) (int, error) {
	n, err := f.File.ReadAt(b, offset)
	if i := bytes.Index(b[:n], f.m.next); i >= 0 && f.m.next != nil {
		b[i]++
		f.m.next = nil
	}
	return n, err
}

// TestRewriteReadsDamageAgain: what was only not read right once is not copied so.
func TestRewriteReadsDamageAgain(t *testing.T) {
	fsys := memfs.New(nil)
	d := openSimulated(t, fsys)
	v, err := d.Vault("vault")
	must(t, err)
	for i := range uint64(3) {
		must(t, v.Write(t.Context(), one(1, i, fmt.Sprintf("text %d", i))))
	}
	must(t, v.Sync(t.Context()))
	must(t, d.Close())
	bad := &misread{FS: fsys.Restart()}
	d, err = disk.Open("simulated", disk.SmallFiles(disk.Options{FS: bad}))
	must(t, err)
	v, err = d.Vault("vault")
	must(t, err)
	bad.next = []byte("text 1")
	must(t, v.Rewrite(t.Context(), 1, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) {
		if r.Damaged {
			t.Errorf("record %d is given as damaged", r.Index)
		}
		return upper(r)
	})))
	if got, err := v.Read(t.Context(), 1, 1); err != nil || string(got) != "TEXT 1" || bad.next != nil {
		t.Errorf("got %q, %v, want TEXT 1 of what was misread", got, err)
	}
}

// TestWritesGoOnDuringRewrite writes to the bucket while change is asked: a
// little once, and much as often as a Rewrite lets others be ahead. A Write
// that waited would wait for ever.
func TestWritesGoOnDuringRewrite(t *testing.T) {
	testWritesDuringRewrite(t, 1, 100)
	testWritesDuringRewrite(t, 3, 5<<20)
}

func testWritesDuringRewrite(t *testing.T, writes uint64, size int) {
	v := openVaultIn(t, memfs.New(nil))
	must(t, v.Write(t.Context(), one(1, 0, "a")))
	next := uint64(1)
	must(t, v.Rewrite(t.Context(), 1, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) {
		if next <= writes {
			must(t, v.Write(t.Context(), one(2, next, "a")))
			must(t, v.Write(t.Context(), one(1, next, strings.Repeat("a", size))))
			must(t, v.Sync(t.Context()))
			next++
		}
		return upper(r)
	})))
	var n uint64
	for r, err := range v.Scan(t.Context(), 1, 0) {
		if err != nil || r.Index != n || bytes.Contains(r.Data, []byte("a")) {
			t.Errorf("Scan yields index %d %.5q, %v, want index %d in capitals", r.Index, r.Data, err, n)
		}
		n++
	}
	if n != writes+1 {
		t.Errorf("%d records are there, want %d", n, writes+1)
	}
}

// TestReadersOfTheOldFiles rewrites and drops a bucket in the middle of a scan,
// which goes on in the files that are unlinked, and closes them at its end.
func TestReadersOfTheOldFiles(t *testing.T) {
	for what, erase := range map[string]func(v *disk.Vault) error{
		"rewrite": func(v *disk.Vault) error { return v.Rewrite(t.Context(), 1, storage.EachRecord(upper)) },
		"drop":    func(v *disk.Vault) error { return v.Drop(t.Context(), 1) },
	} {
		t.Run(what, func(t *testing.T) {
			fsys := memfs.New(nil)
			d := openSimulated(t, fsys)
			v, err := d.Vault("vault")
			must(t, err)
			for i := range uint64(1000) {
				must(t, v.Write(t.Context(), one(1, i, fmt.Sprintf("record %0500d", i))))
			}
			must(t, v.Sync(t.Context()))
			n := 0
			for r, err := range v.Scan(t.Context(), 1, 0) {
				if n == 1 {
					must(t, erase(v))
					if found := grep(t, fsys, "record"); len(found) > 0 {
						t.Errorf("the old records are in %q", found)
					}
				}
				if err != nil || !bytes.HasPrefix(r.Data, []byte("record")) {
					t.Fatalf("record %d of the scan is %.20q, %v", n, r.Data, err)
				}
				n++
			}
			if n != 1000 {
				t.Errorf("the scan yields %d records, want 1000", n)
			}
			want := 1 // the extents
			if what == "rewrite" {
				want += 2
			}
			if got := fsys.OpenFiles(); got != want {
				t.Errorf("%d files are open, want %d", got, want)
			}
			must(t, d.Close())
		})
	}
}

// TestRewriteOfDamagedBuckets refuses to rewrite a bucket of which neither the
// records nor their rows say where a record ends; such a bucket can still be
// dropped.
func TestRewriteOfDamagedBuckets(t *testing.T) {
	const records, rows = "vault/00000001-1.records", "vault/00000001-1.rows"
	both := func(record, row int64) func(fsys *memfs.FS) error {
		return func(fsys *memfs.FS) error {
			return errors.Join(fsys.Damage(records, record, 1), fsys.Damage(rows, row, 1))
		}
	}
	for what, damage := range map[string]func(fsys *memfs.FS) error{
		"a record and its row":           both(25, 16),
		"a record and the row behind it": both(25, 32),
		"a large length, and the row":    both(28, 31),
		"the last record and its row":    both(50, 40),
		"no rows":                        func(fsys *memfs.FS) error { return fsys.Remove(rows) },
	} {
		t.Run(what, func(t *testing.T) {
			fsys := memfs.New(nil)
			v := openVaultIn(t, fsys)
			for i := range uint64(3) {
				must(t, v.Write(t.Context(), one(1, i, "text")))
			}
			must(t, v.Sync(t.Context()))
			fsys = fsys.Restart()
			must(t, damage(fsys))
			before := files(t, fsys, "vault")
			v = openVaultIn(t, fsys)
			for range 2 {
				wantErr(t, "rewrite", v.Rewrite(t.Context(), 1, storage.EachRecord(upper)), storage.ErrCorrupt)
			}
			if after := files(t, fsys, "vault"); !slices.Equal(after, before) {
				t.Errorf("files are %q, want %q", after, before)
			}
			must(t, v.Write(t.Context(), one(2, 1, "other")))
			must(t, v.Drop(t.Context(), 1))
			must(t, v.Sync(t.Context()))
			for _, name := range files(t, fsys, "vault") {
				if strings.HasPrefix(name, "vault/00000001") {
					t.Errorf("after Drop %s is there", name)
				}
			}
		})
	}
}
