package proofs_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type partVector struct {
	formatVerdict
	Format string   `json:"format"`
	Bytes  hexBytes `json:"bytes"`
	Fields *struct {
		MediaType      string   `json:"media_type"`
		Appender       string   `json:"appender"`
		IdempotencyKey string   `json:"idempotency_key"`
		Source         string   `json:"source"`
		Subjects       []string `json:"subjects"`
		Fields         []struct {
			Name  string   `json:"name"`
			Value hexBytes `json:"value"`
		} `json:"fields"`
		Signature hexBytes       `json:"signature"`
		Gaps      []uint32       `json:"gaps"`
		Pieces    []proofs.Piece `json:"pieces"`
		Places    []uint16       `json:"places"`
		Data      hexBytes       `json:"data"`
	} `json:"fields"`
}

func TestPartVectors(t *testing.T) {
	for _, v := range readFormatVectors[partVector](t, "part") {
		t.Run(v.Name, func(t *testing.T) {
			parse, format := proofs.ParsePart, proofs.FormatPart
			if v.Format == "head" {
				parse, format = proofs.ParsePartHead, proofs.FormatPartHead
			}
			got, err := parse(v.Bytes)
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			if again, err := format(got); err != nil || !bytes.Equal(again, v.Bytes) {
				t.Errorf("format: got %x, %v, want %x", again, err, v.Bytes)
			}
			if v.Fields == nil {
				return
			}
			want := v.part()
			if !reflect.DeepEqual(normal(got), normal(want)) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func (v partVector) part() proofs.Part {
	p := proofs.Part{
		MediaType: v.Fields.MediaType, Appender: v.Fields.Appender, IdempotencyKey: v.Fields.IdempotencyKey, Source: v.Fields.Source,
		Signature: v.Fields.Signature, Gaps: v.Fields.Gaps, Pieces: v.Fields.Pieces, Places: v.Fields.Places, Data: v.Fields.Data,
	}
	p.Subjects = append(p.Subjects, v.Fields.Subjects...)
	for _, f := range v.Fields.Fields {
		p.Fields = append(p.Fields, proofs.GivenField{Name: f.Name, Value: f.Value})
	}
	return p
}

func TestFormatPartRefusesWhatDoesNotParse(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		name string
		part proofs.Part
	}{
		{"a media type of 256 bytes", proofs.Part{MediaType: long(256)}},
		{"an appender of 256 bytes", proofs.Part{Appender: long(256)}},
		{"an idempotency key of 1025 bytes", proofs.Part{IdempotencyKey: long(1025)}},
		{"a source of 256 bytes", proofs.Part{Source: long(256)}},
		{"an empty subject", proofs.Part{Subjects: []string{""}}},
		{"a subject of 1025 bytes", proofs.Part{Subjects: []string{long(1025)}}},
		{"subjects of 65536 bytes", proofs.Part{Subjects: repeated(long(1022), 64)}},
		{"a field without a name", proofs.Part{Fields: []proofs.GivenField{{}}}},
		{"a field with a name of 256 bytes", proofs.Part{Fields: []proofs.GivenField{{Name: long(256)}}}},
		{"a field with a value of 4097 bytes", proofs.Part{Fields: []proofs.GivenField{{Name: "f", Value: make([]byte, 4097)}}}},
		{"fields of 65536 bytes", proofs.Part{Fields: repeated(proofs.GivenField{Name: "f", Value: make([]byte, 4092)}, 16)}},
		{"a signature of 65536 bytes", proofs.Part{Signature: make([]byte, 65536)}},
		{"data of one byte too many", proofs.Part{Data: make([]byte, proofs.MaxPartData+1)}},
		{"gaps and pieces", proofs.Part{Gaps: []uint32{0}, Pieces: []proofs.Piece{{Length: 4}}, Data: []byte("null")}},
		{"gaps and places", proofs.Part{Gaps: []uint32{0}, Fields: []proofs.GivenField{{Name: "f"}}, Places: []uint16{0}, Data: []byte("null")}},
		{"4097 gaps", proofs.Part{Gaps: make([]uint32, 4097), Data: []byte("null")}},
		{"4097 pieces", proofs.Part{Pieces: make([]proofs.Piece, 4097)}},
		{"a gap where no null stands", proofs.Part{Gaps: []uint32{0}, Data: []byte("true")}},
		{"a gap without data", proofs.Part{Gaps: []uint32{0}}},
		{"a gap at the largest offset", proofs.Part{Gaps: []uint32{1<<32 - 1}, Data: []byte("null")}},
		{"pieces without data", proofs.Part{Pieces: []proofs.Piece{{Length: 4}}}},
		{"pieces whose lengths go around", proofs.Part{Pieces: []proofs.Piece{{Length: 1<<32 - 1}, {Gap: 1, Length: 2}}, Data: []byte("1")}},
		{"pieces and a given field without a place", proofs.Part{Pieces: []proofs.Piece{{Length: 1}}, Fields: []proofs.GivenField{{Name: "f"}}, Data: []byte("1")}},
		{"places without given fields", proofs.Part{Places: []uint16{0}}},
		{"places that do not rise", proofs.Part{Fields: repeated(proofs.GivenField{Name: "f"}, 2), Places: []uint16{1, 1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if b, err := proofs.FormatPart(test.part); !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("got %d bytes and error %v, want %v", len(b), err, proofs.ErrMalformed)
			}
		})
	}
}

func repeated[T any](v T, n int) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// largestPart has as much of everything as there can be.
func largestPart() proofs.Part {
	long := func(n int) string { return strings.Repeat("x", n) }
	var pieces []proofs.Piece
	for i := range proofs.MaxGaps {
		pieces = append(pieces, proofs.Piece{Gap: uint32(i), Length: 1})
	}
	pieces[0].Length = proofs.MaxPartData - proofs.MaxGaps + 1
	return proofs.Part{
		MediaType: long(255), Appender: long(255), IdempotencyKey: long(1024), Source: long(255),
		Subjects:  append(repeated(long(1024), 63), long(65535-63*1026-2)),
		Fields:    append(repeated(proofs.GivenField{Name: "f", Value: make([]byte, 4096)}, 15), proofs.GivenField{Name: "f", Value: make([]byte, 65535-15*4100-4)}),
		Signature: make([]byte, 65535),
		Pieces:    pieces, Places: []uint16{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		Data: make([]byte, proofs.MaxPartData),
	}
}

func TestTheLargestPartParses(t *testing.T) {
	b, err := proofs.FormatPart(largestPart())
	if err != nil {
		t.Fatal(err)
	}
	p, err := proofs.ParsePart(b)
	if err != nil || len(p.Data) != proofs.MaxPartData || len(p.Subjects) != 64 || len(p.Fields) != 16 {
		t.Errorf("got %d bytes of data, %d subjects, %d fields, error %v", len(p.Data), len(p.Subjects), len(p.Fields), err)
	}
}

func FuzzPart(f *testing.F)     { fuzzPart(f, proofs.ParsePart, proofs.FormatPart) }
func FuzzPartHead(f *testing.F) { fuzzPart(f, proofs.ParsePartHead, proofs.FormatPartHead) }

func fuzzPart(f *testing.F, parse func([]byte) (proofs.Part, error), format func(proofs.Part) ([]byte, error)) {
	for _, v := range readFormatVectors[partVector](f, "part") {
		f.Add([]byte(v.Bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := format(p); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
	})
}
