package proofs_test

import (
	"encoding/binary"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A searchWorld is a log with streams 1 and 2 and directories, and all that was
// ever known of its entries.
type searchWorld struct {
	leaves [][]byte
	nodes  [][]proofs.Hash // complete ones, by level
	time   uint64
	events map[uint64]*searchEvent

	small, large []proofs.Hash // of directories
	heads        map[proofs.SegmentID]proofs.DirectoryHead
	rows         map[proofs.SegmentID][]*proofs.DirectoryRows
	made         uint64 // index of the last directory entry

	opened  map[uint32]uint64 // index of the entry that opened a bucket
	expired map[uint32]uint64
	erased  map[uint64]uint64 // indices of entries, and of what closed them
	unread  map[uint64]bool   // entries that the ledger cannot read
	names   []proofs.SearchNames
	late    bool // directories are not made anew after an erasure
	lie     func(*proofs.DirectoryHead)
	later   uint64 // index of the entry that declares field 4 in bucket 1
}

// A searchEvent has lists of tags; nil is one that was erased.
type searchEvent struct {
	stream, bucket uint32
	values         [][]searchValue
	lists          []proofs.DisclosedTags
}

type searchValue struct {
	field uint16
	value string
}

func newSearchWorld() *searchWorld {
	w := &searchWorld{
		time: 1_000_000, events: make(map[uint64]*searchEvent), heads: make(map[proofs.SegmentID]proofs.DirectoryHead),
		rows: make(map[proofs.SegmentID][]*proofs.DirectoryRows), opened: make(map[uint32]uint64),
		expired: make(map[uint32]uint64), erased: make(map[uint64]uint64),
		unread: make(map[uint64]bool),
	}
	w.setNames(proofs.StreamSettings{Name: "people", Fields: []proofs.Field{
		{Number: 1, Name: "actor", Path: "$.actor"}, {Number: 2, Name: "action", Path: "$.action"}, {Number: 3, Name: "id", Path: "$.id"},
	}})
	w.open(1, 1, 1, 2, 3)
	w.open(2, 2, 1)
	w.open(3, 1, 1, 2, 3, 4)
	return w
}

func (w *searchWorld) size() uint64 { return uint64(len(w.leaves)) }

func (w *searchWorld) add(l proofs.Leaf) uint64 {
	w.time += 3
	l.Time = w.time
	b := must(proofs.FormatLeaf(l))
	w.leaves = append(w.leaves, b)
	h := proofs.LeafHash(b)
	for level := 0; ; level++ {
		if level == len(w.nodes) {
			w.nodes = append(w.nodes, nil)
		}
		w.nodes[level] = append(w.nodes[level], h)
		n := len(w.nodes[level])
		if n%2 == 1 {
			break
		}
		h = proofs.NodeHash(w.nodes[level][n-2], h)
	}
	w.direct()
	return w.size() - 1
}

// direct adds the directory whose place is next.
func (w *searchWorld) direct() {
	n := uint64(len(w.small))
	if w.size() != proofs.DirectoryPlace(n) {
		return
	}
	made := []proofs.MadeDirectory{{Segment: proofs.SegmentID{Number: n}, Hash: w.make(n)}}
	w.small = append(w.small, made[0].Hash)
	if (n+1)%proofs.LargeSegments == 0 {
		id := proofs.SegmentID{Large: true, Number: n / proofs.LargeSegments}
		made = append(made, proofs.MadeDirectory{Segment: id, Hash: w.merge(id)})
		w.large = append(w.large, made[1].Hash)
	}
	w.commit(made)
}

func (w *searchWorld) commit(made []proofs.MadeDirectory) {
	body := proofs.DirectoryBody{Segments: uint64(len(w.small)), Small: refRoot(w.small), Large: refRoot(w.large), Made: made}
	w.made = w.size()
	w.add(proofs.Leaf{Kind: proofs.Directory, C: proofs.EmptyRoot(), T: proofs.EmptyRoot(), Control: must(proofs.FormatDirectory(body))})
}

func (w *searchWorld) make(n uint64) proofs.Hash {
	id := proofs.SegmentID{Number: n}
	b := proofs.NewDirectoryBuilder(n)
	for i := id.First(); i < id.End(); i++ {
		e := w.events[i]
		if e == nil {
			continue
		}
		if w.unread[i] {
			if err := b.Unread(i, e.stream, e.bucket); err != nil {
				panic(err)
			}
			continue
		}
		for _, l := range e.lists {
			if l.Shown() {
				if err := b.Add(i, e.stream, e.bucket, (*proofs.Key256)(l.Seed), tagsOf(l)); err != nil {
					panic(err)
				}
			}
		}
	}
	return w.keep(id, b.Rows())
}

func (w *searchWorld) merge(id proofs.SegmentID) proofs.Hash {
	small := make(map[uint32]*[proofs.LargeSegments]*proofs.DirectoryRows)
	for i := range proofs.LargeSegments {
		for _, r := range w.rows[proofs.SegmentID{Number: id.Number*proofs.LargeSegments + uint64(i)}] {
			if small[r.Bucket] == nil {
				small[r.Bucket] = new([proofs.LargeSegments]*proofs.DirectoryRows)
			}
			small[r.Bucket][i] = r
		}
	}
	var rows []*proofs.DirectoryRows
	for bucket := uint32(1); bucket < 10; bucket++ {
		if small[bucket] != nil {
			rows = append(rows, proofs.MergeRows(*small[bucket]))
		}
	}
	return w.keep(id, rows)
}

func (w *searchWorld) keep(id proofs.SegmentID, rows []*proofs.DirectoryRows) proofs.Hash {
	head := proofs.DirectoryHead{Segment: id, FirstTime: w.leaf(id.First()).Time, LastTime: w.leaf(id.End() - 1).Time}
	erased := make(map[uint64]bool)
	for entry, by := range w.erased {
		if entry >= id.First() && entry < id.End() && !erased[by] {
			head.Erased = append(head.Erased, by)
			erased[by] = true
		}
	}
	slices.Sort(head.Erased)
	for _, r := range rows {
		head.Buckets = append(head.Buckets, proofs.DirectoryBucket{Stream: r.Stream, Bucket: r.Bucket, Rows: r.Hash(), Unread: r.Unread})
	}
	if w.lie != nil {
		w.lie(&head)
	}
	w.heads[id], w.rows[id] = head, rows
	return must(head.Hash())
}

func (w *searchWorld) leaf(index uint64) proofs.Leaf { return must(proofs.ParseLeaf(w.leaves[index])) }

func (w *searchWorld) setNames(s proofs.StreamSettings) {
	control := must(proofs.FormatSettings(proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: 1, Class: 1, Fields: s.Body()}}))
	data := must(jsonOf(s))
	whole := must(proofs.FormatPart(proofs.Part{MediaType: proofs.SettingsMediaType, Data: data}))
	opening, id := proofs.Key256{9}, proofs.EntryID{byte(w.size())}
	d := proofs.Disclosure{ID: id[:], Parts: []proofs.DisclosedPart{{
		Binding: proofs.Binding(&opening, id, 0, whole), Opening: opening[:], Head: whole[:len(whole)-len(data)-4], Data: data,
	}}, Tags: []proofs.DisclosedTags{}}
	record := proofs.Record{ID: id, Parts: []proofs.RecordPart{{Binding: d.Parts[0].Binding}}}
	index := w.add(proofs.Leaf{Kind: proofs.Settings, C: record.Commitment(), T: proofs.EmptyRoot(), Control: control})
	w.names = append(w.names, proofs.SearchNames{Index: index, Disclosure: must(proofs.FormatDisclosure(d))})
}

func (w *searchWorld) open(bucket, stream uint32, fields ...uint16) {
	body := proofs.BucketBody{Bucket: bucket, Stream: stream, Class: 1, Period: 1}
	for _, f := range fields {
		key := fieldKey(bucket, f)
		body.Keys = append(body.Keys, proofs.FieldKeyBody{Field: f, Hash: proofs.FieldKeyHash(&key)})
	}
	w.opened[bucket] = w.add(proofs.Leaf{Kind: proofs.BucketOpened, T: proofs.EmptyRoot(), Control: must(proofs.FormatBucket(body))})
}

func bucketTags(bucket uint32) *proofs.Key256 { return &proofs.Key256{byte(bucket), 7} }

func fieldKey(bucket uint32, field uint16) proofs.Key256 {
	return proofs.FieldKey(bucketTags(bucket), field)
}

// event adds an event with a list of tags for each list of values.
func (w *searchWorld) event(stream, bucket uint32, values ...[]searchValue) uint64 {
	id := proofs.EntryID(binary.BigEndian.AppendUint64(make([]byte, 8), w.size()))
	e := &searchEvent{stream: stream, bucket: bucket, values: values}
	var commitments []proofs.Hash
	for i, list := range values {
		seed := proofs.TagSeed(bucketTags(bucket), id, []proofs.SubjectKey{{Ref: proofs.SubjectRef{byte(i)}}})
		var tags []proofs.Tag
		for _, v := range list {
			key := fieldKey(bucket, v.field)
			tags = append(tags, proofs.MakeTag(v.field, &key, []byte(v.value)))
		}
		commitments = proofs.AppendTagCommitments(commitments, &seed, tags)
		e.lists = append(e.lists, proofs.DisclosedTags{Seed: seed[:], Tags: proofs.AppendTags(nil, tags)})
	}
	w.events[w.size()] = e
	return w.add(proofs.Leaf{Stream: stream, Bucket: bucket, T: proofs.TagsRoot(commitments)})
}

func tagsOf(l proofs.DisclosedTags) (tags []proofs.Tag) {
	for b := l.Tags; len(b) > 0; b = b[18:] {
		tags = append(tags, proofs.Tag{Field: binary.BigEndian.Uint16(b), Value: [16]byte(b[2:])})
	}
	return tags
}

// answer looks through everything that is known: the hits of a query, but for
// entries that are closed or unread.
func (w *searchWorld) answer(q proofs.SearchQuery, start, stop uint64) (hits []uint64) {
	for index := max(start, q.First); index < min(stop, q.End); index++ {
		e := w.events[index]
		if e == nil || e.stream != q.Stream || w.unread[index] {
			continue
		}
		if !slices.ContainsFunc(q.Terms, func(t proofs.SearchTerm) bool { return !e.has(t) }) && inTime(q, w.leaf(index).Time) {
			hits = append(hits, index)
		}
	}
	return hits
}

func (e *searchEvent) has(t proofs.SearchTerm) bool {
	for i, l := range e.lists {
		if !l.Shown() {
			continue
		}
		for _, v := range e.values[i] {
			for _, wanted := range t.Values {
				if slices.Contains(wanted.Numbers, v.field) && v.value == string(wanted.Value) {
					return true
				}
			}
		}
	}
	return false
}
