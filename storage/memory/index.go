package memory

import (
	"context"
	"maps"

	"github.com/cairnlog/cairn/storage"
)

// Index returns the index of that name.
func (w *World) Index(name string) storage.Index {
	return open(w, "index", name, newIndex)
}

type rowKey struct {
	bucket uint32
	key    [16]byte
}

type index struct {
	state
	durable map[rowKey]uint64
	changes []change // since the last sync, in order
	rows    map[rowKey]uint64
}

// A change is the insertion of a row or the drop of its bucket.
type change struct {
	row  storage.IndexRow
	drop bool
}

func newIndex(s state) *index {
	return &index{state: s, durable: make(map[rowKey]uint64), rows: make(map[rowKey]uint64)}
}

func (x *index) clone(s state, keep func(int) int) store {
	c := newIndex(s)
	maps.Copy(c.durable, x.durable)
	maps.Copy(c.rows, c.durable)
	for _, ch := range x.changes {
		if keep(1) == 1 {
			c.change(ch)
		}
	}
	return c
}

func (ch change) apply(rows map[rowKey]uint64) {
	if !ch.drop {
		rows[rowKey{ch.row.Bucket, ch.row.Key}] = ch.row.Value
		return
	}
	maps.DeleteFunc(rows, func(k rowKey, _ uint64) bool { return k.bucket == ch.row.Bucket })
}

func (x *index) Insert(ctx context.Context, rows []storage.IndexRow) error {
	if err := x.begin(ctx); err != nil {
		return err
	}
	defer x.world.mu.Unlock()
	if len(rows) == 0 {
		return nil
	}
	return x.step("insert", func(whole bool) {
		if !whole {
			rows = rows[:len(rows)/2]
		}
		for _, row := range rows {
			x.change(change{row: row})
		}
	})
}

func (x *index) change(ch change) {
	ch.apply(x.rows)
	x.changes = append(x.changes, ch)
}

func (x *index) Lookup(ctx context.Context, bucket uint32, key [16]byte) (uint64, bool, error) {
	if err := x.begin(ctx); err != nil {
		return 0, false, err
	}
	defer x.world.mu.Unlock()
	value, ok := x.rows[rowKey{bucket, key}]
	return value, ok, nil
}

func (x *index) Drop(ctx context.Context, bucket uint32) error {
	if err := x.begin(ctx); err != nil {
		return err
	}
	defer x.world.mu.Unlock()
	return x.step("drop", func(whole bool) {
		if whole {
			x.change(change{row: storage.IndexRow{Bucket: bucket}, drop: true})
		}
	})
}

func (x *index) Sync(ctx context.Context) error {
	if err := x.begin(ctx); err != nil {
		return err
	}
	defer x.world.mu.Unlock()
	if len(x.changes) == 0 {
		return nil
	}
	return x.step("sync", func(whole bool) {
		n := len(x.changes)
		if !whole {
			n /= 2
		}
		for _, ch := range x.changes[:n] {
			ch.apply(x.durable)
		}
		x.changes = append([]change(nil), x.changes[n:]...)
	})
}
