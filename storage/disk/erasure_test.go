package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/storagetest"
)

// marker is in what an erasure takes away, and nowhere else.
const marker = "the name of a person"

// An erasure takes away what others stay beside.
type erasure struct {
	fill, do func(t *testing.T, d *disk.Dir) error
	read     func(t *testing.T, d *disk.Dir) (string, error)
}

func erasures() map[string]erasure {
	return map[string]erasure{
		"rewrite": {fillMarked, inVault(func(t *testing.T, v *disk.Vault) error {
			return v.Rewrite(t.Context(), 1, storage.EachRecord(withoutMarker))
		}), readMarked},
		"rewrite to nothing": {fillMarked, inVault(func(t *testing.T, v *disk.Vault) error {
			return v.Rewrite(t.Context(), 1, storage.EachRecord(func(storage.VaultRecord) ([]byte, error) { return nil, nil }))
		}), readMarked},
		"drop": {fillMarked, inVault(func(t *testing.T, v *disk.Vault) error {
			return v.Drop(t.Context(), 1)
		}), readMarked},
		"remove": {fillObjects, func(t *testing.T, d *disk.Dir) error {
			o, err := d.Objects("objects")
			if err != nil {
				return err
			}
			return o.Remove(t.Context(), "a/marked")
		}, readObjects},
	}
}

func inVault(do func(t *testing.T, v *disk.Vault) error) func(t *testing.T, d *disk.Dir) error {
	return func(t *testing.T, d *disk.Dir) error {
		v, err := d.Vault("vault")
		if err != nil {
			return err
		}
		return do(t, v)
	}
}

// withoutMarker removes each third record that has the marker and changes the
// others.
func withoutMarker(r storage.VaultRecord) ([]byte, error) {
	if bytes.Contains(r.Data, []byte(marker)) && r.Index%3 == 0 {
		return nil, nil
	}
	return bytes.ReplaceAll(r.Data, []byte(marker), []byte("somebody")), nil
}

// fillMarked writes two buckets, in one of which some records have the marker,
// some of them not synced. What is there it passes over.
func fillMarked(t *testing.T, d *disk.Dir) error {
	return inVault(func(t *testing.T, v *disk.Vault) error {
		for part := range uint64(3) {
			var batch []storage.VaultRecord
			for i := part * 10; i < part*10+10; i++ {
				text := strings.Repeat("anybody ", int(i*7%100))
				if i%4 == 1 {
					text += marker
				}
				batch = append(batch,
					storage.VaultRecord{Bucket: 1, Index: i, Data: fmt.Append(nil, i, text)},
					storage.VaultRecord{Bucket: 2, Index: i, Data: fmt.Append(nil, i, "other")})
			}
			if err := v.Write(t.Context(), batch); err != nil {
				return err
			}
			if part == 2 {
				return nil
			}
			if err := v.Sync(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})(t, d)
}

func readMarked(t *testing.T, d *disk.Dir) (string, error) {
	var all strings.Builder
	err := inVault(func(t *testing.T, v *disk.Vault) error {
		for bucket := range uint32(3) {
			for r, err := range v.Scan(t.Context(), bucket, 0) {
				if err != nil {
					return err
				}
				if bucket == 1 { // of the other the last records are not synced
					fmt.Fprintf(&all, "%d: %s\n", r.Index, r.Data)
				}
			}
		}
		return nil
	})(t, d)
	return all.String(), err
}

func fillObjects(t *testing.T, d *disk.Dir) error {
	o, err := d.Objects("objects")
	if err != nil {
		return err
	}
	return errors.Join(o.Put(t.Context(), "a/marked", []byte(marker)), o.Put(t.Context(), "a/other", []byte("other")))
}

func readObjects(t *testing.T, d *disk.Dir) (string, error) {
	o, err := d.Objects("objects")
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for name, err := range o.List(t.Context(), "") {
		if err != nil {
			return "", err
		}
		data, err := o.Read(t.Context(), name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "%s: %s\n", name, data)
	}
	return all.String(), nil
}

// TestErasuresOnARealDisk greps all files below the directory.
func TestErasuresOnARealDisk(t *testing.T) {
	t.Parallel()
	for name, e := range erasures() {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			d, err := disk.Open(path, disk.Options{Create: true})
			must(t, err)
			must(t, e.fill(t, d))
			if n := len(grepReal(t, path)); n == 0 {
				t.Error("no file has the marker before")
			}
			must(t, e.do(t, d))
			if found := grepReal(t, path); len(found) > 0 {
				t.Errorf("the marker is in %q", found)
			}
			must(t, d.Close())
			if found := grepReal(t, path); len(found) > 0 {
				t.Errorf("after Close the marker is in %q", found)
			}
		})
	}
}

func grepReal(t *testing.T, path string) (found []string) {
	t.Helper()
	must(t, filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte(marker)) {
			found = append(found, name)
		}
		return err
	}))
	return found
}

// TestErasuresOutlastFaults lets every step of the writing and of the erasing
// fail in every way, and repeats what failed until it succeeds. Then no file
// has the marker, nor has one after a power cut, before anybody opens them.
func TestErasuresOutlastFaults(t *testing.T) {
	t.Parallel()
	for name, e := range erasures() {
		t.Run(name, func(t *testing.T) {
			storagetest.Table(t, func(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
				fsys := memfs.New(plan)
				filled := false
				until(t, &fsys, func(t *testing.T, d *disk.Dir) error {
					if !filled {
						if err := e.fill(t, d); err != nil {
							return err
						}
						filled = true
					}
					return e.do(t, d)
				})
				for n, left := range []*memfs.FS{fsys, fsys.Crash(nil), fsys.Crash(rng), fsys.Crash(rng)} {
					if found := grep(t, left, marker); len(found) > 0 {
						t.Errorf("file system %d has the marker in %q", n, found)
					}
				}
			})
		})
	}
}

// until repeats what can be repeated, also in another process, until it
// succeeds.
func until(t *testing.T, fsys **memfs.FS, do func(t *testing.T, d *disk.Dir) error) {
	t.Helper()
	var err error
	for range 10 {
		var d *disk.Dir
		d, err = disk.Open("simulated", disk.SmallFiles(disk.Options{Create: true, FS: *fsys}))
		if err == nil {
			err = do(t, d)
		}
		if errors.Is(err, storage.ErrNoSpace) && d != nil {
			err = do(t, d)
		}
		if err == nil && d.Close() == nil {
			return
		}
		*fsys = (*fsys).Restart()
		if err == nil {
			return
		}
	}
	t.Fatal(err)
}
