package client_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// recordParts answers an event that was recorded in these parts.
func recordParts(t testing.TB, e client.Event, parts []proofs.Part) client.Appended {
	t.Helper()
	id, bucket := proofs.EntryID{1}, proofs.Key256{2}
	r, d := proofs.Record{ID: id}, &proofs.Disclosure{ID: id[:]}
	for i, p := range parts {
		opening := proofs.Key256{3, byte(i)}
		whole, err := proofs.FormatPart(p)
		if err != nil {
			t.Fatal(err)
		}
		head, err := proofs.FormatPartHead(p)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := proofs.SealPart(whole, i, id, &bucket, nil, &opening)
		if err != nil {
			t.Fatal(err)
		}
		part := proofs.RecordPart{Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, id, i, whole)}
		r.Parts = append(r.Parts, part)
		d.Parts = append(d.Parts, proofs.DisclosedPart{SealedHash: part.Hash, Binding: part.Binding, Opening: opening[:], Head: head})
	}
	leaf := proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 1, C: r.Commitment(), T: proofs.EmptyRoot()}
	if e.Source != "" {
		leaf.Source = &proofs.LeafSource{Number: 5, Sequence: e.Sequence}
	}
	b, err := proofs.FormatLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	return client.Appended{Index: 7, State: client.Witnessed, Leaf: b, Disclosure: d}
}

// partedEvent is an event about two people and one whom its writer names, and
// the parts that a ledger makes of it.
func partedEvent(t testing.TB) (client.Event, []proofs.Part) {
	t.Helper()
	x, err := proofs.NewExtractor([]proofs.Field{
		{Number: 1, Name: "user", Path: "$.user", Subject: true},
		{Number: 2, Name: "approver", Path: "$.by[*]", Subject: true},
		{Number: 3, Name: "mail", Path: "$.mail", About: "user"},
		{Number: 4, Name: "badge", About: "user"},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := sampleEvent()
	e.Data = []byte(`{ "user":"alice","by":["carol","dave"],"mail":"a@example.com","amount":12.50 }`)
	e.Fields = []proofs.GivenField{{Name: "badge", Value: []byte("17")}}
	parts, err := x.Split(proofs.Part{
		MediaType: "application/json", Appender: "writer", IdempotencyKey: e.IdempotencyKey, Source: e.Source,
		Subjects: e.Subjects, Fields: e.Fields, Signature: e.Signature, Data: e.Data,
	})
	if err != nil || len(parts) != 5 { // the rest, alice, carol, dave, and key and signature, which concern all
		t.Fatalf("got %d parts and error %v, want 5", len(parts), err)
	}
	return e, parts
}

func TestCheckAppendedAcceptsAnEventInParts(t *testing.T) {
	e, parts := partedEvent(t)
	a := recordParts(t, e, parts)
	if err := client.CheckAppended(e, a); err != nil {
		t.Error(err)
	}
	for i, p := range a.Disclosure.Parts {
		if p.Data != nil {
			t.Errorf("part %d of the answer was changed", i)
		}
	}
}

// The writer has the event, and holds every byte of it to the parts.
func TestCheckAppendedRefusesEveryOtherEventInParts(t *testing.T) {
	e, parts := partedEvent(t)
	a := recordParts(t, e, parts)
	refused := func(what string, data []byte) {
		t.Helper()
		other := e
		other.Data = data
		if err := client.CheckAppended(other, a); !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want that it does not verify", what, err)
		}
	}
	for i := range e.Data {
		changed := slices.Clone(e.Data)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), changed)
		refused(fmt.Sprintf("byte %d left out", i), slices.Delete(slices.Clone(e.Data), i, i+1))
		refused(fmt.Sprintf("a byte more at %d", i), slices.Insert(slices.Clone(e.Data), i, ' '))
	}
	refused("a byte more at the end", append(slices.Clone(e.Data), ' '))
	refused("nothing", nil)
}

// A ledger that cheats seals other parts than it should, and commits to them.
func TestCheckAppendedRefusesPartsThatAreNotTheEvent(t *testing.T) {
	tests := []struct {
		name   string
		change func(parts []proofs.Part) []proofs.Part
		want   string
	}{
		{"a part is missing", func(parts []proofs.Part) []proofs.Part { return parts[:3] }, "does not have its parts"},
		{"the first part is missing", func(parts []proofs.Part) []proofs.Part { return parts[1:] }, ""},
		{"a part is there twice", func(parts []proofs.Part) []proofs.Part { return append(parts, parts[1]) }, "does not have its parts"},
		{"two values are exchanged", func(parts []proofs.Part) []proofs.Part {
			parts[2].Data, parts[3].Data = parts[3].Data, parts[2].Data
			parts[2].Pieces[0].Length, parts[3].Pieces[0].Length = parts[3].Pieces[0].Length, parts[2].Pieces[0].Length
			return parts
		}, "not the one that was recorded"},
		{"the rest lacks a byte", func(parts []proofs.Part) []proofs.Part {
			parts[0].Data = slices.Delete(slices.Clone(parts[0].Data), len(parts[0].Data)-2, len(parts[0].Data)-1)
			return parts
		}, "not the one that was recorded"},
		{"a part has data of no gap", func(parts []proofs.Part) []proofs.Part {
			return append(parts, proofs.Part{Subjects: []string{"bob"}, Data: []byte("more")})
		}, "not the one that was recorded"},
		{"a part is not closed by whom the writer named", func(parts []proofs.Part) []proofs.Part {
			parts[3].Subjects = slices.DeleteFunc(slices.Clone(parts[3].Subjects), func(s string) bool { return s == "bob" })
			return parts
		}, "a subject"},
		{"the idempotency key and the signature are dropped", func(parts []proofs.Part) []proofs.Part { return parts[:4] }, "idempotency key"},
		{"the signature is dropped", func(parts []proofs.Part) []proofs.Part {
			parts[4].Signature = nil
			return parts
		}, "signature"},
		{"a given field is dropped", func(parts []proofs.Part) []proofs.Part {
			parts[1].Fields, parts[1].Places = nil, nil
			return parts
		}, "a given field"},
		{"a given field is added", func(parts []proofs.Part) []proofs.Part {
			parts[0].Fields = []proofs.GivenField{{Name: "badge", Value: []byte("18")}}
			return parts
		}, "a given field"},
		{"another media type", func(parts []proofs.Part) []proofs.Part {
			parts[0].MediaType = "text/plain"
			return parts
		}, "media type"},
		{"a further part says who appended", func(parts []proofs.Part) []proofs.Part {
			parts[1].Appender = "mallory"
			return parts
		}, "first one of an event"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, parts := partedEvent(t)
			a := recordParts(t, e, tt.change(parts))
			for _, a.Duplicate = range []bool{false, true} {
				err := client.CheckAppended(e, a)
				if !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed) || !strings.Contains(fmt.Sprint(err), tt.want) {
					t.Errorf("a repeat: %v: got error %v, want that it does not verify: %s", a.Duplicate, err, tt.want)
				}
			}
		})
	}
}

// What is erased cannot be compared, which is no word on the ledger. A new
// event is not erased.
func TestCheckAppendedOfARepeatThatIsErasedInPart(t *testing.T) {
	e, parts := partedEvent(t)
	a := recordParts(t, e, parts)
	p := a.Disclosure.Parts[2]
	a.Disclosure.Parts[2] = proofs.DisclosedPart{SealedHash: p.SealedHash, Binding: p.Binding}
	if err := client.CheckAppended(e, a); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("a new event: got error %v, want ErrNotVerified", err)
	}
	a.Duplicate, a.Uncompared = true, true
	err := client.CheckAppended(e, a)
	if err == nil || errors.Is(err, proofs.ErrNotVerified) || errors.Is(err, proofs.ErrMalformed) || !strings.Contains(err.Error(), "part 2 of 5") {
		t.Errorf("a repeat: got error %v, want that part 2 of 5 is not shown", err)
	}
}
