package proofs_test

import (
	"bytes"
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
