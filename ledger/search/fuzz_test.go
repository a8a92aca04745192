package search

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// Whatever parses is written again as the same bytes: each of these bytes has
// one meaning, and nothing else has it.

func FuzzPosting(f *testing.F) {
	f.Add(appendPosting(nil, []uint16{63}, 64))
	f.Add(appendPosting(nil, []uint16{0, 7, 4000}, 4096))
	f.Add(appendPosting(nil, []uint16{0, 1, 2, 3, 4, 5, 6, 7, 8, 63}, 64))
	f.Add(binary.AppendUvarint(nil, 1<<40))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, span := range []int{64, 4096, 65536} {
			p, rest, err := parsePosting(b, span)
			if err != nil {
				continue
			}
			s, err := p.set()
			list, listErr := p.appendTo(nil, 0)
			if (err == nil) != (listErr == nil) {
				t.Fatalf("as a set: %v; as a list: %v", err, listErr)
			}
			if err != nil {
				continue
			}
			if again := append(appendPosting(nil, list, span), rest...); !bytes.Equal(again, b) {
				t.Fatalf("%x became %x", b, again)
			}
			n, err := p.countAmong(s.asBits(span))
			if err != nil || n != len(list) || s.n != n {
				t.Fatalf("%d among %d of %d: %v", n, s.n, len(list), err)
			}
		}
	})
}

func FuzzRows(f *testing.F) {
	b := appendRow(nil, nil, []byte("alice"), []uint16{1}, 64)
	b = appendRow(b, []byte("alice"), []byte("alina"), []uint16{1, 2, 5}, 64)
	f.Add(appendRow(b, []byte("alina"), []byte("bob"), []uint16{0, 63}, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		var again, last []byte
		type row struct {
			key []byte
			n   int
		}
		var rows []row
		r := rowReader{rest: b, span: 64}
		for {
			ok, err := r.next()
			if err != nil {
				return
			}
			if !ok {
				break
			}
			list, err := r.post.appendTo(nil, 0)
			if err != nil {
				return
			}
			again = appendRow(again, last, r.key, list, 64)
			last = bytes.Clone(r.key)
			rows = append(rows, row{last, len(list)})
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
		for _, row := range rows {
			finder := rowReader{rest: b, span: 64}
			p, ok, err := finder.find(row.key)
			if !ok || err != nil || p.n != row.n {
				t.Fatalf("%q: found %t with %d of %d: %v", row.key, ok, p.n, row.n, err)
			}
		}
	})
}

func FuzzTimes(f *testing.F) {
	f.Add(uint64(1000), []byte{0, 5, 0x80, 1})
	f.Fuzz(func(t *testing.T, first uint64, b []byte) {
		n := 1
		for _, c := range b {
			if c < 0x80 {
				n++
			}
		}
		times, err := readTimes(first, b, n)
		if err != nil {
			return
		}
		var again []byte
		for i := 1; i < n; i++ {
			again = binary.AppendUvarint(again, times[i]-times[i-1])
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
		for i, time := range times {
			before, err := countBefore(time, first, b, n)
			if err != nil || before > i || before < i && times[before] != time {
				t.Fatalf("%d of %d are before %d: %v", before, n, time, err)
			}
		}
	})
}

func FuzzDirectory(f *testing.F) {
	dir := directory{span: 64, times: []blockRef{{time: 5, size: 20}}, sections: []sectionRef{
		{section{fieldKind, 1}, 9, []blockRef{{size: 30, key: "a"}, {size: 31, key: "b"}}},
		{wordSection(), 3, []blockRef{{size: 40, key: "c"}}},
	}}
	f.Add(dir.append(nil, []uint16{3, 4}), uint64(121))
	f.Fuzz(func(t *testing.T, b []byte, size uint64) {
		dir, err := parseDirectory(b, 64, size)
		if err != nil {
			return
		}
		documents, err := dir.documents.appendTo(nil, 0)
		if err != nil {
			return
		}
		if again := dir.append(nil, documents); !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}

func FuzzRegister(f *testing.F) {
	r := newRegister(3)
	r.next = 512
	id := FileID{256, 512, 7}
	r.files[id] = record{FileID: id, documents: 9, first: 1, last: 2, offset: 1000, size: 50, number: 4}
	r.outlines[id] = outlineRecord{record: record{FileID: id, offset: 900, size: 60, number: 2}, rows: [32]byte{5}}
	r.missing[FileID{0, 64, 7}] = true
	r.missing[FileID{64, 128, 7}] = true
	f.Add(r.format())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRegister(b, 3)
		if err != nil {
			return
		}
		if again := r.format(); !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, v := range []string{"", "alice", "12", "-0.5", "10.0.0.0/8", "2026-01-05", "1e400000"} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		key := appendKey(nil, value)
		got, whole := keyValue(key)
		if len(key) > maxKey || len(key) == 0 {
			t.Fatalf("a key of %d bytes", len(key))
		}
		if want := value[:min(len(value), MaxValue)]; !bytes.Equal(got, want) || whole != (len(value) <= MaxValue) {
			t.Fatalf("%q became %q, whole: %t", value, got, whole)
		}
	})
}

func FuzzPositions(f *testing.F) {
	for _, list := range [][]uint16{{0}, {63}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 63}} {
		var w bitWriter
		w.positions(list, 64)
		f.Add(w.bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, span := range []int{64, 4096, 65536} {
			r := bitReader{b: b}
			list, err := r.positions(span)
			if err != nil {
				continue
			}
			var w bitWriter
			w.positions(list, span)
			again := bitReader{b: w.bytes()}
			if got, err := again.positions(span); err != nil || !slices.Equal(got, list) || len(w.b) > len(b) {
				t.Fatalf("%v became %v: %v", list, got, err)
			}
		}
	})
}

func FuzzOutline(f *testing.F) {
	page := outlinePart{first: 1 << 48, block: blockRef{size: 100}}
	top := outlineTop{count: 33, entries: []byte{1}, edge: make([]proofs.Hash, 1), pages: []outlinePart{page}}
	f.Add(top.append(nil), uint64(100), 33)
	f.Add(append(page.append(nil, true), 0), uint64(0), 32)
	f.Fuzz(func(t *testing.T, b []byte, size uint64, rows int) {
		if top, err := parseOutlineTop(b, size); err == nil && !bytes.Equal(top.append(nil), b) {
			t.Fatalf("%x became %x", b, top.append(nil))
		}
		groups, err := parsePage(b, min(rows, pageRows))
		if err == nil && len(groups) != max(min(rows, pageRows)+groupRows-1, 0)/groupRows {
			t.Fatalf("%d groups of %d rows", len(groups), rows)
		}
	})
}

// TestPositionsTakeFewBits: those of one value of many take little more than
// their own bits, those of frequent values at most a bit for each entry and its own.
func TestPositionsTakeFewBits(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, span := range []int{64, 4096, 65536} {
		for _, n := range []int{1, 2, 10, span / 17, span / 3, span - 1, span} {
			list := make([]uint16, 0, n)
			for _, p := range rng.Perm(span)[:n] {
				list = append(list, uint16(p))
			}
			slices.Sort(list)
			var w bitWriter
			w.positions(list, span)
			size := len(w.bytes())
			r := bitReader{b: w.b}
			if got, err := r.positions(span); err != nil || !slices.Equal(got, list) {
				t.Fatalf("%d of %d: %v", n, span, err)
			}
			if most := (n*(bits.Len(uint(span/n))+2) + 40) / 8; size > most {
				t.Errorf("%d of %d positions take %d bytes, more than %d", n, span, size, most)
			}
		}
	}
}
