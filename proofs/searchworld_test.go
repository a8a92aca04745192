package proofs_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

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
		head.Buckets = append(head.Buckets, proofs.DirectoryBucket{Stream: r.Stream, Bucket: r.Bucket, Rows: r.Hash()})
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

// announce adds a part of the announcement of an erasure in stream 1.
func (w *searchWorld) announce(part, parts uint32, entries ...uint64) uint64 {
	body := proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: part, Parts: parts, Closes: proofs.RunsOf(entries)}}
	return w.add(proofs.Leaf{Kind: proofs.Erasure, T: proofs.EmptyRoot(), Control: must(proofs.FormatErasure(body))})
}

// erase closes the lists of a number of entries, and makes directories anew.
func (w *searchWorld) erase(list int, entries ...uint64) {
	w.close(w.announce(1, 1, entries...), list, entries...)
}

// close is the erasure that an entry announced.
func (w *searchWorld) close(by uint64, list int, entries ...uint64) {
	changed := make(map[proofs.SegmentID]bool)
	for _, index := range entries {
		w.erased[index] = by
		e := w.events[index]
		var all []proofs.Hash
		for i, l := range e.lists {
			before := len(all)
			if l.Shown() {
				all = proofs.AppendTagCommitments(all, (*proofs.Key256)(l.Seed), tagsOf(l))
			} else {
				all = append(all, l.Commitments...)
			}
			if i == list {
				e.lists[i] = proofs.DisclosedTags{Commitments: all[before:]}
			}
		}
		changed[proofs.SegmentID{Number: index / proofs.SegmentSize}] = true
		changed[proofs.SegmentID{Large: true, Number: index / proofs.SegmentSize / proofs.LargeSegments}] = true
	}
	if w.late {
		return
	}
	var made []proofs.MadeDirectory
	for n := range w.small {
		if id := (proofs.SegmentID{Number: uint64(n)}); changed[id] {
			w.small[n] = w.make(uint64(n))
			made = append(made, proofs.MadeDirectory{Segment: id, Hash: w.small[n]})
		}
	}
	for n := range w.large {
		if id := (proofs.SegmentID{Large: true, Number: uint64(n)}); changed[id] {
			w.large[n] = w.merge(id)
			made = append(made, proofs.MadeDirectory{Segment: id, Hash: w.large[n]})
		}
	}
	if len(made) > 0 {
		w.commit(made)
	}
}

// expire closes a bucket, whose rows nobody has any more.
func (w *searchWorld) expire(bucket uint32) {
	w.announceExpiry(proofs.ExpiredBody{Bucket: bucket, Last: w.size() - 1})
	for _, e := range w.events {
		if e.bucket == bucket {
			e.lists = nil
		}
	}
}

func (w *searchWorld) announceExpiry(x proofs.ExpiredBody) {
	x.Count = 1
	x.Closed.Size, x.Now.Size = max(x.Closed.Size, x.Last+1), max(x.Now.Size, x.Last+1)
	control := must(proofs.FormatExpiry(proofs.ExpiryBody{Expired: &x}))
	w.expired[x.Bucket] = w.add(proofs.Leaf{Kind: proofs.Expiry, T: proofs.EmptyRoot(), Control: control})
}

// answer looks through everything that is known: the hits of a query, but for
// entries that are closed.
func (w *searchWorld) answer(q proofs.SearchQuery, start, stop uint64) (hits []uint64) {
	for index := max(start, q.First); index < min(stop, q.End); index++ {
		e := w.events[index]
		if e == nil || e.stream != q.Stream {
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
			if slices.Contains(t.Numbers, v.field) && v.value == string(t.Value) {
				return true
			}
		}
	}
	return false
}

// refRoot is the root over hashes, as RFC 6962 says.
func refRoot(hashes []proofs.Hash) proofs.Hash {
	var d refTree
	for _, h := range hashes {
		d = append(d, h[:])
	}
	return refMTH(d)
}

func (w *searchWorld) ReadNodes(_ context.Context, ids []proofs.NodeID) (out []proofs.Hash, err error) {
	for _, id := range ids {
		out = append(out, w.nodes[id.Level][id.Index])
	}
	return out, nil
}

func (w *searchWorld) Leaves(_ context.Context, first, n uint64) ([][]byte, error) {
	return w.leaves[first : first+n], nil
}

func (w *searchWorld) Directory(context.Context) (uint64, []proofs.Hash, []proofs.Hash, error) {
	return w.made, w.small, w.large, nil
}

func (w *searchWorld) Segment(_ context.Context, id proofs.SegmentID, stream uint32) (proofs.DirectoryHead, []*proofs.DirectoryRows, error) {
	var rows []*proofs.DirectoryRows
	for _, r := range w.rows[id] {
		if r.Stream != stream {
			continue
		}
		if w.expired[r.Bucket] > 0 {
			r = nil
		}
		rows = append(rows, r)
	}
	return w.heads[id], rows, nil
}

func (w *searchWorld) FieldKey(bucket uint32, number uint16) (k proofs.SearchKey, ok bool) {
	if bucket == 1 && number == 4 && w.later > 0 {
		return proofs.SearchKey{Number: 4, Opened: w.later, Key: fieldKey(1, 4)}, true
	}
	at, known := w.opened[bucket]
	if !known || number > 4 || bucket != 3 && number > 3 || bucket == 2 && number > 1 {
		return k, false
	}
	return proofs.SearchKey{Number: number, Opened: at, Key: fieldKey(bucket, number)}, true
}

func (w *searchWorld) Tags(_ context.Context, index uint64) (proofs.SearchTags, error) {
	return proofs.SearchTags{Index: index, Lists: w.events[index].lists}, nil
}

func (w *searchWorld) Expired(bucket uint32) uint64 { return w.expired[bucket] }

func (w *searchWorld) Erased(_ context.Context, index uint64) (uint64, error) {
	return w.erased[index], nil
}

func (w *searchWorld) Names(_ context.Context, stream uint32) ([]proofs.SearchNames, error) {
	if stream != 1 {
		return nil, nil
	}
	return w.names, nil
}

// prove proves a query under a checkpoint of all entries.
func (w *searchWorld) prove(t testing.TB, q proofs.SearchQuery, now bool) proofs.SearchProof {
	t.Helper()
	p, err := proofs.ProveSearch(t.Context(), q, w.checkpoint(), w.size(), now, w)
	if err != nil {
		t.Fatal(err)
	}
	return must(proofs.ParseSearchProof(must(proofs.FormatSearchProof(p))))
}

func (w *searchWorld) checkpoint() []byte {
	root := must(proofs.Root(context.Background(), w.size(), w))
	text := must(proofs.FormatCheckpoint(proofs.Checkpoint{Origin: testOrigin, Size: w.size(), Root: root}))
	return signedBy(text, seededKey(testOrigin, proofs.Ed25519))
}

func searchPolicy() *proofs.Policy {
	return must(proofs.ParsePolicy(fmt.Appendf(nil, "log %s\nquorum none\n", seededKey(testOrigin, proofs.Ed25519).Key())))
}

// fill adds random events of both streams, and some without tags.
func (w *searchWorld) fill(rnd *rand.Rand, size uint64) {
	for w.size() < size {
		actor := fmt.Sprintf("user%d", rnd.IntN(50))
		action := fmt.Sprintf("act%d", rnd.IntN(4))
		switch n := rnd.IntN(20); {
		case n == 0:
			w.event(1, 1)
		case n < 4:
			w.event(2, 2, []searchValue{{1, actor}})
		case n < 8:
			w.event(1, 3, []searchValue{{1, actor}, {1, "also"}, {2, action}, {4, "four"}})
		case n < 12:
			w.event(1, 1, []searchValue{{2, action}}, []searchValue{{1, actor}, {3, fmt.Sprint(w.size())}})
		default:
			w.event(1, 1, []searchValue{{1, actor}, {2, action}, {3, fmt.Sprint(w.size())}})
		}
	}
}

// bigSearchWorld has a large segment and small ones behind it.
var bigSearchWorld = sync.OnceValue(func() *searchWorld {
	w := newSearchWorld()
	w.fill(rand.New(rand.NewPCG(4, 4)), 20*proofs.SegmentSize+100)
	return w
})

// smallSearchWorld has two small segments with a directory. It is another one
// each time, for the test to change.
func smallSearchWorld() *searchWorld { return sharedSmallWorld().clone() }

var sharedSmallWorld = sync.OnceValue(func() *searchWorld {
	w := newSearchWorld()
	w.fill(rand.New(rand.NewPCG(5, 5)), 3*proofs.SegmentSize+5)
	return w
})

func (w *searchWorld) clone() *searchWorld {
	c := *w
	c.leaves, c.names = slices.Clip(w.leaves), slices.Clip(w.names)
	c.nodes = slices.Clone(w.nodes)
	for i := range c.nodes {
		c.nodes[i] = slices.Clip(c.nodes[i])
	}
	c.small, c.large = slices.Clone(w.small), slices.Clone(w.large)
	c.heads, c.rows = maps.Clone(w.heads), maps.Clone(w.rows)
	c.opened, c.expired, c.erased = maps.Clone(w.opened), maps.Clone(w.expired), maps.Clone(w.erased)
	c.events = make(map[uint64]*searchEvent, len(w.events))
	for index, e := range w.events {
		copied := *e
		copied.lists = slices.Clone(e.lists)
		c.events[index] = &copied
	}
	return &c
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

func inTime(q proofs.SearchQuery, at uint64) bool {
	return at >= q.From && (q.Until == 0 || at < q.Until)
}
