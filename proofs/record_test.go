package proofs_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type recordVector struct {
	formatVerdict
	Record hexBytes `json:"record"`
	Leaf   hexBytes `json:"leaf"`
	Fields *struct {
		EntryID    hexBytes     `json:"entry_id"`
		Parts      []slotVector `json:"parts"`
		Tags       []slotVector `json:"tags"`
		Commitment hexBytes     `json:"commitment"`
	} `json:"fields"`
}

type slotVector struct {
	Erased      bool       `json:"erased"`
	SealedHash  hexBytes   `json:"sealed_hash"`
	Binding     hexBytes   `json:"binding"`
	Commitments []hexBytes `json:"commitments"`
}

func (v recordVector) check(t *testing.T, b []byte) (proofs.Record, error) {
	t.Helper()
	leaf, err := proofs.ParseLeaf(v.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	r, err := proofs.ParseRecord(b)
	if err != nil {
		return r, err
	}
	return r, proofs.CheckRecord(r, leaf)
}

func TestRecordVectors(t *testing.T) {
	for _, v := range readFormatVectors[recordVector](t, "record") {
		t.Run(v.Name, func(t *testing.T) {
			r, err := v.check(t, v.Record)
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			if again, err := proofs.FormatRecord(r); err != nil || !bytes.Equal(again, v.Record) {
				t.Errorf("format: got %x, %v, want %x", again, err, v.Record)
			}
			if c := r.Commitment(); !bytes.Equal(c[:], v.Fields.Commitment) || !bytes.Equal(r.ID[:], v.Fields.EntryID) {
				t.Errorf("got entry id %x and C %x, want %x and %x", r.ID, c, v.Fields.EntryID, v.Fields.Commitment)
			}
			v.compareSlots(t, r)
		})
	}
}

func (v recordVector) compareSlots(t *testing.T, r proofs.Record) {
	t.Helper()
	if len(r.Parts) != len(v.Fields.Parts) || len(r.Tags) != len(v.Fields.Tags) {
		t.Fatalf("got %d parts and %d lists of tags, want %d and %d", len(r.Parts), len(r.Tags), len(v.Fields.Parts), len(v.Fields.Tags))
	}
	for i, want := range v.Fields.Parts {
		got := r.Parts[i]
		if (got.Sealed == nil) != want.Erased || !bytes.Equal(got.Hash[:], want.SealedHash) || !bytes.Equal(got.Binding[:], want.Binding) {
			t.Errorf("part %d: got %+v, want %+v", i, got, want)
		}
	}
	for i, want := range v.Fields.Tags {
		got := r.Tags[i]
		if (got.Sealed == nil) != want.Erased || !bytes.Equal(got.Hash[:], want.SealedHash) || len(got.Commitments) != len(want.Commitments) {
			t.Fatalf("tags %d: got %+v, want %+v", i, got, want)
		}
		for j, c := range want.Commitments {
			if !bytes.Equal(got.Commitments[j][:], c) {
				t.Errorf("tags %d: commitment %d: got %x, want %x", i, j, got.Commitments[j], c)
			}
		}
	}
}

func TestARecordWithAnyBitFlippedIsRefused(t *testing.T) {
	for _, v := range readFormatVectors[recordVector](t, "record") {
		if v.Verdict != "ok" {
			continue
		}
		eachFlip(v.Record, func(bit int, flipped []byte) {
			if _, err := v.check(t, flipped); err == nil {
				t.Errorf("%s: bit %d: got ok", v.Name, bit)
			}
		})
	}
}

func TestFormatRecordRefusesWhatDoesNotParse(t *testing.T) {
	for _, test := range []struct {
		name   string
		record proofs.Record
	}{
		{"65 parts", proofs.Record{Parts: make([]proofs.RecordPart, 65)}},
		{"65 lists of tags", proofs.Record{Tags: make([]proofs.RecordTags, 65)}},
		{"an empty sealed part", proofs.Record{Parts: []proofs.RecordPart{{Sealed: []byte{}}}}},
		{"a sealed part of one byte too many", proofs.Record{Parts: []proofs.RecordPart{{Sealed: make([]byte, 1<<24+1025)}}}},
		{"empty sealed tags", proofs.Record{Tags: []proofs.RecordTags{{Sealed: []byte{}}}}},
		{"1025 commitments to erased tags", proofs.Record{Tags: []proofs.RecordTags{{Commitments: make([]proofs.Hash, 1025)}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if b, err := proofs.FormatRecord(test.record); !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("got %d bytes and error %v, want %v", len(b), err, proofs.ErrMalformed)
			}
		})
	}
}

func TestTheLargestSlotsOfARecordParse(t *testing.T) {
	r := proofs.Record{
		Parts: append(make([]proofs.RecordPart, 63), proofs.RecordPart{Sealed: make([]byte, 1<<24+1024)}),
		Tags:  append(make([]proofs.RecordTags, 63), proofs.RecordTags{Commitments: make([]proofs.Hash, proofs.MaxTags)}),
	}
	b, err := proofs.FormatRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := proofs.ParseRecord(b)
	if err != nil || len(got.Parts) != 64 || len(got.Parts[63].Sealed) != 1<<24+1024 || len(got.Tags[63].Commitments) != proofs.MaxTags {
		t.Errorf("got %d parts, error %v", len(got.Parts), err)
	}
}

func TestErasingKeepsTheCommitment(t *testing.T) {
	v := readFormatVectors[recordVector](t, "record")[0]
	r, err := v.check(t, v.Record)
	if err != nil {
		t.Fatal(err)
	}
	want := r.Commitment()
	for i := range r.Parts {
		r.Parts[i].Sealed = nil
	}
	if got := r.Commitment(); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzRecord(f *testing.F) {
	for _, v := range readFormatVectors[recordVector](f, "record") {
		f.Add([]byte(v.Record))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := proofs.ParseRecord(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := proofs.FormatRecord(r); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
	})
}
