package disk_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

// TestOpeningMakesDurableWhatItBelieves lets every step of a history fail in
// every way and the process die. What the next process reads, before it has
// written anything, a power cut must not take away.
func TestOpeningMakesDurableWhatItBelieves(t *testing.T) {
	t.Parallel()
	for name, h := range holdings() {
		learned := new(fault.Plan)
		must(t, h.fill(t, openSimulated(t, memfs.New(learned))))
		outcomes := fault.Outcomes()
		for n, step := range learned.Steps() {
			if testing.Short() {
				outcomes = fault.Outcomes()[n%4:][:1]
			}
			for _, outcome := range outcomes {
				t.Run(fmt.Sprintf("%s %d %s %v", name, n, step, outcome), func(t *testing.T) {
					plan := new(fault.Plan)
					plan.At(n, outcome)
					fsys := memfs.New(plan)
					if err := h.fill(t, openSimulated(t, fsys)); !errors.Is(err, fault.ErrInjected) {
						t.Fatalf("error = %v, want the fault", err)
					}
					fsys = fsys.Restart()
					read, err := h.read(t, openSimulated(t, fsys))
					must(t, err)
					again, err := h.read(t, openSimulated(t, fsys.Crash(nil)))
					if err != nil || again != read {
						t.Errorf("after a power cut it holds other content: %v", err)
					}
				})
			}
		}
	}
}

// TestPutSyncsDirectoriesOfOthers: a directory that a process made before it
// died may not be durable, and an object put into it must be.
func TestPutSyncsDirectoriesOfOthers(t *testing.T) {
	put := func(fsys *memfs.FS, name string) error {
		o, err := openSimulated(t, fsys).Objects("objects")
		if err != nil {
			return err
		}
		return o.Put(t.Context(), name, []byte("x"))
	}
	learned := new(fault.Plan)
	must(t, put(memfs.New(learned), "a/b/c"))
	for n, step := range learned.Steps() {
		plan := new(fault.Plan)
		plan.At(n, fault.Failed)
		fsys := memfs.New(plan)
		if err := put(fsys, "a/b/c"); !errors.Is(err, fault.ErrInjected) {
			t.Fatalf("error = %v, want the fault", err)
		}
		fsys = fsys.Restart()
		must(t, put(fsys, "a/b/d"))
		d, err := disk.Open("simulated", disk.Options{FS: fsys.Crash(nil)})
		must(t, err)
		o, err := d.Objects("objects")
		must(t, err)
		if _, err := o.Read(t.Context(), "a/b/d"); err != nil {
			t.Errorf("after step %d, %s, failed for another object: %v", n, step, err)
		}
	}
}
