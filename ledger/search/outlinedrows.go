package search

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// outlinedRows are the rows of an outline, as far as they were asked for. It
// implements [proofs.RowReader].
type outlinedRows struct {
	o      *Outline
	top    *outlineTop
	tags   TagReader
	groups map[int]*rowGroup
}

// A rowGroup is the rows of a group.
type rowGroup struct {
	tags      []proofs.Tag
	positions [][]uint16
	rows      []proofs.DirectoryRow
	found     []proofs.FoundRow
}

// Len implements proofs.RowReader.
func (x *outlinedRows) Len() int { return x.top.count }

// FindRow implements proofs.RowReader.
func (x *outlinedRows) FindRow(ctx context.Context, tag proofs.Tag) (number int, found bool, err error) {
	page := partOf(x.top.pages, tag)
	if page < 0 {
		return 0, false, nil
	}
	groups, err := x.o.page(x.top, page)
	if err != nil {
		return 0, false, err
	}
	n := page*(pageRows/groupRows) + max(partOf(groups, tag), 0)
	g, err := x.group(ctx, n)
	if err != nil {
		return 0, false, err
	}
	at, found := slices.BinarySearchFunc(g.tags, tag, tagOrder)
	return n*groupRows + at, found, nil
}

// ReadRow implements proofs.RowReader.
func (x *outlinedRows) ReadRow(ctx context.Context, number int) (row proofs.DirectoryRow, found proofs.FoundRow, err error) {
	g, err := x.group(ctx, number/groupRows)
	if err != nil {
		return row, found, err
	}
	return g.rows[number%groupRows], g.found[number%groupRows], nil
}

// group returns a group of rows.
func (x *outlinedRows) group(ctx context.Context, n int) (*rowGroup, error) {
	if g := x.groups[n]; g != nil {
		return g, nil
	}
	g, err := x.readGroup(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("%v: rows %d to %d: %w", x.o.FileID, n*groupRows, min((n+1)*groupRows, x.top.count)-1, err)
	}
	x.groups[n] = g
	return g, nil
}

func (x *outlinedRows) readGroup(ctx context.Context, n int) (*rowGroup, error) {
	part, err := x.part(n)
	if err != nil {
		return nil, err
	}
	g := new(rowGroup)
	r := bitReader{b: part.data}
	var entries []uint64 // one of each row
	for i := n * groupRows; i < min((n+1)*groupRows, x.top.count); i++ {
		positions, err := r.positions(x.o.span())
		if err != nil {
			return nil, err
		}
		g.positions = append(g.positions, positions)
		entries = append(entries, x.o.First+uint64(positions[0]))
	}
	slices.Sort(entries)
	if g.tags, err = x.tags(ctx, slices.Compact(entries)); err != nil {
		return nil, err
	}
	if err := x.choose(g, n, part.first); err != nil {
		return nil, err
	}
	for i, tag := range g.tags {
		salt := proofs.RowSalt(&x.top.secret, tag)
		g.rows = append(g.rows, proofs.DirectoryRow{Tag: tag, Entries: proofs.RowEntries(&salt, g.positions[i])})
		g.found = append(g.found, proofs.FoundRow{Salt: salt, Positions: g.positions[i]})
	}
	return g, nil
}

// choose leaves the tags of a group: of all that its entries have, those from
// its beginning on and before that of the next group. Each of them has a row
// there, and no row has another one; where the tag before the first begins as it
// does, which happens to nobody, they are too many.
func (x *outlinedRows) choose(g *rowGroup, n int, first uint64) error {
	var next *outlinePart
	if (n+1)*groupRows < x.top.count {
		var err error
		if next, err = x.part(n + 1); err != nil {
			return err
		}
	}
	g.tags = slices.DeleteFunc(g.tags, func(t proofs.Tag) bool {
		return beginning(t) < first || next != nil && beginning(t) >= next.first
	})
	slices.SortFunc(g.tags, tagOrder)
	if g.tags = slices.Compact(g.tags); len(g.tags) != len(g.positions) {
		return malformed("outline: %d tags for %d rows", len(g.tags), len(g.positions))
	}
	return nil
}

// part returns what the outline has of a group.
func (x *outlinedRows) part(n int) (*outlinePart, error) {
	const groups = pageRows / groupRows
	page, err := x.o.page(x.top, n/groups)
	if err != nil {
		return nil, err
	}
	return &page[n%groups], nil
}

// ReadNodes implements proofs.NodeReader.
func (x *outlinedRows) ReadNodes(ctx context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	nodes := make([]proofs.Hash, len(ids))
	for i, id := range ids {
		var err error
		if nodes[i], err = x.node(ctx, id); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func (x *outlinedRows) node(ctx context.Context, id proofs.NodeID) (h proofs.Hash, err error) {
	lo, hi := id.Index<<id.Level, (id.Index+1)<<id.Level
	if lo >= hi || hi > uint64(x.top.count) {
		return h, malformed("outline: a tree of %d rows has no node %d of level %d", x.top.count, id.Index, id.Level)
	}
	if id.Level >= pageLevel {
		return over(x.top.pages[lo/pageRows:hi/pageRows], func(p outlinePart) proofs.Hash { return p.node }), nil
	}
	if id.Level >= groupLevel {
		page, err := x.o.page(x.top, int(lo/pageRows))
		if err != nil {
			return h, err
		}
		return over(page[lo%pageRows/groupRows:][:(hi-lo)/groupRows], func(p outlinePart) proofs.Hash { return p.node }), nil
	}
	if at := slices.Index(edgeOf(x.top.count), id); at >= 0 {
		return x.top.edge[at], nil
	}
	g, err := x.group(ctx, int(lo/groupRows))
	if err != nil {
		return h, err
	}
	return over(g.rows[lo%groupRows:][:hi-lo], proofs.DirectoryRow.LeafHash), nil
}

// over returns the node over the nodes of a power of two of things.
func over[T any](list []T, node func(T) proofs.Hash) proofs.Hash {
	if len(list) == 1 {
		return node(list[0])
	}
	half := len(list) / 2
	return proofs.NodeHash(over(list[:half], node), over(list[half:], node))
}
