package search

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// mergeAll merges the small files of each bucket and each large segment that is
// whole, unless some are missing.
func (x *Index) mergeAll(ctx context.Context) error {
	for {
		id, files := x.mergeable()
		if files == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := x.merge(id, files); err != nil {
			return fmt.Errorf("merge %v: %w", id, err)
		}
	}
}

// large returns the part of a large segment that a part belongs to.
func (x *Index) large(id FileID) FileID { return x.shape.of(id.First, x.shape.large, id.Bucket) }

// mergeable returns the first large file that is due, and those that it is to
// be made of. If none is due there are none.
func (x *Index) mergeable() (id FileID, files []*file) {
	due := make(map[FileID][]*file)
	hindered := make(map[FileID]bool)
	for missing := range x.reg.missing {
		hindered[x.large(missing)] = true
	}
	for _, of := range x.now.Load().files {
		for _, f := range of {
			if large := x.large(f.FileID); large == f.FileID || f.lost.Load() {
				hindered[large] = true
			} else if large.End <= x.reg.next {
				due[large] = append(due[large], f)
			}
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(due), compareIDs) {
		if !hindered[id] {
			return id, due[id]
		}
	}
	return id, nil
}

// merge puts a large file into the place of small ones. One that cannot be read
// is lost, and the others stay.
func (x *Index) merge(id FileID, files []*file) error {
	r, err := x.mergeFiles(id, files)
	if lost(err) {
		if !slices.ContainsFunc(files, func(f *file) bool { return f.lost.Load() }) {
			for _, f := range files { // one has rows that nobody has written
				f.lost.Store(true)
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	reg := x.reg.clone()
	for _, f := range files {
		delete(reg.files, f.FileID)
	}
	reg.files[id] = r
	return x.install(reg, files, func() {})
}
