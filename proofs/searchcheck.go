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

	// Start and Stop bound the entries that were looked through, save those that
	// are unread. More reports whether entries from Stop on may be asked for too.
	Start, Stop uint64
	More        bool

	// Unread are entries of the stream, in the range that is asked for, of which
	// the ledger says that it could not read them: they may be more hits.
	Unread []Run

	// Complete reports whether all entries of the tree that the query asks for were
	// looked through: there are no more, and none is unread. What is closed does
	// not count.
	Complete bool

	// Directories are what the answer rests on, beside the tree: that each has
	// a row for every tag is for others to vouch for, or to compute again.
	Directories []MadeDirectory
	Directory   uint64 // index of the entry that commits to them; 0: none is needed
	Tail        uint64 // entries that were looked through one by one

	// Expired and Erased are the announcements of what closed entries that were
	// looked for: of these nobody can tell whether they would be among the hits.
	// Erased has all that the directories name, also those of other streams.
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
//   - the log committed to each field key, in an entry that opened the bucket,
//     before there was any tag of the field;
//   - the heads are those of all segments from Start on, and a directory entry
//     that is not older than the last one with a place commits to them;
//   - of each value the rows are in the directory, with all their entries, or two
//     rows that are next to each other leave no room for one;
//   - of all entries behind the segments the tags are shown that T commits to;
//   - each entry that has one of the values of each term is shown to have them: T commits to the tags;
//   - what cannot be shown was closed by an announced expiry or erasure, which
//     names it, and which a directory made anew has not heeded already; or the
//     verdict says that it is unread.
//
// That the directories are right, that the log committed to one key of a field
// in each bucket only, and that no field had another number under the same name
// at another time, is not for the proof to show. That the query is the one that
// was asked is for the caller to see. It takes time in proportion to the length
// of the proof, times that of the query. The error matches [ErrMalformed] or
// [ErrNotVerified].
func (p SearchProof) Check(policy *Policy) (SearchVerdict, error) {
	if err := p.Query.check(); err != nil {
		return SearchVerdict{}, err
	}
	v, err := policy.Check(p.Checkpoint)
	if err != nil {
		return SearchVerdict{}, err
	}
	c := newSearchChecker(p, v)
	for _, step := range []func() error{
		c.checkEntries, c.checkRange, c.checkKeys, c.checkHeads, c.checkTimes, c.checkSegments, c.checkTail, c.checkHits, c.checkClosed, c.checkNames,
	} {
		if err := step(); err != nil {
			return SearchVerdict{}, fmt.Errorf("search proof: %w", err)
		}
	}
	c.verdict.Hits = slices.Sorted(slices.Values(c.hits))
	c.verdict.Expired = slices.Sorted(maps.Keys(c.expired))
	c.verdict.Erased = slices.Sorted(maps.Keys(c.erased))
	slices.Sort(c.unread)
	c.verdict.Unread = RunsOf(slices.Compact(c.unread))
	c.verdict.Complete = !c.verdict.More && len(c.unread) == 0
	return c.verdict, nil
}

// A searchChecker is a proof under examination, and what was found of it so far.
type searchChecker struct {
	SearchProof
	verdict  SearchVerdict
	leaves   []Leaf // of the entries
	keys     map[bucketField]SearchKey
	tags     map[wantedTag]Tag
	expiries map[uint64]*ExpiredBody // that are shown, by the index of the announcement
	erasures map[uint64]*ErasedBody  // and those of entries of the stream

	behind          uint64 // index behind the last segment
	candidates      []candidate
	hits            []uint64
	closed          map[uint64]uint64 // of entries: what is said to have closed them, and was not needed yet
	expired, erased map[uint64]bool   // announcements that count
	unread          []uint64
}

type bucketField struct {
	bucket uint32
	field  uint16
}

// A wantedTag is one that a term asks for.
type wantedTag struct {
	bucketField
	term, value int
}

// A candidate has all terms, as the directory of a segment says.
type candidate struct {
	index   uint64
	bucket  uint32
	segment int
}

func newSearchChecker(p SearchProof, v Verdict) *searchChecker {
	c := &searchChecker{
		SearchProof: p, verdict: SearchVerdict{Verdict: v, Start: p.Start, Stop: p.Stop}, leaves: make([]Leaf, 0, len(p.Entries)),
		keys: make(map[bucketField]SearchKey), tags: make(map[wantedTag]Tag),
		expiries: make(map[uint64]*ExpiredBody), erasures: make(map[uint64]*ErasedBody),
		closed: make(map[uint64]uint64), expired: make(map[uint64]bool), erased: make(map[uint64]bool),
	}
	for _, x := range p.Closed {
		c.closed[x.Index] = x.Announced
	}
	return c
}

func unverified(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrNotVerified, fmt.Errorf(format, args...))
}

// checkRange checks that nothing that is asked for is before the start, and
// finds out whether that is so behind the stop too.
func (c *searchChecker) checkRange() error {
	q := c.Query
	size := c.verdict.Checkpoint.Size
	if c.Start > c.Stop || c.Stop > size {
		return unverified("entries from %d up to %d are not in a tree of size %d", c.Start, c.Stop, size)
	}
	if c.Start > q.First {
		before, ok := c.leaf(c.Start - 1)
		if !ok || before.Time >= q.From {
			return unverified("it begins at entry %d, and the entries before may be asked for too", c.Start)
		}
	}
	next, ok := c.leaf(c.Stop)
	c.verdict.More = c.Stop < min(q.End, size) && !(ok && q.Until > 0 && next.Time >= q.Until)
	return nil
}

// checkKeys checks that the log committed to all keys, which are of fields that
// are asked for.
func (c *searchChecker) checkKeys() error {
	bodies := make(map[uint64]BucketBody)
	for _, b := range c.Keys {
		for _, k := range b.Keys {
			body, ok := bodies[k.Opened]
			if !ok {
				leaf, ok := c.leaf(k.Opened)
				if !ok || leaf.Kind != BucketOpened {
					return unverified("entry %d, which should commit to a key of bucket %d, is not shown or is none", k.Opened, b.Bucket)
				}
				var err error
				if body, err = ParseBucket(leaf.Control); err != nil {
					return fmt.Errorf("entry %d: %w", k.Opened, err)
				}
				bodies[k.Opened] = body
			}
			if body.Bucket != b.Bucket || body.Stream != c.Query.Stream || !body.commits(k) {
				return unverified("entry %d commits to another key of field %d, or for another bucket than %d", k.Opened, k.Number, b.Bucket)
			}
			if !c.Query.asksFor(k.Number) {
				return unverified("the key of field %d is not asked for", k.Number)
			}
			c.keys[bucketField{b.Bucket, k.Number}] = k
		}
	}
	return nil
}

// commits reports whether the body commits to a key.
func (o BucketBody) commits(k SearchKey) bool {
	i, ok := slices.BinarySearchFunc(o.Keys, k.Number, func(x FieldKeyBody, n uint16) int { return int(x.Field) - int(n) })
	return ok && o.Keys[i].Hash == FieldKeyHash(&k.Key)
}

// tag returns a wanted tag, where the key of the field is shown and the log
// committed to it before an index.
func (c *searchChecker) tag(w wantedTag, before uint64) (Tag, bool) {
	key, ok := c.keys[w.bucketField]
	if !ok || key.Opened >= before {
		return Tag{}, false
	}
	tag, ok := c.tags[w]
	if !ok {
		tag = MakeTag(w.field, &key.Key, c.Query.Terms[w.term].Values[w.value].Value)
		c.tags[w] = tag
	}
	return tag, true
}
