package proofs_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// TestACheatingLogIsCaught: each lie about an answer has a reason of its own.
func TestACheatingLogIsCaught(t *testing.T) {
	t.Parallel()
	w := smallSearchWorld()
	w.erase(0, 4200)
	q := proofs.SearchQuery{Stream: 1, First: 10, End: 2*proofs.SegmentSize + 100, Terms: []proofs.SearchTerm{term("user7", 1), term("act2", 2)}}
	q2 := q
	q2.Terms = []proofs.SearchTerm{term("user8", 1), term("act2", 2)}
	other := w.prove(t, q2, true)
	honest := must(proofs.FormatSearchProof(w.prove(t, q, true)))
	if _, err := must(proofs.ParseSearchProof(honest)).Check(searchPolicy()); err != nil {
		t.Fatal(err)
	}
	for _, cheat := range []struct {
		what, why string
		lie       func(p *proofs.SearchProof)
	}{
		{"invents a hit", "is no hit", func(p *proofs.SearchProof) {
			p.Hits = append(p.Hits, proofs.SearchHit{Index: p.Stop - 1, Opened: p.Hits[0].Opened})
		}},
		{"takes another entry for a hit", "nothing is named that closed it", func(p *proofs.SearchProof) { p.Hits[0] = other.Hits[0] }},
		{"leaves out a hit", "nothing is named that closed it", func(p *proofs.SearchProof) { p.Hits = p.Hits[1:] }},
		{"leaves out the leaf of a hit", "subset", func(p *proofs.SearchProof) {
			p.Entries = slices.DeleteFunc(p.Entries, func(e proofs.SearchEntry) bool { return e.Index == p.Hits[0].Index })
		}},
		{"shows a hit with another tag", "does not lead to the root", func(p *proofs.SearchProof) { p.Hits[0].Opened[0].Opening[0] ^= 1 }},
		{"shows a tag of another entry", "does not lead to the root", func(p *proofs.SearchProof) { p.Hits[0].Opened[0] = p.Hits[1].Opened[0] }},
		{"shows one tag for both terms", "is of another field", func(p *proofs.SearchProof) { p.Hits[0].Opened[1] = p.Hits[0].Opened[0] }},
		{"shows a tag for one term of two", "1 tags are shown for 2 terms", func(p *proofs.SearchProof) { p.Hits[0].Opened = p.Hits[0].Opened[:1] }},
		{"leaves out an entry of a row", "are not those that it commits to", func(p *proofs.SearchProof) {
			found := &p.Segments[0].Rows[0].Found[0]
			found.Positions = found.Positions[1:]
		}},
		{"leaves out the entries of a row", "entries of 0 rows are shown", func(p *proofs.SearchProof) { p.Segments[0].Rows[0].Found = nil }},
		{"begins too late", "the entries before may be asked for too", func(p *proofs.SearchProof) { p.Start++ }},
		{"begins far too late", "the entries before may be asked for too", func(p *proofs.SearchProof) {
			p.Start, p.Segments = proofs.SegmentSize, p.Segments[1:]
		}},
		{"goes beyond the tree", "are not in a tree", func(p *proofs.SearchProof) { p.Stop = w.size() + 1 }},
		{"drops the first segment", "does not follow", func(p *proofs.SearchProof) { p.Segments = p.Segments[1:] }},
		{"drops the last segment", "is not shown, and no directory has it", func(p *proofs.SearchProof) {
			p.Segments = p.Segments[:1]
			p.Small = w.subset(t, 0)
		}},
		{"shows a segment twice", "does not follow", func(p *proofs.SearchProof) { p.Segments[1] = p.Segments[0] }},
		{"shows one directory for another", "leaves do not lead to the root", func(p *proofs.SearchProof) {
			id := p.Segments[0].Head.Segment
			p.Segments[0] = p.Segments[1]
			p.Segments[0].Head.Segment = id
		}},
		{"forges a head", "leaves do not lead to the root", func(p *proofs.SearchProof) { p.Segments[0].Head.Erased = []uint64{5} }},
		{"hides a bucket in the head", "leaves do not lead to the root", func(p *proofs.SearchProof) {
			p.Segments[0].Head.Buckets = p.Segments[0].Head.Buckets[1:]
			p.Segments[0].Rows = p.Segments[0].Rows[1:]
		}},
		{"hides the rows of a bucket", "the rows of bucket 3 are not shown", func(p *proofs.SearchProof) { p.Segments[0].Rows = p.Segments[0].Rows[:1] }},
		{"shows rows of one bucket more", "rows of more buckets", func(p *proofs.SearchProof) {
			p.Segments[0].Rows = append(p.Segments[0].Rows, p.Segments[0].Rows[0])
		}},
		{"swaps the rows of two buckets", "the rows are not those of the directory", func(p *proofs.SearchProof) {
			rows := p.Segments[0].Rows
			rows[0], rows[1] = rows[1], rows[0]
		}},
		{"says that there are fewer rows", "subset", func(p *proofs.SearchProof) { p.Segments[0].Rows[0].Count = 1 }},
		{"shows no row at all", "a row that is asked for is not shown", func(p *proofs.SearchProof) {
			p.Segments[0].Rows[0] = w.shownRows(t, 0, 1)
		}},
		{"shows rows that are not next to each other as if they were", "a row that is asked for is not shown", func(p *proofs.SearchProof) {
			key := fieldKey(1, 1)
			at, _ := w.rowsOf(0, 1).Find(proofs.MakeTag(1, &key, []byte("user7")))
			p.Segments[0].Rows[0] = w.shownRows(t, 0, 1, at-1, at+1)
		}},
		{"says that a bucket has expired", "does not announce that it expires", func(p *proofs.SearchProof) {
			p.Segments[0].Rows[0] = proofs.SearchRows{Expired: p.Entries[0].Index + 1}
		}},
		{"uses another key of a field", "commits to another key", func(p *proofs.SearchProof) { p.Keys[0].Keys[0].Key[0] ^= 1 }},
		{"uses the key of another field", "commits to another key", func(p *proofs.SearchProof) { p.Keys[0].Keys[0].Key = p.Keys[0].Keys[1].Key }},
		{"uses a key that nothing committed to", "is not shown or is none", func(p *proofs.SearchProof) { p.Keys[0].Keys[0].Opened = 0 }},
		{"uses the key of another bucket", "commits to another key", func(p *proofs.SearchProof) { p.Keys[0].Bucket = 2 }},
		{"shows no key", "the key of field 1 is not shown", func(p *proofs.SearchProof) { p.Keys[0].Keys = p.Keys[0].Keys[1:] }},
		{"forges a tag in the tail", "the tags are not those that it commits to", func(p *proofs.SearchProof) { p.Tail[0].Lists[0].Tags[2] ^= 1 }},
		{"leaves out tags in the tail", "the tags are not those that it commits to", func(p *proofs.SearchProof) {
			p.Tail[0].Lists[0].Tags = p.Tail[0].Lists[0].Tags[18:]
		}},
		{"leaves out an entry of the tail", "are not shown", func(p *proofs.SearchProof) { p.Tail = p.Tail[1:] }},
		{"leaves out the last entry of the tail", "are not shown", func(p *proofs.SearchProof) { p.Tail = p.Tail[:len(p.Tail)-1] }},
		{"shows no tags in the tail", "nothing is named that closed it", func(p *proofs.SearchProof) { p.Tail[0].Lists = nil }},
		{"says that tags in the tail are erased", "nothing is named that closed it", func(p *proofs.SearchProof) {
			p.Tail[0].Lists[0] = proofs.DisclosedTags{Commitments: []proofs.Hash{{1}}}
		}},
		{"shows one entry more in the tail", "are not asked for", func(p *proofs.SearchProof) {
			p.Tail = append(p.Tail, proofs.SearchTags{Index: p.Stop, Lists: p.Tail[0].Lists})
		}},
		{"uses an older directory", "is not the last one of a tree", func(p *proofs.SearchProof) {
			p.Directory = proofs.DirectoryPlace(0)
			w.withEntry(t, p, p.Directory)
		}},
		{"uses another entry as directory", "is no directory", func(p *proofs.SearchProof) { p.Directory = p.Entries[0].Index }},
		{"uses a directory that is not shown", "is not shown", func(p *proofs.SearchProof) { p.Directory = 1 }},
		{"shows a forged entry", "subset", func(p *proofs.SearchProof) { p.Entries[0].Leaf[3] ^= 1 }},
		{"forges the names of fields", "the payload is not the one", func(p *proofs.SearchProof) {
			p.Names[0].Disclosure = []byte(strings.Replace(string(p.Names[0].Disclosure), `"data":"`, `"data":"AAAA`, 1))
		}},
		{"takes another entry for settings", "or sets nothing", func(p *proofs.SearchProof) { p.Names[0].Index = p.Entries[1].Index }},
		{"asks the same twice", "is not asked for", func(p *proofs.SearchProof) { p.Query.Terms[1] = p.Query.Terms[0] }},
		{"asks for nothing", "it has no terms", func(p *proofs.SearchProof) { p.Query.Terms = nil }},
		{"lets someone else sign", "signature by ledger.example/audit+85cbe79a: wrong", func(p *proofs.SearchProof) { p.Checkpoint[len(p.Checkpoint)-9] ^= 1 }},
	} {
		t.Run(cheat.what, func(t *testing.T) {
			p := must(proofs.ParseSearchProof(honest))
			cheat.lie(&p)
			v, err := p.Check(searchPolicy())
			if err == nil {
				t.Fatalf("it is believed: %v", v.Hits)
			}
			if !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("got an error of neither kind: %v", err)
			}
			if !strings.Contains(err.Error(), cheat.why) {
				t.Errorf("got the reason %q, want %q", err, cheat.why)
			}
		})
	}
}

// subset proves directories of small segments.
func (w *searchWorld) subset(t *testing.T, numbers ...uint64) []proofs.Hash {
	var d refTree
	for _, h := range w.small {
		d = append(d, h[:])
	}
	p, err := proofs.ProveSubset(t.Context(), numbers, uint64(len(d)), d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *searchWorld) rowsOf(segment uint64, bucket uint32) *proofs.DirectoryRows {
	rows := w.rows[proofs.SegmentID{Number: segment}]
	return rows[slices.IndexFunc(rows, func(r *proofs.DirectoryRows) bool { return r.Bucket == bucket })]
}

// shownRows shows some rows of a bucket as a log that lies could.
func (w *searchWorld) shownRows(t *testing.T, segment uint64, bucket uint32, rows ...int) proofs.SearchRows {
	r := w.rowsOf(segment, bucket)
	s := proofs.SearchRows{Count: uint32(r.Len())}
	var numbers []uint64
	for _, i := range rows {
		s.Shown = append(s.Shown, proofs.SearchRow{Number: uint32(i), Row: r.Row(i)})
		numbers = append(numbers, uint64(i))
	}
	var err error
	if s.Proof, err = proofs.ProveSubset(t.Context(), numbers, uint64(r.Len()), r); err != nil {
		t.Fatal(err)
	}
	return s
}

// withEntry shows one entry more.
func (w *searchWorld) withEntry(t *testing.T, p *proofs.SearchProof, index uint64) {
	var indices []uint64
	for _, e := range p.Entries {
		indices = append(indices, e.Index)
	}
	at, found := slices.BinarySearch(indices, index)
	if found {
		return
	}
	p.Entries = slices.Insert(p.Entries, at, proofs.SearchEntry{Index: index, Leaf: w.leaves[index]})
	indices = slices.Insert(indices, at, index)
	var err error
	if p.Inclusion, err = proofs.ProveSubset(t.Context(), indices, w.size(), w); err != nil {
		t.Fatal(err)
	}
}

// TestASearchProofWithAnyByteChangedShowsNoOtherAnswer: it does not parse, is
// refused, or shows the same.
func TestASearchProofWithAnyByteChangedShowsNoOtherAnswer(t *testing.T) {
	t.Parallel()
	w := newSearchWorld()
	w.fill(newRand(6), 22)
	w.erase(0, 12)
	w.expire(3)
	q := proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: []proofs.SearchTerm{term("act2", 2)}}
	p := w.prove(t, q, true)
	want, err := p.Check(searchPolicy())
	if err != nil {
		t.Fatal(err)
	}
	b, step := must(proofs.FormatSearchProof(p)), 1
	if testing.Short() {
		step = 5
	}
	for i := 0; i < len(b); i += step {
		flip := byte(1) << (i % 8)
		b[i] ^= flip
		changed, err := proofs.ParseSearchProof(b)
		var v proofs.SearchVerdict
		if err == nil {
			v, err = changed.Check(searchPolicy())
		}
		switch {
		case err == nil && !slices.Equal(v.Hits, want.Hits) && reflect.DeepEqual(changed.Query, q):
			t.Errorf("byte %d: it shows %v, and not %v", i, v.Hits, want.Hits)
		case err != nil && !errors.Is(err, proofs.ErrMalformed) && !errors.Is(err, proofs.ErrNotVerified):
			t.Errorf("byte %d: got an error of neither kind: %v", i, err)
		}
		b[i] ^= flip
	}
}

// TestNoAlternativeIsHidden: what shows the entries of one value is no answer to
// either of two, and a hit has to have one of them.
func TestNoAlternativeIsHidden(t *testing.T) {
	t.Parallel()
	w := smallSearchWorld()
	both := everything(either(term("user7", 1), term("user8", 1)), term("act2", 2))
	one := w.prove(t, everything(term("user7", 1), term("act2", 2)), true)
	one.Query = both
	if _, err := one.Check(searchPolicy()); err == nil || !strings.Contains(err.Error(), "a row that is asked for is not shown") {
		t.Errorf("the entries of one value for two: %v", err)
	}
	p := w.prove(t, both, true)
	p.Query = everything(either(term("user7", 1), term("user9", 1)), term("act2", 2))
	if _, err := p.Check(searchPolicy()); err == nil {
		t.Error("the answer to another query is one")
	}
	p = w.prove(t, both, true)
	var seven, eight int
	for i, h := range p.Hits {
		if e := w.events[h.Index]; e.has(term("user7", 1)) {
			seven = i
		} else {
			eight = i
		}
	}
	p.Hits[eight].Opened[0] = p.Hits[seven].Opened[0]
	if _, err := p.Check(searchPolicy()); err == nil || !strings.Contains(err.Error(), "does not lead to the root") {
		t.Errorf("the tag of another entry: %v", err)
	}
}
