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
	Segment(ctx context.Context, id SegmentID, stream uint32) (DirectoryHead, []*DirectoryRows, error)

	// FieldKey returns the key of a field in a bucket, if it has one.
	FieldKey(bucket uint32, number uint16) (SearchKey, bool)
	// Tags returns all tags of an entry, as far as they can be shown, none if its bucket
	// has expired.
	Tags(ctx context.Context, index uint64) (SearchTags, error)

	// Expired returns the announcement of the expiry of a bucket, and Erased that
	// of the erasure that closed tags of an entry; 0: there is none.
	Expired(bucket uint32) uint64
	Erased(ctx context.Context, index uint64) (uint64, error)

	// Names discloses the settings entries of a stream that name its fields.
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
			if err := p.show(ctx, from-1); err != nil {
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
			p.Stop = until
			if err := p.show(ctx, until); err != nil {
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

func (p *searchProver) leaf(ctx context.Context, index uint64) (Leaf, error) {
	leaves, err := p.Leaves(ctx, index, 1)
	if err != nil {
		return Leaf{}, fmt.Errorf("entry %d: %w", index, err)
	}
	return ParseLeaf(leaves[0])
}

// show adds an entry to those that the proof shows.
func (p *searchProver) show(ctx context.Context, index uint64) error {
	if p.entries[index] != nil {
		return nil
	}
	leaves, err := p.Leaves(ctx, index, 1)
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	p.entries[index] = leaves[0]
	return nil
}

// showSegments shows what the directories say, from the start on: large ones
// where there are any.
func (p *searchProver) showSegments(ctx context.Context) error {
	if p.Start >= min(p.Stop, p.covered) {
		return nil
	}
	index, small, large, err := p.SearchSource.Directory(ctx)
	if err != nil {
		return err
	}
	p.SearchProof.Directory = index
	if err := p.show(ctx, index); err != nil {
		return err
	}
	var shown [2][]uint64
	for at := p.Start; at < min(p.Stop, p.covered); {
		id, level := SegmentID{Large: true, Number: at / (SegmentSize * LargeSegments)}, 1
		if id.Number >= uint64(len(large)) {
			id, level = SegmentID{Number: at / SegmentSize}, 0
		}
		if err := p.showSegment(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		shown[level] = append(shown[level], id.Number)
		at = id.End()
	}
	if p.Small, err = ProveSubset(ctx, shown[0], uint64(len(small)), leavesOf(small)); err != nil {
		return err
	}
	p.Large, err = ProveSubset(ctx, shown[1], uint64(len(large)), leavesOf(large))
	return err
}

func (p *searchProver) showSegment(ctx context.Context, id SegmentID) error {
	head, rows, err := p.Segment(ctx, id, p.Query.Stream)
	if err != nil {
		return err
	}
	s := SearchSegment{Head: head}
	for _, b := range head.Buckets {
		if b.Stream != p.Query.Stream {
			continue
		}
		if len(rows) == 0 {
			return fmt.Errorf("bucket %d: there are no rows", b.Bucket)
		}
		r := rows[0]
		rows = rows[1:]
		if r == nil {
			expired := p.Expired(b.Bucket)
			s.Rows = append(s.Rows, SearchRows{Expired: expired})
			if err := p.show(ctx, expired); err != nil {
				return err
			}
			continue
		}
		shown, positions, err := p.showRows(ctx, b.Bucket, r)
		if err != nil {
			return fmt.Errorf("bucket %d: %w", b.Bucket, err)
		}
		s.Rows = append(s.Rows, shown)
		for _, position := range positions {
			if err := p.showHit(ctx, id.First()+uint64(position), b.Bucket); err != nil {
				return err
			}
		}
	}
	p.Segments = append(p.Segments, s)
	return nil
}

// showRows shows the rows of all terms, or that there are none, and returns the
// positions that have all terms.
func (p *searchProver) showRows(ctx context.Context, bucket uint32, r *DirectoryRows) (s SearchRows, positions []uint16, err error) {
	terms := make([][]uint16, len(p.Query.Terms))
	shown, found := make(map[uint64]bool), make(map[int]bool)
	for i, term := range p.Query.Terms {
		for _, number := range term.Numbers {
			tag := Tag{Field: number}
			key, has, err := p.key(ctx, bucket, number)
			if err != nil {
				return s, nil, err
			}
			if has {
				tag = MakeTag(number, &key, term.Value)
			}
			at, there := r.Find(tag)
			if there {
				found[at], shown[uint64(at)] = true, true
				terms[i] = append(terms[i], r.Positions(at)...)
				continue
			}
			if at > 0 {
				shown[uint64(at-1)] = true
			}
			if at < r.Len() {
				shown[uint64(at)] = true
			}
		}
	}
	s.Count = uint32(r.Len())
	numbers := slices.Sorted(maps.Keys(shown))
	for _, n := range numbers {
		s.Shown = append(s.Shown, SearchRow{Number: uint32(n), Row: r.Row(int(n))})
		if found[int(n)] {
			s.Found = append(s.Found, FoundRow{Salt: r.Salt(int(n)), Positions: r.Positions(int(n))})
		}
	}
	s.Proof, err = ProveSubset(ctx, numbers, uint64(r.Len()), hashTree(r.LeafHashes()))
	return s, inAll(terms), err
}

// key returns the key of a field in a bucket, and shows where it was committed
// to.
func (p *searchProver) key(ctx context.Context, bucket uint32, number uint16) (Key256, bool, error) {
	at := bucketField{bucket, number}
	if k, ok := p.keys[at]; ok {
		return k.Key, true, nil
	}
	k, ok := p.FieldKey(bucket, number)
	if !ok {
		return k.Key, false, nil
	}
	p.keys[at] = k
	return k.Key, true, p.show(ctx, k.Opened)
}

// showHit shows that an entry has all terms, if it is in the range of the query.
func (p *searchProver) showHit(ctx context.Context, index uint64, bucket uint32) error {
	if index < max(p.Start, p.Query.First) || index >= min(p.Stop, p.Query.End) {
		return nil
	}
	leaf, err := p.leaf(ctx, index)
	if err != nil {
		return err
	}
	if err := p.show(ctx, index); err != nil {
		return err
	}
	if !p.Query.asks(index, leaf) {
		return nil
	}
	tags, err := p.Tags(ctx, index)
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	hit := SearchHit{Index: index}
	for _, term := range p.Query.Terms {
		opened, ok, err := p.openTerm(ctx, bucket, term, tags)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if !ok {
			return p.showErased(ctx, index)
		}
		hit.Opened = append(hit.Opened, opened)
	}
	p.Hits = append(p.Hits, hit)
	return nil
}

// showErased shows what closed an entry.
func (p *searchProver) showErased(ctx context.Context, index uint64) error {
	announced, err := p.Erased(ctx, index)
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	if announced == 0 {
		return fmt.Errorf("entry %d: nothing closed it, and its tags cannot be shown", index)
	}
	return p.show(ctx, announced)
}

// openTerm shows the tag of an entry for a term, if it is there to be shown.
func (p *searchProver) openTerm(ctx context.Context, bucket uint32, term SearchTerm, tags SearchTags) (o OpenedTag, ok bool, err error) {
	var commitments []Hash
	for _, list := range tags.Lists {
		if !list.Shown() {
			commitments = append(commitments, list.Commitments...)
			continue
		}
		seed := (*Key256)(list.Seed)
		for _, tag := range parseTags(list.Tags) {
			position := len(commitments)
			commitments = append(commitments, TagCommitment(seed, position, tag))
			if ok || !slices.Contains(term.Numbers, tag.Field) {
				continue
			}
			key, has, err := p.key(ctx, bucket, tag.Field)
			if err != nil {
				return o, false, err
			}
			if has && MakeTag(tag.Field, &key, term.Value) == tag {
				o.Number, o.Position, o.Opening, ok = tag.Field, uint16(position), TagOpening(seed, position), true
			}
		}
	}
	o.Count = uint16(len(commitments))
	if !ok {
		return o, false, nil
	}
	o.Path, err = ProveInclusion(ctx, uint64(o.Position), uint64(o.Count), leavesOf(commitments))
	return o, true, err
}

// showTail shows all entries behind the segments, and the tags of those of the
// stream.
func (p *searchProver) showTail(ctx context.Context) error {
	at := p.Start
	if n := len(p.Segments); n > 0 {
		at = p.Segments[n-1].Head.Segment.End()
	}
	for ; at < p.Stop; at += min(SegmentSize, p.Stop-at) {
		leaves, err := p.Leaves(ctx, at, min(SegmentSize, p.Stop-at))
		if err != nil {
			return fmt.Errorf("entries from %d on: %w", at, err)
		}
		for i, b := range leaves {
			index := at + uint64(i)
			leaf, err := ParseLeaf(b)
			if err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
			p.entries[index] = b
			if leaf.Stream != p.Query.Stream || leaf.T == EmptyRoot() {
				continue
			}
			if err := p.showTags(ctx, index, leaf.Bucket); err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
		}
	}
	return nil
}

func (p *searchProver) showTags(ctx context.Context, index uint64, bucket uint32) error {
	tags, err := p.Tags(ctx, index)
	if err != nil {
		return err
	}
	p.Tail = append(p.Tail, tags)
	if len(tags.Lists) == 0 {
		return p.show(ctx, p.Expired(bucket))
	}
	for _, list := range tags.Lists {
		if !list.Shown() {
			if err := p.showErased(ctx, index); err != nil {
				return err
			}
			continue
		}
		for _, tag := range parseTags(list.Tags) {
			for _, term := range p.Query.Terms {
				if slices.Contains(term.Numbers, tag.Field) {
					if _, _, err := p.key(ctx, bucket, tag.Field); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func (p *searchProver) showNames(ctx context.Context) (err error) {
	if p.SearchProof.Names, err = p.SearchSource.Names(ctx, p.Query.Stream); err != nil {
		return err
	}
	for _, n := range p.SearchProof.Names {
		if err := p.show(ctx, n.Index); err != nil {
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

// A hashTree is a tree of which all leaf hashes are at hand.
type hashTree []Hash

// leavesOf returns the tree whose leaves are hashes.
func leavesOf(hashes []Hash) hashTree {
	t := make(hashTree, len(hashes))
	for i, h := range hashes {
		t[i] = LeafHash(h[:])
	}
	return t
}

// ReadNodes returns the roots of complete subtrees.
func (t hashTree) ReadNodes(_ context.Context, ids []NodeID) ([]Hash, error) {
	nodes := make([]Hash, len(ids))
	for i, id := range ids {
		lo, hi := id.Index<<id.Level, (id.Index+1)<<id.Level
		if lo >= hi || hi > uint64(len(t)) {
			return nil, fmt.Errorf("a tree of %d leaves has no node %d of level %d", len(t), id.Index, id.Level)
		}
		nodes[i] = rootOf(slices.Clone(t[lo:hi]))
	}
	return nodes, nil
}
