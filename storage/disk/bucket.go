package disk

import (
	"container/list"
	"errors"
	"fmt"
	"path"
	"sync"
)

// A bucketName names the two files of one generation of a bucket.
type bucketName struct {
	bucket     uint32
	generation uint64
}

const (
	recordsSuffix = ".records"
	rowsSuffix    = ".rows"
)

func (n bucketName) String() string { return fmt.Sprintf("%08x-%x", n.bucket, n.generation) }

// bucketFiles are the two open files of a bucket.
type bucketFiles struct {
	name          bucketName
	records, rows File

	// Guarded by openFiles.mu:
	users  int
	recent *list.Element // nil once it is forgotten
}

func (f *bucketFiles) sync() error {
	if err := f.records.Sync(); err != nil {
		return err
	}
	return f.rows.Sync()
}

// close closes the files. They hold nothing unsynced that anybody needs: who
// wrote to them is a user until they are synced.
func (f *bucketFiles) close() {
	_ = f.records.Close()
	_ = f.rows.Close()
}

// openFiles keeps the files of the buckets that were used last open, so that a
// vault of many buckets takes a bounded number of file descriptors: two for
// each of limit buckets or of those in use, whichever is more.
type openFiles struct {
	dir   string
	limit int

	mu     sync.Mutex
	byName map[bucketName]*bucketFiles
	recent *list.List // of *bucketFiles, the last used in front
}

func newOpenFiles(dir string, limit int) *openFiles {
	return &openFiles{dir: dir, limit: limit, byName: make(map[bucketName]*bucketFiles), recent: list.New()}
}

// use returns the bucket's files, opened by open if they are not open yet. The
// caller calls done for each use.
func (o *openFiles) use(name bucketName, open func(string) (File, error)) (*bucketFiles, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.byName[name]
	if f == nil {
		base := path.Join(o.dir, name.String())
		records, err := open(base + recordsSuffix)
		if err != nil {
			return nil, err
		}
		rows, err := open(base + rowsSuffix)
		if err != nil {
			return nil, errors.Join(err, records.Close())
		}
		f = &bucketFiles{name: name, records: records, rows: rows}
		f.recent = o.recent.PushFront(f)
		o.byName[name] = f
	}
	f.users++
	o.recent.MoveToFront(f.recent)
	o.evict()
	return f, nil
}

// done ends a use.
func (o *openFiles) done(f *bucketFiles) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.users--
	if f.recent == nil && f.users == 0 {
		f.close()
	}
	o.evict()
}

// evict closes the files used longest ago while there are too many.
func (o *openFiles) evict() {
	for e := o.recent.Back(); e != nil && len(o.byName) > o.limit; {
		f := e.Value.(*bucketFiles)
		e = e.Prev()
		if f.users == 0 {
			o.remove(f)
			f.close()
		}
	}
}

func (o *openFiles) remove(f *bucketFiles) {
	o.recent.Remove(f.recent)
	f.recent = nil
	delete(o.byName, f.name)
}

// forget closes the files of that name, those in use after the last use.
func (o *openFiles) forget(name bucketName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f := o.byName[name]; f != nil {
		o.remove(f)
		if f.users == 0 {
			f.close()
		}
	}
}

// forgetAll closes all files.
func (o *openFiles) forgetAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.byName {
		o.remove(f)
		if f.users == 0 {
			f.close()
		}
	}
}
