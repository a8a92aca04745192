package memfs

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/fault"
)

// An FS is a file system in memory. It implements disk.FS.
type FS struct {
	plan *fault.Plan

	mu    sync.Mutex // guards all nodes
	root  *node
	locks map[string]bool
	open  int // files
	steps uint64
}

// New returns an empty file system whose durable steps end as the plan says. A
// nil plan lets every step succeed.
func New(plan *fault.Plan) *FS {
	return &FS{plan: plan, root: newDir(), locks: make(map[string]bool)}
}

// Restart returns the file system as the next process finds it after this one
// died: everything written can be read, and is no more durable than it was.
func (f *FS) Restart() *FS {
	return f.clone(cloner{copies: make(map[*node]*node)})
}

// Crash returns the file system as it is found after a power cut: what was
// synced, and if rng is not nil any part of the rest.
func (f *FS) Crash(rng *rand.Rand) *FS {
	return f.clone(powerCut(rng))
}

func (f *FS) clone(c cloner) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &FS{plan: f.plan, root: c.clone(f.root), locks: make(map[string]bool), steps: f.steps}
}

// OpenFiles returns how many files are open.
func (f *FS) OpenFiles() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

// Damage flips the bits of mask in one byte of a file, durably.
func (f *FS) Damage(name string, offset int64, mask byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find("damage", name)
	if err != nil {
		return err
	}
	if offset >= int64(len(n.data)) {
		return pathError("damage", name, io.EOF)
	}
	n.data[offset] ^= mask
	if offset < int64(len(n.durable)) {
		n.durable[offset] ^= mask
	}
	return nil
}

// step takes one durable step as the plan says. It calls whole where the step
// takes place, and torn, if there is one, where a part of it does: with a
// function that picks the parts.
func (f *FS) step(op, name string, whole func(), torn func(o fault.Outcome, pick func() bool)) error {
	step := op + " " + name
	o := f.plan.Next(step)
	f.steps++
	switch o {
	case fault.Done:
		whole()
		return nil
	case fault.Persisted:
		whole()
	default:
		if torn != nil {
			rng := rand.New(rand.NewPCG(f.plan.Seed, f.steps))
			torn(o, func() bool { return o == fault.Torn && rng.IntN(2) == 0 })
		}
	}
	err := fault.Error(step, o)
	if o == fault.NoSpace {
		return &fs.PathError{Op: op, Path: name, Err: noSpace{err}}
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// noSpace is an injected fault that looks as the system's own.
type noSpace struct{ error }

func (e noSpace) Unwrap() []error { return []error{e.error, syscall.ENOSPC} }

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// find returns the node of that name.
func (f *FS) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, pathError(op, name, fs.ErrInvalid)
	}
	n := f.root
	if name == "." {
		return n, nil
	}
	for element := range strings.SplitSeq(name, "/") {
		if !n.dir {
			return nil, pathError(op, name, syscall.ENOTDIR)
		}
		if n = n.names[element]; n == nil {
			return nil, pathError(op, name, fs.ErrNotExist)
		}
	}
	return n, nil
}

// findParent returns the directory that name is in, and its last element.
func (f *FS) findParent(op, name string) (*node, string, error) {
	parent, err := f.find(op, path.Dir(name))
	if err == nil && !parent.dir {
		err = pathError(op, name, syscall.ENOTDIR)
	}
	return parent, path.Base(name), err
}

// Open implements disk.FS.
func (f *FS) Open(name string) (disk.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find("open", name)
	if err == nil && n.dir {
		err = pathError("open", name, syscall.EISDIR)
	}
	if err != nil {
		return nil, err
	}
	f.open++
	return &file{fs: f, name: name, node: n}, nil
}

// Create implements disk.FS.
func (f *FS) Create(name string) (disk.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	parent, last, err := f.findParent("create", name)
	if err != nil {
		return nil, err
	}
	n := parent.names[last]
	if n != nil && n.dir {
		return nil, pathError("create", name, syscall.EISDIR)
	}
	err = f.step("create", name, func() {
		if n == nil {
			n = newFile()
			parent.change(change{name: last, node: n})
			return
		}
		n.write([]write{{offset: 0}})
	}, nil)
	if err != nil {
		return nil, err
	}
	f.open++
	return &file{fs: f, name: name, node: n}, nil
}

// Stat implements disk.FS.
func (f *FS) Stat(name string) (disk.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find("stat", name)
	if err != nil {
		return disk.Info{}, err
	}
	return disk.Info{Name: path.Base(name), Dir: n.dir, Size: int64(len(n.data))}, nil
}

// ReadDir implements disk.FS.
func (f *FS) ReadDir(name string) ([]disk.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find("readdir", name)
	if err == nil && !n.dir {
		err = pathError("readdir", name, syscall.ENOTDIR)
	}
	if err != nil {
		return nil, err
	}
	var infos []disk.Info
	for _, last := range slices.Sorted(maps.Keys(n.names)) {
		infos = append(infos, disk.Info{Name: last, Dir: n.names[last].dir})
	}
	return infos, nil
}

// Mkdir implements disk.FS.
func (f *FS) Mkdir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	parent, last, err := f.findParent("mkdir", name)
	if err == nil && (last == "." || parent.names[last] != nil) {
		err = pathError("mkdir", name, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	return f.step("mkdir", name, func() { parent.change(change{name: last, node: newDir()}) }, nil)
}

// Rename implements disk.FS.
func (f *FS) Rename(old, new string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, oldLast, err := f.findParent("rename", old)
	if err != nil {
		return err
	}
	to, newLast, err := f.findParent("rename", new)
	if err != nil {
		return err
	}
	n, replaced := from.names[oldLast], to.names[newLast]
	if n == nil || n.dir {
		return pathError("rename", old, fs.ErrNotExist)
	}
	if replaced != nil && replaced.dir {
		return pathError("rename", new, syscall.EISDIR)
	}
	return f.step("rename", new, func() {
		if to == from {
			to.change(change{name: newLast, node: n, old: oldLast})
			return
		}
		to.change(change{name: newLast, node: n})
		from.change(change{name: oldLast})
	}, nil)
}

// Remove implements disk.FS.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	parent, last, err := f.findParent("remove", name)
	if err == nil && (parent.names[last] == nil || parent.names[last].dir) {
		err = pathError("remove", name, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	return f.step("remove", name, func() { parent.change(change{name: last}) }, nil)
}

// SyncDir implements disk.FS. What one that fails forgets the next makes
// durable: a file system whose own journal fails takes no more changes at all.
func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find("syncdir", name)
	if err == nil && !n.dir {
		err = pathError("syncdir", name, syscall.ENOTDIR)
	}
	if err != nil {
		return err
	}
	return f.step("syncdir", name, n.sync, func(_ fault.Outcome, pick func() bool) { n.settle(pick) })
}
