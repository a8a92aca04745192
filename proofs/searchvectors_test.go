package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type searchVector struct {
	formatVerdict
	Policy string   `json:"policy"`
	Proof  hexBytes `json:"proof"`
	Query  struct {
		Stream uint32
		First  uint64 `json:",string"`
		End    uint64 `json:",string"`
		From   uint64 `json:",string"`
		Until  uint64 `json:",string"`
		Terms  [][]struct {
			Numbers []uint16
			Value   hexBytes
		}
	} `json:"query"`
	Hits      []string `json:"hits"`
	Start     uint64   `json:"start,string"`
	Stop      uint64   `json:"stop,string"`
	Complete  bool     `json:"complete"`
	Directory uint64   `json:"directory,string"`
	Tail      uint64   `json:"tail,string"`
	Expired   []string `json:"expired"`
	Erased    []string `json:"erased"`
	Unread    []string `json:"unread"`
}

func (v searchVector) query() proofs.SearchQuery {
	q := proofs.SearchQuery{Stream: v.Query.Stream, First: v.Query.First, End: v.Query.End, From: v.Query.From, Until: v.Query.Until}
	for _, t := range v.Query.Terms {
		var term proofs.SearchTerm
		for _, o := range t {
			term.Values = append(term.Values, proofs.SearchValue{Numbers: o.Numbers, Value: o.Value})
		}
		q.Terms = append(q.Terms, term)
	}
	return q
}

func TestSearchVectors(t *testing.T) {
	for _, v := range readFormatVectors[searchVector](t, "search") {
		t.Run(v.Name, func(t *testing.T) {
			policy := must(proofs.ParsePolicy([]byte(v.Policy)))
			p, err := proofs.ParseSearchProof(v.Proof)
			var got proofs.SearchVerdict
			if err == nil {
				got, err = p.Check(policy)
			}
			v.hold(t, err)
			hits, unread, complete, why := refCheckSearch(v.Proof, policy)
			if (why == "") != (v.Verdict == "ok") {
				t.Errorf("the reference says %q", why)
			}
			if v.Verdict != "ok" {
				return
			}
			if again, err := proofs.FormatSearchProof(p); err != nil || !bytes.Equal(again, v.Proof) {
				t.Errorf("it is written as other bytes, %v", err)
			}
			if !reflect.DeepEqual(p.Query, v.query()) {
				t.Errorf("query: got %+v, want %+v", p.Query, v.query())
			}
			list := func(numbers any) string { return strings.Trim(fmt.Sprint(numbers), "[]") }
			wantEqual(t, "hits", list(got.Hits), list(v.Hits))
			wantEqual(t, "hits of the reference", list(hits), list(v.Hits))
			wantEqual(t, "complete", [2]bool{got.Complete, complete}, [2]bool{v.Complete, v.Complete})
			wantEqual(t, "unread", list(slices.Collect(proofs.IndicesOf(got.Unread))), list(v.Unread))
			wantEqual(t, "unread of the reference", list(unread), list(v.Unread))
			wantEqual(t, "bounds", [2]uint64{got.Start, got.Stop}, [2]uint64{v.Start, v.Stop})
			wantEqual(t, "directory and tail", [2]uint64{got.Directory, got.Tail}, [2]uint64{v.Directory, v.Tail})
			wantEqual(t, "expired", list(got.Expired), list(v.Expired))
			wantEqual(t, "erased", list(got.Erased), list(v.Erased))
		})
	}
}

// FuzzParseSearchProof holds the parser to one form, and the check to the
// reference.
func FuzzParseSearchProof(f *testing.F) {
	vectors := readFormatVectors[searchVector](f, "search")
	for _, v := range vectors {
		f.Add([]byte(v.Proof))
	}
	policy := must(proofs.ParsePolicy([]byte(vectors[0].Policy)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := proofs.ParseSearchProof(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := proofs.FormatSearchProof(p); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
		v, err := p.Check(policy)
		if err != nil && !errors.Is(err, proofs.ErrMalformed) && !errors.Is(err, proofs.ErrNotVerified) {
			t.Fatalf("got an error of neither kind: %v", err)
		}
		hits, unread, complete, why := refCheckSearch(b, policy)
		if (err == nil) != (why == "") || err == nil && (fmt.Sprint(hits) != fmt.Sprint(v.Hits) || complete != v.Complete || !slices.Equal(v.Unread, proofs.RunsOf(unread))) {
			t.Fatalf("Check says %v, %v, and the reference %q, %v", err, v.Hits, why, hits)
		}
	})
}
