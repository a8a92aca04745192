package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A searchLog is a log with one stream, 1, whose fields are 1, actor, and 2,
// action, in bucket 1, and with directories.
type searchLog struct {
	tree
	leaves  [][]byte
	events  map[uint64]proofs.SearchTags
	bucket  proofs.SearchKeys // with the keys of the fields
	names   proofs.SearchNames
	small   []proofs.Hash
	heads   []proofs.DirectoryHead
	rows    []*proofs.DirectoryRows
	made    uint64
	expired uint64
	erased  map[uint64]uint64
	unread  map[uint64]bool
}

const searchOrigin = "ledger.example/searched"

func newSearchLog() *searchLog {
	l := &searchLog{tree: tree{map[proofs.NodeID]proofs.Hash{}}, events: map[uint64]proofs.SearchTags{}, erased: map[uint64]uint64{}, unread: map[uint64]bool{}}
	l.name(proofs.StreamSettings{Name: "people", Fields: []proofs.Field{{Number: 1, Name: "actor", Path: "$.actor"}, {Number: 2, Name: "action", Path: "$.action"}}})
	tags := secret("search tags")
	body := proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Period: 20780}
	l.bucket.Bucket = 1
	for _, number := range []uint16{1, 2} {
		key := proofs.FieldKey(&tags, number)
		l.bucket.Keys = append(l.bucket.Keys, proofs.SearchKey{Number: number, Opened: 1, Key: key})
		body.Keys = append(body.Keys, proofs.FieldKeyBody{Field: number, Hash: proofs.FieldKeyHash(&key)})
	}
	l.control(proofs.BucketOpened, must(proofs.FormatBucket(body)))
	return l
}

func (l *searchLog) size() uint64 { return uint64(len(l.leaves)) }

func (l *searchLog) add(leaf proofs.Leaf) uint64 {
	index := l.size()
	leaf.Time = 1_795_435_200_000_000 + index*1000
	l.leaves = append(l.leaves, must(proofs.FormatLeaf(leaf)))
	l.tree.add(index, l.leaves[index])
	if l.size() == proofs.DirectoryPlace(uint64(len(l.small))) {
		l.direct()
	}
	return index
}

func (l *searchLog) control(kind proofs.Kind, body []byte) uint64 {
	return l.add(proofs.Leaf{Kind: kind, T: proofs.EmptyRoot(), Control: body})
}

// name adds the settings of the stream, and keeps their disclosure.
func (l *searchLog) name(s proofs.StreamSettings) {
	data := must(json.Marshal(s))
	opening, id := secret("search names"), idOf("search names")
	whole := must(proofs.FormatPart(proofs.Part{MediaType: proofs.SettingsMediaType, Data: data}))
	d := proofs.Disclosure{ID: id[:], Tags: []proofs.DisclosedTags{}, Parts: []proofs.DisclosedPart{{
		Binding: proofs.Binding(&opening, id, 0, whole), Opening: opening[:], Head: whole[:len(whole)-len(data)-4], Data: data,
	}}}
	record := proofs.Record{ID: id, Parts: []proofs.RecordPart{{Binding: d.Parts[0].Binding}}}
	control := must(proofs.FormatSettings(proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: 1, Class: 1, Fields: s.Body()}}))
	l.names.Index = l.add(proofs.Leaf{Kind: proofs.Settings, C: record.Commitment(), T: proofs.EmptyRoot(), Control: control})
	l.names.Disclosure = must(proofs.FormatDisclosure(d))
}

// event adds an event with one list of tags.
func (l *searchLog) event(actor, action string) uint64 {
	var tags []proofs.Tag
	for i, value := range []string{actor, action} {
		tags = append(tags, proofs.MakeTag(uint16(i+1), &l.bucket.Keys[i].Key, []byte(value)))
	}
	seed := secret(fmt.Sprint("seed of entry ", l.size()))
	list := proofs.DisclosedTags{Seed: seed[:], Tags: proofs.AppendTags(nil, tags)}
	l.events[l.size()] = proofs.SearchTags{Index: l.size(), Lists: []proofs.DisclosedTags{list}}
	return l.add(proofs.Leaf{Stream: 1, Bucket: 1, T: proofs.TagsRoot(proofs.AppendTagCommitments(nil, &seed, tags))})
}

// fill adds events up to a size, few of each value.
func (l *searchLog) fill(size uint64) {
	for l.size() < size {
		switch n := l.size(); {
		case n%700 == 3:
			l.event("alice", "login")
		case n%500 == 7:
			l.event(fmt.Sprint("user ", n), "login")
		case n < 40 && n%7 == 1:
			l.event("alice", "delete")
		default:
			l.control(proofs.Access, nil)
		}
	}
}

// erase closes an event.
func (l *searchLog) erase(index uint64) {
	body := proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: proofs.RunsOf([]uint64{index})}
	e := l.events[index]
	commitments := proofs.AppendTagCommitments(nil, (*proofs.Key256)(e.Lists[0].Seed), l.tags(index))
	l.events[index] = proofs.SearchTags{Index: index, Lists: []proofs.DisclosedTags{{Commitments: commitments}}}
	l.erased[index] = l.control(proofs.Erasure, must(proofs.FormatErasure(proofs.ErasureBody{Erased: &body})))
}

// expire closes the bucket.
func (l *searchLog) expire() {
	n := l.size()
	body := proofs.ExpiredBody{Bucket: 1, First: 2, Last: n - 1, Count: 1, Closed: proofs.CheckpointRef{Size: n}, Now: proofs.CheckpointRef{Size: n}}
	for index := range l.events {
		l.events[index] = proofs.SearchTags{Index: index}
	}
	l.expired = l.control(proofs.Expiry, must(proofs.FormatExpiry(proofs.ExpiryBody{Expired: &body})))
}

func (l *searchLog) tags(index uint64) (tags []proofs.Tag) {
	for b := l.events[index].Lists[0].Tags; len(b) > 0; b = b[18:] {
		tags = append(tags, proofs.Tag{Field: binary.BigEndian.Uint16(b), Value: [16]byte(b[2:])})
	}
	return tags
}

// direct adds the directory whose place is next.
func (l *searchLog) direct() {
	n := uint64(len(l.small))
	b := proofs.NewDirectoryBuilder(n)
	id := proofs.SegmentID{Number: n}
	for index := id.First(); index < id.End(); index++ {
		if l.unread[index] {
			if err := b.Unread(index, 1, 1); err != nil {
				panic(err)
			}
		} else if e, ok := l.events[index]; ok {
			if err := b.Add(index, 1, 1, (*proofs.Key256)(e.Lists[0].Seed), l.tags(index)); err != nil {
				panic(err)
			}
		}
	}
	rows := b.Rows()[0]
	head := proofs.DirectoryHead{
		Segment: id, FirstTime: l.leaf(id.First()).Time, LastTime: l.leaf(id.End() - 1).Time,
		Buckets: []proofs.DirectoryBucket{{Stream: 1, Bucket: 1, Rows: rows.Hash(), Unread: rows.Unread}},
	}
	l.heads, l.rows, l.small = append(l.heads, head), append(l.rows, rows), append(l.small, must(head.Hash()))
	l.made = l.size()
	l.control(proofs.Directory, must(proofs.FormatDirectory(proofs.DirectoryBody{
		Segments: n + 1, Small: proofs.DirectoriesRoot(l.small), Large: proofs.EmptyRoot(),
		Made: []proofs.MadeDirectory{{Segment: id, Hash: l.small[n]}},
	})))
}

func (l *searchLog) leaf(index uint64) proofs.Leaf { return must(proofs.ParseLeaf(l.leaves[index])) }

func (l *searchLog) Leaves(_ context.Context, first, n uint64) ([][]byte, error) {
	return l.leaves[first : first+n], nil
}

func (l *searchLog) Directory(context.Context) (uint64, []proofs.Hash, []proofs.Hash, error) {
	return l.made, l.small, nil, nil
}

func (l *searchLog) Segment(_ context.Context, id proofs.SegmentID, _ uint32) (proofs.DirectoryHead, []proofs.BucketRows, error) {
	if l.expired > 0 {
		return l.heads[id.Number], []proofs.BucketRows{nil}, nil
	}
	return l.heads[id.Number], []proofs.BucketRows{l.rows[id.Number]}, nil
}

func (l *searchLog) FieldKey(bucket uint32, number uint16) (k proofs.SearchKey, ok bool) {
	at := slices.IndexFunc(l.bucket.Keys, func(k proofs.SearchKey) bool { return bucket == 1 && k.Number == number })
	if at < 0 {
		return k, false
	}
	return l.bucket.Keys[at], true
}

func (l *searchLog) Tags(_ context.Context, index uint64) (proofs.SearchTags, error) {
	if l.unread[index] {
		return proofs.SearchTags{}, proofs.ErrUnread
	}
	return l.events[index], nil
}

func (l *searchLog) Expired(uint32) uint64 { return l.expired }

func (l *searchLog) Erased(_ context.Context, index uint64) (uint64, error) {
	return l.erased[index], nil
}

func (l *searchLog) Names(context.Context, uint32) ([]proofs.SearchNames, error) {
	if len(l.small) > 0 {
		return nil, nil // to keep the vectors small
	}
	return []proofs.SearchNames{l.names}, nil
}

// searchKey signs the checkpoints of logs that are searched.
func searchKey() proofs.SigningKey {
	seed := secret("search log")
	return must(proofs.GenerateKey(searchOrigin, proofs.Ed25519, bytes.NewReader(seed[:])))
}

func (l *searchLog) prove(q proofs.SearchQuery) proofs.SearchProof {
	text := must(proofs.FormatCheckpoint(proofs.Checkpoint{Origin: searchOrigin, Size: l.size(), Root: l.root(l.size())}))
	note := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{must(searchKey().SignCheckpoint(text, 0))}})
	return must(proofs.ProveSearch(context.Background(), q, note, l.size(), true, l))
}
