package audit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A directories is what the directory entries so far commit to.
type directories struct {
	small, large hashTree
	amended      uint64 // index of the last entry that made some anew; 0: none did
	anew         uint64 // how many were made anew
	lost         uint64 // index of the entry from which on not all are known; 0: they are
}

// lose takes note that an entry does not say what it should.
func (d *directories) lose(index uint64) {
	if d.lost == 0 {
		d.lost = index
	}
}

// of returns the hash of a directory, if it is known.
func (d *directories) of(s proofs.SegmentID) (h proofs.Hash, ok bool) {
	hashes := d.small.hashes
	if s.Large {
		hashes = d.large.hashes
	}
	if d.lost > 0 || s.Number >= uint64(len(hashes)) {
		return h, false
	}
	return hashes[s.Number], true
}

// take takes over directories of segments that have one from now on, or had one.
func (d *directories) take(made []proofs.MadeDirectory) {
	for _, m := range made {
		if d.lost > 0 {
			return
		}
		if m.Segment.Large {
			d.large.set(m.Segment.Number, m.Hash)
		} else {
			d.small.set(m.Segment.Number, m.Hash)
		}
	}
}

func (d *directories) clone() directories {
	c := *d
	c.small, c.large = d.small.clone(), d.large.clone()
	return c
}

// format appends the lines of a state about directories.
func (d *directories) format(b []byte) []byte {
	if len(d.small.hashes) > 0 {
		b = fmt.Appendf(b, "directories %d %d\n", d.amended, d.anew)
	}
	for _, h := range d.small.hashes {
		b = fmt.Appendf(b, "segment %v\n", h)
	}
	for _, h := range d.large.hashes {
		b = fmt.Appendf(b, "large %v\n", h)
	}
	return b
}

// fit reports whether there are as many as in a log of a size.
func (d *directories) fit(size uint64) bool {
	n := proofs.DirectoriesAt(size)
	return uint64(len(d.small.hashes)) == n && uint64(len(d.large.hashes)) == n/proofs.LargeSegments
}

// madeAt returns what the entry at the place of a segment makes: its directory,
// and that of the large segment that ends with it.
func madeAt(segment uint64) []proofs.SegmentID {
	made := []proofs.SegmentID{{Number: segment}}
	if (segment+1)%proofs.LargeSegments == 0 {
		made = append(made, proofs.SegmentID{Large: true, Number: segment / proofs.LargeSegments})
	}
	return made
}

// judgePlace demands that a directory stands where one must. All places are
// first in a bundle.
func (h *history) judgePlace(c *chunk) {
	first, f := c.first(), &c.facts
	if first < proofs.DirectoryPlace(0) || first%proofs.SegmentSize != 0 || c.skip > 0 {
		return
	}
	if len(f.controls) > 0 && f.controls[0].index == first && f.controls[0].leaf.Kind == proofs.Directory {
		return
	}
	h.directories.lose(first)
	if f.unread > 0 { // it may be among them
		return
	}
	what := "is none"
	if c.withheld {
		what = "is withheld"
	}
	missing := c.at(DirectoryMissing, 0, bundlePlace(c.bundle).String(),
		"Entry %d has to be the directory of segment %d, and %s.", first, first/proofs.SegmentSize-2, what)
	missing.end = int64(first + proofs.SegmentSize) // where the next one stands
	h.found.add(missing)
}

// direct takes over a directory entry.
func (h *history) direct(c control) error {
	body, err := proofs.ParseDirectory(c.leaf.Control)
	if err != nil {
		h.directories.lose(c.index)
		return err
	}
	d, segment := &h.directories, proofs.DirectoriesAt(c.index)
	have, judge := segment, h.judgeAmended
	if c.index == proofs.DirectoryPlace(segment) {
		have, judge = segment+1, h.judgeMade
	}
	switch {
	case body.Segments != have:
		d.lose(c.index)
		h.report(DirectoryFalse, c.index, c.path, "Entry %d commits to the directories of %d segments, and by then %d have one.", c.index, body.Segments, have)
	case !judge(c, body.Made):
		d.lose(c.index)
	}
	if body.Amended != d.amended {
		h.object(DirectoryFalse, c, "says that entry %d was the last one before it that made directories anew, and that was entry %d", body.Amended, d.amended)
	}
	if have == segment {
		d.amended, d.anew = c.index, d.anew+uint64(len(body.Made))
	}
	d.take(body.Made)
	if d.lost == 0 && (body.Small != d.small.root() || body.Large != d.large.root()) {
		h.object(DirectoryFalse, c, "commits to other directories than those that it and the entries before it made")
		d.lose(c.index)
	}
	return nil
}

// judgeMade demands that the entry at the place of a segment makes what is new
// there, and nothing else.
func (h *history) judgeMade(c control, made []proofs.MadeDirectory) bool {
	want := madeAt(proofs.DirectoriesAt(c.index))
	if slices.EqualFunc(made, want, func(m proofs.MadeDirectory, s proofs.SegmentID) bool { return m.Segment == s }) {
		return true
	}
	h.report(DirectoryFalse, c.index, c.path, "Entry %d stands at the place of the directory of %v, and does not make just what is new there.", c.index, want[0])
	return false
}

// judgeAmended demands that directories are made anew only because an erasure
// that is being done took something from them. What they are is known then.
func (h *history) judgeAmended(c control, made []proofs.MadeDirectory) bool {
	if len(made) == 0 {
		h.object(DirectoryFalse, c, "makes no directory, and stands at the place of none")
	}
	for _, m := range made {
		if was, ok := h.directories.of(m.Segment); ok && was == m.Hash {
			h.object(DirectoryFalse, c, "makes the directory of %v anew, and that is as it was", m.Segment)
			break
		}
		if !h.erases(m.Segment) {
			h.object(DirectoryReplaced, c, "makes the directory of %v anew, and no erasure that is announced and not done names an entry of it", m.Segment)
			break
		}
	}
	return true
}

// erases reports whether an erasure that is announced and not done names an
// entry of a segment.
func (r *retention) erases(s proofs.SegmentID) bool {
	for announced, x := range r.opened {
		if x.kind != proofs.Erasure {
			continue
		}
		if e := r.erasureAt(announced); e != nil && e.touches(s) {
			return true
		}
	}
	return false
}

// erasureAt returns the erasure that an entry announced, or a part of which it did.
func (r *retention) erasureAt(announced uint64) *erasure {
	i, _ := slices.BinarySearchFunc(r.erasures, announced, func(e *erasure, at uint64) int { return cmp.Compare(e.announced, at) })
	if i == len(r.erasures) {
		return nil
	}
	return r.erasures[i]
}

// touches reports whether an erasure names an entry of a segment.
func (e *erasure) touches(s proofs.SegmentID) bool {
	touch := func(runs []proofs.Run) bool {
		next, _ := slices.BinarySearchFunc(runs, s.First(), func(r proofs.Run, first uint64) int { return cmp.Compare(r.Last, first) })
		return next < len(runs) && runs[next].First < s.End()
	}
	return touch(e.runs) || touch(e.unread)
}
