package search

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// An Outline has of the rows of a bucket in a segment's directory, from which
// proofs are made, all but their tags: those are read from a few entries for the
// rows that are asked for. What it says is to be checked against the directory.
// It can be used by many at once.
type Outline struct {
	*file
	rows proofs.Hash // what the head of the directory has for them
}

// PutOutlines keeps outlines of the rows of a segment, in the place of those that
// there are of it, or of segments within it. The caller sees to it that nothing of
// the rows was forgotten.
func (x *Index) PutOutlines(ctx context.Context, segment proofs.SegmentID, rows []*proofs.DirectoryRows) error {
	x.write.Lock()
	defer x.write.Unlock()
	if err := x.putOutlines(ctx, segment, rows); err != nil {
		return fmt.Errorf("index: outline of %s: %w", segment, err)
	}
	return nil
}

func (x *Index) putOutlines(ctx context.Context, segment proofs.SegmentID, rows []*proofs.DirectoryRows) error {
	if err := x.usable(ctx); err != nil {
		return err
	}
	reg := x.reg.clone()
	var leave []*file
	for id, o := range x.now.Load().outlines {
		if id.First >= segment.First() && id.End <= segment.End() {
			delete(reg.outlines, id)
			leave = append(leave, o.file)
		}
	}
	for _, r := range rows {
		o, err := x.createOutline(ctx, FileID{segment.First(), segment.End(), r.Bucket}, r)
		if err != nil {
			x.abandon(reg)
			return err
		}
		reg.outlines[o.FileID] = o
	}
	return x.install(reg, leave, func() {})
}

// An outlineRecord is what the register says about an outline.
type outlineRecord struct {
	record // without documents and times
	rows   proofs.Hash
}

func (x *Index) createOutline(ctx context.Context, id FileID, rows *proofs.DirectoryRows) (outlineRecord, error) {
	r, err := x.createFile(id, func(r *record, put func([]byte) error) error {
		top, err := writeOutline(ctx, newFileWriter(newSealer(r.name, &r.key), r.span(), put), rows)
		r.offset, r.size, r.number = top.offset, top.size, top.number
		return err
	})
	return outlineRecord{r, rows.Hash()}, err
}

// Outline returns the outline of the rows that the head of a directory commits
// to in a bucket, or nil: there is none.
func (x *Index) Outline(segment proofs.SegmentID, bucket uint32, rows proofs.Hash) *Outline {
	o := x.now.Load().outlines[FileID{segment.First(), segment.End(), bucket}]
	if o == nil || o.rows != rows || o.lost.Load() {
		return nil
	}
	return o
}

// Lose says that the outline is not what it should be: nobody gets it any more.
func (o *Outline) Lose() { o.lost.Store(true) }

// A TagReader returns all tags that entries have, in any order.
type TagReader func(ctx context.Context, entries []uint64) ([]proofs.Tag, error)

// Rows returns a reader of the rows, for one proof.
func (o *Outline) Rows(tags TagReader) (proofs.RowReader, error) {
	top, err := o.top()
	if err != nil {
		return nil, err
	}
	return &outlinedRows{o: o, top: top, tags: tags, groups: make(map[int]*rowGroup)}, nil
}

func (o *Outline) top() (*outlineTop, error) {
	return cachedBlock(o.file, blockRef{number: o.number, offset: o.offset, size: o.size}, func(b []byte) (*outlineTop, error) {
		return parseOutlineTop(b, o.offset)
	})
}

// page returns the groups of a page.
func (o *Outline) page(t *outlineTop, number int) ([]outlinePart, error) {
	return cachedBlock(o.file, t.pages[number].block, func(b []byte) ([]outlinePart, error) {
		return parsePage(b, min(pageRows, t.count-number*pageRows))
	})
}

// cachedBlock returns what a block of a file says.
func cachedBlock[T any](f *file, ref blockRef, parse func([]byte) (T, error)) (v T, err error) {
	key := cacheKey{f.name, ref.number}
	if v, ok := f.cache.find(key); ok {
		return v.(T), nil
	}
	b, err := f.read(ref)
	if err != nil {
		return v, err
	}
	if v, err = parse(b); err != nil {
		f.lost.Store(true)
		return v, fmt.Errorf("%v: %w", f.FileID, err)
	}
	f.cache.add(key, v, 2*len(b), &f.gone)
	return v, nil
}

// hasAny reports whether the outline may be of one of the entries.
func (o *Outline) hasAny(entries []proofs.Run) bool {
	if !slices.ContainsFunc(entries, func(r proofs.Run) bool { return r.Last >= o.First && r.First < o.End }) {
		return false
	}
	top, err := o.top()
	if err != nil {
		return true
	}
	if top.count == 0 {
		return false
	}
	r := bitReader{b: top.entries}
	positions, err := r.positions(o.span())
	return err != nil || slices.ContainsFunc(positions, func(p uint16) bool { return proofs.InRuns(entries, o.First+uint64(p)) })
}

// tagOrder orders tags as rows are ordered.
func tagOrder(a, b proofs.Tag) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), bytes.Compare(a.Value[:], b.Value[:]))
}
