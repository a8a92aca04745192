package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A splitMaker makes events and fields at random, of few names and values, so
// that they meet often.
type splitMaker struct{ *rand.Rand }

func (m splitMaker) pick(list ...string) string { return list[m.IntN(len(list))] }

func (m splitMaker) value(depth int) string {
	space := m.pick("", "", "", " ", "\n\t")
	switch kind := m.IntN(8); {
	case kind < 2 && depth > 0:
		var members []string
		for _, name := range []string{"a", "b", "c", "d"} {
			if m.IntN(2) == 0 {
				members = append(members, fmt.Sprintf("%s%q:%s", space, name, m.value(depth-1)))
			}
		}
		return "{" + strings.Join(members, ",") + space + "}"
	case kind < 4 && depth > 0:
		var elements []string
		for range m.IntN(4) {
			elements = append(elements, space+m.value(depth-1))
		}
		return "[" + strings.Join(elements, ",") + space + "]"
	}
	return space + m.pick(`"alice"`, `"alice"`, `"bob"`, `"carol"`, `"\u0061lice"`, `"null"`, `""`, "1", "1.0", "1e0", "12", "null", "true", `"x y"`)
}

func (m splitMaker) fields() []proofs.Field {
	var fields []proofs.Field
	for i := range 1 + m.IntN(5) {
		path := "$"
		for range m.IntN(4) {
			path += m.pick(".a", ".b", ".c", ".d", "[0]", "[1]", "[*]", "[*]")
		}
		if m.IntN(8) == 0 {
			path = ""
		}
		f := proofs.Field{Number: uint16(i + 1), Name: fmt.Sprint("f", i), Path: path, Subject: i == 0 || m.IntN(3) == 0}
		fields = append(fields, f)
	}
	for i := range fields {
		about := m.IntN(len(fields))
		if about != i && fields[about].Subject && m.IntN(2) == 0 {
			fields[i].About = fields[about].Name
		}
	}
	return fields
}

func (m splitMaker) part(fields []proofs.Field) proofs.Part {
	p := proofs.Part{MediaType: "application/json", Appender: "app", IdempotencyKey: m.pick("", "k"), Source: "s", Data: []byte(m.value(5))}
	for range m.IntN(4) {
		f := fields[m.IntN(len(fields))]
		p.Fields = append(p.Fields, proofs.GivenField{Name: f.Name, Value: []byte(m.pick("alice", "dave", "", "x"))})
	}
	if m.IntN(3) == 0 {
		p.Signature = []byte("signature")
	}
	if m.IntN(4) == 0 {
		p.Subjects = []string{m.pick("alice", "erin")}
	}
	return p
}

func TestSplitDividesAsTheReferenceDoes(t *testing.T) {
	m := splitMaker{rand.New(rand.NewPCG(7, 8))}
	counts := map[int]int{}
	for range 6000 {
		fields := m.fields()
		p := m.part(fields)
		parts, err := must(proofs.NewExtractor(fields)).Split(p)
		if err != nil {
			t.Fatalf("%s: %v", p.Data, err)
		}
		checkSplit(t, p, parts, fields)
		checkJoin(t, m.Rand, p, parts)
		counts[len(parts)]++
	}
	for n := range 5 {
		if counts[1+n] < 30 {
			t.Errorf("too few events have %d parts: %v", 1+n, counts)
		}
	}
}

// FuzzSplit divides any event by any paths, of which every second names data
// subjects and the others are about these.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"a":["x",{"b":1.50},null],"@b":{"a":"\u0041"}}`), "a\na[*].b\n@b.a\na[1][*]\n$[*][*]", uint64(0))
	f.Add([]byte(`[["alice",["bob"]],["y"],"z"]`), "$\n$[*]\n$[*][*]\n$[0]\n$[0][0]", uint64(1))
	f.Add([]byte(`{"user":"alice","mail":{"to":["bob"]}}`), "user\nmail\nmail.to\nx", uint64(2))
	f.Fuzz(func(t *testing.T, event []byte, paths string, seed uint64) {
		var fields []proofs.Field
		for i, path := range strings.Split(paths, "\n") {
			path, err := proofs.NormalizePath(path)
			if err != nil || i == proofs.MaxFields {
				return
			}
			fields = append(fields, proofs.Field{Number: uint16(i + 1), Name: fmt.Sprint("f", i), Path: path, Subject: i%2 == 0})
			if i%2 == 1 {
				fields[i].About = fields[i-1].Name
			}
		}
		p := proofs.Part{MediaType: "application/json", Signature: []byte("s"), Data: event}
		parts, err := must(proofs.NewExtractor(fields)).Split(p)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("%s: %v", event, err)
			}
			return
		}
		if len(event) < 4000 { // too short for more values than there may be gaps
			checkSplit(t, p, parts, fields)
		}
		checkJoin(t, rand.New(rand.NewPCG(seed, 0)), p, parts)
	})
}

type splitVector struct {
	formatVerdict
	Fields   []proofs.Field `json:"fields"`
	Event    string         `json:"event"`
	Subjects []string       `json:"subjects"`
	Given    []givenText    `json:"given"`
	Parts    []struct {
		Subjects  []string       `json:"subjects"`
		Given     []givenText    `json:"given"`
		Places    []uint16       `json:"places"`
		Key       string         `json:"idempotency_key"`
		Signature hexBytes       `json:"signature"`
		Gaps      []uint32       `json:"gaps"`
		Pieces    []proofs.Piece `json:"pieces"`
		Data      string         `json:"data"`
		Part      hexBytes       `json:"part"`
	} `json:"parts"`
}

type givenText struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func given(texts []givenText) (fields []proofs.GivenField) {
	for _, f := range texts {
		fields = append(fields, proofs.GivenField{Name: f.Name, Value: []byte(f.Value)})
	}
	return fields
}

func TestSplitVectors(t *testing.T) {
	for _, v := range readFormatVectors[splitVector](t, "split") {
		t.Run(v.Name, func(t *testing.T) {
			whole := proofs.Part{Subjects: v.Subjects, Fields: given(v.Given), Data: []byte(v.Event)}
			if len(v.Parts) > 0 { // what the first part says comes from the event
				first := must(proofs.ParsePart(v.Parts[0].Part))
				whole.MediaType, whole.Appender, whole.Source = first.MediaType, first.Appender, first.Source
			}
			for _, p := range v.Parts {
				whole.IdempotencyKey += p.Key
				whole.Signature = append(whole.Signature, p.Signature...)
			}
			got, err := must(proofs.NewExtractor(v.Fields)).Split(whole)
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			wantEqual(t, "parts", len(got), len(v.Parts))
			for i, p := range v.Parts {
				want := must(proofs.ParsePart(p.Part))
				if b := must(proofs.FormatPart(got[i])); !bytes.Equal(b, p.Part) {
					t.Errorf("part %d: got %x, want %x", i, b, []byte(p.Part))
				}
				said := proofs.Part{MediaType: want.MediaType, Appender: want.Appender, IdempotencyKey: p.Key, Source: want.Source,
					Subjects: p.Subjects, Fields: given(p.Given), Signature: p.Signature, Gaps: p.Gaps, Pieces: p.Pieces, Places: p.Places, Data: []byte(p.Data)}
				if !reflect.DeepEqual(normal(said), normal(want)) {
					t.Errorf("part %d: the vector says %+v, and it is %+v", i, said, want)
				}
			}
		})
	}
}
