package proofs

import (
	"fmt"
	"slices"
)

// What a checker knows of the entries that a proof shows.

// leaf returns the leaf of an entry that is shown.
func (c *searchChecker) leaf(index uint64) (Leaf, bool) {
	i, ok := slices.BinarySearchFunc(c.Entries, index, func(e SearchEntry, index uint64) int {
		switch {
		case e.Index < index:
			return -1
		case e.Index > index:
			return 1
		}
		return 0
	})
	if !ok || i >= len(c.leaves) {
		return Leaf{}, false
	}
	return c.leaves[i], true
}

// checkEntries checks that all entries are in the tree, and finds those that
// close others.
func (c *searchChecker) checkEntries() error {
	indices, hashes := make([]uint64, len(c.Entries)), make([]Hash, len(c.Entries))
	for i, e := range c.Entries {
		leaf, err := ParseLeaf(e.Leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		indices[i], hashes[i], c.leaves = e.Index, LeafHash(e.Leaf), append(c.leaves, leaf)
	}
	checkpoint := c.verdict.Checkpoint
	if err := CheckSubset(indices, hashes, checkpoint.Size, c.Inclusion, checkpoint.Root); err != nil {
		return err
	}
	var x announcement
	for i, leaf := range c.leaves {
		if i > 0 && leaf.Time < c.leaves[i-1].Time {
			return unverified("entry %d is older than entry %d", indices[i], indices[i-1])
		}
		if err := c.readClosing(&x, indices[i], leaf); err != nil {
			return fmt.Errorf("entry %d: %w", indices[i], err)
		}
	}
	return nil
}

// readClosing takes note of what an entry announces to be closed.
func (c *searchChecker) readClosing(x *announcement, index uint64, leaf Leaf) error {
	if index != x.next {
		*x = announcement{} // something in between is not shown
	}
	x.next = index + 1
	switch leaf.Kind {
	case Expiry:
		body, err := ParseExpiry(leaf.Control)
		if err == nil && body.Expired != nil && body.Expired.Now.Size <= index {
			c.expiries[index] = body.Expired
		}
		return err
	case Erasure:
		body, err := ParseErasure(leaf.Control)
		if err != nil || body.Erased == nil {
			return err
		}
		x.add(index, body.Erased)
		if body.Erased.Part == body.Erased.Parts && body.Erased.Stream == c.Query.Stream {
			for i, part := range x.parts {
				c.erasures[x.indices[i]] = part
			}
		}
	}
	return nil
}

// An announcement is of an erasure, as far as its parts are shown one after
// the other.
type announcement struct {
	next    uint64 // index of the entry that must be shown for more
	indices []uint64
	parts   []*ErasedBody
}

// add adds the next part. A part that does not follow the one before begins
// another announcement, of which what came before is no part.
func (x *announcement) add(index uint64, part *ErasedBody) {
	if n := len(x.parts); n > 0 {
		last := x.parts[n-1]
		if part.Part != last.Part+1 || part.Parts != last.Parts || part.Stream != last.Stream || part.Request != last.Request {
			x.indices, x.parts = nil, nil
		}
	}
	x.indices, x.parts = append(x.indices, index), append(x.parts, part)
}

// mustBeClosed checks that something closed an entry, which is none of the
// erasures that are heeded already, or that it is said to be unread.
func (c *searchChecker) mustBeClosed(index uint64, bucket uint32, heeded []uint64) error {
	announced, ok := c.closed[index]
	switch {
	case !ok:
		return unverified("it is not shown, and nothing is named that closed it")
	case announced == 0:
		c.takeUnread(index)
	case announced > index && c.erasures[announced] != nil && c.erasures[announced].Names(index):
		if _, ok := slices.BinarySearch(heeded, announced); ok {
			return unverified("it is not shown, and its directory was made anew behind the erasure of entry %d and still has it", announced)
		}
		c.erased[announced] = true
	case c.expires(announced, bucket, index, index):
		c.expired[announced] = true
	default:
		return unverified("it is not shown, and entry %d does not close it, or not all of its parts are shown", announced)
	}
	delete(c.closed, index)
	return nil
}

// expires reports whether an entry that is shown announces that a bucket with
// entries among those from first to last expires.
func (c *searchChecker) expires(announced uint64, bucket uint32, first, last uint64) bool {
	x := c.expiries[announced]
	return x != nil && x.Bucket == bucket && x.First <= last && x.Last >= first
}

// checkClosed checks that nothing is said to be closed that need not be.
func (c *searchChecker) checkClosed() error {
	for index := range c.closed {
		return unverified("entry %d is said to be closed, and is not looked for", index)
	}
	return nil
}

// checkNames checks what is disclosed of settings.
func (c *searchChecker) checkNames() error {
	c.verdict.Names = make(map[uint64]StreamSettings)
	for i, n := range c.Names {
		if i > 0 && n.Index <= c.Names[i-1].Index {
			return unverified("the settings of entry %d are shown behind those of entry %d", n.Index, c.Names[i-1].Index)
		}
		settings, err := c.streamSettings(n)
		if err != nil {
			return fmt.Errorf("entry %d: %w", n.Index, err)
		}
		c.verdict.Names[n.Index] = settings
	}
	return nil
}

func (c *searchChecker) streamSettings(n SearchNames) (s StreamSettings, err error) {
	leaf, ok := c.leaf(n.Index)
	if !ok || leaf.Kind != Settings {
		return s, unverified("it is not shown, or sets nothing")
	}
	body, err := ParseSettings(leaf.Control)
	if err != nil {
		return s, err
	}
	if body.Stream == nil || body.Stream.Stream != c.Query.Stream {
		return s, unverified("it does not set stream %d", c.Query.Stream)
	}
	d, err := ParseDisclosure(n.Disclosure)
	if err != nil {
		return s, err
	}
	if err := d.Check(leaf); err != nil {
		return s, err
	}
	payload, err := d.Payload()
	if err != nil {
		return s, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return CheckStreamSettings(payload.Data, *body.Stream)
}
