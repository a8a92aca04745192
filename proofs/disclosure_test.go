package proofs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type disclosureVector struct {
	formatVerdict
	Disclosure string   `json:"disclosure"`
	Leaf       hexBytes `json:"leaf"`
}

func (v disclosureVector) check(t *testing.T, b []byte) error {
	t.Helper()
	leaf, err := proofs.ParseLeaf(v.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	d, err := proofs.ParseDisclosure(b)
	if err != nil {
		return err
	}
	return d.Check(leaf)
}

func TestDisclosureVectors(t *testing.T) {
	for _, v := range readFormatVectors[disclosureVector](t, "disclosure") {
		t.Run(v.Name, func(t *testing.T) { v.hold(t, v.check(t, []byte(v.Disclosure))) })
	}
}

func TestADisclosureWithAnyBitFlippedIsRefused(t *testing.T) {
	for _, v := range readFormatVectors[disclosureVector](t, "disclosure") {
		if v.Verdict != "ok" || bytes.ContainsAny([]byte(v.Disclosure), "\t\n") { // white space may change
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			eachFlip([]byte(v.Disclosure), func(bit int, flipped []byte) {
				if err := v.check(t, flipped); err == nil {
					t.Errorf("bit %d: got ok: %s", bit, flipped)
				}
			})
		})
	}
}

func TestADisclosureShowsItsParts(t *testing.T) {
	v := readFormatVectors[disclosureVector](t, "disclosure")[0]
	d, err := proofs.ParseDisclosure([]byte(v.Disclosure))
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Parts[0].Part()
	if err != nil || p.Appender != "payments" || string(p.Data) != `{"action":"transfer","amount":12}` {
		t.Errorf("got %+v, %v", p, err)
	}
	if p, err := (proofs.DisclosedPart{}).Part(); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("a hidden part: got %+v, %v, want %v", p, err, proofs.ErrMalformed)
	}
	hidden := d.Parts[1]
	hidden.Opening = nil
	if !d.Parts[1].Shown() || !d.Tags[1].Shown() || hidden.Shown() || (proofs.DisclosedTags{}).Shown() {
		t.Error("what has an opening or a seed is shown, and nothing else")
	}
}

// The receiver who sent the data need not be sent it back.
func TestTheReceiverCanFillInTheData(t *testing.T) {
	v := readFormatVectors[disclosureVector](t, "disclosure")[0]
	leaf, err := proofs.ParseLeaf(v.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	d, err := proofs.ParseDisclosure([]byte(v.Disclosure))
	if err != nil {
		t.Fatal(err)
	}
	data := d.Parts[0].Data
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"the data that was sent fits", data, nil},
		{"other data does not", []byte("{}"), proofs.ErrNotVerified},
		{"more data than there can be is refused", make([]byte, proofs.MaxPartData+1), proofs.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.Parts[0].Data = test.data
			if err := d.Check(leaf); !errors.Is(err, test.want) {
				t.Errorf("got error %v, want %v", err, test.want)
			}
		})
	}
}

func TestADisclosureSaysWhetherItShowsAnythingOfTheTags(t *testing.T) {
	for _, test := range []struct {
		name string
		tags []proofs.DisclosedTags
		want bool
	}{
		{"an entry without tags", nil, true},
		{"one list is shown", []proofs.DisclosedTags{{}, {Seed: make([]byte, 32)}}, true},
		{"one list has commitments", []proofs.DisclosedTags{{}, {Commitments: make([]proofs.Hash, 1)}}, true},
		{"nothing is known", []proofs.DisclosedTags{{}, {}}, false},
	} {
		if got := (proofs.Disclosure{Tags: test.tags}).CoversT(); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestADisclosurePutsTogetherWhatItShows(t *testing.T) {
	x := must(proofs.NewExtractor([]proofs.Field{{Number: 1, Name: "user", Path: "$.user", Subject: true}}))
	var d proofs.Disclosure
	for _, p := range must(x.Split(proofs.Part{MediaType: "application/json", Data: []byte(`{"user":"alice","n":1}`)})) {
		d.Parts = append(d.Parts, proofs.DisclosedPart{Opening: make([]byte, 32), Head: must(proofs.FormatPartHead(p)), Data: p.Data})
	}
	all := must(d.Payload())
	wantEqual(t, "all parts", fmt.Sprintf("%s %q %d", all.Data, all.Subjects, len(all.Gaps)), `{"user":"alice","n":1} ["alice"] 0`)
	d.Parts[1] = proofs.DisclosedPart{}
	some := must(d.Payload())
	wantEqual(t, "the first part", fmt.Sprintf("%s %q %d", some.Data, some.Subjects, len(some.Gaps)), `{"user":null,"n":1} [] 1`)
	d.Parts[1].Opening = make([]byte, 32)
	if p, err := d.Payload(); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("a part without a head: got %+v, %v, want %v", p, err, proofs.ErrMalformed)
	}
	d.Parts[0] = proofs.DisclosedPart{}
	if p, err := d.Payload(); err == nil || errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("without the first part: got %+v, %v, want an error that it is not shown", p, err)
	}
	if p, err := (proofs.Disclosure{}).Payload(); err == nil {
		t.Errorf("of nothing: got %+v, want an error", p)
	}
}

func TestADisclosureIsFilledFromTheEvent(t *testing.T) {
	x := must(proofs.NewExtractor([]proofs.Field{{Number: 1, Name: "user", Path: "$.user", Subject: true}}))
	const event = `{"user":"alice","n":1}`
	var d proofs.Disclosure
	for _, p := range must(x.Split(proofs.Part{MediaType: "application/json", Data: []byte(event)})) {
		d.Parts = append(d.Parts, proofs.DisclosedPart{Opening: make([]byte, 32), Head: must(proofs.FormatPartHead(p))})
	}
	filled := must(d.Fill([]byte(event)))
	wantEqual(t, "filled", fmt.Sprintf("%s %s", filled.Parts[0].Data, filled.Parts[1].Data), `{"user":null,"n":1} "alice"`)
	wantEqual(t, "put together", string(must(filled.Payload()).Data), event)
	if d.Parts[0].Data != nil {
		t.Error("the disclosure that came in is changed")
	}
	if _, err := d.Fill([]byte(`{"user"`)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("of an event that ends before a gap: got error %v, want %v", err, proofs.ErrMalformed)
	}
	if _, err := (proofs.Disclosure{}).Fill([]byte(event)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("without a part: got error %v, want %v", err, proofs.ErrMalformed)
	}
	d.Parts[1].Head = nil
	if _, err := d.Fill([]byte(event)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("with a part without a head: got error %v, want %v", err, proofs.ErrMalformed)
	}
	d.Parts[1].Opening = nil
	if _, err := d.Fill([]byte(event)); err == nil || errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("with a part that is not shown: got error %v, want one that says so", err)
	}
}

func FuzzDisclosure(f *testing.F) {
	vectors := readFormatVectors[disclosureVector](f, "disclosure")
	for _, v := range vectors {
		f.Add([]byte(v.Disclosure))
	}
	leaf, err := proofs.ParseLeaf(vectors[0].Leaf)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := proofs.ParseDisclosure(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		again, err := proofs.FormatDisclosure(d)
		var compact bytes.Buffer
		if jsonErr := json.Compact(&compact, b); jsonErr != nil || err != nil || !bytes.Equal(again, compact.Bytes()) {
			t.Fatalf("got %s, %v, %v, want %s", again, err, jsonErr, b)
		}
		if err := d.Check(leaf); err != nil && !errors.Is(err, proofs.ErrMalformed) && !errors.Is(err, proofs.ErrNotVerified) {
			t.Fatalf("check: got error %v, want one of the two kinds", err)
		}
	})
}
