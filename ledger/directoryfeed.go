package ledger

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// seededTags are a list of tags of an entry, with the seed of its openings.
type seededTags struct {
	seed *proofs.Key256
	tags []proofs.Tag
}

// fedTags are the tags of what was sequenced since this process began, or since
// keys were destroyed: while their entries are in memory anyway, directories need
// not read them from the vault.
type fedTags struct {
	from    uint64 // all from here on; an index that nothing has yet where nothing is known
	next    uint64 // and below here
	entries []fedEntry
}

type fedEntry struct {
	index          uint64
	stream, bucket uint32
	lists          []seededTags
}

// maxFed bounds what is kept: entries of segments that are not whole yet, or have
// no directory yet.
const maxFed = 4 * proofs.SegmentSize

// feed takes the tags of entries that are sequenced, all of a batch but those
// without tags.
func (d *directories) feed(fresh []*admission, end uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &d.fed
	for _, a := range fresh {
		if len(a.tags) > 0 {
			f.entries = append(f.entries, fedEntry{a.index, a.leaf.Stream, a.leaf.Bucket, a.tags})
		}
	}
	f.next = end
	if len(f.entries) > maxFed { // nobody takes them
		f.clear()
	}
}

// clear forgets all.
func (f *fedTags) clear() { *f = fedTags{from: f.next, next: f.next} }

// drop forgets what is below an index.
func (f *fedTags) drop(below uint64) {
	n := 0
	for n < len(f.entries) && f.entries[n].index < below {
		n++
	}
	f.entries = slices.Clone(f.entries[n:]) // somebody may still read the others
	f.from = max(f.from, below)
}

// fedRows returns the rows of a small segment, if all its tags are in memory.
func (d *directories) fedRows(id proofs.SegmentID) ([]*proofs.DirectoryRows, bool) {
	d.mu.Lock()
	f := d.fed
	d.mu.Unlock()
	if f.from > id.First() || f.next < id.End() {
		return nil, false
	}
	b := proofs.NewDirectoryBuilder(id.Number)
	for _, e := range f.entries {
		if e.index < id.First() || e.index >= id.End() {
			continue
		}
		for _, l := range e.lists {
			if err := b.Add(e.index, e.stream, e.bucket, l.seed, l.tags); err != nil {
				return nil, false
			}
		}
	}
	return b.Rows(), true
}
