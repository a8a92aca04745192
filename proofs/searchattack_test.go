package proofs_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// The lies of this file take more than a changed proof: the log itself says,
// under its signature, what it should not.

func everything(terms ...proofs.SearchTerm) proofs.SearchQuery {
	return proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: terms}
}

// mustNotBelieve wants a proof to be refused for a reason.
func mustNotBelieve(t *testing.T, p proofs.SearchProof, why string) {
	t.Helper()
	v, err := p.Check(searchPolicy())
	switch {
	case err == nil:
		t.Errorf("it is believed: %d hits, complete %v", len(v.Hits), v.Complete)
	case !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed):
		t.Errorf("got an error of neither kind: %v", err)
	case !strings.Contains(err.Error(), why):
		t.Errorf("got the reason %q, want %q", err, why)
	}
}

// hide takes a hit out of a proof, and names what is said to have closed it.
func (w *searchWorld) hide(t *testing.T, p *proofs.SearchProof, index, announced uint64) {
	p.Hits = slices.DeleteFunc(p.Hits, func(h proofs.SearchHit) bool { return h.Index == index })
	p.Closed = append(p.Closed, proofs.ClosedEntry{Index: index, Announced: announced})
	w.withEntry(t, p, announced)
}

// hideAll takes all hits of a bucket out of a segment, as if another key were
// that of field 1.
func (w *searchWorld) hideAll(t *testing.T, p *proofs.SearchProof, segment int, bucket uint32, key proofs.SearchKey) {
	r := w.rowsOf(uint64(segment), bucket)
	at, _ := r.Find(proofs.MakeTag(1, &key.Key, p.Query.Terms[0].Values[0].Value))
	p.Segments[segment].Rows[bucket/2] = w.shownRows(t, uint64(segment), bucket, at-1, at) // of buckets 1 and 3
	p.Hits = slices.DeleteFunc(p.Hits, func(h proofs.SearchHit) bool {
		return h.Index/proofs.SegmentSize == uint64(segment) && w.events[h.Index].bucket == bucket
	})
}

func TestAKeyThatComesAfterTheTagsHidesNothing(t *testing.T) {
	w := smallSearchWorld()
	other := proofs.Key256{99}
	body := proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Period: 1, Keys: []proofs.FieldKeyBody{{Field: 1, Hash: proofs.FieldKeyHash(&other)}}}
	late := w.add(proofs.Leaf{Kind: proofs.BucketOpened, T: proofs.EmptyRoot(), Control: must(proofs.FormatBucket(body))})
	key := proofs.SearchKey{Number: 1, Opened: late, Key: other}

	p := w.prove(t, everything(term("user7", 1)), false)
	w.withEntry(t, &p, late)
	p.Keys[0].Keys[0] = key
	for segment := range p.Segments {
		w.hideAll(t, &p, segment, 1, key)
	}
	mustNotBelieve(t, p, "the key of field 1 is not shown, or is newer than the segment")

	q := everything(term("user7", 1))
	q.First = w.size() - 50
	p = w.prove(t, q, true)
	p.Keys[0].Keys[0] = key
	mustNotBelieve(t, p, "is not shown, or is newer")

	p = w.prove(t, everything(term("user7", 1)), false)
	w.withEntry(t, &p, late)
	p.Keys[0].Keys[0] = key
	mustNotBelieve(t, p, "newer")
}

// TestAKeyThatIsNotShownHidesNothing: rows next to each other show that there is
// none between them, and not that none of them is of the field.
func TestAKeyThatIsNotShownHidesNothing(t *testing.T) {
	w := smallSearchWorld()
	for _, field := range []uint16{1, 2} {
		p := w.prove(t, everything(term("user7", field)), false)
		p.Keys = slices.DeleteFunc(p.Keys, func(k proofs.SearchKeys) bool { return k.Bucket == 1 })
		for segment := range uint64(len(p.Segments)) {
			rows := w.rowsOf(segment, 1)
			first := 0
			for rows.Tag(first).Field < field {
				first++
			}
			if p.Segments[segment].Rows[0] = w.shownRows(t, segment, 1, first); first > 0 {
				p.Segments[segment].Rows[0] = w.shownRows(t, segment, 1, first-1, first)
			}
		}
		mustNotBelieve(t, p, fmt.Sprintf("the key of field %d is not shown", field))
	}
}

func TestAFieldThatIsDeclaredLaterIsAbsentBefore(t *testing.T) {
	t.Parallel()
	w := newSearchWorld()
	w.fill(newRand(8), 5000)
	key := fieldKey(1, 4)
	body := proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Period: 1, Keys: []proofs.FieldKeyBody{{Field: 4, Hash: proofs.FieldKeyHash(&key)}}}
	w.later = w.add(proofs.Leaf{Kind: proofs.BucketOpened, T: proofs.EmptyRoot(), Control: must(proofs.FormatBucket(body))})
	w.event(1, 1, []searchValue{{4, "four"}, {1, "user7"}})
	w.fill(newRand(9), 3*proofs.SegmentSize+5)
	w.event(1, 1, []searchValue{{4, "four"}})
	v := w.mustHold(t, everything(term("four", 4)), true)
	if !slices.Contains(v.Hits, w.later+1) || !slices.Contains(v.Hits, w.size()-1) {
		t.Error("an event with the new field is not found")
	}
	w.mustHold(t, everything(term("user7", 1, 4)), true)
}

func TestTimesThatGoBackAreNoticed(t *testing.T) {
	w := newSearchWorld()
	w.fill(newRand(10), 50)
	w.event(1, 1, []searchValue{{1, "late"}})
	w.time -= 30
	w.fill(newRand(10), 100)
	mustNotBelieve(t, w.prove(t, everything(term("late", 1)), true), "is older than entry")
}

func TestHeadsHaveTheTimesOfTheirLeaves(t *testing.T) {
	t.Parallel()
	for what, lie := range map[string]func(*proofs.DirectoryHead){
		"the first is earlier": func(h *proofs.DirectoryHead) { h.FirstTime -= 3 },
		"the last is later":    func(h *proofs.DirectoryHead) { h.LastTime += 10_000_000 },
		"all are at the end":   func(h *proofs.DirectoryHead) { h.FirstTime = h.LastTime },
	} {
		t.Run(what, func(t *testing.T) {
			w := newSearchWorld()
			w.lie = func(h *proofs.DirectoryHead) {
				if h.Segment.Number == 0 {
					lie(h)
				}
			}
			w.fill(newRand(11), proofs.DirectoryPlace(1)+5)
			p := w.prove(t, everything(term("user7", 1)), false)
			if _, err := p.Check(searchPolicy()); err == nil {
				t.Error("it is believed")
			}
		})
	}
}

// TestAProofOfATimeShowsWhereItBegins: what is before its start is not asked for
// only if a leaf says so.
func TestAProofOfATimeShowsWhereItBegins(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	q.From = w.leaf(4200).Time
	p := w.prove(t, q, true)
	if _, err := p.Check(searchPolicy()); err != nil {
		t.Fatal(err)
	}
	p.Start += 10
	mustNotBelieve(t, p, "the entries before may be asked for too")
}

func TestASearchProofNeedsTheQuorum(t *testing.T) {
	w := smallSearchWorld()
	p := w.prove(t, everything(term("user7", 1)), true)
	text := fmt.Appendf(nil, "log %s\nwitness w %s\nquorum w\n", seededKey(testOrigin, proofs.Ed25519).Key(), seededKey("w.example", proofs.Ed25519Cosignature).Key())
	if v, err := p.Check(must(proofs.ParsePolicy(text))); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("got %d hits and %v, want that nobody cosigned it", len(v.Hits), err)
	}
}

// TestHeadsHaveTheTimesOfTheLeavesThatAreShown, wherever in their segment these are.
func TestHeadsHaveTheTimesOfTheLeavesThatAreShown(t *testing.T) {
	t.Parallel()
	const first, last = proofs.SegmentSize, 2*proofs.SegmentSize - 1
	fill := func(w *searchWorld) *searchWorld {
		w.fill(newRand(11), proofs.DirectoryPlace(1)+5)
		return w
	}
	honest := fill(newSearchWorld())
	for _, x := range []struct {
		what  string
		shown uint64
		lie   func(*proofs.DirectoryHead)
	}{
		{"it begins before its first entry", first, func(h *proofs.DirectoryHead) { h.FirstTime-- }},
		{"it begins behind one of its entries", first + 1, func(h *proofs.DirectoryHead) { h.FirstTime = honest.leaf(first+1).Time + 1 }},
		{"it ends before one of its entries", last - 1, func(h *proofs.DirectoryHead) { h.LastTime = honest.leaf(last-1).Time - 1 }},
		{"it ends behind its last entry", last, func(h *proofs.DirectoryHead) { h.LastTime++ }},
	} {
		t.Run(x.what, func(t *testing.T) {
			w := newSearchWorld()
			w.lie = func(h *proofs.DirectoryHead) {
				if h.Segment.Number == 1 {
					x.lie(h)
				}
			}
			fill(w)
			q := everything(term("nobody", 1))
			q.First, q.End = first, last+1
			p := w.prove(t, q, false)
			w.withEntry(t, &p, x.shown)
			mustNotBelieve(t, p, fmt.Sprintf("segment 1 has other times than entry %d", x.shown))
		})
	}
}

func TestAProofThatStopsBeforeTheEndIsNotComplete(t *testing.T) {
	w := newSearchWorld()
	w.fill(newRand(14), 60)
	q := everything(term("user7", 1))
	q.Until = w.leaf(50).Time
	for stop, complete := range map[uint64]bool{40: false, 49: false, 50: true, 55: true} {
		p := w.prove(t, q, true)
		for index := p.Stop; index <= stop; index++ {
			w.withEntry(t, &p, index)
			if e := w.events[index]; e != nil && e.stream == 1 && len(e.lists) > 0 && index < stop {
				p.Tail = append(p.Tail, proofs.SearchTags{Index: index, Lists: e.lists})
			}
		}
		p.Stop = stop
		p.Tail = slices.DeleteFunc(p.Tail, func(x proofs.SearchTags) bool { return x.Index >= stop })
		v, err := p.Check(searchPolicy())
		if err != nil || v.Complete != complete {
			t.Errorf("stop %d: got complete %v, %v", stop, v.Complete, err)
		}
	}
}

// TestABucketIsOfOneStream: entries cannot be hidden in a bucket that is said to
// be of another stream.
func TestABucketIsOfOneStream(t *testing.T) {
	b := proofs.NewDirectoryBuilder(0)
	tags := []proofs.Tag{{Field: 1}}
	if err := b.Add(1, 2, 9, new(proofs.Key256), tags); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(2, 1, 9, new(proofs.Key256), tags); err == nil {
		t.Error("a directory takes entries of two streams in one bucket")
	}
	other := proofs.NewDirectoryBuilder(1)
	if err := other.Add(proofs.SegmentSize, 1, 9, new(proofs.Key256), tags); err != nil {
		t.Fatal(err)
	}
	rows := [proofs.LargeSegments]*proofs.DirectoryRows{2: b.Rows()[0], 3: other.Rows()[0], 4: b.Rows()[0]}
	wantEqual(t, "stream of merged rows", proofs.MergeRows(rows).Stream, 0)
	rows[3] = nil
	wantEqual(t, "stream of merged rows", proofs.MergeRows(rows).Stream, 2)

	w := newSearchWorld()
	w.lie = func(h *proofs.DirectoryHead) {
		if h.Segment.Number == 1 {
			h.Buckets[0].Stream = 2
		}
	}
	w.fill(newRand(13), proofs.DirectoryPlace(1)+5)
	q := everything(term("user7", 1))
	q.End = 2 * proofs.SegmentSize
	p, err := proofs.ProveSearch(t.Context(), q, w.checkpoint(), w.size(), true, hiding{w})
	if err != nil {
		t.Fatal(err)
	}
	mustNotBelieve(t, p, "segment 1: bucket 1 is of stream 2, and was of stream 1")
}

// A hiding source has the rows that its heads speak of.
type hiding struct{ *searchWorld }

func (h hiding) Segment(_ context.Context, id proofs.SegmentID, stream uint32) (proofs.DirectoryHead, []proofs.BucketRows, error) {
	var rows []proofs.BucketRows
	for i, b := range h.heads[id].Buckets {
		if b.Stream == stream {
			rows = append(rows, h.rows[id][i])
		}
	}
	return h.heads[id], rows, nil
}

func TestNothingIsShownThatIsNotNeeded(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	tail := q
	tail.First = w.size() - 20
	whole, behind, before := w.prove(t, q, true), q, q
	behind.First, before.End = proofs.SegmentSize, proofs.SegmentSize
	for _, x := range []struct {
		what, why string
		q         proofs.SearchQuery
		change    func(p *proofs.SearchProof)
	}{
		{"a directory for no segment", "a directory is shown for no segment", tail, func(p *proofs.SearchProof) { p.Directory = w.made }},
		{"hashes for no segment", "a directory is shown for no segment", tail, func(p *proofs.SearchProof) { p.Large = []proofs.Hash{{}} }},
		{"a segment before those that are asked for", "segment 0 does not follow at entry 4096", behind, func(p *proofs.SearchProof) {
			p.Segments, p.Small = append(whole.Segments[:1:1], p.Segments...), whole.Small
		}},
		{"a segment behind those that are asked for", "segment 1 does not follow at entry 4096", before, func(p *proofs.SearchProof) {
			p.Segments, p.Small = append(p.Segments, whole.Segments[1]), whole.Small
		}},
		{"a closed entry that is no hit", "is not looked for", q, func(p *proofs.SearchProof) { p.Closed = []proofs.ClosedEntry{{Index: 5, Announced: 6}} }},
		{"the key of another field", "is not asked for", q, func(p *proofs.SearchProof) {
			key, _ := w.FieldKey(1, 2)
			p.Keys[0].Keys = append(p.Keys[0].Keys, key)
		}},
		{"names twice", "are shown behind", q, func(p *proofs.SearchProof) { p.Names = append(p.Names, p.Names...) }},
		{"a range that ends before it begins", "are not in a tree", q, func(p *proofs.SearchProof) { p.Stop, p.Start = 5, 6 }},
	} {
		t.Run(x.what, func(t *testing.T) {
			p := w.prove(t, x.q, true)
			x.change(&p)
			mustNotBelieve(t, p, x.why)
		})
	}
}

func TestNamesThatAreNotShownAreMalformed(t *testing.T) {
	w := newSearchWorld()
	p := w.prove(t, everything(term("user7", 1)), true)
	d := must(proofs.ParseDisclosure(p.Names[0].Disclosure))
	d.Parts[0] = proofs.DisclosedPart{SealedHash: d.Parts[0].SealedHash, Binding: d.Parts[0].Binding}
	p.Names[0].Disclosure = must(proofs.FormatDisclosure(d))
	mustNotBelieve(t, p, "is not shown")
}

func TestTermsMayShareAField(t *testing.T) {
	w := smallSearchWorld()
	w.mustHold(t, everything(term("user7", 1), term("user7", 1, 4)), true)
	w.mustHold(t, everything(term("user7", 1), term("user7", 1)), true)
}

func TestARangeOfIndicesBehindThatOfTimeIsEmptyAndComplete(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	q.First, q.Until = 5000, w.leaf(300).Time
	for _, now := range []bool{false, true} {
		if v := w.mustHold(t, q, now); !v.Complete || len(v.Hits) > 0 {
			t.Errorf("now %v: got %d hits, complete %v", now, len(v.Hits), v.Complete)
		}
	}
}

// TestADirectoryLeadsToNoEntryBehindItsSegment, where another directory does, or
// the tail is looked through.
func TestADirectoryLeadsToNoEntryBehindItsSegment(t *testing.T) {
	world := func(lie func(*proofs.DirectoryHead)) *searchWorld {
		w := newSearchWorld()
		w.lie = lie
		w.fill(newRand(13), proofs.DirectoryPlace(1)+5)
		return w
	}
	shifted := proofs.MergeRows([proofs.LargeSegments]*proofs.DirectoryRows{1: world(nil).rowsOf(0, 1)})
	w := world(func(h *proofs.DirectoryHead) {
		if h.Segment.Number == 0 {
			h.Buckets[0].Rows = shifted.Hash()
		}
	})
	p := w.prove(t, everything(term("user7", 1)), true)
	w.rows[proofs.SegmentID{}][0] = shifted
	key := fieldKey(1, 1)
	at, _ := shifted.Find(proofs.MakeTag(1, &key, []byte("user7")))
	rows := w.shownRows(t, 0, 1, at)
	rows.Found = []proofs.FoundRow{{Salt: shifted.Salt(at), Positions: shifted.Positions(at)}}
	p.Segments[0].Rows[0] = rows
	mustNotBelieve(t, p, "is outside")
}

// TestALargeDirectoryIsForgedInVain, and so is what stands in for a small one.
func TestALargeDirectoryIsForgedInVain(t *testing.T) {
	t.Parallel()
	w := bigSearchWorld()
	honest := must(proofs.FormatSearchProof(w.prove(t, everything(term("user7", 1)), false)))
	for large, why := range map[bool]string{true: "directories of large segments", false: "directories of small segments"} {
		p := must(proofs.ParseSearchProof(honest))
		at := slices.IndexFunc(p.Segments, func(s proofs.SearchSegment) bool { return s.Head.Segment.Large == large })
		p.Segments[at].Head.Erased = []uint64{5}
		mustNotBelieve(t, p, why)
	}
}
