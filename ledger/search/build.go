package search

import (
	"context"
	"errors"
	"fmt"
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
func (x *Index) compile(ctx context.Context, id FileID, docs iter.Seq2[Document, error]) (r record, err error) {
	c := compiler{index: x, id: id}
	defer func() { err = errors.Join(err, c.clean()) }()
	for d, err := range docs {
		if err = errors.Join(err, ctx.Err()); err == nil {
			err = c.add(&d)
		}
		if err != nil {
			return r, err
		}
	}
	if err := c.close(); err != nil {
		return r, err
	}
	switch len(c.files) {
	case 0:
		return record{FileID: id}, nil
	case 1:
		if only := c.files[0].record; only.FileID == id {
			c.files = nil
			return only, nil
		}
	}
	return x.mergeFiles(id, c.files)
}

// A compiler gathers the documents of a part in files, each of a small segment
// or as much of it as is held in memory.
type compiler struct {
	index *Index
	id    FileID
	next  uint64
	time  uint64
	open  *memory
	cost  int
	files []*file
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
	if c.open != nil && (c.open.id != small || c.cost > c.index.cfg.openBytes) {
		if err := c.close(); err != nil {
			return err
		}
	}
	if c.open == nil {
		c.open, c.cost = newMemory(small, nil), 0
	}
	c.cost += c.open.add(d)
	return nil
}

// close writes a file of what is in memory.
func (c *compiler) close() error {
	if c.open == nil {
		return nil
	}
	r, err := c.index.create(c.open.id, c.open.writeTo)
	if err != nil {
		return err
	}
	c.files, c.open = append(c.files, c.index.file(r)), nil
	return nil
}

// clean removes the files.
func (c *compiler) clean() (err error) {
	for _, f := range c.files {
		f.gone.Store(true)
		c.index.cache.forget(f.name)
		err = errors.Join(err, c.index.cfg.FS.Remove(f.name.String()), c.index.handles.forget(f.name))
	}
	return err
}
