package query_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

// slowFits is what Match should be, by way of encoding/json and [slowValue].
func slowFits(e query.Expr, d *query.Document) bool {
	in := func(list []query.Expr) (fit int) {
		for _, e := range list {
			if slowFits(e, d) {
				fit++
			}
		}
		return fit
	}
	switch e := e.(type) {
	case query.And:
		return in(e.List) == len(e.List)
	case query.Or:
		return in(e.List) > 0
	case query.Not:
		return !slowFits(e.Of, d)
	case query.Word:
		return slowHasWords(d.Payload, []string{e.Text}, e.Prefix)
	case query.Phrase:
		return slowHasWords(d.Payload, e.Words, e.Prefix)
	case query.Field:
		values := d.Fields[e.Name]
		if e.Path != "" {
			values = slowValues(d.Payload, e.Path)
		}
		return slices.ContainsFunc(values, func(v string) bool { return slowFitsValue(e, v) })
	case query.After:
		return !(d.Time < e.Time)
	case query.Before:
		return !(d.Time >= e.Time)
	case query.Indices:
		return !(d.Index < e.First || d.Index > e.Last)
	case query.Stream:
		return e.Name == d.Stream
	case query.Source:
		return e.Name == d.Source
	}
	return true
}

func slowFitsValue(f query.Field, value string) bool {
	v, _ := newSlowValue(value)
	w, _ := newSlowValue(f.Value)
	order, ok := v.compare(w)
	switch f.Op {
	case query.Equal:
		return value == f.Value
	case query.Prefix:
		return strings.Index(value, f.Value) == 0
	case query.Less:
		return ok && order < 0
	case query.LessEqual:
		return ok && order <= 0
	case query.Greater:
		return ok && order > 0
	case query.GreaterEqual:
		return ok && order >= 0
	case query.Within:
		return ok && w.network.Contains(v.network.Addr()) && v.network.Bits() >= w.network.Bits()
	}
	return true
}

// slowHasWords looks for words in what is made of each value.
func slowHasWords(payload []byte, words []string, prefix bool) bool {
	if !utf8.Valid(payload) {
		return false
	}
	texts := []string{string(payload)}
	if proofs.CheckJSON(payload) == nil {
		texts = jsonTexts(string(payload))
	}
	want := "\x00" + strings.Join(words, "\x00")
	if !prefix {
		want += "\x00"
	}
	return slices.ContainsFunc(texts, func(text string) bool {
		return strings.Contains("\x00"+strings.Join(slowTextWords(text), "\x00")+"\x00", want)
	})
}

// slowValues returns the canonical values at a path of an event.
func slowValues(payload []byte, path string) (values []string) {
	found, err := proofs.ExtractFields(payload, []proofs.Field{{Number: 1, Name: "f", Path: path}})
	if err != nil {
		return nil
	}
	for _, v := range found {
		values = append(values, string(v.Value))
	}
	return values
}

// tree returns a random JSON value.
func tree(r *rand.Rand, depth int) any {
	n := r.IntN(8)
	switch {
	case depth < 4 && n < 3:
		members := make(map[string]any)
		for range r.IntN(4) {
			members[pick(r, "a", "b", "x", "a \"b) :é", "é")] = tree(r, depth+1)
		}
		return members
	case depth < 4 && n < 5:
		var elements []any
		for range r.IntN(4) {
			elements = append(elements, tree(r, depth+1))
		}
		return elements
	case n == 5:
		return pick[any](r, true, false, nil)
	case n == 6:
		return json.Number(pick(r, "5", "-5", "5.0", "0.5e1", "1e400", "123456789012345678901234567890", "-0", "0"))
	}
	return pick(r, "a", "bob a", "A B and", "not\n\"or\" 5", "東京 é", "10.1.2.3", "alice", "a*", "")
}

func document(t *testing.T, r *rand.Rand) *query.Document {
	payload, err := json.Marshal(tree(r, 0))
	if err != nil {
		t.Fatal(err)
	}
	if r.IntN(8) == 0 {
		payload = append(payload, pick(r, "x", "\xff", "}")...)
	}
	d := &query.Document{Index: r.Uint64N(10), Time: r.Uint64N(4) * 86400_000000, Stream: pick(r, "web", "a b"), Source: pick(r, "web", ""), Payload: payload}
	d.Fields = make(map[string][]string)
	for _, name := range []string{"actor", "and", "n"} {
		for range r.IntN(3) {
			value := someValue(r)
			if _, known := newSlowValue(value); !known || r.IntN(2) == 0 {
				value = pick(r, "alice", "a b", "-5", "10.1.2.3", "fe80::1", "and", "")
			}
			d.Fields[name] = append(d.Fields[name], value)
		}
	}
	return d
}

func TestMatchLikeTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	fit := 0
	for range 20_000 {
		e, d := expression(r, 1), document(t, r)
		got, want := query.Match(e, d), slowFits(e, d)
		if got != want {
			t.Fatalf("%s and %+v with %s: got %v, want %v", query.Format(e), d, d.Payload, got, want)
		}
		if got {
			fit++
		}
	}
	if fit < 2000 || fit > 18_000 {
		t.Errorf("%d of 20,000 fit: they say little", fit)
	}
}

// valueAt reports whether a path selects a value in a payload.
func valueAt(payload []byte, path, value string) bool {
	return query.Match(query.Field{Path: path, Op: query.Equal, Value: value}, &query.Document{Payload: payload})
}

func FuzzPath(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":"\u00e9\n\ud835\udc00"},5.0,[true,null]],"c":{}}`), "$.a[*].b")
	f.Add([]byte(` [ 1e5 , "x" , [ "y" ] ] `), "$[0]")
	f.Add([]byte(`{"a'b":1e1000000001}`), `$['a\'b']`)
	f.Fuzz(func(t *testing.T, payload []byte, path string) {
		canonical, err := proofs.NormalizePath(path)
		if err != nil {
			return
		}
		found, err := proofs.ExtractFields(payload, []proofs.Field{{Number: 1, Name: "f", Path: canonical}})
		if err != nil && proofs.CheckJSON(payload) == nil {
			return // too many values, or a number that has no canonical form
		}
		for _, v := range found {
			if !valueAt(payload, canonical, string(v.Value)) {
				t.Fatalf("%s has no %q at %s", payload, v.Value, canonical)
			}
		}
		if any := query.Match(query.Field{Path: canonical, Op: query.Present}, &query.Document{Payload: payload}); any != (len(found) > 0) {
			t.Fatalf("%s has %d values at %s, and any: %v", payload, len(found), canonical, any)
		}
	})
}

func TestAPathHasMoreValuesThanAFieldMay(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,{"id":%d}`, i)
	}
	payload := []byte("[1e1000000001" + b.String() + "]")
	if !valueAt(payload, "$[*].id", "4999") || valueAt(payload, "$[*].id", "5000") || valueAt(payload, "$[*]", "1e+1000000001") {
		t.Error("a path finds not what it should among many values")
	}
}

func BenchmarkMatch(b *testing.B) {
	events := realEvents(b, "windows-persistence.zip", 2000)
	size := 0
	for _, e := range events {
		size += len(e)
	}
	for _, text := range []string{"lsass", `"System32 lsass"`, "$.EventID:5158", "$.EventID>=5000 $.Hostname:WORKSTATION5*"} {
		q, err := query.Parse(text, noon())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			b.SetBytes(int64(size / len(events)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				query.Match(q.Expr, &query.Document{Payload: events[i%len(events)]})
			}
		})
	}
}
