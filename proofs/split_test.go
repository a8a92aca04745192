package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/go-json-experiment/json/jsontext"
)

// A refRange is a value of an event and whom it concerns, by the words of the
// specification of [proofs.Extractor.Split].
type refRange struct {
	start, end int
	names      map[string]bool
}

// refNamed returns the values of one field that name somebody.
func refNamed(t testing.TB, root refJSON, f proofs.Field) (named []refRange) {
	if f.Path == "" || !f.Subject {
		return nil
	}
	take := func(n refJSON) {
		text := n.text
		if n.kind == '0' {
			text = numberValue(t, n.text)
		}
		if n.kind != '{' && n.kind != '[' && n.kind != 'n' && text != "" {
			named = append(named, refRange{n.start, n.end, map[string]bool{text: true}})
		}
	}
	for _, n := range refSelect(root, must(proofs.ParsePath(f.Path))) {
		take(n)
		if n.kind == '[' {
			for _, element := range n.children {
				take(element)
			}
		}
	}
	return named
}

// refRanges returns the outermost values that concern somebody, in order, and
// whom each given field concerns.
func refRanges(t testing.TB, p proofs.Part, fields []proofs.Field) (ranges []refRange, given []map[string]bool) {
	root := readRef(t, jsontext.NewDecoder(bytes.NewReader(p.Data)))
	byField := map[string]map[string]bool{}
	var all []refRange
	for _, f := range fields {
		byField[f.Name] = map[string]bool{}
		for _, r := range refNamed(t, root, f) {
			maps.Copy(byField[f.Name], r.names)
			all = append(all, r)
		}
		for _, g := range p.Fields {
			if g.Name == f.Name && f.Subject && len(g.Value) > 0 {
				byField[f.Name][string(g.Value)] = true
			}
		}
	}
	for _, f := range fields {
		if f.About == "" || f.Path == "" {
			continue
		}
		for _, n := range refSelect(root, must(proofs.ParsePath(f.Path))) {
			all = append(all, refRange{n.start, n.end, maps.Clone(byField[f.About])})
		}
	}
	for _, g := range p.Fields {
		f := fields[slices.IndexFunc(fields, func(f proofs.Field) bool { return f.Name == g.Name })]
		names := maps.Clone(byField[f.About])
		if names == nil {
			names = map[string]bool{}
		}
		if f.Subject && len(g.Value) > 0 {
			names[string(g.Value)] = true
		}
		given = append(given, names)
	}
	return refOutermost(p.Data, all), given
}

// refOutermost joins ranges that lie within others with these.
func refOutermost(data []byte, all []refRange) (ranges []refRange) {
	for i := range all {
		for bytes.IndexByte([]byte(" \t\r\n,:"), data[all[i].start]) >= 0 {
			all[i].start++
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		return all[i].start < all[j].start || all[i].start == all[j].start && all[i].end > all[j].end
	})
	for _, r := range all {
		if n := len(ranges); n > 0 && r.end <= ranges[n-1].end {
			maps.Copy(ranges[n-1].names, r.names)
			continue
		}
		ranges = append(ranges, refRange{r.start, r.end, maps.Clone(r.names)})
	}
	return slices.DeleteFunc(ranges, func(r refRange) bool { return len(r.names) == 0 })
}

// refSet writes a set of names, but for those whom all concerns.
func refSet(names map[string]bool, all []string) string {
	list := slices.Sorted(maps.Keys(names))
	return strings.Join(slices.DeleteFunc(list, func(n string) bool { return slices.Contains(all, n) }), "\n")
}

// refJoinSets makes one set of those with several names where there are too many.
func refJoinSets(p proofs.Part, ranges []refRange, given []map[string]bool) {
	different, everybody := map[string]bool{}, map[string]bool{}
	for _, r := range ranges {
		given = append(given, r.names)
	}
	for _, names := range given {
		different[refSet(names, p.Subjects)] = true
		maps.Copy(everybody, names)
	}
	if delete(different, ""); len(different) <= 62 {
		return
	}
	for _, names := range given {
		if strings.Contains(refSet(names, p.Subjects), "\n") {
			maps.Copy(names, everybody)
		}
	}
}

// checkSplit holds the parts of an event to the specification. It is for
// events with fewer values than there may be gaps.
func checkSplit(t testing.TB, p proofs.Part, parts []proofs.Part, fields []proofs.Field) {
	t.Helper()
	ranges, given := refRanges(t, p, fields)
	refJoinSets(p, ranges, given)
	var skeleton []byte
	at, everybody := 0, map[string]bool{}
	data, places := map[string]string{}, map[string][]uint16{}
	for _, r := range ranges {
		set := refSet(r.names, p.Subjects)
		if set == "" {
			continue
		}
		maps.Copy(everybody, r.names)
		skeleton = append(append(skeleton, p.Data[at:r.start]...), "null"...)
		data[set] += string(p.Data[r.start:r.end])
		at = r.end
	}
	skeleton = append(skeleton, p.Data[at:]...)
	for i, names := range given {
		if set := refSet(names, p.Subjects); set != "" {
			maps.Copy(everybody, names)
			places[set] = append(places[set], uint16(i))
		}
	}
	if string(parts[0].Data) != string(skeleton) || !slices.Equal(parts[0].Subjects, p.Subjects) {
		t.Fatalf("%s %+v\ngot  %s\nwant %s", p.Data, fields, parts[0].Data, skeleton)
	}
	all := refSet(everybody, p.Subjects)
	if moved := all != "" && (parts[0].IdempotencyKey != "" || len(parts[0].Signature) > 0); moved {
		t.Fatalf("%s: the first part has what concerns all", p.Data)
	}
	for i, part := range parts[1:] {
		if !slices.Equal(part.Subjects[:len(p.Subjects)], p.Subjects) {
			t.Fatalf("part %d is for %q, want %q and others", 1+i, part.Subjects, p.Subjects)
		}
		own := map[string]bool{}
		for _, s := range part.Subjects[len(p.Subjects):] {
			own[s] = true
		}
		set := refSet(own, nil)
		if string(part.Data) != data[set] || !slices.Equal(part.Places, places[set]) ||
			(part.IdempotencyKey != "" || len(part.Signature) > 0) != ((p.IdempotencyKey != "" || len(p.Signature) > 0) && set == all) {
			t.Fatalf("%s %+v\npart %d for %q: got %q, %v, want %q, %v", p.Data, fields, 1+i, set, part.Data, part.Places, data[set], places[set])
		}
		delete(data, set)
		delete(places, set)
	}
	if len(data) > 0 || len(places) > 0 {
		t.Fatalf("%s %+v\nthere are no parts for %v %v", p.Data, fields, data, places)
	}
}

// checkJoin puts the parts together again, all of them and some, after they
// were written and read.
func checkJoin(t testing.TB, r *rand.Rand, p proofs.Part, parts []proofs.Part) {
	t.Helper()
	var heads []proofs.Part
	for i, part := range parts {
		b, err := proofs.FormatPart(part)
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		read, err := proofs.ParsePart(b)
		if err != nil || !reflect.DeepEqual(normal(read), normal(part)) {
			t.Fatalf("part %d: got %+v, %v, want %+v", i, read, err, part)
		}
		parts[i] = read
		heads = append(heads, must(proofs.ParsePartHead(must(proofs.FormatPartHead(part)))))
	}
	if cut, err := proofs.CutParts(heads, p.Data); err != nil || !reflect.DeepEqual(normals(cut), normals(parts)) {
		t.Fatalf("cut: got %+v, %v, want %+v", cut, err, parts)
	}
	there := append([]proofs.Part{}, parts[0])
	for _, i := range r.Perm(len(parts) - 1) {
		there = append(there, parts[1+i])
	}
	whole, err := proofs.JoinParts(there)
	whole.Subjects = p.Subjects // the names that the data has come too
	if err != nil || !reflect.DeepEqual(normal(whole), normal(p)) {
		t.Fatalf("join: got %+v, %v, want %+v", whole, err, p)
	}
	for len(there) > 1 {
		there = there[:len(there)-1]
		checkMissing(t, p, there)
	}
}

// checkMissing joins some parts: where something is missing stands null, and
// the rest is there.
func checkMissing(t testing.TB, p proofs.Part, there []proofs.Part) {
	t.Helper()
	some, err := proofs.JoinParts(there)
	if err != nil {
		t.Fatal(err)
	}
	filled := 0
	for _, part := range there[1:] {
		filled += len(part.Pieces)
	}
	if len(some.Gaps) != len(there[0].Gaps)-filled || proofs.CheckJSON(some.Data) != nil {
		t.Fatalf("got %s with gaps %v, want %d of them", some.Data, some.Gaps, len(there[0].Gaps)-filled)
	}
	at := 0
	for _, g := range some.Gaps {
		if string(some.Data[g:g+4]) != "null" || !bytes.Contains(p.Data, some.Data[at:g]) {
			t.Fatalf("got %s with gaps %v, of %s", some.Data, some.Gaps, p.Data)
		}
		at = int(g) + 4
	}
	if !bytes.HasSuffix(p.Data, some.Data[at:]) {
		t.Fatalf("got %s with gaps %v, of %s", some.Data, some.Gaps, p.Data)
	}
}

// normal makes empty lists nil, which are written the same.
func normal(p proofs.Part) proofs.Part {
	if len(p.Data) == 0 {
		p.Data = nil
	}
	if len(p.Signature) == 0 {
		p.Signature = nil
	}
	if len(p.Subjects) == 0 {
		p.Subjects = nil
	}
	if len(p.Fields) == 0 {
		p.Fields = nil
	}
	return p
}

func normals(parts []proofs.Part) (list []proofs.Part) {
	for _, p := range parts {
		list = append(list, normal(p))
	}
	return list
}

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
