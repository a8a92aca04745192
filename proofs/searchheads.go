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
	var numbers [2][]uint64 // of small and of large segments
	var hashes [2][]Hash
	streams := make(map[uint32]uint32) // of buckets
	for i, s := range c.Segments {
		id := s.Head.Segment
		if i > 0 && id.First() != c.behind {
			return unverified("%s does not follow at entry %d", id, c.behind)
		}
		if err := c.checkHead(s.Head, streams); err != nil {
			return err
		}
		hash, err := s.Head.Hash()
		if err != nil {
			return err
		}
		c.verdict.Directories = append(c.verdict.Directories, MadeDirectory{id, hash})
		size := boolByte(id.Large)
		numbers[size], hashes[size] = append(numbers[size], id.Number), append(hashes[size], LeafHash(hash[:]))
	}
	body, err := c.directory()
	if err != nil {
		return err
	}
	if err := CheckSubset(numbers[0], hashes[0], body.Segments, c.Small, body.Small); err != nil {
		return fmt.Errorf("directories of small segments: %w", err)
	}
	if err := CheckSubset(numbers[1], hashes[1], body.LargeSegments(), c.Large, body.Large); err != nil {
		return fmt.Errorf("directories of large segments: %w", err)
	}
	return nil
}

// checkHead checks that a segment has entries that are not looked through yet,
// and that its buckets are of the streams that they were of before.
func (c *searchChecker) checkHead(h DirectoryHead, streams map[uint32]uint32) error {
	id := h.Segment
	if c.behind >= c.Stop || id.First() > c.behind || id.End() <= c.behind {
		return unverified("%s does not follow at entry %d", id, c.behind)
	}
	c.behind = id.End()
	for _, index := range h.Erased {
		c.erased[index] = true
	}
	for _, b := range h.Buckets {
		if stream, known := streams[b.Bucket]; known && stream != b.Stream {
			return unverified("%s: bucket %d is of stream %d, and was of stream %d", id, b.Bucket, b.Stream, stream)
		}
		streams[b.Bucket] = b.Stream
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
