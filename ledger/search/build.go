package search

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// Missing returns the parts of the index that are not there, in the order of
// their segments: they were forgotten, damaged or lost. Queries do not search
// them; Build builds them again.
func (x *Index) Missing() []FileID { return x.now.Load().gaps() }

// gaps returns what is missing, and what was found to be lost since.
func (s *snapshot) gaps() []FileID {
	gaps := slices.Clone(s.missing)
	for _, of := range s.files {
		for _, f := range of {
			if f.lost.Load() {
				gaps = append(gaps, f.FileID)
			}
		}
	}
	slices.SortFunc(gaps, compareIDs)
	return gaps
}

// Build builds a part that is missing of the documents of its bucket and
// segment, in the order of their indices; there may be none. It can go on while
// documents are added. It is ErrStale if entries were forgotten meanwhile.
func (x *Index) Build(ctx context.Context, id FileID, docs iter.Seq2[Document, error]) error {
	x.build.Lock()
	defer x.build.Unlock()
	if err := x.buildPart(ctx, id, docs); err != nil {
		return fmt.Errorf("index: build %v: %w", id, err)
	}
	return nil
}

func (x *Index) buildPart(ctx context.Context, id FileID, docs iter.Seq2[Document, error]) error {
	x.write.Lock()
	err, forgets := x.usable(ctx), x.forgets
	x.write.Unlock()
	if err != nil {
		return err
	}
	if !slices.Contains(x.Missing(), id) {
		return fmt.Errorf("%w: it is not missing", ErrInvalid)
	}
	r, err := x.compile(ctx, id, docs)
	if err != nil {
		return err
	}
	x.write.Lock()
	defer x.write.Unlock()
	reg := x.reg.clone()
	if r.documents > 0 {
		reg.files[id] = r
	}
	if err = x.usable(ctx); err == nil && x.forgets != forgets {
		err = ErrStale
	}
	if err != nil {
		x.abandon(reg)
		return err
	}
	delete(reg.missing, id)
	var leave []*file
	for _, f := range x.now.Load().files[id.Bucket] {
		if f.FileID == id { // it is lost
			leave = append(leave, f)
			if r.documents == 0 {
				delete(reg.files, id)
			}
		}
	}
	if err := x.install(reg, leave, func() {}); err != nil {
		return err
	}
	return x.mergeAll(ctx)
}

// compile writes the file of a part. It has no documents if there are none.
func (x *Index) compile(ctx context.Context, id FileID, docs iter.Seq2[Document, error]) (record, error) {
	c := compiler{index: x, id: id}
	for d, err := range docs {
		if err = errors.Join(err, ctx.Err()); err == nil {
			err = c.add(&d)
		}
		if err != nil {
			return record{}, err
		}
	}
	switch {
	case c.open == nil && len(c.parts) == 0:
		return record{FileID: id}, nil
	case id != x.large(id):
		return x.createFrom(c.open)
	}
	if err := c.close(); err != nil {
		return record{}, err
	}
	return x.create(id, func(w *fileWriter) (contents, error) { return merge(w, id, c.parts) })
}

// A compiler gathers the documents of a part by small segments, those of a
// large one as files in memory.
type compiler struct {
	index *Index
	id    FileID
	next  uint64
	time  uint64
	open  *memory
	parts []*file
}

func (c *compiler) add(d *Document) error {
	if err := d.check(); err != nil {
		return err
	}
	if d.Bucket != c.id.Bucket || d.Index < max(c.id.First, c.next) || d.Index >= c.id.End || d.Time < c.time {
		return fmt.Errorf("document %d: %w: out of order, or not of this part", d.Index, ErrInvalid)
	}
	c.next, c.time = d.Index+1, d.Time
	small := c.index.shape.of(d.Index, c.index.shape.small, d.Bucket)
	if c.open != nil && c.open.id != small {
		if err := c.close(); err != nil {
			return err
		}
	}
	if c.open == nil {
		c.open = newMemory(small, nil)
	}
	c.open.add(d)
	return nil
}

// close makes a file of what is open.
func (c *compiler) close() error {
	r := record{FileID: c.open.id}
	if _, err := io.ReadFull(c.index.cfg.Rand, r.key[:]); err != nil {
		return err
	}
	var b image
	if err := r.write(b.append, c.open.writeTo); err != nil {
		return err
	}
	f := &file{record: r, sealer: newSealer(r.name, &r.key), from: b, cache: newCache(imageCache)}
	c.parts, c.open = append(c.parts, f), nil
	return nil
}

const imageCache = 1 << 20

// An image is a file in memory.
type image []byte

func (m *image) append(b []byte) error {
	*m = append(*m, b...)
	return nil
}

// readAt implements reader.
func (m image) readAt(_ fileName, b []byte, offset uint64) error {
	if offset > uint64(len(m)) || copy(b, m[offset:]) < len(b) {
		return io.ErrUnexpectedEOF
	}
	return nil
}
