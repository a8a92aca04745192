package proofs_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type directoryVector struct {
	formatVerdict
	Format string          `json:"format"`
	Bytes  hexBytes        `json:"bytes"`
	Fields json.RawMessage `json:"fields"`
	Hash   hexBytes        `json:"hash"`
	Lists  []struct {
		Position uint16   `json:"position"`
		Seed     hexBytes `json:"seed"`
		Tags     hexBytes `json:"tags"`
	} `json:"lists"`
	Unread []uint16 `json:"unread"`
	Rows   []struct {
		Tag       hexBytes `json:"tag"`
		Positions []uint16 `json:"positions"`
		Salt      hexBytes `json:"salt"`
		Entries   hexBytes `json:"entries"`
	} `json:"rows"`
	RowsHash hexBytes `json:"rows_hash"`
}

func TestDirectoryVectors(t *testing.T) {
	for _, v := range readFormatVectors[directoryVector](t, "directory") {
		t.Run(v.Name, func(t *testing.T) {
			switch v.Format {
			case "directory":
				v.holdBody(t)
			case "directory head":
				v.holdHead(t)
			case "directory rows":
				v.holdRows(t)
			default:
				t.Errorf("a vector of no format: %q", v.Format)
			}
		})
	}
}

func (v directoryVector) holdBody(t *testing.T) {
	got, err := proofs.ParseDirectory(v.Bytes)
	v.hold(t, err)
	if v.Verdict != "ok" {
		return
	}
	if again, err := proofs.FormatDirectory(got); err != nil || !bytes.Equal(again, v.Bytes) {
		t.Errorf("format: got %x, %v, want %x", again, err, v.Bytes)
	}
	var want struct {
		Segments, Amended uint64 `json:",string"`
		Small, Large      hexBytes
		Made              []struct {
			Segment vectorSegment
			Hash    hexBytes
		}
	}
	if err := json.Unmarshal(v.Fields, &want); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "segments", got.Segments, want.Segments)
	wantEqual(t, "amended", got.Amended, want.Amended)
	wantEqual(t, "small", got.Small, proofs.Hash(want.Small))
	wantEqual(t, "large", got.Large, proofs.Hash(want.Large))
	wantEqual(t, "number of directories made", len(got.Made), len(want.Made))
	for i, m := range want.Made {
		wantEqual(t, "made", got.Made[i], proofs.MadeDirectory{Segment: proofs.SegmentID(m.Segment), Hash: proofs.Hash(m.Hash)})
	}
}

type vectorSegment struct {
	Large  bool
	Number uint64 `json:",string"`
}

func (v directoryVector) holdHead(t *testing.T) {
	got, err := proofs.ParseDirectoryHead(v.Bytes)
	v.hold(t, err)
	if v.Verdict != "ok" {
		return
	}
	if again, err := proofs.FormatDirectoryHead(got); err != nil || !bytes.Equal(again, v.Bytes) {
		t.Errorf("format: got %x, %v, want %x", again, err, v.Bytes)
	}
	wantEqual(t, "hash", must(got.Hash()), proofs.Hash(v.Hash))
	var want struct {
		Segment   vectorSegment
		FirstTime uint64 `json:"first_time,string"`
		LastTime  uint64 `json:"last_time,string"`
		Buckets   []struct {
			Stream, Bucket uint32
			Rows           hexBytes
			Unread         []uint16
		}
		Erased []json.Number
	}
	if err := json.Unmarshal(v.Fields, &want); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "segment", got.Segment, proofs.SegmentID(want.Segment))
	wantEqual(t, "first time", got.FirstTime, want.FirstTime)
	wantEqual(t, "last time", got.LastTime, want.LastTime)
	wantEqual(t, "number of buckets", len(got.Buckets), len(want.Buckets))
	for i, b := range want.Buckets {
		if want := (proofs.DirectoryBucket{Stream: b.Stream, Bucket: b.Bucket, Rows: proofs.Hash(b.Rows), Unread: b.Unread}); !reflect.DeepEqual(got.Buckets[i], want) {
			t.Errorf("bucket: got %v, want %v", got.Buckets[i], want)
		}
	}
	wantEqual(t, "number of erasures", len(got.Erased), len(want.Erased))
	for i, e := range want.Erased {
		wantEqual(t, "erasure", int64(got.Erased[i]), must(e.Int64()))
	}
}

func (v directoryVector) holdRows(t *testing.T) {
	b := proofs.NewDirectoryBuilder(0)
	for _, l := range v.Lists {
		if err := b.Add(uint64(l.Position), 1, 1, l.Seed.key(t), tagsOf(proofs.DisclosedTags{Tags: l.Tags})); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range v.Unread {
		if err := b.Unread(uint64(p), 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	rows := b.Rows()[0]
	if !slices.Equal(rows.Unread, v.Unread) {
		t.Errorf("unread: got %v, want %v", rows.Unread, v.Unread)
	}
	wantEqual(t, "rows", rows.Len(), len(v.Rows))
	for i, want := range v.Rows {
		salt, row := rows.Salt(i), rows.Row(i)
		wantEqual(t, "tag", string(proofs.AppendTags(nil, []proofs.Tag{row.Tag})), string(want.Tag))
		wantEqual(t, "salt", salt, *want.Salt.key(t))
		wantEqual(t, "entries", row.Entries, proofs.Hash(want.Entries))
		wantEqual(t, "entries of the positions", proofs.RowEntries(&salt, want.Positions), proofs.Hash(want.Entries))
	}
	wantEqual(t, "hash", rows.Hash(), proofs.Hash(v.RowsHash))
}

func TestDirectoriesHaveTheirPlaces(t *testing.T) {
	const s = proofs.SegmentSize
	for size, want := range map[uint64]uint64{0: 0, 1: 0, 2*s - 1: 0, 2 * s: 0, 2*s + 1: 1, 3 * s: 1, 3*s + 1: 2, 100 * s: 98, 100*s + 1: 99} {
		wantEqual(t, "directories", proofs.DirectoriesAt(size), want)
		if want > 0 && (proofs.DirectoryPlace(want-1) >= size || proofs.DirectoryPlace(want) < size) {
			t.Errorf("size %d: the last directory has the place %d", size, proofs.DirectoryPlace(want-1))
		}
	}
	wantEqual(t, "end", proofs.SegmentID{Large: true, Number: 1<<47 - 1}.End(), 1<<47*s*16)
	wantEqual(t, "name", proofs.SegmentID{Number: 7}.String(), "segment 7")
	wantEqual(t, "name", proofs.SegmentID{Large: true}.String(), "large segment 0")
}

func TestFormatDirectoryRefusesWhatDoesNotFit(t *testing.T) {
	made := make([]proofs.MadeDirectory, proofs.MaxMade+1)
	for i := range made {
		made[i].Segment.Number = uint64(i)
	}
	most := proofs.DirectoryBody{Segments: 1 << 20, Made: made[:proofs.MaxMade]}
	b, err := proofs.FormatDirectory(most)
	if err != nil || len(b) > proofs.MaxControl || len(b)+41 <= proofs.MaxControl {
		t.Errorf("the most that can be made: got %d bytes and %v, and there is room for %d", len(b), err, proofs.MaxControl)
	}
	most.Made = made
	_, err = proofs.FormatDirectory(most)
	_, err2 := proofs.FormatDirectoryHead(proofs.DirectoryHead{Buckets: make([]proofs.DirectoryBucket, 1<<20)})
	_, err3 := proofs.FormatDirectoryHead(proofs.DirectoryHead{Erased: []uint64{5, 5}})
	_, err4 := proofs.DirectoryHead{FirstTime: 5}.Hash()
	for i, err := range []error{err, err2, err3, err4} {
		if !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%d: got %v, want it to be malformed", i, err)
		}
	}
}

func TestADirectoryTakesEntriesOfItsSegmentInOrder(t *testing.T) {
	b := proofs.NewDirectoryBuilder(1)
	tags := []proofs.Tag{{Field: 1}}
	for _, x := range []struct {
		index uint64
		fits  bool
	}{{proofs.SegmentSize - 1, false}, {proofs.SegmentSize, true}, {proofs.SegmentSize + 5, true}, {proofs.SegmentSize + 5, true}, {proofs.SegmentSize + 4, false}, {2 * proofs.SegmentSize, false}} {
		if err := b.Add(x.index, 1, 1, new(proofs.Key256), tags); (err == nil) != x.fits {
			t.Errorf("entry %d: got %v", x.index, err)
		}
	}
}

func TestRowsKnowTheNodesOfTheirTree(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 65, 127, 128, 200, 1000, 4096} {
		b := proofs.NewDirectoryBuilder(0)
		var tags []proofs.Tag
		for i := range n {
			tags = append(tags, proofs.Tag{Field: 1, Value: [16]byte(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(i)))})
		}
		if err := b.Add(0, 1, 1, new(proofs.Key256), tags); err != nil {
			t.Fatal(err)
		}
		rows := b.Rows()[0]
		var leaves refTree
		for i := range n {
			row := rows.Row(i)
			leaves = append(leaves, append(proofs.AppendTags(nil, []proofs.Tag{row.Tag}), row.Entries[:]...))
		}
		for level := range uint8(13) {
			for index := uint64(0); (index+1)<<level <= uint64(n); index++ {
				got, err := rows.ReadNodes(t.Context(), []proofs.NodeID{{Level: level, Index: index}})
				if err != nil || got[0] != refMTH(leaves[index<<level:(index+1)<<level]) {
					t.Fatalf("%d rows: node %d of level %d: got %v, %v", n, index, level, got, err)
				}
			}
			beyond := proofs.NodeID{Level: level, Index: uint64(n) >> level}
			if _, err := rows.ReadNodes(t.Context(), []proofs.NodeID{beyond}); err == nil {
				t.Errorf("%d rows: it has node %d of level %d", n, beyond.Index, level)
			}
		}
		if _, err := rows.ReadNodes(t.Context(), []proofs.NodeID{{Level: 64}}); err == nil {
			t.Error("there is a node of level 64")
		}
	}
}

func FuzzParseDirectory(f *testing.F) {
	fuzzDirectory(f, "directory", proofs.ParseDirectory, proofs.FormatDirectory)
}

func FuzzParseDirectoryHead(f *testing.F) {
	fuzzDirectory(f, "directory head", proofs.ParseDirectoryHead, proofs.FormatDirectoryHead)
}

func fuzzDirectory[T any](f *testing.F, format string, parse func([]byte) (T, error), write func(T) ([]byte, error)) {
	for _, v := range readFormatVectors[directoryVector](f, "directory") {
		if v.Format == format {
			f.Add([]byte(v.Bytes))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parse(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := write(x); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
	})
}
