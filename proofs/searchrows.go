package proofs

import (
	"bytes"
	"fmt"
	"slices"
)

// checkSegments finds the entries that have all terms, as the directories say.
func (c *searchChecker) checkSegments() error {
	for i, s := range c.Segments {
		rows := s.Rows
		for _, b := range s.Head.Buckets {
			if b.Stream != c.Query.Stream {
				continue
			}
			if len(rows) == 0 {
				return unverified("%s: the rows of bucket %d are not shown", s.Head.Segment, b.Bucket)
			}
			if err := c.checkBucket(i, b, rows[0]); err != nil {
				return fmt.Errorf("%s: bucket %d: %w", s.Head.Segment, b.Bucket, err)
			}
			rows = rows[1:]
		}
		if len(rows) > 0 {
			return unverified("%s: it shows rows of more buckets than the stream has there", s.Head.Segment)
		}
	}
	return nil
}

// checkBucket finds the candidates of one bucket in a segment.
func (c *searchChecker) checkBucket(segment int, b DirectoryBucket, rows SearchRows) error {
	id := c.Segments[segment].Head.Segment
	if rows.Expired > 0 {
		if !c.expires(rows.Expired, b.Bucket, id.First(), id.End()-1) {
			return unverified("entry %d is not shown, or does not announce that it expires", rows.Expired)
		}
		c.expired[rows.Expired] = true
		return nil
	}
	if err := rows.check(b); err != nil {
		return err
	}
	for _, p := range b.Unread {
		c.takeUnread(id.First() + uint64(p))
	}
	terms, err := c.positions(id, b.Bucket, rows)
	if err != nil {
		return err
	}
	for _, position := range inAll(terms) {
		index := id.First() + uint64(position)
		if index >= id.End() {
			return unverified("position %d is outside", position)
		}
		if c.inRange(index) {
			c.candidates = append(c.candidates, candidate{index, b.Bucket, segment})
		}
	}
	return nil
}

// inRange reports whether an index is one that is looked through and asked for.
func (c *searchChecker) inRange(index uint64) bool {
	return index >= max(c.Start, c.Query.First) && index < min(c.Stop, c.Query.End)
}

// takeUnread takes note of an entry that the ledger could not read, if it may be
// asked for.
func (c *searchChecker) takeUnread(index uint64) {
	leaf, shown := c.leaf(index)
	if c.inRange(index) && (!shown || c.Query.asks(index, leaf)) {
		c.unread = append(c.unread, index)
	}
}

// positions returns the positions that have each term.
func (c *searchChecker) positions(id SegmentID, bucket uint32, rows SearchRows) ([][]uint16, error) {
	asked := make([][]int, len(c.Query.Terms)) // of each term, which of the shown rows
	for _, w := range c.wanted(bucket) {
		tag, known := c.tag(w, id.End())
		at, err := rows.findAsked(w.field, tag, known)
		if err != nil {
			return nil, err
		}
		if at >= 0 {
			asked[w.term] = append(asked[w.term], at)
		}
	}
	all := slices.Concat(asked...)
	slices.Sort(all)
	all = slices.Compact(all)
	if err := rows.checkFound(all); err != nil {
		return nil, err
	}
	terms := make([][]uint16, len(asked))
	for i, list := range asked {
		for _, at := range list {
			k, _ := slices.BinarySearch(all, at)
			terms[i] = append(terms[i], rows.Found[k].Positions...)
		}
	}
	return terms, nil
}

// wanted returns the tags of a bucket that the terms ask for.
func (c *searchChecker) wanted(bucket uint32) (all []wantedTag) {
	for i, term := range c.Query.Terms {
		for j, v := range term.Values {
			for _, number := range v.Numbers {
				all = append(all, wantedTag{bucketField{bucket, number}, i, j})
			}
		}
	}
	return all
}

// inAll returns the positions that are in all lists.
func inAll(lists [][]uint16) []uint16 {
	slices.Sort(lists[0])
	all := slices.Compact(lists[0])
	for _, list := range lists[1:] {
		slices.Sort(list)
		all = slices.DeleteFunc(all, func(p uint16) bool {
			_, found := slices.BinarySearch(list, p)
			return !found
		})
	}
	return all
}

// check checks that the shown rows are in the directory, sorted.
func (r SearchRows) check(b DirectoryBucket) error {
	numbers, hashes := make([]uint64, len(r.Shown)), make([]Hash, len(r.Shown))
	for i, x := range r.Shown {
		numbers[i], hashes[i] = uint64(x.Number), x.Row.LeafHash()
		if i > 0 && compareTags(r.Shown[i-1].Row.Tag, x.Row.Tag) >= 0 {
			return unverified("row %d is not behind the one before", x.Number)
		}
	}
	root, err := subsetRoot(numbers, hashes, uint64(r.Count), r.Proof)
	if err != nil {
		return err
	}
	if rowsHash(r.Count, root) != b.Rows {
		return unverified("the rows are not those of the directory")
	}
	return nil
}

// findAsked returns which of the shown rows has a tag, or -1 where they show
// that there is none. Where the key of the field is not known, and so the tag
// neither, there must be no row of the field.
func (r SearchRows) findAsked(number uint16, tag Tag, known bool) (int, error) {
	first, last := tag, tag
	if !known {
		first = Tag{Field: number}
		last = Tag{Field: number, Value: [TagSize]byte(bytes.Repeat([]byte{0xff}, TagSize))}
	}
	at := r.place(first)
	if r.absent(at, last) {
		return -1, nil
	}
	if !known {
		return 0, unverified("the key of field %d is not shown, or is newer than the segment", number)
	}
	if at == len(r.Shown) || r.Shown[at].Row.Tag != tag {
		return 0, unverified("a row that is asked for is not shown")
	}
	return at, nil
}

// place returns which of the shown rows is the first that is not before a tag.
func (r SearchRows) place(tag Tag) int {
	at, _ := slices.BinarySearchFunc(r.Shown, tag, func(x SearchRow, tag Tag) int { return compareTags(x.Row.Tag, tag) })
	return at
}

// absent reports whether the shown rows leave no room before the next of them,
// which is behind the last tag.
func (r SearchRows) absent(next int, last Tag) bool {
	before, after := int64(-1), int64(r.Count)
	if next < len(r.Shown) {
		if compareTags(r.Shown[next].Row.Tag, last) <= 0 {
			return false
		}
		after = int64(r.Shown[next].Number)
	}
	if next > 0 {
		before = int64(r.Shown[next-1].Number)
	}
	return after == before+1
}

// checkFound checks that the entries of some shown rows are shown, and no others.
func (r SearchRows) checkFound(asked []int) error {
	if len(r.Found) != len(asked) {
		return unverified("entries of %d rows are shown, and %d are asked for", len(r.Found), len(asked))
	}
	for i, at := range asked {
		if f := r.Found[i]; len(f.Positions) == 0 || RowEntries(&f.Salt, f.Positions) != r.Shown[at].Row.Entries {
			return unverified("row %d: the entries are not those that it commits to", r.Shown[at].Number)
		}
	}
	return nil
}
