package memfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file without syncing anything.
func put(t *testing.T, f *memfs.FS, name, text string) disk.File {
	t.Helper()
	file, err := f.Create(name)
	must(t, err)
	_, err = file.WriteAt([]byte(text), 0)
	must(t, err)
	return file
}

// content returns a file's bytes, or "absent".
func content(t *testing.T, f *memfs.FS, name string) string {
	t.Helper()
	info, err := f.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "absent"
	}
	must(t, err)
	file, err := f.Open(name)
	must(t, err)
	b := make([]byte, info.Size)
	_, err = file.ReadAt(b, 0)
	must(t, err)
	must(t, file.Close())
	return string(b)
}

func TestPowerCutKeepsWhatWasSynced(t *testing.T) {
	f := memfs.New(nil)
	a := put(t, f, "a", "one")
	must(t, a.Sync())
	if got := content(t, f.Crash(nil), "a"); got != "absent" {
		t.Errorf("a file whose directory was not synced is %q", got)
	}
	must(t, f.SyncDir("."))
	put(t, f, "b", "two")
	must(t, f.SyncDir("."))
	_, err := a.WriteAt([]byte("ONE"), 0)
	must(t, err)
	crashed := f.Crash(nil)
	if got := content(t, crashed, "a"); got != "one" {
		t.Errorf("a file written to since its sync is %q, want one", got)
	}
	if got := content(t, crashed, "b"); got != "" {
		t.Errorf("a file that was never synced is %q, want it empty", got)
	}
	if got := content(t, f.Restart(), "a"); got != "ONE" {
		t.Errorf("after a restart it is %q, want ONE", got)
	}
	if got := content(t, f.Restart().Crash(nil), "a"); got != "one" {
		t.Errorf("a restart made it durable: %q", got)
	}
}

// A write of two sectors is found in four ways.
func TestPowerCutTearsWrites(t *testing.T) {
	f := memfs.New(nil)
	zeros := string(make([]byte, 1024))
	a := put(t, f, "a", zeros)
	must(t, a.Sync())
	must(t, f.SyncDir("."))
	written := fmt.Sprintf("%0512d%0512d", 1, 2)
	_, err := a.WriteAt([]byte(written), 0)
	must(t, err)
	seen := make(map[string]bool)
	for seed := range uint64(100) {
		seen[content(t, f.Crash(rand.New(rand.NewPCG(seed, 0))), "a")] = true
	}
	want := []string{zeros, written, written[:512] + zeros[512:], zeros[:512] + written[512:]}
	for _, w := range want {
		if !seen[w] {
			t.Errorf("never seen: %q…%q", w[:3], w[509:515])
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d outcomes, want %d", len(seen), len(want))
	}
}

func TestRenameIsOneChange(t *testing.T) {
	f := memfs.New(nil)
	must(t, put(t, f, "a", "old").Sync())
	must(t, put(t, f, "new", "new").Sync())
	must(t, f.SyncDir("."))
	must(t, f.Rename("new", "a"))
	seen := make(map[string]bool)
	for seed := range uint64(50) {
		crashed := f.Crash(rand.New(rand.NewPCG(seed, 0)))
		seen[content(t, crashed, "a")+" "+content(t, crashed, "new")] = true
	}
	if len(seen) != 2 || !seen["old new"] || !seen["new absent"] {
		t.Errorf("a power cut leaves %v", seen)
	}
}

// After a sync that failed the bytes can be read, and the next sync lies.
func TestFailedSyncForgets(t *testing.T) {
	plan := new(fault.Plan)
	f := memfs.New(plan)
	a := put(t, f, "a", "one")
	must(t, f.SyncDir("."))
	plan.At(len(plan.Steps()), fault.Failed)
	if err := a.Sync(); !errors.Is(err, fault.ErrInjected) {
		t.Errorf("Sync = %v, want the fault", err)
	}
	must(t, a.Sync())
	if got := content(t, f, "a"); got != "one" {
		t.Errorf("the file reads %q, want one", got)
	}
	if got := content(t, f.Crash(nil), "a"); got != "" {
		t.Errorf("after a power cut the file is %q, want it empty", got)
	}
}

func TestOutcomesOfAWrite(t *testing.T) {
	text := fmt.Sprintf("%0512d%0512d", 1, 2)
	for outcome, want := range map[fault.Outcome]string{
		fault.Failed:    "",
		fault.Persisted: text,
		fault.NoSpace:   text[:512],
	} {
		plan := new(fault.Plan)
		plan.At(1, outcome)
		f := memfs.New(plan)
		a, err := f.Create("a")
		must(t, err)
		_, err = a.WriteAt([]byte(text), 0)
		if !errors.Is(err, fault.ErrInjected) || errors.Is(err, syscall.ENOSPC) != (outcome == fault.NoSpace) {
			t.Errorf("%v: error = %v", outcome, err)
		}
		if got := content(t, f, "a"); got != want {
			t.Errorf("%v: the file has %d bytes, want %d", outcome, len(got), len(want))
		}
	}
}

// A file synced in a directory that was not.
func Example() {
	f := memfs.New(nil)
	a, _ := f.Create("a")
	_, _ = a.WriteAt([]byte("text"), 0)
	_ = a.Sync()
	_, err := f.Crash(nil).Open("a")
	fmt.Println(err)
	_ = f.SyncDir(".")
	_, err = f.Crash(nil).Open("a")
	fmt.Println(err)
	// Output:
	// open a: file does not exist
	// <nil>
}
