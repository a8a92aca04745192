package main

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// A directoryVector is the body of a directory entry, or a head with its hash,
// or the lists of tags in a small segment with the rows that they make in
// their only bucket, without those of entries that are unread.
type directoryVector struct {
	Name   string      `json:"name"`
	Format string      `json:"format"` // directory, directory head or directory rows
	Bytes  hexBytes    `json:"bytes,omitempty"`
	Fields any         `json:"fields,omitempty"`
	Hash   hexBytes    `json:"hash,omitempty"` // of a head
	Lists  []addedList `json:"lists,omitempty"`
	Unread []uint16    `json:"unread,omitempty"` // positions
	Rows   []rowFields `json:"rows,omitempty"`
	Of     hexBytes    `json:"rows_hash,omitempty"`
	verdict
}

type directoryFields struct {
	Segments uint64       `json:"segments,string"`
	Amended  uint64       `json:"amended,string"`
	Small    hexBytes     `json:"small"`
	Large    hexBytes     `json:"large"`
	Made     []madeFields `json:"made"`
}

type madeFields struct {
	Segment segmentFields `json:"segment"`
	Hash    hexBytes      `json:"hash"`
}

type segmentFields struct {
	Large  bool   `json:"large"`
	Number uint64 `json:"number,string"`
}

type headFields struct {
	Segment   segmentFields      `json:"segment"`
	FirstTime uint64             `json:"first_time,string"`
	LastTime  uint64             `json:"last_time,string"`
	Buckets   []headBucketFields `json:"buckets"`
	Erased    []string           `json:"erased"`
}

type headBucketFields struct {
	Stream uint32   `json:"stream"`
	Bucket uint32   `json:"bucket"`
	Rows   hexBytes `json:"rows"`
	Unread []uint16 `json:"unread"`
}

type addedList struct {
	Position uint16   `json:"position"`
	Seed     hexBytes `json:"seed"`
	Tags     hexBytes `json:"tags"`
}

type rowFields struct {
	Tag       hexBytes `json:"tag"` // uint16 field ‖ 16 bytes
	Positions []uint16 `json:"positions,omitempty"`
	Salt      hexBytes `json:"salt,omitempty"`
	Entries   hexBytes `json:"entries"`
}

func directoryVectors() []directoryVector {
	hash := func(name string) proofs.Hash { return proofs.Hash(secret(name)) }
	small, large := proofs.SegmentID{Number: 16}, proofs.SegmentID{Large: true}
	body := proofs.DirectoryBody{Segments: 17, Amended: 70_000, Small: hash("small"), Large: hash("large"), Made: []proofs.MadeDirectory{
		{Segment: proofs.SegmentID{Number: 15}, Hash: hash("15")}, {Segment: small, Hash: hash("16")}, {Segment: large, Hash: hash("large 0")},
	}}
	head := proofs.DirectoryHead{Segment: small, FirstTime: 5, LastTime: 9, Erased: []uint64{80_000, 90_000}, Buckets: []proofs.DirectoryBucket{
		{Stream: 2, Bucket: 1, Rows: hash("rows 1")}, {Stream: 1, Bucket: 7, Rows: hash("rows 7")},
	}}
	damaged := proofs.DirectoryHead{Segment: small, FirstTime: 5, LastTime: 9, Buckets: []proofs.DirectoryBucket{
		{Stream: 2, Bucket: 1, Rows: hash("rows 1"), Unread: []uint16{5, 4095}}, {Stream: 1, Bucket: 7, Rows: hash("rows 7"), Unread: []uint16{0, 6}},
	}}
	vectors := []directoryVector{
		acceptDirectory("the first directory", proofs.DirectoryBody{Segments: 1, Small: hash("small"), Large: proofs.EmptyRoot(), Made: []proofs.MadeDirectory{{Hash: hash("0")}}}),
		acceptDirectory("directories made anew, and a large one", body),
		acceptHead("a head of two buckets and two erasures", head),
		acceptHead("a head of two buckets with entries that could not be read", damaged),
		acceptHead("a head of a segment without tags", proofs.DirectoryHead{Segment: large, FirstTime: 1, LastTime: 1}),
		acceptRows("rows of one tag", nil, list(0, "a")),
		acceptRows("rows of entries that share tags", nil, list(3, "b", "a"), list(7, "a"), list(4095, "c", "b")),
		acceptRows("rows of an entry with two lists, and a tag twice", nil, list(9, "a", "a", "b"), list(9, "b")),
		acceptRows("rows beside entries that could not be read", []uint16{2, 7}, list(3, "b", "a"), list(7, "a"), list(4095, "c", "b")),
		acceptRows("no rows, since the only entry could not be read", []uint16{2}),
	}
	vectors = append(vectors, refusedDirectories(vectors[1].Bytes, vectors[2].Bytes)...)
	return append(vectors, refusedUnread(vectors[3].Bytes)...)
}

func acceptDirectory(name string, b proofs.DirectoryBody) directoryVector {
	f := directoryFields{Segments: b.Segments, Amended: b.Amended, Small: hexHash(b.Small), Large: hexHash(b.Large)}
	for _, m := range b.Made {
		f.Made = append(f.Made, madeFields{segmentFields(m.Segment), hexHash(m.Hash)})
	}
	return directoryVector{Name: name, Format: "directory", Bytes: must(proofs.FormatDirectory(b)), Fields: f, verdict: ok()}
}

func acceptHead(name string, h proofs.DirectoryHead) directoryVector {
	f := headFields{Segment: segmentFields(h.Segment), FirstTime: h.FirstTime, LastTime: h.LastTime, Buckets: []headBucketFields{}, Erased: decimals(h.Erased)}
	for _, b := range h.Buckets {
		f.Buckets = append(f.Buckets, headBucketFields{b.Stream, b.Bucket, hexHash(b.Rows), b.Unread})
	}
	return directoryVector{Name: name, Format: "directory head", Bytes: must(proofs.FormatDirectoryHead(h)), Fields: f, Hash: hexHash(must(h.Hash())), verdict: ok()}
}

// list is a list of tags of field 1, at a position.
func list(position uint16, values ...string) addedList {
	key := secret("directory field")
	seed := secret(fmt.Sprint("directory seed ", position, len(values)))
	var tags []proofs.Tag
	for _, v := range values {
		tags = append(tags, proofs.MakeTag(1, &key, []byte(v)))
	}
	return addedList{position, seed[:], proofs.AppendTags(nil, tags)}
}

func acceptRows(name string, unread []uint16, lists ...addedList) directoryVector {
	b := proofs.NewDirectoryBuilder(0)
	for _, l := range lists {
		var tags []proofs.Tag
		for t := l.Tags; len(t) > 0; t = t[18:] {
			tags = append(tags, proofs.Tag{Field: uint16(t[0])<<8 | uint16(t[1]), Value: [16]byte(t[2:18])})
		}
		if err := b.Add(uint64(l.Position), 1, 1, (*proofs.Key256)(l.Seed), tags); err != nil {
			panic(err)
		}
	}
	for _, p := range unread {
		if err := b.Unread(uint64(p), 1, 1); err != nil {
			panic(err)
		}
	}
	rows := b.Rows()[0]
	v := directoryVector{Name: name, Format: "directory rows", Lists: lists, Unread: unread, Of: hexHash(rows.Hash()), verdict: ok()}
	for i := range rows.Len() {
		row, salt := rows.Row(i), rows.Salt(i)
		v.Rows = append(v.Rows, rowFields{proofs.AppendTags(nil, []proofs.Tag{row.Tag}), rows.Positions(i), salt[:], hexHash(row.Entries)})
	}
	return v
}

func refusedDirectories(body, head []byte) []directoryVector {
	refuse := func(format, name, why string, b []byte) directoryVector {
		return directoryVector{Name: name, Format: format, Bytes: b, verdict: malformed(why)}
	}
	directory := func(name, why string, b []byte) directoryVector { return refuse("directory", name, why, b) }
	of := func(name, why string, b []byte) directoryVector { return refuse("directory head", name, why, b) }
	const made = 8 + 8 + 32 + 32 + 2 // offset of the first of the directories made, of 41 bytes each
	const buckets, erased = 9 + 16 + 3, 9 + 16 + 3 + 2*43 + 3
	return []directoryVector{
		directory("a directory of no segments", "it comes when there is one", join(make([]byte, 8), body[8:])),
		directory("a directory of too many segments", "their indices would go beyond 64 bits", changed(body, 1, 2)),
		directory("a directory that is made before its segment", "there are 17 small ones", changed(body, made+41+8, 17)),
		directory("a large directory that is made before its segment", "17 small segments make one large one", changed(body, made+82+8, 1)),
		directory("directories made that do not rise", "they rise", changed(body, made+8, 16)),
		directory("a small directory behind a large one", "small ones come first", join(body[:made], body[made+82:], body[made:made+82])),
		directory("a segment that is neither small nor large", "large is 0 or 1", changed(body, made, 2)),
		directory("half a directory made", "it is cut off", join(body[:made-1], []byte{40}, body[made:made+40])),
		directory("a directory that lacks its last byte", "it is cut off", body[:len(body)-1]),
		directory("a directory with a byte after its end", "nothing may follow", join(body, []byte{0})),
		of("a head whose last time is before its first", "times never go back", changed(head, 16, 10)),
		of("a head of bucket 0", "buckets are numbered from 1", changed(head, buckets+7, 0)),
		of("a head whose buckets do not rise", "they rise", changed(head, buckets+7, 7)),
		of("a head whose erasures do not rise", "they rise", changed(head, erased+5, 2)),
		of("a head that lacks its last byte", "it is cut off", head[:len(head)-1]),
		of("a head with a byte after its end", "nothing may follow", join(head, []byte{0})),
	}
}

// refusedUnread are of a head whose first bucket has the unread positions 5 and
// 4095, and the second 0 and 6.
func refusedUnread(head []byte) []directoryVector {
	of := func(name, why string, b []byte) directoryVector {
		return directoryVector{Name: name, Format: "directory head", Bytes: b, verdict: malformed(why)}
	}
	const list = 9 + 16 + 3 + 40 + 3 // offset of what the first bucket lists
	second := func(high, low byte) []byte { return join(head[:list+2], []byte{high, low}, head[list+4:]) }
	return []directoryVector{
		of("a head whose unread positions do not rise", "they rise", second(0, 4)),
		of("a head with an unread position twice", "they rise", second(0, 5)),
		of("a head with an unread position outside of its segment", "a small segment has 4096 entries", second(0x10, 0)),
		of("a head with an unread position in two buckets", "an entry is in one bucket", second(0, 6)),
		of("a head with half an unread position", "a position takes two bytes", changed(head, list-1, 3)),
	}
}
