package audit_test

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A tagged is a writer whose events have tags: a list of two that concern
// nobody, and one of one that concerns a subject.
type tagged struct {
	*writer
	shown map[uint64][]proofs.DisclosedTags // of each event, as it is now
	made  map[proofs.SegmentID]audit.ShownDirectory
	rows  map[proofs.SegmentID][]*proofs.DirectoryRows
	heed  []uint64 // announcements of erasures
	few   bool     // events have tags

	unread map[uint64]bool // entries that the ledger cannot read

	lie func(*proofs.DirectoryHead, map[uint32][]proofs.DirectoryRow) // about small directories
}

func newTagged(tb testing.TB) *tagged {
	w := &tagged{writer: newWriter(tb, proofs.Ed25519Cosignature), shown: map[uint64][]proofs.DisclosedTags{},
		made: map[proofs.SegmentID]audit.ShownDirectory{}, rows: map[proofs.SegmentID][]*proofs.DirectoryRows{}}
	w.vault = false
	w.directories.hash = w.make
	return w
}

// clone returns a writer that goes on on its own.
func (w *tagged) clone(tb testing.TB) *tagged {
	c := *w
	c.writer, c.heed = w.writer.clone(tb), slices.Clip(w.heed)
	c.shown, c.made, c.rows, c.unread = maps.Clone(w.shown), maps.Clone(w.made), maps.Clone(w.rows), maps.Clone(w.unread)
	c.directories.hash = c.make
	return &c
}

func (w *tagged) tag(field uint16, value uint64) proofs.Tag {
	return proofs.MakeTag(field, &proofs.Key256{byte(field)}, binary.BigEndian.AppendUint64(nil, value))
}

// grow appends events of two streams, now and then one without tags, until
// there are size entries, and the directory if the next entry has to be one.
func (w *tagged) grow(size uint64) {
	for w.size() < size {
		if w.directories.place(w.size()) {
			w.fill(0)
			continue
		}
		stream, class := 1+uint32(w.size()%3)/2, uint16(eternalClass)
		if w.size()%5 == 0 {
			class = shortClass
		}
		bucket, index := w.bucket(stream, class), w.size()
		if w.directories.place(index) {
			continue
		}
		leaf := proofs.Leaf{Kind: proofs.Event, Stream: stream, Bucket: bucket}
		if index%7 > 0 && (!w.few || index%50 == 1) {
			leaf.T = w.label(index)
		}
		w.put(leaf)
	}
	w.fill(0)
}

// label gives tags to the entry of an index and returns their root.
func (w *tagged) label(index uint64) proofs.Hash {
	var commitments []proofs.Hash
	for i, tags := range [][]proofs.Tag{{w.tag(1, index%10), w.tag(2, index)}, {w.tag(3, index%100)}} {
		seed := proofs.Key256{byte(i), byte(index), byte(index >> 8), byte(index >> 16)}
		commitments = proofs.AppendTagCommitments(commitments, &seed, tags)
		w.shown[index] = append(w.shown[index], proofs.DisclosedTags{Seed: seed[:], Tags: proofs.AppendTags(nil, tags)})
	}
	return proofs.TagsRoot(commitments)
}

// make makes a directory as an honest ledger does, but for the lie.
func (w *tagged) make(id proofs.SegmentID) proofs.Hash {
	head := proofs.DirectoryHead{Segment: id, FirstTime: w.leaf(id.First()).Time, LastTime: w.leaf(id.End() - 1).Time, Erased: w.heed}
	theirs := map[uint32][]proofs.DirectoryRow{}
	w.rows[id] = w.rowsOf(id)
	for _, r := range w.rows[id] {
		for i := range r.Len() {
			theirs[r.Bucket] = append(theirs[r.Bucket], r.Row(i))
		}
		head.Buckets = append(head.Buckets, proofs.DirectoryBucket{Stream: r.Stream, Bucket: r.Bucket, Unread: r.Unread})
	}
	if w.lie != nil {
		w.lie(&head, theirs)
	}
	for i, b := range head.Buckets {
		head.Buckets[i].Rows = proofs.HashRows(theirs[b.Bucket])
	}
	w.made[id] = audit.ShownDirectory{Head: head, Rows: theirs}
	return check(head.Hash())
}

func (w *tagged) rowsOf(id proofs.SegmentID) (rows []*proofs.DirectoryRows) {
	if !id.Large {
		b := proofs.NewDirectoryBuilder(id.Number)
		for i := id.First(); i < id.End(); i++ {
			leaf := w.leaf(i)
			if w.unread[i] {
				check(0, b.Unread(i, leaf.Stream, leaf.Bucket))
			}
			for _, l := range w.shown[i] {
				if l.Shown() {
					check(0, b.Add(i, leaf.Stream, leaf.Bucket, (*proofs.Key256)(l.Seed), tagsIn(l)))
				}
			}
		}
		return b.Rows()
	}
	buckets := map[uint32]*[proofs.LargeSegments]*proofs.DirectoryRows{}
	for i := range uint64(proofs.LargeSegments) {
		for _, r := range w.rows[proofs.SegmentID{Number: id.Number*proofs.LargeSegments + i}] {
			if buckets[r.Bucket] == nil {
				buckets[r.Bucket] = new([proofs.LargeSegments]*proofs.DirectoryRows)
			}
			buckets[r.Bucket][i] = r
		}
	}
	for _, n := range slices.Sorted(maps.Keys(buckets)) {
		rows = append(rows, proofs.MergeRows(*buckets[n]))
	}
	return rows
}

func tagsIn(l proofs.DisclosedTags) (tags []proofs.Tag) {
	for b := range slices.Chunk(l.Tags, 2+proofs.TagSize) {
		tags = append(tags, proofs.Tag{Field: binary.BigEndian.Uint16(b), Value: [proofs.TagSize]byte(b[2:])})
	}
	return tags
}

func (w *tagged) leaf(index uint64) proofs.Leaf { return check(proofs.ParseLeaf(w.leaves[index])) }

// hide closes the lists of entries that concern the subject.
func (w *tagged) hide(entries ...uint64) {
	for _, i := range entries {
		if lists := slices.Clone(w.shown[i]); len(lists) > 0 {
			first := len(lists[0].Tags) / (2 + proofs.TagSize)
			all := proofs.AppendTagCommitments(make([]proofs.Hash, first), (*proofs.Key256)(lists[1].Seed), tagsIn(lists[1]))
			lists[1] = proofs.DisclosedTags{Commitments: all[first:]}
			w.shown[i] = lists
		}
	}
}

// judge makes the directory of a segment again from what is shown now, changed
// in some way.
func (w *tagged) judge(segment uint64, change ...func(*audit.ShownDirectory)) *audit.RecomputedDirectory {
	w.tb.Helper()
	w.publish()
	shown := w.show(segment)
	for _, f := range change {
		f(&shown)
	}
	return check(w.clean(w.files, nil).State.RecomputeDirectory(segment, w.segment(segment), shown))
}

// show returns what an honest ledger shows of a small segment now.
func (w *tagged) show(segment uint64) audit.ShownDirectory {
	id := proofs.SegmentID{Number: segment}
	shown := w.made[id]
	for i := id.First(); i < id.End(); i++ {
		if w.shown[i] != nil {
			shown.Tags = append(shown.Tags, proofs.SearchTags{Index: i, Lists: w.shown[i]})
		}
	}
	return shown
}

// segment returns the leaves of a small segment.
func (w *tagged) segment(number uint64) (leaves []proofs.Leaf) {
	id := proofs.SegmentID{Number: number}
	for i := id.First(); i < id.End(); i++ {
		leaves = append(leaves, w.leaf(i))
	}
	return leaves
}
