package evidence_test

import (
	"context"
	"math"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// A searched is a ledger as the maker of a search proof needs it, with its
// directories.
type searched struct {
	*ledger
	hides  map[uint64]bool // entries that a lying directory leaves out
	unread map[uint64]bool

	made  uint64 // index of the last directory entry
	small []proofs.Hash
	heads []proofs.DirectoryHead
	rows  [][]*proofs.DirectoryRows
}

func (s *searched) Leaves(_ context.Context, first, n uint64) (leaves [][]byte, err error) {
	for _, e := range s.entries[first : first+n] {
		leaves = append(leaves, e.leaf)
	}
	return leaves, nil
}

func (s *searched) Directory(context.Context) (uint64, []proofs.Hash, []proofs.Hash, error) {
	return s.made, s.small, nil, nil
}

func (s *searched) Segment(_ context.Context, id proofs.SegmentID, stream uint32) (proofs.DirectoryHead, []proofs.BucketRows, error) {
	var rows []proofs.BucketRows
	for _, r := range s.rows[id.Number] {
		if r.Stream == stream {
			rows = append(rows, r)
		}
	}
	return s.heads[id.Number], rows, nil
}

func (s *searched) FieldKey(bucket uint32, number uint16) (proofs.SearchKey, bool) {
	for i, e := range s.entries {
		leaf := must(proofs.ParseLeaf(e.leaf))
		if leaf.Kind != proofs.BucketOpened {
			continue
		}
		body := must(proofs.ParseBucket(leaf.Control))
		if body.Bucket == bucket && slices.ContainsFunc(body.Keys, func(k proofs.FieldKeyBody) bool { return k.Field == number }) {
			return proofs.SearchKey{Number: number, Opened: uint64(i), Key: fieldKey(bucket, number)}, true
		}
	}
	return proofs.SearchKey{}, false
}

func (s *searched) Tags(_ context.Context, index uint64) (proofs.SearchTags, error) {
	if s.unread[index] {
		return proofs.SearchTags{}, proofs.ErrUnread
	}
	t := proofs.SearchTags{Index: index}
	for _, list := range s.entries[index].disclosure.Tags {
		list.SealedHash = proofs.Hash{}
		t.Lists = append(t.Lists, list)
	}
	return t, nil
}

func (s *searched) Expired(uint32) uint64 { return 0 }

func (s *searched) Erased(context.Context, uint64) (uint64, error) { return 0, nil }

func (s *searched) Names(_ context.Context, stream uint32) (names []proofs.SearchNames, err error) {
	for i, e := range s.entries {
		leaf := must(proofs.ParseLeaf(e.leaf))
		if leaf.Kind != proofs.Settings {
			continue
		}
		if body := must(proofs.ParseSettings(leaf.Control)); body.Stream != nil && body.Stream.Stream == stream {
			names = append(names, proofs.SearchNames{Index: uint64(i), Disclosure: must(proofs.FormatDisclosure(*e.disclosure))})
		}
	}
	return names, nil
}

// direct appends entries without payload until the first segment has its
// directory.
func (s *searched) direct() {
	for s.size() < proofs.DirectoryPlace(0) {
		s.add(proofs.Leaf{Kind: proofs.Event, Stream: 2, Bucket: 2}, nil, nil)
	}
	b := proofs.NewDirectoryBuilder(0)
	for index := range uint64(proofs.SegmentSize) {
		leaf := must(proofs.ParseLeaf(s.entries[index].leaf))
		for _, list := range s.entries[index].disclosure.Tags {
			if s.hides[index] {
				continue
			}
			d := proofs.Disclosure{Tags: []proofs.DisclosedTags{list}}
			if err := b.Add(index, leaf.Stream, leaf.Bucket, (*proofs.Key256)(list.Seed), tagsOf(d)); err != nil {
				panic(err)
			}
		}
	}
	rows := b.Rows()
	head := proofs.DirectoryHead{FirstTime: s.timeOf(0), LastTime: s.timeOf(proofs.SegmentSize - 1)}
	for _, r := range rows {
		head.Buckets = append(head.Buckets, proofs.DirectoryBucket{Stream: r.Stream, Bucket: r.Bucket, Rows: r.Hash()})
	}
	hash := must(head.Hash())
	s.small, s.heads, s.rows = append(s.small, hash), append(s.heads, head), append(s.rows, rows)
	s.made = control(s.ledger, proofs.Directory, proofs.DirectoryBody{
		Segments: 1, Small: proofs.DirectoriesRoot(s.small), Large: proofs.DirectoriesRoot(nil),
		Made: []proofs.MadeDirectory{{Hash: hash}},
	}, proofs.FormatDirectory)
}

func tagsOf(d proofs.Disclosure) (tags []proofs.Tag) {
	for b := d.Tags[0].Tags; len(b) > 0; b = b[18:] {
		tags = append(tags, proofs.Tag{Field: uint16(b[0])<<8 | uint16(b[1]), Value: [16]byte(b[2:])})
	}
	return tags
}

func (s *searched) timeOf(index uint64) uint64 {
	return must(proofs.ParseLeaf(s.entries[index].leaf)).Time
}

// asks returns a query for the events of stream 1 in which a field has one of
// some values.
func asks(field uint16, values ...string) proofs.SearchQuery {
	q := proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: make([]proofs.SearchTerm, 1)}
	for _, v := range values {
		q.Terms[0].Values = append(q.Terms[0].Values, proofs.SearchValue{Numbers: []uint16{field}, Value: []byte(v)})
	}
	return q
}

// prove proves the answer to a query under a checkpoint; with now beyond the
// directories.
func (s *searched) prove(q proofs.SearchQuery, k checkpoint, now bool) proofs.SearchProof {
	return must(proofs.ProveSearch(context.Background(), q, k.note, k.size, now, s))
}

func asSearch(p proofs.SearchProof) evidence.Search {
	return evidence.Search{Proof: must(proofs.FormatSearchProof(p))}
}

// search returns a search of everything, under the last checkpoint.
func (l *ledger) search(q proofs.SearchQuery) evidence.Search {
	s := &searched{ledger: l}
	return asSearch(s.prove(q, l.checkpoints[len(l.checkpoints)-1], true))
}

// searchedFile returns the sample with its events, and a search for the login
// among them.
func searchedFile() (*ledger, file) {
	l, f := sampleFile()
	f.searches = []evidence.Search{l.search(asks(1, "login"))}
	return l, f
}

// directedWorld returns the sample under a directory, which hides what a test
// wants, and a file with a search that rests on it.
func directedWorld(hides ...uint64) (*searched, file) {
	s := &searched{ledger: sample(), hides: make(map[uint64]bool)}
	for _, index := range hides {
		s.hides[index] = true
	}
	s.now += 60
	s.direct()
	last := s.publish()
	f := s.file([]uint64{sampleClass, samplePay, sampleBucket1}, s.entry(sampleEvent), s.entry(sampleEvent+1))
	f.searches = []evidence.Search{asSearch(s.prove(asks(1, "login"), last, false))}
	return s, f
}
