package client_test

import (
	"errors"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// recordedAct returns an act with what proves it, as a ledger gives it that
// recorded parts in an entry of a kind.
func recordedAct(t *testing.T, kind proofs.Kind, parts ...proofs.Part) client.RecordedAct {
	t.Helper()
	record := proofs.Record{ID: proofs.EntryID{7}}
	d := &proofs.Disclosure{ID: record.ID[:]}
	for i, part := range parts {
		head, err := proofs.FormatPartHead(part)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := proofs.FormatPart(part)
		if err != nil {
			t.Fatal(err)
		}
		opening := proofs.Key256{byte(i)}
		shown := proofs.DisclosedPart{
			SealedHash: proofs.Hash{byte(i)}, Binding: proofs.Binding(&opening, record.ID, i, whole),
			Opening: opening[:], Head: head, Data: part.Data,
		}
		record.Parts = append(record.Parts, proofs.RecordPart{Hash: shown.SealedHash, Binding: shown.Binding})
		d.Parts = append(d.Parts, shown)
	}
	d.Parts[0].Data = nil
	leaf := proofs.Leaf{Kind: kind, Time: 1_700_000_000_000_000, Bucket: 2, C: record.Commitment(), T: proofs.EmptyRoot()}
	if kind == proofs.Event {
		leaf.Stream = 1
	}
	r := client.RecordedAct{Index: 9, Time: leaf.Time, Kind: kind.String(), Disclosure: d}
	var err error
	if r.Leaf, err = proofs.FormatLeaf(leaf); err != nil {
		t.Fatal(err)
	}
	if r.Act, err = proofs.ParseAct(parts[0].Data); err != nil {
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

// A name that the act was about is sealed apart, and can be erased alone.
func TestNameThatAnActWasAboutIsProvenOrNotThere(t *testing.T) {
	act := proofs.Part{MediaType: proofs.ActMediaType, Data: []byte(`{"what":"erase","outcome":"done"}`)}
	name := proofs.Part{MediaType: client.SubjectMediaType, Data: []byte(`{"stream":1,"subject":"alice"}`)}
	other := proofs.Part{MediaType: "application/json", Data: name.Data}
	erased := func(r *client.RecordedAct) {
		p := &r.Disclosure.Parts[1]
		p.Opening, p.Head, p.Data = nil, nil, nil
	}
	for what, tt := range map[string]struct {
		second  proofs.Part
		subject string
		change  func(*client.RecordedAct)
		want    error
	}{
		"it is shown":                  {name, "alice", nil, nil},
		"another is said":              {name, "bob", nil, proofs.ErrNotVerified},
		"it is kept back":              {name, "", nil, proofs.ErrNotVerified},
		"it is erased":                 {name, "", erased, nil},
		"it is erased and yet said":    {name, "alice", erased, proofs.ErrNotVerified},
		"what is said is no such part": {other, "alice", nil, proofs.ErrMalformed},
	} {
		r := recordedAct(t, proofs.Erasure, act, tt.second)
		r.Act.Subject = tt.subject
		if tt.change != nil {
			tt.change(&r)
		}
		if err := client.CheckAct(r); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: got error %v, want %v", what, err, tt.want)
		}
	}
}
