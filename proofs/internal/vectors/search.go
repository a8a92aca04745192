package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A searchVector is a search proof, the policy that it is checked against, and
// what it shows. The names of fields that it discloses are not told again.
type searchVector struct {
	Name      string       `json:"name"`
	Policy    string       `json:"policy"`
	Proof     hexBytes     `json:"proof"`
	Query     *queryFields `json:"query,omitempty"`
	Hits      []string     `json:"hits,omitempty"`
	Start     uint64       `json:"start,string,omitempty"`
	Stop      uint64       `json:"stop,string,omitempty"`
	Complete  bool         `json:"complete,omitempty"`
	Directory uint64       `json:"directory,string,omitempty"`
	Tail      uint64       `json:"tail,string,omitempty"`
	Expired   []string     `json:"expired,omitempty"`
	Erased    []string     `json:"erased,omitempty"`
	Unread    []string     `json:"unread,omitempty"`
	verdict
}

type queryFields struct {
	Stream uint32            `json:"stream"`
	First  uint64            `json:"first,string"`
	End    uint64            `json:"end,string"`
	From   uint64            `json:"from,string"`
	Until  uint64            `json:"until,string"`
	Terms  [][]searchedValue `json:"terms"` // each one's values, of which one is enough
}

type searchedValue struct {
	Numbers []uint16 `json:"numbers"`
	Value   hexBytes `json:"value"`
}

func searchPolicy() string { return fmt.Sprintf("log %s\nquorum none\n", searchKey().Key()) }

// A searched is a search proof that is to become a vector.
type searched struct{ proofs.SearchProof }

func (s searched) bytes() []byte { return must(proofs.FormatSearchProof(s.SearchProof)) }

func (s searched) accept(name string) searchVector {
	v := must(s.Check(must(proofs.ParsePolicy([]byte(searchPolicy())))))
	q := &queryFields{Stream: s.Query.Stream, First: s.Query.First, End: s.Query.End, From: s.Query.From, Until: s.Query.Until}
	for _, t := range s.Query.Terms {
		var values []searchedValue
		for _, o := range t.Values {
			values = append(values, searchedValue{o.Numbers, o.Value})
		}
		q.Terms = append(q.Terms, values)
	}
	return searchVector{
		Name: name, Policy: searchPolicy(), Proof: s.bytes(), Query: q, Hits: decimals(v.Hits), Start: v.Start, Stop: v.Stop,
		Complete: v.Complete, Directory: v.Directory, Tail: v.Tail, Expired: decimals(v.Expired), Erased: decimals(v.Erased),
		Unread: decimals(slices.Collect(proofs.IndicesOf(v.Unread))), verdict: ok(),
	}
}

// refuse changes a copy of the proof.
func (s searched) refuse(name, why string, change func(p *proofs.SearchProof)) searchVector {
	p := must(proofs.ParseSearchProof(s.bytes()))
	change(&p)
	return searchVector{Name: name, Policy: searchPolicy(), Proof: searched{p}.bytes(), verdict: notVerified(why)}
}

func (s searched) malformed(name, why string, change func(b []byte) []byte) searchVector {
	return searchVector{Name: name, Policy: searchPolicy(), Proof: change(s.bytes()), verdict: malformed(why)}
}

func decimals(numbers []uint64) (out []string) {
	for _, n := range numbers {
		out = append(out, fmt.Sprint(n))
	}
	return out
}

func queryOf(end uint64, terms ...string) proofs.SearchQuery {
	q := proofs.SearchQuery{Stream: 1, End: end}
	for i, value := range terms {
		q.Terms = append(q.Terms, proofs.SearchTerm{Values: []proofs.SearchValue{{Numbers: []uint16{uint16(i + 1)}, Value: []byte(value)}}})
	}
	return q
}

func searchVectors() []searchVector {
	small := newSearchLog()
	small.fill(16)
	const end = math.MaxUint64
	one := searched{small.prove(queryOf(end, "alice", "delete"))}
	timed := queryOf(end, "alice")
	timed.From, timed.Until = small.leaf(5).Time, small.leaf(10).Time
	span := searched{small.prove(timed)}
	either := queryOf(end, "alice")
	either.Terms[0].Values[0].Numbers = []uint16{1, 2}
	union := queryOf(end, "alice", "delete")
	union.Terms[0].Values = append(union.Terms[0].Values, proofs.SearchValue{Numbers: []uint16{1}, Value: []byte("bob")})
	vectors := []searchVector{
		one.accept("a small log, and two terms that two entries have"),
		searched{small.prove(queryOf(end, "nobody"))}.accept("a value that nobody has"),
		searched{small.prove(either)}.accept("a value of either of two fields"),
		searched{small.prove(union)}.accept("either of two values, and another"),
		span.accept("a range of time"),
	}
	stops := must(proofs.ParseSearchProof(one.bytes()))
	stops.Stop, stops.Tail = 10, stops.Tail[:3]
	vectors = append(vectors, searched{stops}.accept("a proof that stops before the end, which is not complete"))
	small.unread[8] = true
	vectors = append(vectors, searched{small.prove(queryOf(end, "alice"))}.accept("an entry that the ledger could not read"))
	delete(small.unread, 8)
	small.erase(8)
	erased := searched{small.prove(queryOf(end, "alice"))}
	vectors = append(vectors, erased.accept("an entry that was erased"))
	small.expire()
	expired := searched{small.prove(queryOf(end, "alice"))}
	vectors = append(vectors, expired.accept("a bucket that expired"))
	vectors = append(vectors, refusedSearches(one, span, erased, expired)...)
	vectors = append(vectors, malformedSearches(span)...)
	return append(vectors, directedSearches()...)
}

func refusedSearches(one, span, erased, expired searched) []searchVector {
	return []searchVector{
		one.refuse("an entry of the tail whose tags are left out", "the tags of every entry are shown", func(p *proofs.SearchProof) { p.Tail = p.Tail[1:] }),
		one.refuse("an entry of the tail with another tag", "T commits to the tags", func(p *proofs.SearchProof) { p.Tail[1].Lists[0].Tags[5] ^= 1 }),
		one.refuse("a tag of the tail left out", "T commits to the tags", func(p *proofs.SearchProof) {
			p.Tail[1].Lists[0].Tags = p.Tail[1].Lists[0].Tags[18:]
		}),
		one.refuse("tags said to be erased that nothing erased", "what cannot be shown was closed", func(p *proofs.SearchProof) {
			p.Tail[1].Lists[0] = proofs.DisclosedTags{Commitments: make([]proofs.Hash, 2)}
		}),
		one.refuse("an entry left out", "the entries lead to the root", func(p *proofs.SearchProof) { p.Entries = slices.Delete(p.Entries, 4, 5) }),
		one.refuse("another entry", "the entries lead to the root", func(p *proofs.SearchProof) { p.Entries[4].Leaf = p.Entries[5].Leaf }),
		one.refuse("another key of a field", "the entry that opened the bucket commits to the key", func(p *proofs.SearchProof) { p.Keys[0].Keys[0].Key[3] ^= 1 }),
		one.refuse("no key of a field", "without the key nobody can tell", func(p *proofs.SearchProof) { p.Keys[0].Keys = p.Keys[0].Keys[1:] }),
		one.refuse("a key of a field that is not asked for", "nothing is shown that is not needed", func(p *proofs.SearchProof) {
			p.Query.Terms = p.Query.Terms[:1]
		}),
		one.refuse("a start behind the first index", "entries before the start may be asked for too", func(p *proofs.SearchProof) { p.Start, p.Tail = 4, p.Tail[1:] }),
		one.refuse("a stop beyond the tree", "the tree has no such entry", func(p *proofs.SearchProof) { p.Stop++ }),
		one.refuse("a directory entry that is none", "no segment is shown", func(p *proofs.SearchProof) { p.Directory = 2 }),
		one.refuse("a hit in the tail that is named as one of a directory", "no directory has it", func(p *proofs.SearchProof) {
			p.Hits = []proofs.SearchHit{{Index: 8, Opened: make([]proofs.OpenedTag, 2)}}
		}),
		one.refuse("another signature", "the policy does not believe the checkpoint", func(p *proofs.SearchProof) { p.Checkpoint[len(p.Checkpoint)-9] = 'A' }),
		one.refuse("the names of fields that their entry does not commit to", "C commits to the names", func(p *proofs.SearchProof) {
			d := must(proofs.ParseDisclosure(p.Names[0].Disclosure))
			d.Parts[0].Opening[0] ^= 1
			p.Names[0].Disclosure = must(proofs.FormatDisclosure(d))
		}),
		span.refuse("a range of time that begins too late", "the entry before the start is in the range", func(p *proofs.SearchProof) { p.Query.From -= 1000 }),
		erased.refuse("an erasure of another entry", "the erasure does not name it", func(p *proofs.SearchProof) { p.Closed[0].Announced-- }),
		erased.refuse("an entry said to be closed that is shown", "nothing is said that is not needed", func(p *proofs.SearchProof) {
			p.Closed = append(p.Closed, proofs.ClosedEntry{Index: 15, Announced: 16})
		}),
		erased.refuse("an entry said to be unread whose tags are known to be erased", "of an unread entry nothing is shown", func(p *proofs.SearchProof) { p.Closed[0].Announced = 0 }),
		one.refuse("an entry said to be unread that is shown", "nothing is said that is not needed", func(p *proofs.SearchProof) {
			p.Closed = append(p.Closed, proofs.ClosedEntry{Index: 8})
		}),
		expired.refuse("an expiry that is none", "the entry announces no expiry", func(p *proofs.SearchProof) { p.Closed[0].Announced = 2 }),
	}
}

func malformedSearches(span searched) []searchVector {
	cut := func(from, to int) func(b []byte) []byte {
		return func(b []byte) []byte { return slices.Delete(slices.Clone(b), from, to) }
	}
	n := len(span.bytes())
	flip := func(at int) func(b []byte) []byte { return func(b []byte) []byte { return flipped(b, at) } }
	const query = 22 + 4 // behind the label and the stream
	return []searchVector{
		span.malformed("no bytes at all", "it is cut off", func([]byte) []byte { return nil }),
		span.malformed("another label", "the label says what it is", flip(6)),
		span.malformed("a proof without its last byte", "it is cut off", cut(n-1, n)),
		span.malformed("a proof with one byte more", "nothing may follow", func(b []byte) []byte { return append(b, 0) }),
		span.malformed("a query that ends before it begins", "its end is 0", func(b []byte) []byte {
			copy(b[query:], make([]byte, 16))
			b[query+7] = 1
			return b
		}),
		span.malformed("a term of no field", "numbers are not empty", func(b []byte) []byte {
			return slices.Concat(b[:query+32], []byte{0, 0, 0, 3, 0, 0, 0}, b[query+32+4:])
		}),
		span.malformed("half a number of a field", "a number has two bytes", func(b []byte) []byte { return changed(b, query+32+4, 1) }),
	}
}

func directedSearches() []searchVector {
	l := newSearchLog()
	l.fill(proofs.DirectoryPlace(1) - 4000)
	q := queryOf(proofs.SegmentSize+20, "alice", "login")
	q.First = 1000
	one := searched{l.prove(q)}
	absent := searched{l.prove(queryOf(proofs.SegmentSize, "nobody"))}
	forgotten := searched{l.prove(queryOf(proofs.SegmentSize, "alice"))}
	hit := forgotten.Hits[2].Index
	l.unread[hit] = true
	lost := searched{l.prove(queryOf(proofs.SegmentSize, "alice"))}
	delete(l.unread, hit)
	l.erase(hit)
	forgotten = searched{l.prove(queryOf(proofs.SegmentSize, "alice"))}
	l.expire()
	gone := searched{l.prove(queryOf(proofs.SegmentSize, "alice"))}
	return []searchVector{
		one.accept("a directory, and some entries behind it"),
		absent.accept("a value that no row of a directory has"),
		forgotten.accept("an entry that was erased, and is still in its directory"),
		lost.accept("an entry that a directory has, and the ledger could not read any more"),
		damagedSearch(),
		gone.accept("a bucket that expired, in a directory"),
		one.refuse("a hit left out", "the row has it", func(p *proofs.SearchProof) { p.Hits = p.Hits[1:] }),
		one.refuse("a hit that shows another tag", "T commits to the tags", func(p *proofs.SearchProof) { p.Hits[0].Opened[0] = p.Hits[1].Opened[0] }),
		one.refuse("a position left out", "the row commits to its entries", func(p *proofs.SearchProof) {
			f := &p.Segments[0].Rows[0].Found[0]
			f.Positions = f.Positions[1:]
		}),
		one.refuse("a row left out", "the rows lead to what the head commits to", func(p *proofs.SearchProof) {
			r := &p.Segments[0].Rows[0]
			r.Shown, r.Found = r.Shown[1:], r.Found[1:]
		}),
		one.refuse("another time of a head", "the directory entry commits to the head", func(p *proofs.SearchProof) { p.Segments[0].Head.LastTime++ }),
		one.refuse("an entry that is no directory", "a directory entry commits to the heads", func(p *proofs.SearchProof) { p.Directory = 1 }),
		absent.refuse("two rows between which there is room", "they are not next to each other", func(p *proofs.SearchProof) {
			r := &p.Segments[0].Rows[0]
			*r = showRows(l.rows[0], r.Shown[0].Number, r.Shown[1].Number+1)
		}),
		forgotten.refuse("an erasure that is not named", "what cannot be shown was closed", func(p *proofs.SearchProof) { p.Closed = nil }),
		gone.refuse("an entry that announces no expiry", "the rows are shown, or the bucket expired", func(p *proofs.SearchProof) { p.Segments[0].Rows[0].Expired = 1 }),
	}
}

// damagedSearch is of a directory that names entries as unread.
func damagedSearch() searchVector {
	l := newSearchLog()
	l.unread[3], l.unread[1403] = true, true
	l.fill(proofs.DirectoryPlace(0) + 2)
	q := queryOf(proofs.SegmentSize, "alice")
	q.First = 10
	return searched{l.prove(q)}.accept("a directory that names two entries as unread, one of which is asked for")
}

// showRows shows some rows, as a log that lies could.
func showRows(r *proofs.DirectoryRows, numbers ...uint32) (s proofs.SearchRows) {
	s.Count = uint32(r.Len())
	var indices []uint64
	for _, n := range numbers {
		s.Shown = append(s.Shown, proofs.SearchRow{Number: n, Row: r.Row(int(n))})
		indices = append(indices, uint64(n))
	}
	s.Proof = must(proofs.ProveSubset(context.Background(), indices, uint64(r.Len()), r))
	return s
}
