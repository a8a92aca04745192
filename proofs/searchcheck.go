package proofs

import (
	"fmt"
	"maps"
	"slices"
)

// A SearchVerdict is what a search proof shows.
type SearchVerdict struct {
	Verdict          // of its checkpoint
	Hits    []uint64 // the answer: all entries that the query asks for, rising

	// Start and Stop bound the entries that were looked through. Complete reports
	// whether these are all of the tree that the query asks for; if not, entries
	// from Stop on may be more of it.
	Start, Stop uint64
	Complete    bool

	// Directories are what the answer rests on, beside the tree: that each has
	// a row for every tag is for others to vouch for, or to compute again.
	Directories []MadeDirectory
	Directory   uint64 // index of the entry that commits to them; 0: none is needed
	Tail        uint64 // entries that were looked through one by one

	// Expired and Erased are the announcements of what closed entries that were
	// looked for: of these nobody can tell whether they would be among the hits.
	Expired, Erased []uint64

	// Names are the settings entries of the stream that the proof discloses.
	Names map[uint64]StreamSettings
}

// Check checks that the proof shows the answer to its query, with everything
// that has to be so, without any keys but those that it brings along:
//
//   - the policy believes the checkpoint, and all entries are in its tree;
//   - entries before Start and from Stop on are not in the query's range, by their
//     index or, as time never decreases, by the entries next to them;
//   - the log committed to each field key, in an entry that opened the bucket;
//   - the heads are those of all segments from Start on, and the last directory
//     entry that this checkpoint can have commits to them;
//   - of each term the rows are in the directory, with all their entries, or two
//     rows that are next to each other leave no room for one;
//   - of all entries behind the segments the tags are shown that T commits to;
//   - each entry that has all terms is shown to have them: T commits to the tags;
//   - what cannot be shown was closed by an announced expiry or erasure.
//
// That the directories are right, and that no field had another number under the
// same name at another time, is not for the proof to show. The error matches
// [ErrMalformed] or [ErrNotVerified].
func (p SearchProof) Check(policy *Policy) (SearchVerdict, error) {
	if len(p.Query.Terms) == 0 {
		return SearchVerdict{}, fmt.Errorf("%w: search proof: its query has no terms", ErrMalformed)
	}
	v, err := policy.Check(p.Checkpoint)
	if err != nil {
		return SearchVerdict{}, err
	}
	c := searchChecker{SearchProof: p, verdict: SearchVerdict{Verdict: v, Start: p.Start, Stop: p.Stop}}
	for _, step := range []func() error{c.checkEntries, c.checkRange, c.checkKeys, c.checkHeads, c.checkSegments, c.checkTail, c.checkHits, c.checkNames} {
		if err := step(); err != nil {
			return SearchVerdict{}, fmt.Errorf("search proof: %w", err)
		}
	}
	c.verdict.Hits = slices.Sorted(slices.Values(c.hits))
	c.verdict.Expired = slices.Sorted(maps.Keys(c.expired))
	c.verdict.Erased = slices.Sorted(maps.Keys(c.erased))
	return c.verdict, nil
}

// A searchChecker is a proof under examination, and what was found of it so far.
type searchChecker struct {
	SearchProof
	verdict  SearchVerdict
	leaves   map[uint64]Leaf
	keys     map[bucketField]Key256
	expiries map[uint32]uint64 // of buckets, among the entries: the index of the announcement
	erasures map[uint64][]Run  // and those of entries of the stream: what each closes

	behind          uint64 // index behind the last segment
	candidates      []candidate
	hits            []uint64
	expired, erased map[uint64]bool
}

type bucketField struct {
	bucket uint32
	field  uint16
}

// A candidate has all terms, as directories say.
type candidate struct {
	index  uint64
	bucket uint32
}

func unverified(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrNotVerified, fmt.Errorf(format, args...))
}

func (c *searchChecker) checkEntries() error {
	c.leaves, c.expiries, c.erasures = make(map[uint64]Leaf), make(map[uint32]uint64), make(map[uint64][]Run)
	c.expired, c.erased = make(map[uint64]bool), make(map[uint64]bool)
	indices, hashes := make([]uint64, len(c.Entries)), make([]Hash, len(c.Entries))
	for i, e := range c.Entries {
		leaf, err := ParseLeaf(e.Leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		indices[i], hashes[i], c.leaves[e.Index] = e.Index, LeafHash(e.Leaf), leaf
		if err := c.readClosing(e.Index, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
	}
	checkpoint := c.verdict.Checkpoint
	return CheckSubset(indices, hashes, checkpoint.Size, c.Inclusion, checkpoint.Root)
}

// readClosing takes note of what an entry announces to be closed.
func (c *searchChecker) readClosing(index uint64, leaf Leaf) error {
	switch leaf.Kind {
	case Expiry:
		body, err := ParseExpiry(leaf.Control)
		if err == nil && body.Expired != nil {
			c.expiries[body.Expired.Bucket] = index
		}
		return err
	case Erasure:
		body, err := ParseErasure(leaf.Control)
		if err == nil && body.Erased != nil && body.Erased.Stream == c.Query.Stream {
			c.erasures[index] = body.Erased.Closes
		}
		return err
	}
	return nil
}

// checkRange checks that nothing that is asked for is before the start, and
// finds out whether that is so behind the stop too.
func (c *searchChecker) checkRange() error {
	q := c.Query
	size := c.verdict.Checkpoint.Size
	if c.Stop > size {
		return unverified("entries up to %d are not in a tree of size %d", c.Stop, size)
	}
	if c.Start > q.First {
		before, ok := c.leaves[c.Start-1]
		if !ok || before.Time >= q.From {
			return unverified("it begins at entry %d, and the entries before may be asked for too", c.Start)
		}
	}
	next, ok := c.leaves[c.Stop]
	c.verdict.Complete = c.Stop >= min(q.End, size) || ok && q.Until > 0 && next.Time >= q.Until
	return nil
}

func (c *searchChecker) checkKeys() error {
	c.keys = make(map[bucketField]Key256)
	for _, b := range c.Keys {
		for _, k := range b.Keys {
			leaf, ok := c.leaves[k.Opened]
			if !ok || leaf.Kind != BucketOpened {
				return unverified("entry %d, which should commit to a key of bucket %d, is not shown or is none", k.Opened, b.Bucket)
			}
			body, err := ParseBucket(leaf.Control)
			if err != nil {
				return fmt.Errorf("entry %d: %w", k.Opened, err)
			}
			committed := FieldKeyBody{Field: k.Number, Hash: FieldKeyHash(&k.Key)}
			if body.Bucket != b.Bucket || body.Stream != c.Query.Stream || !slices.Contains(body.Keys, committed) {
				return unverified("entry %d commits to another key of field %d, or for another bucket than %d", k.Opened, k.Number, b.Bucket)
			}
			c.keys[bucketField{b.Bucket, k.Number}] = k.Key
		}
	}
	return nil
}

// checkHeads checks that the segments follow each other from the start on, and
// that the last directory entry commits to them.
func (c *searchChecker) checkHeads() error {
	c.behind = c.Start
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
	if len(c.Segments) == 0 {
		return nil
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
	leaf, ok := c.leaves[c.Directory]
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

// checkNames checks what is disclosed of settings.
func (c *searchChecker) checkNames() error {
	c.verdict.Names = make(map[uint64]StreamSettings)
	for _, n := range c.Names {
		leaf, ok := c.leaves[n.Index]
		if !ok || leaf.Kind != Settings {
			return unverified("entry %d is not shown, or sets nothing", n.Index)
		}
		body, err := ParseSettings(leaf.Control)
		if err != nil {
			return fmt.Errorf("entry %d: %w", n.Index, err)
		}
		if body.Stream == nil || body.Stream.Stream != c.Query.Stream {
			return unverified("entry %d does not set stream %d", n.Index, c.Query.Stream)
		}
		d, err := ParseDisclosure(n.Disclosure)
		if err == nil {
			err = d.Check(leaf)
		}
		var payload Part
		if err == nil {
			payload, err = d.Payload()
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", n.Index, err)
		}
		if c.verdict.Names[n.Index], err = CheckStreamSettings(payload.Data, *body.Stream); err != nil {
			return fmt.Errorf("entry %d: %w", n.Index, err)
		}
	}
	return nil
}
