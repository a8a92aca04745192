package main

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// A shownDirectoryVector is what a ledger shows of a segment.
type shownDirectoryVector struct {
	Name  string                 `json:"name"`
	Bytes hexBytes               `json:"bytes"`
	Head  hexBytes               `json:"head,omitempty"`
	Tags  []shownEntry           `json:"tags,omitempty"`
	Rows  map[string][]rowFields `json:"rows,omitempty"` // by bucket
	verdict
}

type shownEntry struct {
	Index uint64      `json:"index,string"`
	Lists []shownList `json:"lists"`
}

type shownList struct {
	Seed        hexBytes   `json:"seed,omitempty"`
	Tags        hexBytes   `json:"tags,omitempty"`
	Commitments []hexBytes `json:"commitments,omitempty"`
}

func shownDirectoryVectors() []shownDirectoryVector {
	first, last := list(1, "a", "b"), list(8, "a")
	b := proofs.NewDirectoryBuilder(2)
	for _, l := range []addedList{first, last} {
		must(0, b.Add(8192+uint64(l.Position), 1, 4, (*proofs.Key256)(l.Seed), tagsOf(l.Tags)))
	}
	rows := b.Rows()[0]
	shown := proofs.ShownDirectory{
		Head: proofs.DirectoryHead{
			Segment: proofs.SegmentID{Number: 2}, FirstTime: 5, LastTime: 9, Erased: []uint64{90_000},
			Buckets: []proofs.DirectoryBucket{{Stream: 1, Bucket: 4, Rows: rows.Hash(), Unread: []uint16{3}}},
		},
		Tags: []proofs.SearchTags{
			{Index: 8193, Lists: []proofs.DisclosedTags{
				{Seed: first.Seed, Tags: first.Tags}, {Commitments: []proofs.Hash{proofs.Hash(secret("commitment 1")), proofs.Hash(secret("commitment 2"))}},
			}},
			{Index: 8194},
			{Index: 8200, Lists: []proofs.DisclosedTags{{Seed: last.Seed, Tags: last.Tags}}},
		},
	}
	without := acceptShown("a segment with an entry of which a list of tags is erased, and one of which nothing is known", shown)
	shown.Rows = map[uint32][]proofs.DirectoryRow{2: {{Tag: tagsOf(first.Tags)[1]}}, 4: {rows.Row(0), rows.Row(1)}}
	with := acceptShown("a segment with the rows of two buckets", shown)
	none := acceptShown("a large segment without a directory yet", proofs.ShownDirectory{Head: proofs.DirectoryHead{Segment: proofs.SegmentID{Large: true, Number: 1}}})
	return append([]shownDirectoryVector{without, with, none}, refusedShown(with)...)
}

func tagsOf(b []byte) (tags []proofs.Tag) {
	for ; len(b) > 0; b = b[18:] {
		tags = append(tags, proofs.Tag{Field: uint16(b[0])<<8 | uint16(b[1]), Value: [16]byte(b[2:18])})
	}
	return tags
}

func acceptShown(name string, s proofs.ShownDirectory) shownDirectoryVector {
	v := shownDirectoryVector{Name: name, Bytes: must(proofs.FormatShownDirectory(s)), Head: must(proofs.FormatDirectoryHead(s.Head)), verdict: ok()}
	for _, t := range s.Tags {
		e := shownEntry{Index: t.Index, Lists: []shownList{}}
		for _, l := range t.Lists {
			x := shownList{Seed: l.Seed, Tags: l.Tags}
			for _, c := range l.Commitments {
				x.Commitments = append(x.Commitments, hexHash(c))
			}
			e.Lists = append(e.Lists, x)
		}
		v.Tags = append(v.Tags, e)
	}
	for bucket, rows := range s.Rows {
		if v.Rows == nil {
			v.Rows = make(map[string][]rowFields)
		}
		for _, r := range rows {
			name := fmt.Sprint(bucket)
			v.Rows[name] = append(v.Rows[name], rowFields{Tag: proofs.AppendTags(nil, []proofs.Tag{r.Tag}), Entries: hexHash(r.Entries)})
		}
	}
	return v
}

// refusedShown are of a segment with three entries, the last of which has a list
// of one tag, and with the rows of bucket 2, one of them, and of bucket 4, two.
func refusedShown(good shownDirectoryVector) []shownDirectoryVector {
	b := []byte(good.Bytes)
	of := func(name, why string, b []byte) shownDirectoryVector {
		return shownDirectoryVector{Name: name, Bytes: b, verdict: malformed(why)}
	}
	const label, row = len("cairn/v1 shown directory\n"), 18 + 32
	tags := label + len(good.Head) // offset of the tags, of which the first is of the first entry
	second, first := len(b)-2*row-8, len(b)-2*row-8-row-8
	return []shownDirectoryVector{
		of("nothing", "it begins with a label", nil),
		of("what has another label", "it begins with its own", changed(b, 0, 'C')),
		of("what ends within its head", "it is cut off", b[:tags-1]),
		of("what lacks its last byte", "it is cut off", b[:len(b)-1]),
		of("what has a byte after its end", "nothing may follow", join(b, []byte{0})),
		of("an entry of the segment before", "segment 2 begins at entry 8192", changed(b, tags+4+6, 0x1f)),
		of("an entry of the segment behind", "segment 2 ends with entry 12287", changed(b, tags+4+6, 0x30)),
		of("entries that do not rise", "they rise", changed(b, tags+4+7, 2)),
		of("tags of a large segment", "its small ones have them", changed(b, label, 1)),
		of("a list that is neither shown nor erased", "shown is 0 or 1", changed(b, tags+4+8+4, 2)),
		of("rows whose buckets do not rise", "they rise", changed(b, second+3, 2)),
		of("a bucket without rows", "it has some, or is not there", join(b[:first-1], []byte{byte(8 + 8 + 2*row)}, b[first:first+4], make([]byte, 4), b[second:])),
	}
}
