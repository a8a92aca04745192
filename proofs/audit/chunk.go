package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A chunk is what became of a job. Nothing in it depends on other jobs.
type chunk struct {
	job
	found    []Finding
	disputes []dispute
	edge     []proofs.Hash // the complete subtrees over its entries; nil: not known
	kept     []keptCheckpoint
	facts    facts
	right    bool        // the file of the entries holds those that were signed, as far as its tile tells
	file     proofs.Hash // and this is its SHA-256, where there is a vault
	tiles    uint64
	bundles  uint64
	withheld bool // its entries are not there because they are pruned
}

// A dispute is an entry or subtree, and another hash for it in a tile that is
// not known to be of the signed tree. One of them was chosen to go on with.
// Whether that was right shows at the root.
type dispute struct {
	index uint64  // the first entry's
	below Finding // about the entry or subtree, for where the hash is right
	tile  string  // the file of the hash, for where it is wrong
	hash  bool    // the hash was chosen
}

func (c *chunk) first() uint64 { return c.bundle.Index * proofs.TileWidth }

// whole returns a finding about a whole file of the bundle.
func (c *chunk) whole(kind FindingKind, path string, format string, args ...any) Finding {
	first := c.first()
	return Finding{Kind: kind, Index: int64(first), Path: path, Detail: fmt.Sprintf(format, args...), end: int64(first) + int64(c.bundle.Width)}
}

// at returns a finding about the bundle's i-th entry.
func (c *chunk) at(kind FindingKind, i int, path string, format string, args ...any) Finding {
	return Finding{Kind: kind, Index: int64(c.first()) + int64(i), Path: path, Detail: fmt.Sprintf(format, args...)}
}

// judge does a job. Its errors mean that a file could not be read.
func (l *ledger) judge(ctx context.Context, j job) (*chunk, error) {
	c := &chunk{job: j}
	r := &reading{ledger: l, chunk: c}
	for _, step := range []func(context.Context) error{r.readEntries, r.readHashes, r.settle, r.compareOthers} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	edges := c.hash(r.hashes)
	if r.hashes == nil {
		var err error
		if c.edge, err = r.signedEdge(ctx); err != nil {
			return nil, err
		}
	}
	c.right, c.file = r.entries != nil && !slices.Contains(r.believed, false), r.file
	times := make([]uint64, c.bundle.Width)
	if !c.withheld {
		times = c.readLeaves(r.entries, r.believed)
	}
	for i, m := range j.marks {
		k, err := l.readMark(ctx, m)
		if err != nil {
			return nil, err
		}
		if k.edge, k.known = edges[i], r.hashes != nil; k.known && m.size > c.first() {
			k.entryTime = times[m.size-c.first()-1]
		}
		c.kept = append(c.kept, k)
	}
	return c, nil
}

// readMark returns the checkpoint of a mark.
func (l *ledger) readMark(ctx context.Context, m mark) (keptCheckpoint, error) {
	if m.state == nil {
		return l.readKept(ctx, m.size)
	}
	return keptCheckpoint{size: m.size, verdict: proofs.Verdict{Checkpoint: m.state.Checkpoint}}, nil
}

// hash computes the edge of the chunk, and what it was at the sizes of the
// marks.
func (c *chunk) hash(hashes []proofs.Hash) (edges [][]proofs.Hash) {
	edges = make([][]proofs.Hash, len(c.marks))
	var f frontier
	next := 0
	for i := 0; i <= len(hashes); i++ {
		for ; next < len(c.marks) && c.marks[next].size == c.first()+uint64(i); next++ {
			edges[next] = slices.Clone(f.nodes)
		}
		if i < len(hashes) {
			f.push(hashes[i])
		}
	}
	c.edge = f.nodes
	return edges
}
