package audit

import (
	"cmp"
	"iter"
	"slices"
)

// A seqRun is sequence numbers without a gap, [lo, hi], and the index of the
// entry that has the lowest.
type seqRun struct{ lo, hi, index uint64 }

// A runList is the runs of a source, rising, no two of which touch. They lie in
// blocks, so that one is put in or taken out anywhere at the cost of a block
// and not of the whole list: who writes to the ledger chooses their order.
type runList struct{ blocks [][]seqRun }

const runBlock = 256 // runs in a block at most; at least 1

// last returns the last run, nil where there is none.
func (l *runList) last() *seqRun {
	if len(l.blocks) == 0 {
		return nil
	}
	b := l.blocks[len(l.blocks)-1]
	return &b[len(b)-1]
}

// A runPlace is a place in a list: before it all runs end before some number.
type runPlace struct{ block, at int }

// find returns the place of the first run that ends at seq or after it.
func (l *runList) find(seq uint64) runPlace {
	block, _ := slices.BinarySearchFunc(l.blocks, seq, func(b []seqRun, seq uint64) int { return compareEnd(b[len(b)-1], seq) })
	if block == len(l.blocks) {
		return l.end()
	}
	at, _ := slices.BinarySearchFunc(l.blocks[block], seq, compareEnd)
	return runPlace{block, at}
}

// end returns the place behind the last run.
func (l *runList) end() runPlace { return runPlace{block: len(l.blocks)} }

func compareEnd(r seqRun, seq uint64) int { return cmp.Compare(r.hi, seq) }

// around returns the run before a place and the one at it, nil where there is
// none. They may be changed.
func (l *runList) around(p runPlace) (before, at *seqRun) {
	if p.block < len(l.blocks) {
		at = &l.blocks[p.block][p.at]
	}
	switch {
	case p.at > 0:
		before = &l.blocks[p.block][p.at-1]
	case p.block > 0:
		b := l.blocks[p.block-1]
		before = &b[len(b)-1]
	}
	return before, at
}

// insert puts a run in at a place.
func (l *runList) insert(p runPlace, r seqRun) {
	if p.at == 0 && p.block > 0 { // rather behind the run before it, but for a new block between two
		if before := len(l.blocks[p.block-1]); before < runBlock || p.block == len(l.blocks) {
			p = runPlace{p.block - 1, before}
		}
	}
	if len(l.blocks) == 0 || p.at == runBlock { // at the end of a full one
		if len(l.blocks) > 0 {
			p.block++
		}
		l.blocks = slices.Insert(l.blocks, p.block, []seqRun{r})
		return
	}
	if b := l.blocks[p.block]; len(b) == runBlock {
		const half = runBlock / 2
		l.blocks = slices.Insert(l.blocks, p.block+1, slices.Clone(b[half:]))
		l.blocks[p.block] = b[:half]
		if p.at > half {
			p = runPlace{p.block + 1, p.at - half}
		}
	}
	l.blocks[p.block] = slices.Insert(l.blocks[p.block], p.at, r)
}

// remove takes the run at a place out.
func (l *runList) remove(p runPlace) {
	b := slices.Delete(l.blocks[p.block], p.at, p.at+1)
	if l.blocks[p.block] = b; len(b) == 0 {
		l.blocks = slices.Delete(l.blocks, p.block, p.block+1)
	}
}

// all yields the runs, rising.
func (l *runList) all() iter.Seq[seqRun] {
	return func(yield func(seqRun) bool) {
		for _, b := range l.blocks {
			for _, r := range b {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// clone returns a copy that grows on its own.
func (l *runList) clone() *runList {
	c := &runList{blocks: make([][]seqRun, len(l.blocks))}
	for i, b := range l.blocks {
		c.blocks[i] = slices.Clone(b)
	}
	return c
}
