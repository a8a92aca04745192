package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cairnlog/cairn/storage"
)

// Objects is a storage.Objects in a directory: each object is a file of its
// name that holds its bytes and nothing else, so that a web server can serve
// the directory. Whether the bytes were damaged since is for whoever knows
// what they mean.
type Objects struct {
	site
	health health

	temporaries atomic.Uint64 // counts names of temporary files

	mu      sync.Mutex
	busy    map[string]chan struct{} // names that a Put or a Remove is at work on
	durable map[string]bool          // directories whose names are durable
}

// temporaryDir lies in the directory, out of reach of objects' names.
const temporaryDir = ".new"

// openObjects opens the objects in a directory that exists and removes what
// Puts left unfinished.
func openObjects(at site) (*Objects, error) {
	o := &Objects{site: at, busy: make(map[string]chan struct{}), durable: map[string]bool{at.name: true}}
	dir := path.Join(o.name, temporaryDir)
	if err := makeDir(o.fs, dir); err != nil {
		return nil, err
	}
	infos, err := o.fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, info := range infos {
		if err := o.fs.Remove(path.Join(dir, info.Name)); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Put implements storage.Objects.
func (o *Objects) Put(ctx context.Context, name string, data []byte) error {
	if err := storage.CheckObjectName(name); err != nil {
		return err
	}
	if len(data) > storage.MaxObject {
		return fmt.Errorf("object %q: %d bytes: %w", name, len(data), storage.ErrInvalid)
	}
	release, err := o.acquire(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if err := o.health.check(ctx); err != nil {
		return err
	}
	file := path.Join(o.name, name)
	same, err := o.compare(file, data)
	if err != nil {
		return fmt.Errorf("object %q: %w", name, err)
	}
	if err := o.put(file, data, same); err != nil {
		return o.health.doubt(fmt.Errorf("object %q: put: %w", name, err))
	}
	return nil
}

// put puts the file there, or makes durable that it is there already.
func (o *Objects) put(file string, data []byte, same bool) error {
	dir := path.Dir(file)
	if err := o.makeDirs(dir); err != nil {
		return err
	}
	if same { // perhaps renamed by a process that then died
		return o.fs.SyncDir(dir)
	}
	temporary := path.Join(o.name, temporaryDir, strconv.FormatUint(o.temporaries.Add(1), 10))
	return place(o.fs, file, temporary, func(f File) error {
		_, err := f.WriteAt(data, 0)
		return err
	})
}

// Remove implements storage.Objects.
func (o *Objects) Remove(ctx context.Context, name string) error {
	if err := storage.CheckObjectName(name); err != nil {
		return err
	}
	release, err := o.acquire(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if err := o.health.check(ctx); err != nil {
		return err
	}
	file := path.Join(o.name, name)
	info, err := o.fs.Stat(file)
	there := err == nil && !info.Dir
	if err != nil && !absent(err) && !errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("object %q: %w", name, err)
	}
	if err := o.remove(file, there); err != nil {
		return o.health.doubt(fmt.Errorf("object %q: remove: %w", name, err))
	}
	return nil
}

// remove removes the file, or makes durable that it is not there. Its directory
// stays: Puts may be at work in it.
func (o *Objects) remove(file string, there bool) error {
	if there {
		if err := o.fs.Remove(file); err != nil {
			return noSpace(err)
		}
	}
	err := o.fs.SyncDir(path.Dir(file))
	if err != nil && (there || !absent(err) && !errors.Is(err, syscall.ENOTDIR)) {
		return err
	}
	return o.fs.SyncDir(path.Join(o.name, temporaryDir)) // where the object had a name too
}

// acquire waits until no other Put or Remove is at work on the name.
func (o *Objects) acquire(ctx context.Context, name string) (release func(), err error) {
	for {
		o.mu.Lock()
		wait := o.busy[name]
		if wait == nil {
			done := make(chan struct{})
			o.busy[name] = done
			o.mu.Unlock()
			return func() {
				o.mu.Lock()
				delete(o.busy, name)
				o.mu.Unlock()
				close(done)
			}, nil
		}
		o.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// compare reports whether the file holds exactly these bytes. It is false and
// no error if there is no file.
func (o *Objects) compare(file string, data []byte) (bool, error) {
	info, err := o.fs.Stat(file)
	switch {
	case absent(err):
		return false, nil
	case errors.Is(err, syscall.ENOTDIR):
		return false, storage.ErrExists
	case err != nil:
		return false, err
	case info.Dir || info.Size != int64(len(data)):
		return false, storage.ErrExists
	}
	held, err := readFile(o.fs, file, storage.MaxObject)
	if err == nil && !bytes.Equal(held, data) {
		err = storage.ErrExists
	}
	return err == nil, err
}

// makeDirs makes a directory and those above it. Even one that is there may
// have a name that is not yet durable, so each is seen to once.
func (o *Objects) makeDirs(dir string) error {
	o.mu.Lock()
	done := o.durable[dir]
	o.mu.Unlock()
	if done {
		return nil
	}
	if err := o.makeDirs(path.Dir(dir)); err != nil {
		return err
	}
	if err := makeDir(o.fs, dir); err != nil {
		return err
	}
	o.mu.Lock()
	o.durable[dir] = true
	o.mu.Unlock()
	return nil
}

// Read implements storage.Objects.
func (o *Objects) Read(ctx context.Context, name string) ([]byte, error) {
	if err := storage.CheckObjectName(name); err != nil {
		return nil, err
	}
	if err := o.health.check(ctx); err != nil {
		return nil, err
	}
	b, err := readFile(o.fs, path.Join(o.name, name), storage.MaxObject)
	if errors.Is(err, syscall.ENOTDIR) {
		err = storage.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("object %q: %w", name, err)
	}
	return b, nil
}

// List implements storage.Objects.
func (o *Objects) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := o.health.check(ctx); err != nil {
			yield("", err)
			return
		}
		o.walk(ctx, "", prefix, yield)
	}
}

// walk yields the names in a directory ("" or ending in a slash) that begin
// with prefix, and reports whether to go on.
func (o *Objects) walk(ctx context.Context, dir, prefix string, yield func(string, error) bool) bool {
	infos, err := o.fs.ReadDir(path.Join(o.name, dir))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return yield("", fmt.Errorf("list %q: %w", dir, err)) && false
	}
	sortAsPaths(infos)
	for _, info := range infos {
		name := dir + info.Name
		goOn := true
		switch {
		case storage.CheckObjectName(info.Name) != nil: // the directory of temporary files
		case info.Dir && (strings.HasPrefix(name+"/", prefix) || strings.HasPrefix(prefix, name+"/")):
			goOn = o.walk(ctx, name+"/", prefix, yield)
		case !info.Dir && strings.HasPrefix(name, prefix):
			goOn = yield(name, nil)
		}
		if !goOn {
			return false
		}
	}
	return true
}

func (o *Objects) close() error {
	o.health.close()
	return nil
}

// sortAsPaths sorts what is in a directory as the whole names of the objects
// sort, in which a slash follows the name of a directory.
func sortAsPaths(infos []Info) {
	key := func(info Info) string {
		if info.Dir {
			return info.Name + "/"
		}
		return info.Name
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(key(a), key(b)) })
}
