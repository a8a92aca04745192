package client_test

import (
	"errors"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// recordedAct returns an act with what proves it, as a ledger gives it that
// recorded a part in an entry of a kind.
func recordedAct(t *testing.T, kind proofs.Kind, part proofs.Part) client.RecordedAct {
	t.Helper()
	head, err := proofs.FormatPartHead(part)
	if err != nil {
		t.Fatal(err)
	}
	opening := proofs.Key256{9}
	id := proofs.EntryID{7}
	whole, err := proofs.FormatPart(part)
	if err != nil {
		t.Fatal(err)
	}
	shown := proofs.DisclosedPart{SealedHash: proofs.Hash{5}, Binding: proofs.Binding(&opening, id, 0, whole), Opening: opening[:], Head: head}
	record := proofs.Record{ID: id, Parts: []proofs.RecordPart{{Hash: shown.SealedHash, Binding: shown.Binding}}}
	leaf := proofs.Leaf{Kind: kind, Time: 1_700_000_000_000_000, Bucket: 2, C: record.Commitment(), T: proofs.EmptyRoot()}
	if kind == proofs.Event {
		leaf.Stream = 1
	}
	r := client.RecordedAct{
		Index: 9, Time: leaf.Time, Kind: kind.String(),
		Disclosure: &proofs.Disclosure{ID: id[:], Parts: []proofs.DisclosedPart{shown}},
	}
	if r.Leaf, err = proofs.FormatLeaf(leaf); err != nil {
		t.Fatal(err)
	}
	if r.Act, err = proofs.ParseAct(part.Data); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOnlyWhatTheLedgerRecordedIsAnAct(t *testing.T) {
	const act = `{"what":"read","who":"alice","entries":[{"first":4,"last":4}],"results":1,"outcome":"done"}`
	part := proofs.Part{MediaType: proofs.ActMediaType, Data: []byte(act)}
	for name, tt := range map[string]struct {
		kind   proofs.Kind
		part   proofs.Part
		change func(*client.RecordedAct)
		want   error
	}{
		"as it was recorded":            {kind: proofs.Access, part: part},
		"of administration":             {kind: proofs.Administration, part: part},
		"with an empty clear body":      {kind: proofs.Erasure, part: part},
		"of somebody else":              {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Act.Who = "bob" }, want: proofs.ErrNotVerified},
		"of another entry":              {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Act.Entries[0] = proofs.Run{First: 5, Last: 5} }, want: proofs.ErrNotVerified},
		"at another time":               {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Time++ }, want: proofs.ErrNotVerified},
		"of another kind":               {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Kind = "administration" }, want: proofs.ErrNotVerified},
		"that is none":                  {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Act.What = "" }, want: proofs.ErrMalformed},
		"without what shows it":         {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Disclosure = nil }, want: proofs.ErrNotVerified},
		"without its leaf":              {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Leaf = nil }, want: proofs.ErrMalformed},
		"that is not shown":             {kind: proofs.Access, part: part, change: func(r *client.RecordedAct) { r.Disclosure.Parts[0].Opening = nil }, want: proofs.ErrNotVerified},
		"that an application appended":  {kind: proofs.Event, part: part, want: proofs.ErrNotVerified},
		"in settings of the ledger":     {kind: proofs.Settings, part: part, want: proofs.ErrNotVerified},
		"of another media type, in one": {kind: proofs.Access, part: proofs.Part{MediaType: "application/json", Data: []byte(act)}, want: proofs.ErrNotVerified},
	} {
		t.Run(name, func(t *testing.T) {
			r := recordedAct(t, tt.kind, tt.part)
			if tt.change != nil {
				tt.change(&r)
			}
			if err := client.CheckAct(r); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
}

// Who checks an act finds it as it was, to check it again.
func TestCheckingAnActLeavesItAsItIs(t *testing.T) {
	r := recordedAct(t, proofs.Access, proofs.Part{MediaType: proofs.ActMediaType, Data: []byte(`{"what":"start","outcome":"done"}`)})
	for range 2 {
		if err := client.CheckAct(r); err != nil || r.Disclosure.Parts[0].Data != nil {
			t.Errorf("got error %v and data %q, want neither", err, r.Disclosure.Parts[0].Data)
		}
	}
}
