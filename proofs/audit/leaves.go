package audit

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// facts are what the entries of a chunk say, without those that an earlier run
// has judged.
type facts struct {
	found  []Finding // what is wrong with what they say
	bytes  uint64
	unread uint64
	kinds  [proofs.Closed + 1]uint64

	timed       bool // there is a time
	first, last uint64
	firstIndex  uint64 // of the entry with the first time

	numbered []numberedEntry
	uses     []bucketUse
	segment  int // the first use behind the last settings, or entry about an expiry
	controls []control
}

// A numberedEntry has a place in its source's count.
type numberedEntry struct {
	key      sourceKey
	sequence uint64
	index    uint64
}

// A bucketUse is entries of a chunk in a bucket, with no settings and no entry
// about an expiry between them.
type bucketUse struct {
	bucket, stream     uint32
	first, last, count uint64
}

// A control is an entry that changes what may come after it, or closes what
// came before.
type control struct {
	index uint64
	leaf  proofs.Leaf
	path  string // of the file it is in
}

// readLeaves parses the entries that are believed and gathers the facts. It
// returns their times, 0 where the entry could not be read.
func (c *chunk) readLeaves(entries [][]byte, believed []bool) (times []uint64) {
	times = make([]uint64, c.bundle.Width)
	for i := range times {
		switch {
		case entries == nil || !believed[i]:
			if i >= c.skip {
				c.facts.unread++
			}
			continue
		case i >= c.skip:
			c.facts.bytes += uint64(len(entries[i]))
		}
		leaf, err := proofs.ParseLeaf(entries[i])
		if err != nil {
			if i >= c.skip {
				c.facts.found = append(c.facts.found, c.at(EntryMalformed, i, bundlePlace(c.bundle).String(),
					"Entry %d was signed and is no leaf of a ledger: %v.", c.first()+uint64(i), why(err)))
			}
			continue
		}
		times[i] = leaf.Time
		if i >= c.skip {
			c.note(i, &leaf)
		}
	}
	return times
}

// note gathers the facts of the i-th entry.
func (c *chunk) note(i int, leaf *proofs.Leaf) {
	f, index := &c.facts, c.first()+uint64(i)
	f.kinds[leaf.Kind]++
	switch {
	case !f.timed:
		f.timed, f.first, f.last, f.firstIndex = true, leaf.Time, leaf.Time, index
	case leaf.Time < f.last:
		c.facts.found = append(c.facts.found, c.at(TimeBackwards, i, bundlePlace(c.bundle).String(),
			"Entry %d says it is from %s, and the one before it from %s: time went back.", index, micros(leaf.Time), micros(f.last)))
	default:
		f.last = leaf.Time
	}
	if leaf.Source != nil {
		if f.numbered == nil {
			f.numbered = make([]numberedEntry, 0, c.bundle.Width-i)
		}
		f.numbered = append(f.numbered, numberedEntry{sourceKey{leaf.Bucket, leaf.Source.Number}, leaf.Source.Sequence, index})
	}
	if leaf.Kind == proofs.Expiry || leaf.Kind == proofs.Settings {
		f.segment = len(f.uses) // what comes before it is told from what comes after
	}
	f.use(leaf, index)
	if leaf.Lasts() {
		kept := *leaf
		kept.Control = slices.Clone(leaf.Control)
		f.controls = append(f.controls, control{index, kept, bundlePlace(c.bundle).String()})
	}
}

// use counts an entry for its bucket.
func (f *facts) use(leaf *proofs.Leaf, index uint64) {
	if leaf.Bucket == 0 {
		return
	}
	for i := len(f.uses) - 1; i >= f.segment; i-- {
		if u := &f.uses[i]; u.bucket == leaf.Bucket && u.stream == leaf.Stream {
			u.last = index
			u.count++
			return
		}
	}
	f.uses = append(f.uses, bucketUse{leaf.Bucket, leaf.Stream, index, index, 1})
}
