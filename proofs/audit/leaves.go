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
	controls []control
	gone     []goneRun

	records, erased, noRecord, recordBytes uint64
}

// A numberedEntry has a place in its source's count.
type numberedEntry struct {
	key      sourceKey
	sequence uint64
	index    uint64
}

// A bucketUse is the first entry of a chunk in a bucket.
type bucketUse struct {
	bucket, stream uint32
	index          uint64
}

// A control is an entry that changes what may come after it.
type control struct {
	index uint64
	leaf  proofs.Leaf
}

// leaves are the entries of a bundle as far as they could be read, from its
// first one on.
type leaves struct {
	times []uint64       // 0 where the entry could not be read
	all   []*proofs.Leaf // nil where the entry could not be read; empty where there is no vault to compare with
}

// readLeaves parses the entries that are believed and gathers the facts. It
// returns the leaves themselves only if keep is set.
func (c *chunk) readLeaves(entries [][]byte, believed []bool, keep bool) leaves {
	l := leaves{times: make([]uint64, c.bundle.Width)}
	if keep {
		l.all = make([]*proofs.Leaf, c.bundle.Width)
	}
	for i := range l.times {
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
		l.times[i] = leaf.Time
		if i >= c.skip {
			c.note(i, &leaf)
		}
		if keep {
			kept := leaf
			l.all[i] = &kept
		}
	}
	return l
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
	if leaf.Bucket != 0 && !slices.ContainsFunc(f.uses, func(u bucketUse) bool { return u.bucket == leaf.Bucket && u.stream == leaf.Stream }) {
		f.uses = append(f.uses, bucketUse{leaf.Bucket, leaf.Stream, index})
	}
	switch leaf.Kind {
	case proofs.Created, proofs.Settings, proofs.BucketOpened, proofs.Closed:
		kept := *leaf
		kept.Control = slices.Clone(leaf.Control)
		f.controls = append(f.controls, control{index, kept})
	}
}
