package proofs_test

import (
	"errors"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// shownParts discloses parts; nobody has sealed them.
func shownParts(parts []proofs.Part) (d proofs.Disclosure) {
	for _, p := range parts {
		d.Parts = append(d.Parts, proofs.DisclosedPart{Opening: make([]byte, 32), Head: must(proofs.FormatPartHead(p)), Data: p.Data})
	}
	return d
}

func TestPartsAreHeldToTheFieldsOfTheStream(t *testing.T) {
	x := must(proofs.NewExtractor([]proofs.Field{
		{Number: 1, Name: "user", Path: "$.user", Subject: true}, {Number: 2, Name: "mail", Path: "$.mail", About: "user"},
	}))
	other := must(proofs.NewExtractor([]proofs.Field{{Number: 1, Name: "user", Path: "$.user", Subject: true}}))
	whole := proofs.Part{MediaType: "application/json", IdempotencyKey: "k", Subjects: []string{"bob"}, Data: []byte(`{"user":"alice","mail":"a@example.com"}`)}
	named := whole
	named.Subjects = []string{"bob", "alice"}
	values := must(x.Extract(whole.Data))
	right := shownParts(must(x.Split(whole)))
	hidden := shownParts(must(x.Split(whole)))
	hidden.Parts[1] = proofs.DisclosedPart{}
	unknown := errors.New("any other")
	for _, test := range []struct {
		name string
		got  error
		want error // unknown: it cannot be told
	}{
		{"the parts that the fields make", right.CheckSplit(x), nil},
		{"parts that other fields make", shownParts(must(other.Split(whole))).CheckSplit(x), proofs.ErrNotVerified},
		{"fewer parts", right.CheckSplit(must(proofs.NewExtractor(nil))), proofs.ErrNotVerified},
		{"one part in place of several", shownParts([]proofs.Part{whole}).CheckSplit(x), proofs.ErrNotVerified},
		{"one part for whom it is about", shownParts([]proofs.Part{named}).CheckSplit(x), nil},
		{"what is no JSON", shownParts([]proofs.Part{{Data: []byte("alice")}}).CheckSplit(x), proofs.ErrNotVerified},
		{"a part that is not shown", hidden.CheckSplit(x), unknown},
		{"nothing", proofs.Disclosure{}.CheckSplit(x), unknown},
		{"a whole event for all whom it names", shownParts([]proofs.Part{named}).CheckWhole(values), nil},
		{"a whole event that is not for one whom it names", shownParts([]proofs.Part{whole}).CheckWhole(values), proofs.ErrNotVerified},
		{"a whole event that names nobody", shownParts([]proofs.Part{whole}).CheckWhole(nil), nil},
		{"an event in parts that must be whole", right.CheckWhole(values), proofs.ErrNotVerified},
		{"a whole event that is not shown", proofs.Disclosure{Parts: make([]proofs.DisclosedPart, 1)}.CheckWhole(values), unknown},
	} {
		told := errors.Is(test.got, proofs.ErrNotVerified) || errors.Is(test.got, proofs.ErrMalformed)
		if test.want == unknown && (test.got == nil || told) || test.want != unknown && !errors.Is(test.got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
}
