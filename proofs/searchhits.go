package proofs

import (
	"cmp"
	"fmt"
	"slices"
)

// checkTail looks through the entries behind the segments one by one.
func (c *searchChecker) checkTail() error {
	tail := c.Tail
	for index := c.behind; index < c.Stop; index++ {
		leaf, ok := c.leaf(index)
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
	if none := len(tags.Lists) == 0; none || slices.ContainsFunc(tags.Lists, hidden) {
		if announced, said := c.closed[index]; !none && said && announced == 0 {
			return false, unverified("it is said to be unread, and some of its tags are shown")
		}
		if err := c.mustBeClosed(index, leaf.Bucket, nil); err != nil {
			return false, err
		}
	}
	if len(tags.Lists) == 0 {
		return false, nil
	}
	var commitments []Hash
	var shown []Tag
	for _, t := range tags.Lists {
		if !t.Shown() {
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
	for i := range c.Query.Terms {
		has, err := c.hasTerm(index, leaf.Bucket, i, shown)
		if err != nil || !has {
			return false, err
		}
	}
	return true, nil
}

// hasTerm reports whether one of the tags of an entry is one that a term asks for.
func (c *searchChecker) hasTerm(index uint64, bucket uint32, term int, tags []Tag) (has bool, err error) {
	for _, tag := range tags {
		for i, v := range c.Query.Terms[term].Values {
			if !slices.Contains(v.Numbers, tag.Field) {
				continue
			}
			want, ok := c.tag(wantedTag{bucketField{bucket, tag.Field}, term, i}, index)
			if !ok {
				return false, unverified("the key of field %d in bucket %d is not shown, or is newer", tag.Field, bucket)
			}
			has = has || want == tag
		}
	}
	return has, nil
}

// checkHits checks that each candidate is shown to be a hit, and no other entry.
func (c *searchChecker) checkHits() error {
	hits := c.Hits
	slices.SortStableFunc(c.candidates, func(a, b candidate) int { return cmp.Compare(a.index, b.index) })
	for _, x := range c.candidates {
		if len(hits) == 0 || hits[0].Index != x.index {
			leaf, ok := c.leaf(x.index)
			if ok && !c.Query.asks(x.index, leaf) {
				continue // its time is not asked for
			}
			if err := c.mustBeClosed(x.index, x.bucket, c.Segments[x.segment].Head.Erased); err != nil {
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
	leaf, ok := c.leaf(hit.Index)
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
	for i, o := range hit.Opened {
		if err := c.checkOpened(hit.Index, leaf, i, o); err != nil {
			return fmt.Errorf("the tag for term %d: %w", i+1, err)
		}
	}
	return nil
}

// checkOpened checks that a tag of an entry is one that a term asks for.
func (c *searchChecker) checkOpened(index uint64, leaf Leaf, term int, o OpenedTag) error {
	err := unverified("it is of another field, or its key is not shown, or is newer")
	for i, v := range c.Query.Terms[term].Values {
		if !slices.Contains(v.Numbers, o.Number) {
			continue
		}
		tag, ok := c.tag(wantedTag{bucketField{leaf.Bucket, o.Number}, term, i}, index)
		if !ok {
			continue
		}
		commitment := CommitTag(&o.Opening, tag)
		if err = CheckInclusion(uint64(o.Position), uint64(o.Count), LeafHash(commitment[:]), o.Path, leaf.T); err == nil {
			return nil
		}
	}
	return err
}
