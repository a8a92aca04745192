package proofs_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// mustAgree judges a proof twice.
func mustAgree(t *testing.T, b []byte) (believed bool) {
	t.Helper()
	hits, unread, complete, why := refCheckSearch(b, searchPolicy())
	p, err := proofs.ParseSearchProof(b)
	var v proofs.SearchVerdict
	if err == nil {
		v, err = p.Check(searchPolicy())
	}
	switch {
	case (err == nil) != (why == ""):
		t.Errorf("Check says %v, and the reference %q", err, why)
	case err == nil && (!slices.Equal(v.Hits, hits) || v.Complete != complete):
		t.Errorf("Check finds %v, complete %v, and the reference %v, %v", v.Hits, v.Complete, hits, complete)
	case err == nil && !slices.Equal(v.Unread, proofs.RunsOf(unread)):
		t.Errorf("Check finds that %v are unread, and the reference %v", v.Unread, unread)
	}
	return err == nil
}

// closedWorld is a small world in which much is closed.
func closedWorld() *searchWorld {
	w := smallSearchWorld()
	one := everything(term("user7", 1))
	hits := w.answer(one, 0, w.size())
	w.erase(0, hits[3], hits[40])
	w.late = true
	w.erase(0, hits[5], hits[6])
	part := w.announce(1, 2, hits[7])
	w.announce(2, 2, w.size()-7)
	w.close(part, 0, hits[7])
	w.expire(3)
	return w
}

func agreeQueries(w *searchWorld) map[string]proofs.SearchQuery {
	queries := searchQueries(w)
	for what, q := range queries {
		if q.End > 2*proofs.SegmentSize+60 {
			q.End = 2*proofs.SegmentSize + 60 // the reference is slow
		}
		q.First = min(q.First, q.End)
		queries[what] = q
	}
	last := everything(term("user7", 1))
	last.First = w.size() - 40
	queries["the last entries"] = last
	return queries
}

func TestTheReferenceAgreesAboutHonestProofs(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]*searchWorld{"whole": smallSearchWorld(), "closed": closedWorld(), "damaged": damagedWorld()} {
		for what, q := range agreeQueries(w) {
			t.Run(name+": "+what, func(t *testing.T) {
				if !mustAgree(t, must(proofs.FormatSearchProof(w.prove(t, q, true)))) {
					t.Error("it is not believed")
				}
			})
		}
	}
}

// TestTheReferenceAgreesAboutDamagedProofs: bytes are changed, and items of
// lists left out, doubled, swapped, moved from another proof.
func TestTheReferenceAgreesAboutDamagedProofs(t *testing.T) {
	t.Parallel()
	rnd := newRand(20)
	var all []proofs.SearchProof
	for _, w := range []*searchWorld{closedWorld(), damagedWorld()} {
		for _, q := range agreeQueries(w) {
			all = append(all, w.prove(t, q, true))
		}
	}
	slices.SortFunc(all, func(a, b proofs.SearchProof) int { // the order of a map is another one each time
		return slices.Compare(must(proofs.FormatSearchProof(a)), must(proofs.FormatSearchProof(b)))
	})
	believed, times := 0, 500
	if testing.Short() {
		times = 150
	}
	for i := range times {
		b := must(proofs.FormatSearchProof(all[rnd.IntN(len(all))]))
		p := must(proofs.ParseSearchProof(b))
		if i%2 == 0 {
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		} else {
			damage(rnd, &p, all[rnd.IntN(len(all))])
			var err error
			if b, err = proofs.FormatSearchProof(p); err != nil {
				continue
			}
		}
		if mustAgree(t, b) {
			believed++
		}
	}
	if believed == 0 {
		t.Error("none is believed, not even where nothing was said by what is lacking")
	}
}

// damage changes one thing, often one that another proof has.
func damage(rnd *rand.Rand, p *proofs.SearchProof, other proofs.SearchProof) {
	segments := len(p.Segments)
	switch rnd.IntN(14) {
	case 0:
		p.Entries = spoil(rnd, p.Entries, other.Entries)
	case 1:
		p.Inclusion = spoil(rnd, p.Inclusion, other.Inclusion)
	case 2:
		p.Keys = spoil(rnd, p.Keys, other.Keys)
	case 3:
		p.Segments = spoil(rnd, p.Segments, other.Segments)
	case 4:
		p.Small = spoil(rnd, p.Small, other.Small)
	case 5:
		p.Hits = spoil(rnd, p.Hits, other.Hits)
	case 6:
		p.Tail = spoil(rnd, p.Tail, other.Tail)
	case 7:
		p.Closed = spoil(rnd, p.Closed, other.Closed)
	case 8:
		p.Names = spoil(rnd, p.Names, other.Names)
	case 9:
		p.Start += uint64(rnd.IntN(3)) - 1
	case 10:
		p.Stop += uint64(rnd.IntN(3)) - 1
	case 11:
		p.Query = other.Query
	case 12:
		if segments > 0 {
			s := &p.Segments[rnd.IntN(segments)]
			s.Rows = spoil(rnd, s.Rows, p.Segments[rnd.IntN(segments)].Rows)
		}
	case 13:
		if len(p.Hits) > 0 {
			h := &p.Hits[rnd.IntN(len(p.Hits))]
			h.Opened = spoil(rnd, h.Opened, p.Hits[rnd.IntN(len(p.Hits))].Opened)
		}
	}
}

// spoil leaves out an item, doubles it, swaps it with another, or takes one of
// another list.
func spoil[T any](rnd *rand.Rand, list, other []T) []T {
	list = slices.Clone(list)
	if len(list) == 0 {
		return slices.Clone(other)
	}
	i, j := rnd.IntN(len(list)), rnd.IntN(len(list))
	switch rnd.IntN(4) {
	case 0:
		return slices.Delete(list, i, i+1)
	case 1:
		return slices.Insert(list, i, list[i])
	case 2:
		list[i], list[j] = list[j], list[i]
	case 3:
		if len(other) > 0 {
			list[i] = other[rnd.IntN(len(other))]
		}
	}
	return list
}
