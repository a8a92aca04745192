package query_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cairnlog/cairn/client/query"
)

func noon() time.Time { return time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC) }

// expression returns a random expression as Parse makes them.
func expression(r *rand.Rand, depth int) query.Expr {
	list := func(make func() query.Expr) (list []query.Expr) {
		for range 2 + r.IntN(3) {
			list = append(list, make())
		}
		return list
	}
	for {
		var e query.Expr
		switch n := r.IntN(6); {
		case depth > 3 || n > 3:
			return term(r)
		case n == 1:
			e = query.And{List: list(func() query.Expr { return expression(r, depth+1) })}
		case n == 2:
			e = query.Or{List: list(func() query.Expr { return expression(r, depth+1) })}
		case n == 3:
			e = query.Not{Of: expression(r, depth+1)}
		default: // several values of one field
			f := field(r)
			e = query.Or{List: list(func() query.Expr {
				g := field(r)
				g.Name, g.Path = f.Name, f.Path
				return g
			})}
		}
		if proper(e) {
			return e
		}
	}
}

// proper reports whether Parse leaves an expression as it is.
func proper(e query.Expr) bool {
	switch e := e.(type) {
	case query.And:
		for _, in := range e.List {
			if _, is := in.(query.And); is {
				return false
			}
		}
	case query.Or:
		for _, in := range e.List {
			if _, is := in.(query.Or); is {
				return false
			}
		}
	case query.Not:
		_, is := e.Of.(query.Not)
		return !is
	}
	return true
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func term(r *rand.Rand) query.Expr {
	word := func() string { return pick(r, "a", "bob", "and", "or", "not", "5", "é", "東") }
	switch r.IntN(12) {
	case 0:
		return query.All{}
	case 1, 2:
		return query.Word{Text: word(), Prefix: r.IntN(2) == 0}
	case 3:
		return query.Phrase{Words: []string{word(), word(), word()}, Prefix: r.IntN(2) == 0}
	case 4:
		return query.After{Time: r.Uint64N(253402300800_000000)}
	case 5:
		return query.Before{Time: r.Uint64N(4) * 86400_000000}
	case 6:
		return pick(r, query.Indices{First: 3, Last: 3}, query.Indices{First: 0, Last: 7}, query.Indices{First: 9, Last: 1<<64 - 1}, query.Indices{Last: 1<<64 - 1})
	case 7:
		return query.Stream{Name: pick(r, "web", "a b", "*", `"`)}
	case 8:
		return query.Source{Name: pick(r, "web", "-a", "(", "$.a:b")}
	}
	return field(r)
}

func field(r *rand.Rand) query.Field {
	f := query.Field{Name: pick(r, "actor", "and", "n"), Op: query.Op(1 + r.IntN(8))}
	if r.IntN(4) == 0 {
		f.Name, f.Path = "", pick(r, "$", "$.a[*].b[7]", `$['a "b) :é']`, "$.x\u00a0y")
	}
	switch f.Op {
	case query.Present:
	case query.Within:
		f.Value = pick(r, "10.0.0.0/8", "::/0", "fe80::/10")
	default:
		f.Value = pick(r, "alice", "a b", "-5", "*", "a*", `C:\x\`, `"`, "(", "and", "a:b", "<5", "=", ":", "::1", "10.0.0.0/8", "10.0.0.0/33", "1..2", "a,", "[a TO b]", "é", "\x00\n", "'a'", "“", "$.a", "\u2028")
		if f.Op != query.Prefix && r.IntN(8) == 0 {
			f.Value = ""
		}
	}
	return f
}

func TestWhatIsFormattedParsesToTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	for range 20_000 {
		e := expression(r, 0)
		text := query.Format(e)
		q, err := query.Parse(text, noon())
		if err != nil {
			if strings.Contains(err.Error(), "more than") || strings.Contains(err.Error(), "longer than") {
				continue
			}
			t.Fatalf("%+v is formatted as %q: %v", e, text, err)
		}
		if !reflect.DeepEqual(q.Expr, e) {
			t.Fatalf("%+v is formatted as %q, and that is %+v", e, text, q.Expr)
		}
	}
}

func TestExpressionsMadeByHandKeepTheirMeaning(t *testing.T) {
	for want, e := range map[string]query.Expr{
		"*":             query.And{},
		"-*":            query.Or{},
		"a":             query.And{List: []query.Expr{query.Word{Text: "a"}}},
		"n:5":           query.Or{List: []query.Expr{query.Field{Name: "n", Op: query.Equal, Value: "5"}}},
		"a (b c)":       query.And{List: []query.Expr{query.Word{Text: "a"}, query.And{List: []query.Expr{query.Word{Text: "b"}, query.Word{Text: "c"}}}}},
		"a or (b or c)": query.Or{List: []query.Expr{query.Word{Text: "a"}, query.Or{List: []query.Expr{query.Word{Text: "b"}, query.Word{Text: "c"}}}}},
		"--a":           query.Not{Of: query.Not{Of: query.Word{Text: "a"}}},
	} {
		if got := query.Format(e); got != want {
			t.Errorf("%+v: got %q, want %q", e, got, want)
		}
		if _, err := query.Parse(want, noon()); err != nil {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestMapReplacesTerms(t *testing.T) {
	q, err := query.Parse("a (b or -$.user:x) c", noon())
	if err != nil {
		t.Fatal(err)
	}
	got := query.Map(q.Expr, func(e query.Expr) query.Expr {
		if f, is := e.(query.Field); is {
			return query.Field{Name: "actor", Op: f.Op, Value: f.Value}
		}
		return e
	})
	if want := "a (b or -actor:x) c"; query.Format(got) != want {
		t.Errorf("got %s, want %s", query.Format(got), want)
	}
	if want := "a (b or -$.user:x) c"; q.String() != want {
		t.Errorf("the query is %s now, it was %s", q, want)
	}
}

func TestErrorsShowThePlace(t *testing.T) {
	for _, row := range []struct{ name, query, want string }{
		{"under what is wrong", "actor:alice n=>5 x", "there is no =>\n  actor:alice n=>5 x\n               ^^\nhint: write n>=value"},
		{"after characters of several bytes", "größer:é n=5", "'ö' is in no name of a field\n  größer:é n=5\n    ^\nhint: write $.größer: for a member of events, or put the text in double quotes to find it"},
		{"at the end", "a or", "something to search for is due here\n  a or\n      ^\nhint: write \"and\", \"or\" and \"not\" in double quotes to find the words"},
		{"in the middle of a long query", strings.Repeat("äb ", 30) + "n=5 " + strings.Repeat("cd ", 30),
			"values are given after a colon\n  …b " + strings.Repeat("äb ", 15) + "n=5 " + strings.Repeat("cd ", 8) + "c…\n  " + strings.Repeat(" ", 49) + "^\nhint: write n:value without spaces"},
		{"without characters that move the cursor", "a\x1b[2Jb\u202e n=5", "values are given after a colon\n  a�[2Jb� n=5\n           ^\nhint: write n:value without spaces"},
		{"in what is not UTF-8", "é\xff n", "the query is not UTF-8\n  é� n\n   ^"},
		{"no more than is shown", `"` + strings.Repeat("a ", 200), "the quote is not closed\n  \"" + strings.Repeat("a ", 37) + "a…\n  ^\nhint: write \" where it ends, and \"\" for a quote within"},
	} {
		_, err := query.Parse(row.query, noon())
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: got\n%v\nwant\n%s", row.name, err, row.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range append(parsed(), refused()...) {
		f.Add(v.Query)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := query.Parse(text, noon())
		if err == nil {
			err = query.CheckFields(q, []string{"actor", "action"})
			again, err := query.Parse(q.String(), noon())
			if err != nil {
				t.Fatalf("%q has the canonical form %q: %v", text, q, err)
			}
			if !reflect.DeepEqual(again.Expr, q.Expr) || again.String() != q.String() {
				t.Fatalf("%q has the canonical form %q, that is %+v and not %+v", text, q, again.Expr, q.Expr)
			}
			query.Match(q.Expr, &query.Document{Payload: []byte(text), Fields: map[string][]string{"actor": {text}}}) // must not panic
		}
		if err != nil {
			checkError(t, text, err)
		}
	})
}

// checkError judges the error of a query.
func checkError(t *testing.T, text string, err error) {
	var e *query.Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: %T", text, err)
	}
	if e.Query != text || e.Offset < 0 || e.Offset > len(text) || e.Length < 1 || e.Offset+e.Length > len(text)+1 || e.Problem == "" {
		t.Fatalf("%q: %+v", text, e)
	}
	if utf8.ValidString(text) && e.Offset < len(text) && !utf8.RuneStart(text[e.Offset]) {
		t.Fatalf("%q: byte %d is within a character", text, e.Offset)
	}
	shown := strings.ReplaceAll(err.Error(), "\n", "")
	if strings.ContainsFunc(shown, func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }) || !utf8.ValidString(shown) {
		t.Fatalf("%q: %q would move a cursor", text, shown)
	}
}

func BenchmarkParse(b *testing.B) {
	const text = `(actor:alice or actor:bob) -region:eu* "access denied" status>=400 source_ip:10.0.0.0/8 $.userIdentity.arn:x after:-24h`
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := query.Parse(text, noon()); err != nil {
			b.Fatal(err)
		}
	}
}
