package proofs

import (
	"cmp"
	"fmt"
	"slices"
)

// checkSegments finds the entries that have all terms, as the directories say.
func (c *searchChecker) checkSegments() error {
	for _, s := range c.Segments {
		rows := s.Rows
		for _, b := range s.Head.Buckets {
			if b.Stream != c.Query.Stream {
				continue
			}
			if len(rows) == 0 {
				return unverified("%s: the rows of bucket %d are not shown", s.Head.Segment, b.Bucket)
			}
			if err := c.checkBucket(s.Head.Segment, b, rows[0]); err != nil {
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
func (c *searchChecker) checkBucket(id SegmentID, b DirectoryBucket, rows SearchRows) error {
	if rows.Expired > 0 {
		if c.expiries[b.Bucket] != rows.Expired {
			return unverified("entry %d is not shown, or does not announce that it expires", rows.Expired)
		}
		c.expired[rows.Expired] = true
		return nil
	}
	if err := rows.check(b); err != nil {
		return err
	}
	terms := make([][]uint16, len(c.Query.Terms)) // the positions that have each
	wanted := make(map[Tag]int)
	for i, term := range c.Query.Terms {
		for _, number := range term.Numbers {
			first, last := Tag{Field: number}, Tag{Field: number, Value: [TagSize]byte(slices.Repeat([]byte{0xff}, TagSize))}
			if key, ok := c.keys[bucketField{b.Bucket, number}]; ok {
				first = MakeTag(number, &key, term.Value)
				last = first
			}
			if rows.absent(first, last) {
				continue
			}
			if first != last {
				return unverified("the key of field %d is not shown", number)
			}
			if _, twice := wanted[first]; twice {
				return unverified("two terms are the same")
			}
			wanted[first] = i
		}
	}
	found := rows.Found
	for _, x := range rows.Shown {
		i, ok := wanted[x.Row.Tag]
		if !ok {
			continue
		}
		if len(found) == 0 || RowEntries(&found[0].Salt, found[0].Positions) != x.Row.Entries {
			return unverified("row %d: the entries are not those that it commits to, or not shown", x.Number)
		}
		terms[i] = append(terms[i], found[0].Positions...)
		found = found[1:]
		delete(wanted, x.Row.Tag)
	}
	if len(found) > 0 || len(wanted) > 0 {
		return unverified("a row that is asked for is not shown, or one that is not")
	}
	for _, position := range inAll(terms) {
		index := id.First() + uint64(position)
		if index >= id.End() {
			return unverified("position %d is outside", position)
		}
		if index >= max(c.Start, c.Query.First) && index < min(c.Stop, c.Query.End) {
			c.candidates = append(c.candidates, candidate{index, b.Bucket})
		}
	}
	return nil
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
		numbers[i], hashes[i] = uint64(x.Number), x.Row.leafHash()
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

// absent reports whether the shown rows leave no room for a row from one tag to
// another.
func (r SearchRows) absent(first, last Tag) bool {
	next, _ := slices.BinarySearchFunc(r.Shown, first, func(x SearchRow, tag Tag) int { return compareTags(x.Row.Tag, tag) })
	if next < len(r.Shown) && compareTags(r.Shown[next].Row.Tag, last) <= 0 {
		return false
	}
	before, after := int64(-1), int64(r.Count)
	if next > 0 {
		before = int64(r.Shown[next-1].Number)
	}
	if next < len(r.Shown) {
		after = int64(r.Shown[next].Number)
	}
	return after == before+1
}

// checkTail looks through the entries behind the segments one by one.
func (c *searchChecker) checkTail() error {
	tail := c.Tail
	for index := c.behind; index < c.Stop; index++ {
		leaf, ok := c.leaves[index]
		if !ok {
			return unverified("entry %d is not shown, and no directory has it", index)
		}
		c.verdict.Tail++
		if leaf.Stream != c.Query.Stream || leaf.T == EmptyRoot() {
			continue
		}
		if len(tail) == 0 || tail[0].Index != index {
			return unverified("the tags of entry %d are not shown", index)
		}
		has, err := c.tailHas(index, leaf, tail[0])
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if has && c.Query.asks(index, leaf) {
			c.hits = append(c.hits, index)
		}
		tail = tail[1:]
	}
	if len(tail) > 0 {
		return unverified("the tags of entry %d are not asked for", tail[0].Index)
	}
	return nil
}

// tailHas reports whether an entry has all terms, by its tags.
func (c *searchChecker) tailHas(index uint64, leaf Leaf, tags SearchTags) (bool, error) {
	if len(tags.Lists) == 0 {
		announced, ok := c.expiries[leaf.Bucket]
		if !ok {
			return false, unverified("it has tags, and none is shown")
		}
		c.expired[announced] = true
		return false, nil
	}
	var commitments []Hash
	var shown []Tag
	for _, t := range tags.Lists {
		if !t.Shown() {
			if err := c.mustBeErased(index); err != nil {
				return false, err
			}
			commitments = append(commitments, t.Commitments...)
			continue
		}
		list, err := t.list()
		if err != nil {
			return false, err
		}
		commitments = AppendTagCommitments(commitments, (*Key256)(t.Seed), list)
		shown = append(shown, list...)
	}
	if len(commitments) > MaxTags || TagsRoot(commitments) != leaf.T {
		return false, unverified("the tags are not those that it commits to")
	}
	for _, term := range c.Query.Terms {
		has, err := c.hasTerm(leaf.Bucket, term, shown)
		if err != nil || !has {
			return false, err
		}
	}
	return true, nil
}

func (c *searchChecker) hasTerm(bucket uint32, term SearchTerm, tags []Tag) (has bool, err error) {
	for _, tag := range tags {
		if !slices.Contains(term.Numbers, tag.Field) {
			continue
		}
		key, ok := c.keys[bucketField{bucket, tag.Field}]
		if !ok {
			return false, unverified("the key of field %d in bucket %d is not shown", tag.Field, bucket)
		}
		has = has || MakeTag(tag.Field, &key, term.Value) == tag
	}
	return has, nil
}

// mustBeErased checks that an erasure that is shown closes an entry.
func (c *searchChecker) mustBeErased(index uint64) error {
	for announced, closes := range c.erasures {
		if announced > index && InRuns(closes, index) {
			c.erased[announced] = true
			return nil
		}
	}
	return unverified("it is not shown, and no erasure that is shown closes it")
}

// checkHits checks that each candidate is shown to be a hit, and no other entry.
func (c *searchChecker) checkHits() error {
	hits := c.Hits
	for _, x := range slices.SortedFunc(slices.Values(c.candidates), func(a, b candidate) int { return cmp.Compare(a.index, b.index) }) {
		if len(hits) == 0 || hits[0].Index != x.index {
			leaf, ok := c.leaves[x.index]
			if ok && !c.Query.asks(x.index, leaf) {
				continue // its time is not asked for
			}
			if err := c.mustBeErased(x.index); err != nil {
				return fmt.Errorf("entry %d: %w", x.index, err)
			}
			continue
		}
		if err := c.checkHit(hits[0], x.bucket); err != nil {
			return fmt.Errorf("entry %d: %w", x.index, err)
		}
		c.hits = append(c.hits, x.index)
		hits = hits[1:]
	}
	if len(hits) > 0 {
		return unverified("entry %d is no hit, as the directory says", hits[0].Index)
	}
	return nil
}

func (c *searchChecker) checkHit(hit SearchHit, bucket uint32) error {
	leaf, ok := c.leaves[hit.Index]
	switch {
	case !ok:
		return unverified("its leaf is not shown")
	case leaf.Stream != c.Query.Stream || leaf.Bucket != bucket:
		return unverified("it is of another stream or bucket than its row")
	case !c.Query.asks(hit.Index, leaf):
		return unverified("it is not in the range that is asked for")
	case len(hit.Opened) != len(c.Query.Terms):
		return unverified("%d tags are shown for %d terms", len(hit.Opened), len(c.Query.Terms))
	}
	for i, term := range c.Query.Terms {
		o := hit.Opened[i]
		key, ok := c.keys[bucketField{bucket, o.Number}]
		if !ok || !slices.Contains(term.Numbers, o.Number) {
			return unverified("the tag for term %d is of another field, or its key is not shown", i+1)
		}
		commitment := CommitTag(&o.Opening, MakeTag(o.Number, &key, term.Value))
		if err := CheckInclusion(uint64(o.Position), uint64(o.Count), LeafHash(commitment[:]), o.Path, leaf.T); err != nil {
			return fmt.Errorf("the tag for term %d: %w", i+1, err)
		}
	}
	return nil
}
