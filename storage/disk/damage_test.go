package disk_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"path"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// files returns the files below a directory.
func files(t *testing.T, fsys *memfs.FS, dir string) (names []string) {
	t.Helper()
	infos, err := fsys.ReadDir(dir)
	must(t, err)
	for _, info := range infos {
		if name := path.Join(dir, info.Name); info.Dir {
			names = append(names, files(t, fsys, name)...)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// TestDamageShows flips bits all over the files: what is read afterwards is
// what was written, or ErrCorrupt, and never less or something else.
func TestDamageShows(t *testing.T) {
	t.Parallel()
	for name, h := range holdings() {
		t.Run(name, func(t *testing.T) {
			whole := memfs.New(nil)
			d := openSimulated(t, whole)
			must(t, h.fill(t, d))
			must(t, d.Close())
			want, err := h.read(t, openSimulated(t, whole.Restart()))
			must(t, err)
			rng, places := rand.New(rand.NewPCG(1, 1)), int64(40) // about twice as many in a file
			if testing.Short() {
				places = 10
			}
			for _, file := range files(t, whole, ".") {
				info, err := whole.Stat(file)
				must(t, err)
				for offset := rng.Int64N(8); offset < info.Size; offset += 1 + rng.Int64N(1+info.Size/places) {
					damaged := whole.Restart()
					must(t, damaged.Damage(file, offset, 1<<rng.IntN(8)))
					got, err := readDamaged(t, damaged, h)
					if err != nil && !errors.Is(err, storage.ErrCorrupt) {
						t.Errorf("%s, byte %d: error = %v, want ErrCorrupt", file, offset, err)
					}
					if err == nil && got != want {
						t.Errorf("%s, byte %d: other content was read, and no error", file, offset)
					}
				}
			}
		})
	}
}

func readDamaged(t *testing.T, fsys *memfs.FS, h holding) (string, error) {
	t.Helper()
	d := openSimulated(t, fsys)
	defer d.Close()
	return h.read(t, d)
}

// TestLostSectorsShow zeroes sectors, as a disk does that acknowledged writes
// and lost them, in every record but the last one, where it looks torn: in the
// older segments of a journal, and in its only one.
func TestLostSectorsShow(t *testing.T) {
	t.Parallel()
	for what, o := range map[string]disk.Options{
		"many segments": disk.SmallFiles(disk.Options{Create: true}),
		"one segment":   {Create: true},
	} {
		t.Run(what, func(t *testing.T) {
			o.FS = memfs.New(nil)
			d, err := disk.Open("simulated", o)
			must(t, err)
			must(t, fillJournal(t, d))
			must(t, d.Close())
			fsys := o.FS.(*memfs.FS)
			names := files(t, fsys, "journal")
			for _, name := range names {
				info, err := fsys.Stat(name)
				must(t, err)
				end := info.Size
				if name == names[len(names)-1] {
					end = lastFrame(t, fsys, name)
				}
				for offset := int64(0); offset < end; offset += 512 {
					damaged := fsys.Restart()
					if !zeroSector(t, damaged, name, offset) {
						continue
					}
					o := o
					o.FS = damaged
					d, err := disk.Open("simulated", o)
					must(t, err)
					if _, err := readJournal(t, d); !errors.Is(err, storage.ErrCorrupt) {
						t.Errorf("%s, sector at %d: error = %v, want ErrCorrupt", name, offset, err)
					}
				}
			}
		})
	}
}

// lastFrame returns where the last frame of a segment begins.
func lastFrame(t *testing.T, fsys *memfs.FS, name string) (last int64) {
	t.Helper()
	f, err := fsys.Open(name)
	must(t, err)
	magic := make([]byte, 4)
	for offset := int64(4096); ; offset += 4096 {
		if _, err := f.ReadAt(magic, offset); err != nil {
			return last
		}
		if string(magic) == "crn1" {
			last = offset
		}
	}
}

// zeroSector zeroes a sector and reports whether that changed anything.
func zeroSector(t *testing.T, fsys *memfs.FS, name string, offset int64) bool {
	t.Helper()
	f, err := fsys.Open(name)
	must(t, err)
	before, zeros := make([]byte, 512), make([]byte, 512)
	_, err = f.ReadAt(before, offset)
	must(t, err)
	_, err = f.WriteAt(zeros, offset)
	must(t, err)
	return !bytes.Equal(before, zeros)
}

func TestJournalOmissionShows(t *testing.T) {
	t.Parallel()
	whole := memfs.New(nil)
	d := openSimulated(t, whole)
	must(t, fillJournal(t, d))
	must(t, d.Close())
	names := files(t, whole, "journal")
	if len(names) < 4 {
		t.Fatalf("%d segments, want some", len(names))
	}
	wantCorrupt := func(what string, fsys *memfs.FS) {
		t.Helper()
		if _, err := readDamaged(t, fsys, holding{read: readJournal}); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: error = %v, want ErrCorrupt", what, err)
		}
	}
	without := whole.Restart()
	must(t, without.Remove(names[1]))
	wantCorrupt("a segment in the middle is missing", without)

	swapped := whole.Restart()
	must(t, swapped.Rename(names[1], "journal/x"))
	must(t, swapped.Rename(names[2], names[1]))
	must(t, swapped.Rename("journal/x", names[2]))
	wantCorrupt("two segments are swapped", swapped)

	renamed := whole.Restart()
	must(t, renamed.Rename(names[len(names)-1], "journal/00000000000000ff"))
	wantCorrupt("the last segment has another position", renamed)

	other := memfs.New(nil)
	d = openSimulated(t, other)
	j, err := d.Journal("journal", []byte("another key"))
	must(t, err)
	_, err = j.Append(t.Context(), []byte("x"))
	must(t, err)
	must(t, d.Close())
	wantCorrupt("another key", other)
}

// TestSegmentsOfTheSamePosition replaces the first segment by another one that
// was once written at its position under the same key, in another journal.
func TestSegmentsOfTheSamePosition(t *testing.T) {
	t.Parallel()
	journal := func(text string) *memfs.FS {
		fsys := memfs.New(nil)
		d := openSimulated(t, fsys)
		j, err := d.Journal("journal", key)
		must(t, err)
		for range 8 {
			_, err := j.Append(t.Context(), []byte(text))
			must(t, err)
		}
		must(t, d.Close())
		return fsys
	}
	from, to := journal("one"), journal("two")
	name := files(t, to, "journal")[0]
	info, err := from.Stat(name)
	must(t, err)
	a, err := from.Open(name)
	must(t, err)
	b, err := to.Open(name)
	must(t, err)
	segment := make([]byte, info.Size)
	_, err = a.ReadAt(segment, 0)
	must(t, err)
	_, err = b.WriteAt(segment, 0)
	must(t, err)
	if _, err := readDamaged(t, to, holding{read: readJournal}); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("error = %v, want ErrCorrupt", err)
	}
}

// TestFramesOfTheSamePosition replaces the last record by another one that was
// once written at its position under the same key, in another journal.
func TestFramesOfTheSamePosition(t *testing.T) {
	t.Parallel()
	journal := func(first string) *memfs.FS {
		fsys := memfs.New(nil)
		d := openSimulated(t, fsys)
		j, err := d.Journal("journal", key)
		must(t, err)
		for _, text := range []string{first, "second"} {
			_, err := j.Append(t.Context(), []byte(text))
			must(t, err)
		}
		must(t, d.Close())
		return fsys
	}
	from, to := journal("one"), journal("two")
	const name, second, size = "journal/0000000000000000", 2 * 4096, 4096
	a, err := from.Open(name)
	must(t, err)
	b, err := to.Open(name)
	must(t, err)
	frame := make([]byte, size)
	_, err = a.ReadAt(frame, second)
	must(t, err)
	_, err = b.WriteAt(frame, second)
	must(t, err)
	if _, err := readDamaged(t, to, holding{read: readJournal}); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("error = %v, want ErrCorrupt", err)
	}
}
