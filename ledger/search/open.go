package search

import "maps"

// An opened is the part of a bucket in the open segment: what is in memory, and
// before it what was put aside because it was too much for that.
type opened struct {
	*memory
	aside []*file
}

// put puts a document into the open segment.
func (x *Index) put(d *Document) error {
	if x.cost > x.cfg.openBytes {
		if err := x.putAside(); err != nil {
			return err
		}
	}
	o, ok := x.open[d.Bucket]
	if !ok {
		o.memory = newMemory(x.shape.of(x.base, x.shape.small, d.Bucket), x.room[d.Bucket])
		x.open[d.Bucket] = o
	}
	x.cost += o.add(d)
	x.lastTime = d.Time
	return nil
}

// putAside writes files of what is in memory. Only memory has their keys: after
// a restart their documents are added again.
func (x *Index) putAside() error {
	defer x.show()
	for bucket, o := range maps.Clone(x.open) {
		if len(o.positions) == 0 {
			continue
		}
		r, err := x.create(o.id, o.writeTo)
		if err != nil {
			return err
		}
		aside := append(o.aside[:len(o.aside):len(o.aside)], x.file(r))
		x.open[bucket] = opened{newMemory(o.id, nil), aside}
	}
	x.cost = 0
	return nil
}

// close writes the file of a part that is whole.
func (x *Index) close(o opened) (record, error) {
	if len(o.aside) == 0 {
		return x.create(o.id, o.writeTo)
	}
	if len(o.positions) == 0 {
		return x.mergeFiles(o.id, o.aside)
	}
	r, err := x.create(o.id, o.writeTo)
	if err != nil {
		return r, err
	}
	last := x.file(r)
	defer x.discard(last)
	return x.mergeFiles(o.id, append(o.aside[:len(o.aside):len(o.aside)], last))
}

// mergeFiles writes the file of a part of those that its documents are in.
func (x *Index) mergeFiles(id FileID, files []*file) (record, error) {
	return x.create(id, func(w *fileWriter) (contents, error) { return merge(w, id, files) })
}

// discardOpen discards what was put aside of a part.
func (x *Index) discardOpen(o opened) {
	for _, f := range o.aside {
		x.discard(f)
	}
}

// reopen begins the open segment anew.
func (x *Index) reopen() {
	for _, o := range x.open {
		x.discardOpen(o)
	}
	x.open, x.cost, x.next, x.lastTime = make(map[uint32]opened), 0, x.base, x.reg.lastTime()
}
