package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// compare compares the directory that was made again with the one that the log
// commits to.
func (r *RecomputedDirectory) compare(s *State, committed proofs.Hash, shown ShownDirectory) {
	if r.partial && r.NotJudged == "" {
		r.NotJudged = fmt.Sprintf("the directory of %v: not all tags are shown that it is made of", r.Segment)
	}
	if r.NotJudged != "" {
		return
	}
	if hash, err := shown.Head.Hash(); err != nil || hash != committed {
		r.find(DirectoryUnshown, "The ledger shows another directory of %v than the one that the log commits to, or none.", r.Segment)
		return
	}
	r.compareHead(s, shown)
}

// compareHead compares it with a head that the log commits to.
func (r *RecomputedDirectory) compareHead(s *State, shown ShownDirectory) {
	head := shown.Head
	if head.Segment != r.Segment {
		r.wrong("is that of %v", head.Segment)
		return
	}
	if head.FirstTime != r.times[0] || head.LastTime != r.times[1] {
		r.wrong("says that its entries are from %s to %s, and they are from %s to %s",
			micros(head.FirstTime), micros(head.LastTime), micros(r.times[0]), micros(r.times[1]))
	}
	if r.only == 0 { // else the search proof names them
		r.findUnread(head)
	}
	r.compareErased(s, head.Erased)
	r.compareBuckets(shown)
}

// compareErased demands that the erasures that took tags are named, and none else.
func (r *RecomputedDirectory) compareErased(s *State, announced []uint64) {
	left := r.hidden
	for _, at := range announced {
		e := s.erasureAt(at)
		if r.only > 0 && (e == nil || e.stream != r.only) {
			continue // it is about another stream
		}
		named := func(index uint64) bool { return e != nil && proofs.InRuns(e.runs, index) }
		if !slices.ContainsFunc(r.hidden, named) {
			r.wrong("says that entry %d announced an erasure that took tags from it, and it took none", at)
		}
		left = slices.DeleteFunc(slices.Clone(left), named)
	}
	if len(left) > 0 {
		r.wrong("does not name the erasure that took tags from entry %d", left[0])
	}
}

// compareBuckets compares the rows of each bucket that has not expired.
func (r *RecomputedDirectory) compareBuckets(shown ShownDirectory) {
	theirs := make(map[uint32]proofs.DirectoryBucket)
	for _, b := range shown.Head.Buckets {
		theirs[b.Bucket] = b
	}
	for _, ours := range r.rows {
		b, ok := theirs[ours.Bucket]
		delete(theirs, ours.Bucket)
		switch {
		case !ok:
			r.wrong("leaves out bucket %d, of which %s has tags", ours.Bucket, r.entries(append(slices.Clone(ours.Unread), firstPositions(ours)...)))
		case b.Stream != ours.Stream:
			r.wrong("says that bucket %d is of stream %d, and it is of stream %d", b.Bucket, b.Stream, ours.Stream)
		case !slices.Equal(b.Unread, ours.Unread):
			r.compareUnread(ours, b.Unread)
		case b.Rows != ours.Hash():
			r.wrong("has other rows of bucket %d than the tags make: %s", b.Bucket, r.difference(ours, b.Rows, shown.Rows[b.Bucket]))
		}
	}
	for _, b := range shown.Head.Buckets {
		if _, left := theirs[b.Bucket]; left && !r.expired[b.Bucket] && (r.only == 0 || b.Stream == r.only) {
			r.wrong("has rows of bucket %d, of which no entry in it has tags", b.Bucket)
		}
	}
}

// difference names the first row that is not as it should be.
func (r *RecomputedDirectory) difference(ours *proofs.DirectoryRows, committed proofs.Hash, theirs []proofs.DirectoryRow) string {
	if theirs == nil {
		return "they are not shown"
	}
	if proofs.HashRows(theirs) != committed {
		return "those that are shown are not the ones that it commits to either"
	}
	for i := range max(ours.Len(), len(theirs)) {
		var row proofs.DirectoryRow
		order := 1 // of what they have: behind ours
		if i < len(theirs) {
			row, order = theirs[i], -1
			if i < ours.Len() {
				order = compareTags(row.Tag, ours.Tag(i))
			}
		}
		switch {
		case i+1 < len(theirs) && row.Tag == theirs[i+1].Tag:
			return fmt.Sprintf("the rows %d and %d are both of %s: it was split", i, i+1, tagName(row.Tag))
		case i > 0 && i < len(theirs) && compareTags(row.Tag, theirs[i-1].Tag) < 0:
			return fmt.Sprintf("row %d is of %s, which belongs before the one before it", i, tagName(row.Tag))
		case order > 0:
			return fmt.Sprintf("there is no row %d of %s, which %s has", i, tagName(ours.Tag(i)), r.entries(ours.Positions(i)))
		case order < 0:
			return fmt.Sprintf("row %d is of %s, which no entry has", i, tagName(row.Tag))
		case row != ours.Row(i):
			return fmt.Sprintf("row %d, of %s, does not lead to %s, which has it, or to more, or is not salted with all tags", i, tagName(row.Tag), r.entries(ours.Positions(i)))
		}
	}
	return "by what only their count can tell"
}

func compareTags(a, b proofs.Tag) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), bytes.Compare(a.Value[:], b.Value[:]))
}

func tagName(t proofs.Tag) string { return fmt.Sprintf("the tag %x of field %d", t.Value, t.Field) }

// firstPositions returns the positions of the first row, if there is one.
func firstPositions(r *proofs.DirectoryRows) []uint16 {
	if r.Len() == 0 {
		return nil
	}
	return r.Positions(0)
}

// entries names the entries at positions, the first few.
func (r *RecomputedDirectory) entries(positions []uint16) string {
	var indices []uint64
	for _, p := range positions {
		indices = append(indices, r.Segment.First()+uint64(p))
	}
	return entryList(indices)
}

// entryList names entries, the first few.
func entryList(indices []uint64) string {
	var words []string
	for i, index := range indices {
		if i == 3 {
			return "entry " + strings.Join(words, ", ") + fmt.Sprintf(" and %d more", len(indices)-i)
		}
		words = append(words, fmt.Sprint(index))
	}
	return "entry " + strings.Join(words, ", ")
}

func (r *RecomputedDirectory) wrong(format string, args ...any) {
	r.find(DirectoryWrong, "The directory of %v "+format+".", append([]any{r.Segment}, args...)...)
}

func (r *RecomputedDirectory) find(kind FindingKind, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Kind: kind, Index: int64(r.Segment.First()), Last: int64(r.Segment.End() - 1), Detail: fmt.Sprintf(format, args...)})
}
