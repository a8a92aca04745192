package search

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"
	"sort"

	"github.com/cairnlog/cairn/proofs"
)

// The file of an outline has a block for each page of its rows, and behind them
// one that says where they are:
//
//	uint32 rows, opaque secret[32], varint(bytes),
//	the positions of all entries, unless there are no rows
//	for each node below groupLevel that the rows behind the last whole group
//	make, from left to right: its hash
//	for each page: its beginning, its hash if it is whole, varint(bytes sealed)
//
// A page is 64 groups of 32 rows each, the last one as many as there are:
//
//	for each group: its beginning, its hash if it is whole, varint(bytes)
//	for each group: the positions of its rows
//
// A hash is that of a node of the tree of the rows (RFC 6962); a beginning is the
// first 8 bytes of the first tag: uint16 field, and opaque[6] of its value.
const (
	groupLevel = 5
	groupRows  = 1 << groupLevel
	pageLevel  = groupLevel + 6
	pageRows   = 1 << pageLevel
)

// An outlineTop is the last block of an outline.
type outlineTop struct {
	count   int
	secret  proofs.Key256
	entries []byte // positions
	edge    []proofs.Hash
	pages   []outlinePart
}

// An outlinePart is a page, or a group of one.
type outlinePart struct {
	first uint64      // its beginning
	node  proofs.Hash // if it is whole
	block blockRef    // of a page
	data  []byte      // of a group
}

// beginning returns the first bytes of a tag, as a number that sorts as they do.
func beginning(tag proofs.Tag) uint64 {
	return uint64(tag.Field)<<48 | binary.BigEndian.Uint64(tag.Value[:])>>16
}

// partOf returns which of some parts the row of a tag is in: the last that does
// not begin behind it, or -1.
func partOf(parts []outlinePart, tag proofs.Tag) int {
	return sort.Search(len(parts), func(i int) bool { return parts[i].first > beginning(tag) }) - 1
}

// writeOutline writes the file of an outline.
func writeOutline(ctx context.Context, w *fileWriter, rows *proofs.DirectoryRows) (blockRef, error) {
	top := outlineTop{count: rows.Len(), secret: rows.Secret(), entries: entriesOf(rows, w.span)}
	var err error
	if top.edge, err = rows.ReadNodes(ctx, edgeOf(top.count)); err != nil {
		return blockRef{}, err
	}
	for first := 0; first < top.count; first += pageRows {
		plain, err := formatPage(ctx, rows, first, w.span)
		if err != nil {
			return blockRef{}, err
		}
		page, err := newPart(ctx, rows, first, pageLevel)
		if err != nil {
			return blockRef{}, err
		}
		if page.block, err = w.write(plain); err != nil {
			return blockRef{}, err
		}
		top.pages = append(top.pages, page)
	}
	return w.write(top.append(nil))
}

// newPart returns a part of rows without its data.
func newPart(ctx context.Context, rows *proofs.DirectoryRows, first, level int) (p outlinePart, err error) {
	p.first = beginning(rows.Tag(first))
	if first+1<<level <= rows.Len() {
		nodes, err := rows.ReadNodes(ctx, []proofs.NodeID{{Level: uint8(level), Index: uint64(first >> level)}})
		if err != nil {
			return p, err
		}
		p.node = nodes[0]
	}
	return p, nil
}

// edgeOf returns the nodes that the rows behind the last whole group make.
func edgeOf(count int) (ids []proofs.NodeID) {
	for level := groupLevel - 1; level >= 0; level-- {
		if count>>level&1 == 1 {
			ids = append(ids, proofs.NodeID{Level: uint8(level), Index: uint64(count>>level - 1)})
		}
	}
	return ids
}

// entriesOf returns the positions of all entries that are in a row.
func entriesOf(rows *proofs.DirectoryRows, span int) []byte {
	words := make([]uint64, span/64)
	for i := range rows.Len() {
		for _, p := range rows.Positions(i) {
			words[p/64] |= 1 << (p % 64)
		}
	}
	var list []uint16
	for i, word := range words {
		for ; word != 0; word &= word - 1 {
			list = append(list, uint16(i*64+bits.TrailingZeros64(word)))
		}
	}
	var w bitWriter
	if len(list) > 0 {
		w.positions(list, span)
	}
	return w.bytes()
}

func formatPage(ctx context.Context, rows *proofs.DirectoryRows, first, span int) (b []byte, err error) {
	var groups []byte
	end := min(first+pageRows, rows.Len())
	for ; first < end; first += groupRows {
		group, err := newPart(ctx, rows, first, groupLevel)
		if err != nil {
			return nil, err
		}
		var w bitWriter
		for i := first; i < min(first+groupRows, end); i++ {
			w.positions(rows.Positions(i), span)
		}
		data := w.bytes()
		b = group.append(b, first+groupRows <= end)
		b = binary.AppendUvarint(b, uint64(len(data)))
		groups = append(groups, data...)
	}
	return append(b, groups...), nil
}

func (p *outlinePart) append(b []byte, whole bool) []byte {
	b = binary.BigEndian.AppendUint64(b, p.first)
	if whole {
		b = append(b, p.node[:]...)
	}
	return b
}

func (t *outlineTop) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(t.count))
	b = append(b, t.secret[:]...)
	b = binary.AppendUvarint(b, uint64(len(t.entries)))
	b = append(b, t.entries...)
	for _, node := range t.edge {
		b = append(b, node[:]...)
	}
	for i, p := range t.pages {
		b = p.append(b, (i+1)*pageRows <= t.count)
		b = binary.AppendUvarint(b, uint64(p.block.size))
	}
	return b
}

// parseOutlineTop parses the last block of an outline whose other blocks take
// size bytes.
func parseOutlineTop(b []byte, size uint64) (*outlineTop, error) {
	d := decoder{rest: b}
	t := &outlineTop{count: int(d.uint32("outline: rows")), secret: proofs.Key256(d.bytes("outline: secret", 32))}
	t.entries = d.bytes("outline: entries", d.uvarint("outline: entries", math.MaxUint32))
	for range edgeOf(t.count) {
		t.edge = append(t.edge, proofs.Hash(d.bytes("outline: edge", proofs.HashSize)))
	}
	offset := uint64(0)
	for first := 0; first < t.count && d.err == nil; first += pageRows {
		p := d.part(first+pageRows <= t.count)
		p.block = blockRef{number: uint32(len(t.pages)), offset: offset, size: uint32(d.uvarint("outline: size of a page", math.MaxUint32))}
		offset += uint64(p.block.size)
		t.pages = append(t.pages, p)
	}
	if d.err == nil && offset != size {
		d.fail("outline: the pages do not fill the file")
	}
	return t, d.end("outline")
}

// parsePage parses the groups of a page of some rows.
func parsePage(b []byte, rows int) ([]outlinePart, error) {
	d := decoder{rest: b}
	var groups []outlinePart
	var sizes []uint64
	for ; rows > 0 && d.err == nil; rows -= groupRows {
		groups = append(groups, d.part(rows >= groupRows))
		sizes = append(sizes, d.uvarint("outline: size of a group", math.MaxUint32))
	}
	for i, size := range sizes {
		groups[i].data = d.bytes("outline: group", size)
	}
	return groups, d.end("outline")
}

func (d *decoder) part(whole bool) (p outlinePart) {
	p.first = d.uint64("outline: beginning")
	if whole {
		p.node = proofs.Hash(d.bytes("outline: hash", proofs.HashSize))
	}
	return p
}
