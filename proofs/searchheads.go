package proofs

import "fmt"

// checkHeads checks that the segments follow each other from the start on, and
// that the last directory entry commits to them.
func (c *searchChecker) checkHeads() error {
	c.behind = c.Start
	if len(c.Segments) == 0 {
		if c.Directory > 0 || len(c.Small)+len(c.Large) > 0 {
			return unverified("a directory is shown for no segment")
		}
		return nil
	}
	var small, large []uint64
	var smallHashes, largeHashes []Hash
	for i, s := range c.Segments {
		id := s.Head.Segment
		if c.behind >= c.Stop || id.First() > c.behind || id.End() <= c.behind || i > 0 && id.First() != c.behind {
			return unverified("%s does not follow at entry %d", id, c.behind)
		}
		c.behind = id.End()
		hash, err := s.Head.Hash()
		if err != nil {
			return err
		}
		c.verdict.Directories = append(c.verdict.Directories, MadeDirectory{id, hash})
		if id.Large {
			large, largeHashes = append(large, id.Number), append(largeHashes, LeafHash(hash[:]))
		} else {
			small, smallHashes = append(small, id.Number), append(smallHashes, LeafHash(hash[:]))
		}
		for _, index := range s.Head.Erased {
			c.erased[index] = true
		}
	}
	body, err := c.directory()
	if err != nil {
		return err
	}
	if err := CheckSubset(small, smallHashes, body.Segments, c.Small, body.Small); err != nil {
		return fmt.Errorf("directories of small segments: %w", err)
	}
	if err := CheckSubset(large, largeHashes, body.LargeSegments(), c.Large, body.Large); err != nil {
		return fmt.Errorf("directories of large segments: %w", err)
	}
	return nil
}

// directory returns the directory entry, which has to be the last one that has
// a place of its own in the tree, or to come after it.
func (c *searchChecker) directory() (body DirectoryBody, err error) {
	leaf, ok := c.leaf(c.Directory)
	if !ok || leaf.Kind != Directory {
		return body, unverified("entry %d is not shown, or is no directory", c.Directory)
	}
	if body, err = ParseDirectory(leaf.Control); err != nil {
		return body, fmt.Errorf("entry %d: %w", c.Directory, err)
	}
	n := DirectoriesAt(c.verdict.Checkpoint.Size)
	if n == 0 || c.Directory < DirectoryPlace(n-1) || body.Segments != n {
		return body, unverified("the directory of entry %d is not the last one of a tree of size %d", c.Directory, c.verdict.Checkpoint.Size)
	}
	c.verdict.Directory = c.Directory
	return body, nil
}

// checkTimes checks that the times of the segments are those of the leaves, as
// far as these are shown, and do not go back.
func (c *searchChecker) checkTimes() error {
	next, last := 0, uint64(0)
	for _, s := range c.Segments {
		h, id := s.Head, s.Head.Segment
		if h.FirstTime < last {
			return unverified("%s begins before the one before it ends", id)
		}
		last = h.LastTime
		for ; next < len(c.Entries) && c.Entries[next].Index < id.End(); next++ {
			index, time := c.Entries[next].Index, c.leaves[next].Time
			switch {
			case index < id.First():
			case time < h.FirstTime || time > h.LastTime,
				index == id.First() && time != h.FirstTime, index == id.End()-1 && time != h.LastTime:
				return unverified("%s has other times than entry %d", id, index)
			}
		}
	}
	return nil
}
