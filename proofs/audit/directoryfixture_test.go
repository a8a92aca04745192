package audit_test

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A directoryFixture is the directories that a ledger's entries commit to. What
// they say of their segments nobody who judges only entries can tell.
type directoryFixture struct {
	small, large []proofs.Hash
	amended      uint64
	version      uint64                             // of directories that are made anew
	hash         func(proofs.SegmentID) proofs.Hash // nil: any other than before
}

// place reports whether an index is where the next directory stands.
func (d *directoryFixture) place(index uint64) bool {
	return index == proofs.DirectoryPlace(uint64(len(d.small)))
}

// next returns the body of the entry at the next place.
func (d *directoryFixture) next() []byte {
	n := uint64(len(d.small))
	ids := []proofs.SegmentID{{Number: n}}
	if (n+1)%proofs.LargeSegments == 0 {
		ids = append(ids, proofs.SegmentID{Large: true, Number: n / proofs.LargeSegments})
	}
	return check(proofs.FormatDirectory(d.make(ids...)))
}

// make makes directories, new or anew, and returns what commits to them.
func (d *directoryFixture) make(ids ...proofs.SegmentID) proofs.DirectoryBody {
	d.version++
	body := proofs.DirectoryBody{Amended: d.amended}
	for _, id := range ids {
		m := proofs.MadeDirectory{Segment: id, Hash: sha256.Sum256(binary.BigEndian.AppendUint64([]byte(id.String()), d.version))}
		if d.hash != nil {
			m.Hash = d.hash(id)
		}
		list := &d.small
		if id.Large {
			list = &d.large
		}
		if id.Number == uint64(len(*list)) {
			*list = append(*list, proofs.Hash{})
		}
		(*list)[id.Number] = m.Hash
		body.Made = append(body.Made, m)
	}
	body.Segments = uint64(len(d.small))
	body.Small, body.Large = proofs.DirectoriesRoot(d.small), proofs.DirectoriesRoot(d.large)
	return body
}

// amend appends an entry that makes directories anew, changed in some way.
func (w *writer) amend(ids []proofs.SegmentID, change ...func(*proofs.DirectoryBody)) uint64 {
	w.fill(w.size()) // if this is a place
	body := w.directories.make(ids...)
	for _, f := range change {
		f(&body)
	}
	w.directories.amended = w.size()
	return w.control(proofs.Directory, check(proofs.FormatDirectory(body)))
}

// fill appends events until there are size entries, and the directory if the
// next entry has to be one.
func (w *writer) fill(size uint64) {
	for w.size() < size {
		w.event(1, eternalClass)
	}
	if w.directories.place(w.size()) {
		w.control(proofs.Directory, w.directories.next())
	}
}

// clone returns a writer that goes on on its own.
func (w *writer) clone(tb testing.TB) *writer {
	c, l := *w, *w.ledger
	c.ledger, l.tb = &l, tb
	l.leaves, l.records, l.nodes = slices.Clip(l.leaves), slices.Clip(l.records), slices.Clone(l.nodes)
	for i := range l.nodes {
		l.nodes[i] = slices.Clip(l.nodes[i])
	}
	l.directories.small, l.directories.large = slices.Clone(l.directories.small), slices.Clone(l.directories.large)
	l.files, c.times, c.opened, c.days = maps.Clone(l.files), maps.Clone(c.times), maps.Clone(c.opened), maps.Clone(c.days)
	c.kept = slices.Clip(c.kept)
	c.clock = func() uint64 { return c.now }
	return &c
}

func small(numbers ...uint64) (ids []proofs.SegmentID) {
	for _, n := range numbers {
		ids = append(ids, proofs.SegmentID{Number: n})
	}
	return ids
}
