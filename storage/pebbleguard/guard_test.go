package pebbleguard_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/cairnlog/cairn/storage/pebbleguard"
)

var errDisk = errors.New("the disk failed")

// broken is a file system whose changes all fail.
func broken(under vfs.FS) vfs.FS {
	return errorfs.Wrap(under, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errDisk
		}
		return nil
	}))
}

func TestFailedChangeNeverReturnsAndIsReportedOnce(t *testing.T) {
	reported := make(chan error, 10)
	g := pebbleguard.New(broken(vfs.NewMem()), func(err error) { reported <- err })
	for range 2 {
		err := g.Await(func() error { return g.MkdirAll("dir", 0o700) })
		if !errors.Is(err, errDisk) || !errors.Is(g.Failure(), errDisk) {
			t.Errorf("got %v and %v, want that the disk failed", err, g.Failure())
		}
	}
	if err := <-reported; !errors.Is(err, errDisk) {
		t.Errorf("reported %v", err)
	}
	select {
	case err := <-reported:
		t.Errorf("reported again: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
}

func TestWhatIsNotThereIsNoFailure(t *testing.T) {
	g := pebbleguard.New(vfs.NewMem(), func(err error) { t.Error(err) })
	if err := g.Remove("nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it does not exist", err)
	}
	if err := g.Failure(); err != nil {
		t.Error(err)
	}
}

func TestFrozenFileSystemLetsNothingThrough(t *testing.T) {
	mem := vfs.NewMem()
	g := pebbleguard.New(mem, func(error) {})
	g.Freeze()
	g.Fail(errDisk)
	if err := g.Await(func() error { return g.MkdirAll("dir", 0o700) }); !errors.Is(err, errDisk) {
		t.Errorf("got %v, want the failure", err)
	}
	if _, err := mem.Stat("dir"); err == nil {
		t.Error("the change took place")
	}
}

func Example() {
	guard := pebbleguard.New(vfs.NewMem(), func(err error) { fmt.Println("reported:", err) })
	fmt.Println(guard.Await(func() error { return guard.MkdirAll("data", 0o700) }))
	guard.Fail(errors.New("somebody else saw the disk fail"))
	fmt.Println(guard.Await(func() error { select {} }))
	// Output:
	// <nil>
	// reported: somebody else saw the disk fail
	// somebody else saw the disk fail
}
