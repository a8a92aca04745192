package proofs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
)

// A SearchSource is a ledger as [ProveSearch] needs it. All of it is about the
// tree of one checkpoint.
type SearchSource interface {
	NodeReader
	// Leaves returns n leaves from an index on.
	Leaves(ctx context.Context, first, n uint64) ([][]byte, error)

	// Directory returns the last directory entry, and the hashes of all directories
	// that it commits to.
	Directory(ctx context.Context) (index uint64, small, large []Hash, err error)
	// Segment returns the directory of a segment: its head, and the rows of the
	// buckets of a stream, in their order. Of one that has expired they are nil.
	Segment(ctx context.Context, id SegmentID, stream uint32) (DirectoryHead, []BucketRows, error)

	// FieldKey returns the key of a field in a bucket, if it has one.
	FieldKey(bucket uint32, number uint16) (SearchKey, bool)
	// Tags returns all tags of an entry, as far as they can be shown. Where not even
	// the commitments to some of them are known, the proof says what closed the entry.
	// An error that matches [ErrUnread] goes into the proof, which then says that the
	// entry is unread.
	Tags(ctx context.Context, index uint64) (SearchTags, error)

	// Expired returns the announcement of the expiry of a bucket, and Erased that
	// of the last erasure that closed tags of an entry (of its parts the one that
	// names the entry); 0: there is none.
	Expired(bucket uint32) uint64
	Erased(ctx context.Context, index uint64) (uint64, error)

	// Names discloses the settings entries of a stream that name its fields, rising.
	Names(ctx context.Context, stream uint32) ([]SearchNames, error)
}

// ProveSearch returns the proof that [SearchProof.Check] accepts, under a signed
// checkpoint of the size. It goes as far as the directories do; with now it goes
// on to the end, and shows the tags of all entries there.
func ProveSearch(ctx context.Context, q SearchQuery, checkpoint []byte, size uint64, now bool, source SearchSource) (SearchProof, error) {
	p := searchProver{
		SearchSource: source, size: size, covered: DirectoriesAt(size) * SegmentSize, now: now,
		SearchProof: SearchProof{Query: q, Checkpoint: checkpoint},
		entries:     make(map[uint64][]byte), keys: make(map[bucketField]SearchKey),
	}
	for _, step := range []func(context.Context) error{p.showRange, p.showSegments, p.showTail, p.showNames, p.showEntries} {
		if err := step(ctx); err != nil {
			return SearchProof{}, fmt.Errorf("prove search: %w", err)
		}
	}
	return p.SearchProof, nil
}

// A searchProver is a proof as far as it is made.
type searchProver struct {
	SearchProof
	SearchSource
	size, covered uint64 // entries in the tree, and in segments with directories
	now           bool   // what is behind the directories is shown too
	entries       map[uint64][]byte
	keys          map[bucketField]SearchKey
}

// showRange finds where the range of the query begins and ends, and shows the
// entries next to it where time says so.
func (p *searchProver) showRange(ctx context.Context) error {
	q := p.Query
	p.Start, p.Stop = min(q.First, p.size), min(q.End, p.size)
	if q.From > 0 {
		from, err := p.since(ctx, q.From)
		if err != nil {
			return err
		}
		if from > p.Start {
			p.Start = from
			if _, err := p.show(ctx, from-1); err != nil {
				return err
			}
		}
	}
	if q.Until > 0 {
		until, err := p.since(ctx, q.Until)
		if err != nil {
			return err
		}
		if until < p.Stop {
			p.Start, p.Stop = min(p.Start, until), until
			if _, err := p.show(ctx, until); err != nil {
				return err
			}
		}
	}
	if !p.now {
		p.Stop = min(p.Stop, p.covered)
	}
	p.Stop = max(p.Start, p.Stop)
	return nil
}

// since returns the index of the first entry of a time or later.
func (p *searchProver) since(ctx context.Context, time uint64) (index uint64, err error) {
	at := sort.Search(int(p.size), func(i int) bool {
		if err != nil {
			return true
		}
		var leaf Leaf
		leaf, err = p.leaf(ctx, uint64(i))
		return leaf.Time >= time
	})
	return uint64(at), err
}

// read returns n leaves from an index on.
func (p *searchProver) read(ctx context.Context, first, n uint64) ([][]byte, error) {
	leaves, err := p.Leaves(ctx, first, n)
	if err == nil && uint64(len(leaves)) != n {
		err = fmt.Errorf("%d leaves, not %d", len(leaves), n)
	}
	if err != nil {
		return nil, fmt.Errorf("entries from %d on: %w", first, err)
	}
	return leaves, nil
}

func (p *searchProver) leaf(ctx context.Context, index uint64) (Leaf, error) {
	leaves, err := p.read(ctx, index, 1)
	if err != nil {
		return Leaf{}, err
	}
	return ParseLeaf(leaves[0])
}

// show adds an entry to those that the proof shows, and returns its leaf.
func (p *searchProver) show(ctx context.Context, index uint64) (Leaf, error) {
	if p.entries[index] == nil {
		leaves, err := p.read(ctx, index, 1)
		if err != nil {
			return Leaf{}, err
		}
		p.entries[index] = leaves[0]
	}
	return ParseLeaf(p.entries[index])
}

// key returns the key of a field in a bucket, if the log committed to it before
// an index, and shows where.
func (p *searchProver) key(ctx context.Context, at bucketField, before uint64) (*Key256, error) {
	k, shown := p.keys[at]
	if !shown {
		var ok bool
		if k, ok = p.FieldKey(at.bucket, at.field); !ok {
			return nil, nil
		}
	}
	if k.Opened >= before {
		return nil, nil
	}
	if !shown {
		p.keys[at] = k
		if _, err := p.show(ctx, k.Opened); err != nil {
			return nil, err
		}
	}
	return &k.Key, nil
}

func (p *searchProver) showNames(ctx context.Context) (err error) {
	if p.SearchProof.Names, err = p.SearchSource.Names(ctx, p.Query.Stream); err != nil {
		return err
	}
	for _, n := range p.SearchProof.Names {
		if _, err := p.show(ctx, n.Index); err != nil {
			return err
		}
	}
	return nil
}

// showEntries proves that all entries that are shown are in the tree, and lists
// the keys.
func (p *searchProver) showEntries(ctx context.Context) (err error) {
	indices := slices.Sorted(maps.Keys(p.entries))
	for _, index := range indices {
		p.Entries = append(p.Entries, SearchEntry{Index: index, Leaf: p.entries[index]})
	}
	if p.Inclusion, err = ProveSubset(ctx, indices, p.size, p.SearchSource); err != nil {
		return err
	}
	slices.SortFunc(p.Closed, func(a, b ClosedEntry) int { return cmp.Compare(a.Index, b.Index) })
	slices.SortFunc(p.Hits, func(a, b SearchHit) int { return cmp.Compare(a.Index, b.Index) })
	at := slices.SortedFunc(maps.Keys(p.keys), func(a, b bucketField) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.field, b.field))
	})
	for _, x := range at {
		if n := len(p.Keys); n == 0 || p.Keys[n-1].Bucket != x.bucket {
			p.Keys = append(p.Keys, SearchKeys{Bucket: x.bucket})
		}
		last := &p.Keys[len(p.Keys)-1]
		last.Keys = append(last.Keys, p.keys[x])
	}
	return nil
}
