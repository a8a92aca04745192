package disk_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

// A gate is a file system whose syncs wait until it is opened.
type gate struct {
	disk.FS
	open chan struct{}
}

func (g gate) Open(name string) (disk.File, error) {
	f, err := g.FS.Open(name)
	return gatedFile{f, g}, err
}

type gatedFile struct {
	disk.File
	gate gate
}

func (f gatedFile) Sync() error {
	<-f.gate.open
	return f.File.Sync()
}

// TestSwapsShareASync lets swaps wait for each other: those that came while one
// was being written become durable together, in the order in which they came.
func TestSwapsShareASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := new(fault.Plan)
		g := gate{memfs.New(plan), make(chan struct{})}
		rs := gatedRegisters(t, g)
		before := len(plan.Steps())
		errs := swapsBehindTheGate(t, rs, g)
		if len(plan.Steps())-before != 4 {
			t.Errorf("steps are %q, want two writes and two syncs", plan.Steps()[before:])
		}
		for i, want := range []error{nil, nil, storage.ErrConflict, nil} {
			if !errors.Is(errs[i], want) {
				t.Errorf("swap %d: error = %v, want %v", i, errs[i], want)
			}
		}
		if value, err := rs.Register("a").Load(t.Context()); err != nil || string(value) != "3" {
			t.Errorf("Load = %q, %v, want 3", value, err)
		}
	})
}

// TestConflictWithWhatFailed: a swap that loses against one that then fails is
// not told that it lost: nobody knows.
func TestConflictWithWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := new(fault.Plan)
		g := gate{memfs.New(plan), make(chan struct{})}
		rs := gatedRegisters(t, g)
		plan.At(len(plan.Steps())+3, fault.Failed) // the second sync
		errs := swapsBehindTheGate(t, rs, g)
		if errs[0] != nil {
			t.Errorf("the first swap: error = %v", errs[0])
		}
		for i, err := range errs[1:] {
			if !errors.Is(err, fault.ErrInjected) {
				t.Errorf("swap %d: error = %v, want the fault", i+1, err)
			}
		}
	})
}

func gatedRegisters(t *testing.T, g gate) *disk.Registers {
	t.Helper()
	d, err := disk.Open("simulated", disk.Options{Create: true, FS: g})
	must(t, err)
	rs, err := d.Registers("registers")
	must(t, err)
	return rs
}

// swapsBehindTheGate lets one swap come to its sync and three more, of one
// register, wait behind it; then it opens the gate.
func swapsBehindTheGate(t *testing.T, rs *disk.Registers, g gate) []error {
	t.Helper()
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i, s := range []struct{ name, old, new string }{
		{"b", "", "0"},
		{"a", "", "1"},
		{"a", "", "2"},
		{"a", "1", "3"},
	} {
		wg.Go(func() { errs[i] = rs.Register(s.name).Swap(t.Context(), []byte(s.old), []byte(s.new)) })
		synctest.Wait()
	}
	close(g.open)
	wg.Wait()
	return errs
}
