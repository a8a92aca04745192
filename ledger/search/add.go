package search

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Add adds the documents of the entries from Next on and below next; entries
// that are not in docs are not to be found. The documents are in the order of
// their indices, each with the time of its entry. Nothing that is given is kept.
//
// If it fails, Next tells how far it has come. It is not durable: what is not in
// a whole small segment is to be added again after an opening.
func (x *Index) Add(ctx context.Context, next uint64, docs []Document) error {
	x.write.Lock()
	defer x.write.Unlock()
	if err := x.usable(ctx); err != nil {
		return err
	}
	if err := x.checkAdd(next, docs); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	for x.next < next || x.next == x.base+x.shape.small {
		if x.next == x.base+x.shape.small {
			if err := x.seal(ctx); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			continue
		}
		end := min(next, x.base+x.shape.small)
		n := 0
		for n < len(docs) && docs[n].Index < end {
			if err := x.put(&docs[n]); err != nil {
				x.next = docs[n].Index
				x.advance()
				return fmt.Errorf("index: %w", err)
			}
			n++
		}
		docs = docs[n:]
		x.next = end
		x.advance()
		if len(docs) == 0 && len(x.open) == 0 && next-x.next >= x.shape.small {
			if err := x.skip(next); err != nil {
				return fmt.Errorf("index: %w", err)
			}
		}
	}
	return nil
}

// skip goes on to the segment of an entry below which there is nothing to add.
func (x *Index) skip(to uint64) error {
	x.base = to - to%x.shape.small
	x.next = x.base
	x.advance()
	// Without a file the register is written now and then all the same, so that
	// an opening need not go through the entries again.
	if x.base-x.reg.next < x.shape.large {
		return nil
	}
	reg := x.reg.clone()
	reg.next = x.base
	return x.save(reg)
}

func (x *Index) checkAdd(next uint64, docs []Document) error {
	if next < x.next {
		return fmt.Errorf("%w: up to %d, and %d are there", ErrInvalid, next, x.next)
	}
	from, time := x.next, x.lastTime
	for i := range docs {
		d := &docs[i]
		if err := d.check(); err != nil {
			return err
		}
		if d.Index < from || d.Index >= next || d.Time < time {
			return fmt.Errorf("document %d: %w: out of order", d.Index, ErrInvalid)
		}
		from, time = d.Index+1, d.Time
	}
	return nil
}

// seal puts the open segment, which is whole, to rest.
func (x *Index) seal(ctx context.Context) error {
	reg := x.reg.clone()
	reg.next = x.base + x.shape.small
	var leave []*file
	for _, bucket := range slices.Sorted(maps.Keys(x.open)) {
		o := x.open[bucket]
		r, err := x.close(o)
		switch {
		case err == nil:
			reg.files[r.FileID] = r
		case lost(err):
			reg.missing[o.id] = true
		default:
			x.abandon(reg)
			return err
		}
		leave = append(leave, o.aside...)
	}
	change := func() {
		clear(x.room)
		for bucket, o := range x.open {
			x.room[bucket] = o.sizes()
		}
		x.base, x.open, x.cost = reg.next, make(map[uint32]opened), 0
	}
	if len(x.open) == 0 && reg.next-x.reg.next < x.shape.large {
		change()
		return nil
	}
	if err := x.install(reg, leave, change); err != nil {
		return err
	}
	return x.mergeAll(ctx)
}

// install writes reg as the register, and lets queries see its files and what
// change changes. Then nobody reads the files that leave any more, and they are
// removed.
func (x *Index) install(reg *register, leave []*file, change func()) error {
	if err := x.save(reg); err != nil {
		x.abandon(reg)
		return err
	}
	change()
	x.show()
	for _, f := range leave {
		x.discard(f)
	}
	return x.removeGarbage()
}

// abandon has the files removed that only a register has that was not written.
func (x *Index) abandon(reg *register) {
	for id, r := range reg.files {
		if x.reg.files[id].name != r.name {
			x.garbage = append(x.garbage, r.name)
		}
	}
	for id, r := range reg.outlines {
		if x.reg.outlines[id].name != r.name {
			x.garbage = append(x.garbage, r.name)
		}
	}
}
