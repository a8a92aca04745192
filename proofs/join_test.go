package proofs_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type joinVector struct {
	formatVerdict
	Parts []hexBytes `json:"parts"`
	Event string     `json:"event"`
	Gaps  []uint32   `json:"gaps"`
}

func TestJoinVectors(t *testing.T) {
	for _, v := range readFormatVectors[joinVector](t, "join") {
		t.Run(v.Name, func(t *testing.T) {
			var parts []proofs.Part
			for _, b := range v.Parts {
				parts = append(parts, must(proofs.ParsePart(b)))
			}
			got, err := proofs.JoinParts(parts)
			v.hold(t, err)
			if v.Verdict == "ok" && (string(got.Data) != v.Event || !slices.Equal(got.Gaps, v.Gaps)) {
				t.Errorf("got %s with gaps %v, want %s with gaps %v", got.Data, got.Gaps, v.Event, v.Gaps)
			}
		})
	}
}

func TestJoinAndCutRefusePartsThatAreNotOfOneEvent(t *testing.T) {
	const event = `{"users":[{"name":"alice"},{"name":"bob"}],"mail":"m"}`
	x := must(proofs.NewExtractor(userFields()))
	p := proofs.Part{Data: []byte(event), IdempotencyKey: "k", Signature: []byte("s"), Fields: []proofs.GivenField{
		{Name: "user", Value: []byte("alice")}, {Name: "user", Value: []byte("bob")}}}
	made := func() []proofs.Part { return must(x.Split(p)) }
	if parts := made(); len(parts) != 4 {
		t.Fatalf("got %d parts", len(parts))
	}
	for _, test := range []struct {
		name   string
		change func([]proofs.Part) []proofs.Part
	}{
		{"no part", func([]proofs.Part) []proofs.Part { return nil }},
		{"no first part", func(p []proofs.Part) []proofs.Part { return p[1:] }},
		{"a part twice", func(p []proofs.Part) []proofs.Part { return append(p, p[1]) }},
		{"two first parts", func(p []proofs.Part) []proofs.Part { return append(p, p[0]) }},
		{"a whole event behind", func(p []proofs.Part) []proofs.Part { return append(p, proofs.Part{Data: []byte("1")}) }},
		{"a media type in a further part", func(p []proofs.Part) []proofs.Part { p[1].MediaType = "x"; return p }},
		{"an appender in a further part", func(p []proofs.Part) []proofs.Part { p[1].Appender = "x"; return p }},
		{"two idempotency keys", func(p []proofs.Part) []proofs.Part { p[1].IdempotencyKey = "x"; return p }},
		{"a source in a further part", func(p []proofs.Part) []proofs.Part { p[1].Source = "x"; return p }},
		{"two signatures", func(p []proofs.Part) []proofs.Part { p[0].Signature = []byte("s"); return p }},
		{"given fields without places", func(p []proofs.Part) []proofs.Part { p[1].Places = nil; return p }},
		{"given fields in one place", func(p []proofs.Part) []proofs.Part { p[1].Places[0] = p[2].Places[0]; return p }},
		{"a piece of a gap that is not there", func(p []proofs.Part) []proofs.Part { p[2].Pieces[0].Gap = 7; return p }},
		{"a piece that is longer than the data", func(p []proofs.Part) []proofs.Part { p[2].Pieces[0].Length++; return p }},
		{"a piece that is no JSON", func(p []proofs.Part) []proofs.Part { p[1].Data[0] = 'x'; return p }},
		{"a gap where no null stands", func(p []proofs.Part) []proofs.Part { p[0].Gaps[0]++; return p }},
		{"a gap behind the end", func(p []proofs.Part) []proofs.Part { p[0].Gaps[2] = 1 << 31; return p }},
		{"gaps that do not rise", func(p []proofs.Part) []proofs.Part { p[0].Gaps[1] = p[0].Gaps[0]; return p }},
	} {
		if whole, err := proofs.JoinParts(test.change(made())); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %+v, %v, want %v", test.name, whole, err, proofs.ErrMalformed)
		}
	}
	for _, test := range []struct {
		name, event string
		change      func([]proofs.Part) []proofs.Part
	}{
		{"no part", event, func([]proofs.Part) []proofs.Part { return nil }},
		{"a part that is missing", event, func(p []proofs.Part) []proofs.Part { return p[:2] }},
		{"a part twice", event, func(p []proofs.Part) []proofs.Part { return append(p, p[1]) }},
		{"a piece of a gap that is not there", event, func(p []proofs.Part) []proofs.Part { p[2].Pieces[0].Gap = 7; return p }},
		{"an event that is too short", event[:9], func(p []proofs.Part) []proofs.Part { return p }},
		{"a piece that is longer than the event", event, func(p []proofs.Part) []proofs.Part { p[1].Pieces[0].Length = 1<<32 - 1; return p }},
		{"gaps that do not rise", event, func(p []proofs.Part) []proofs.Part { p[0].Gaps[1] = 0; return p }},
		{"pieces in the first part", event, func(p []proofs.Part) []proofs.Part { return p[1:] }},
		{"a piece of a gap that no number is for", event, func(p []proofs.Part) []proofs.Part { p[1].Pieces[0].Gap = 1 << 31; return p }},
	} {
		if parts, err := proofs.CutParts(test.change(made()), []byte(test.event)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("cut: %s: got %+v, %v, want %v", test.name, parts, err, proofs.ErrMalformed)
		}
	}
}

// The other events of the heads are cut too: what is cut is not what was bound.
func TestCutPartsOfAnotherEventDiffer(t *testing.T) {
	parts := split(t, userFields(), `{"users":[{"name":"alice"}],"mail":"m"}`)
	for _, other := range []string{`{"users":[{"name":"alicf"}],"mail":"m"}`, `{"users":[{"name":"alice"}],"mail":"m" }`} {
		if cut, err := proofs.CutParts(parts, []byte(other)); err == nil && reflect.DeepEqual(normals(cut), normals(parts)) {
			t.Errorf("%s: got the same parts", other)
		}
	}
}

// FuzzJoinParts joins what a ledger may hand out.
func FuzzJoinParts(f *testing.F) {
	parts := split(f, userFields(), `{"users":[{"name":"alice"},{"name":"bob"}],"mail":"m"}`)
	for _, p := range parts[1:] {
		f.Add(must(proofs.FormatPart(parts[0])), must(proofs.FormatPart(p)))
	}
	f.Fuzz(func(t *testing.T, first, further []byte) {
		var parts, heads []proofs.Part
		for _, b := range [][]byte{first, further} {
			p, err := proofs.ParsePart(b)
			if err != nil {
				return
			}
			p.Data = bytes.Clone(p.Data)
			parts = append(parts, p)
			p.Data = nil
			heads = append(heads, p)
		}
		whole, err := proofs.JoinParts(parts)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if _, err := proofs.FormatPart(whole); err != nil && len(whole.Subjects) == 0 && len(whole.Fields) == 0 {
			t.Fatalf("the whole can't be written: %v", err)
		}
		if len(whole.Gaps) > 0 {
			return
		}
		cut, err := proofs.CutParts(heads, whole.Data)
		if err != nil || !reflect.DeepEqual(normals(cut), normals(parts)) {
			t.Fatalf("cut: got %+v, %v, want %+v", cut, err, parts)
		}
	})
}
