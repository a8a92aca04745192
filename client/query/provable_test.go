package query_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client/query"
)

func prove(t *testing.T, text string) (query.Provable, error) {
	t.Helper()
	q, err := query.Parse(text, noon())
	if err != nil {
		t.Fatal(err)
	}
	return query.Prove(q)
}

func TestConjunctionsOfValuesAreProvable(t *testing.T) {
	equal := func(names ...string) (fields []query.Field) {
		for _, n := range names {
			name, value, _ := strings.Cut(n, "=")
			fields = append(fields, query.Field{Name: name, Op: query.Equal, Value: value})
		}
		return fields
	}
	const hour = 3600_000000
	now := uint64(noon().UnixMicro())
	for text, want := range map[string]query.Provable{
		`actor:alice`: {Fields: equal("actor=alice"), Last: math.MaxUint64},
		`actor:alice and actor:alice * actor:bob`:     {Fields: equal("actor=alice", "actor=bob"), Last: math.MaxUint64},
		`stream:s (actor:alice (stream:s --act:x))`:   {Stream: "s", Fields: equal("actor=alice", "act=x"), Last: math.MaxUint64},
		`actor:"" index:5.. index:..9 index:3..8`:     {Fields: equal("actor="), First: 5, Last: 8},
		`after:-2h before:-1m a:10.0.0.1 after:-1h`:   {Fields: equal("a=10.0.0.1"), Last: math.MaxUint64, From: now - hour, Until: now - hour/60},
		`before:2030-01-01 before:-1h a:"10.0.0.0/8"`: {Fields: equal("a=10.0.0.0/8"), Last: math.MaxUint64, Until: now - hour},
		`actor:(alice) index:0..18446744073709551615`: {Fields: equal("actor=alice"), Last: math.MaxUint64},
		`actor:alice or actor:bob`:                    {Any: [][]query.Field{equal("actor=alice", "actor=bob")}, Last: math.MaxUint64},
		`a:b actor:(alice or bob) (c:d or e:f) e:f`:   {Fields: equal("a=b", "e=f"), Any: [][]query.Field{equal("actor=alice", "actor=bob"), equal("c=d", "e=f")}, Last: math.MaxUint64},
		`a:(b or b) (c:d or c:d or e:f) (c:d or e:f)`: {Fields: equal("a=b"), Any: [][]query.Field{equal("c=d", "e=f")}, Last: math.MaxUint64},
	} {
		got, err := prove(t, text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v and error %v, want %+v", text, got, err, want)
		}
	}
}

// The mark stands below what cannot be proven, and the hint says what can be.
func TestWhatIsNotProvableIsMarked(t *testing.T) {
	for text, mark := range map[string]string{
		`actor:alice or word`:             `               ^^^^`,
		`a:b actor:(alice  or bob*)  c:d`: `                     ^^^^`,
		`a:b (g:h or c:d e:f)`:            `            ^^^`,
		`a:b (g:h or -c:d)`:               `             ^^^`,
		`a:b or stream:s`:                 `       ^^^^^^^^`,
		`a:b -c:d`:                        `     ^^^`,
		`a:b not (c:d or e:f)`:            `         ^^^`,
		`a:b  word`:                       `     ^^^^`,
		`"some words" a:b`:                `^^^^^^^^^^^^`,
		`a:b* c:d`:                        `^^^^`,
		`c:d a:*`:                         `    ^^^`,
		`a>=5`:                            `^^^^`,
		`a:10.0.0.0/8`:                    `^^^^^^^^^^^^`,
		`a:b $.c.d:e`:                     `    ^^^^^^^`,
		`source:s a:b`:                    `^^^^^^^^`,
		`stream:s a:b stream:t`:           `             ^^^^^^^^`,
		`a:b index:5 index:..4`:           `            ^^^^^^^^^`,
		`after:-1h a:b before:-2h`:        `              ^^^^^^^^^^`,
		`a:b before:1970-01-01`:           `    ^^^^^^^^^^^^^^^^^`,
		`stream:s index:7`:                `^^^^^^^^^^^^^^^^`,
		`*`:                               `^`,
		``:                                `^`,
	} {
		_, err := prove(t, text)
		mustMark(t, text, mark, err)
	}
}

// mustMark wants an error that marks a part of a query, and gives a hint.
func mustMark(t *testing.T, text, mark string, err error) {
	t.Helper()
	var e *query.Error
	if !errors.As(err, &e) {
		t.Errorf("%q: got error %v", text, err)
		return
	}
	if got := strings.Repeat(" ", e.Offset) + strings.Repeat("^", e.Length); got != mark || e.Hint == "" {
		t.Errorf("%s\n%s\n%s\ngot the first mark and hint %q, want the second", text, got, mark, e.Hint)
	}
}

// Of every query either something is marked, or what is provable is written and read
// again as the same.
func TestWhatIsProvableIsWrittenAsAQuery(t *testing.T) {
	r, provable := rand.New(rand.NewPCG(4, 2)), 0
	for range 20000 {
		text := query.Format(expression(r, 2))
		q, err := query.Parse(text, noon())
		if err != nil {
			continue // it is too long
		}
		p, err := query.Prove(q)
		var bad *query.Error
		if errors.As(err, &bad) {
			if bad.Offset < 0 || bad.Length < 1 || bad.Offset+bad.Length > max(len(text), 1) {
				t.Fatalf("%s: the mark is from %d on, %d long", text, bad.Offset, bad.Length)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		provable++
		if again, err := prove(t, query.Format(p.Expr())); err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%s: got %+v, and of %s %+v and error %v", text, p, query.Format(p.Expr()), again, err)
		}
	}
	if provable < 20 {
		t.Errorf("%d queries are provable", provable)
	}
}

// What is split off is written as queries: what can be proven, and the rest.
func TestWhatIsNotProvableIsTheRest(t *testing.T) {
	for text, want := range map[string][2]string{
		`actor:alice`:                              {`actor:alice`, `*`},
		`actor:alice * index:5..`:                  {`actor:alice index:5..`, `*`},
		`word actor:alice act*`:                    {`actor:alice`, `word act*`},
		`actor:alice -outcome:ok bytes>=1000`:      {`actor:alice`, `-outcome:ok bytes>=1000`},
		`(word (actor:alice "two words"))`:         {`actor:alice`, `word "two words"`},
		`a:b (c:d or word)`:                        {`a:b`, `c:d or word`},
		`a:b (c:d or e:f) (g:h or -i:j)`:           {`a:b (c:d or e:f)`, `g:h or -i:j`},
		`(g:h or c:d e:f) a:b word`:                {`a:b`, `(g:h or c:d e:f) word`},
		`a:b (c:d or stream:s index:4)`:            {`a:b`, `c:d or stream:s index:4`},
		`a:b -stream:s -index:4 -after:2026-01-02`: {`a:b`, `-stream:s -index:4 -after:2026-01-02`},
		`a:b not (stream:s c:d) stream:t`:          {`stream:t a:b`, `-(stream:s c:d)`},
		`a:b source:s $.c.d:e f:10.0.0.0/8`:        {`a:b`, `source:s $.c.d:e f:10.0.0.0/8`},
		`e:f -(a:b or c:d) g:* index:..7 h:j*`:     {`e:f index:0..7`, `-(a:b or c:d) g:* h:j*`},
	} {
		q, err := query.Parse(text, noon())
		if err != nil {
			t.Fatal(err)
		}
		proven, rest, err := query.Split(q)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := [2]string{query.Format(proven.Expr()), query.Format(rest)}; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// Where no value can be proven the mark stands below the first thing that cannot be.
func TestAPureRestIsRefused(t *testing.T) {
	for text, mark := range map[string]string{
		`word  c:d*`:                 `^^^^`,
		`index:5.. (a:b or word) -x`: `                  ^^^^`,
		`stream:s not (a:b or c:d)`:  `              ^^^`,
		`stream:s index:7`:           `^^^^^^^^^^^^^^^^`,
		`word a:b index:5 index:..4`: `                 ^^^^^^^^^`,
		``:                           `^`,
	} {
		q, err := query.Parse(text, noon())
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = query.Split(q)
		mustMark(t, text, mark, err)
	}
}

// An entry fits a query if it fits what can be proven and the rest; nothing is in the rest
// where all can be proven.
func TestWhatFitsBothPartsFitsTheWhole(t *testing.T) {
	r, split, fit := rand.New(rand.NewPCG(4, 7)), 0, 0
	for range 5000 {
		value := query.Field{Name: pick(r, "actor", "and", "n"), Op: query.Equal, Value: pick(r, "alice", "a b", "-5")}
		list := []query.Expr{value, expression(r, 1), expression(r, 1)}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		q, err := query.Parse(query.Format(query.And{List: list}), noon())
		if err != nil {
			continue // it is too long
		}
		whole, proveErr := query.Prove(q)
		proven, rest, err := query.Split(q)
		if (proveErr == nil) != (err == nil && rest == query.Expr(query.All{})) || proveErr == nil && !reflect.DeepEqual(whole, proven) {
			t.Fatalf("%s: got %+v, %v, %v, and of Prove %+v, %v", q, proven, rest, err, whole, proveErr)
		}
		if err != nil {
			continue // nothing fits
		}
		split++
		for range 3 {
			d := document(t, r)
			d.Fields[value.Name] = append(d.Fields[value.Name], value.Value)
			got := query.Match(proven.Expr(), d) && query.Match(rest, d)
			if got != query.Match(q.Expr, d) {
				t.Fatalf("%s and %+v: by %s and %s it fits: %v", q, d, query.Format(proven.Expr()), query.Format(rest), got)
			}
			if got {
				fit++
			}
		}
	}
	if split < 2000 || fit < 200 {
		t.Errorf("%d queries are split, and %d entries fit: they say little", split, fit)
	}
}

func ExampleProve() {
	q, err := query.Parse("actor:alice action:delete* after:-24h", time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = query.Prove(q)
	fmt.Println(err)
	// Output:
	// beginnings of values cannot be proven: tags are of whole values
	//   actor:alice action:delete* after:-24h
	//               ^^^^^^^^^^^^^^
	// hint: what can be proven to be complete are values of fields, as in (a:b or c:d) e:f, with stream:, index:, after: and before:
}

func ExampleSplit() {
	q, err := query.Parse(`actor:alice "annual report" action:(read or delete) bytes>=1000`, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	proven, rest, err := query.Split(q)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(query.Format(proven.Expr()))
	fmt.Println(query.Format(rest))
	// Output:
	// actor:alice action:(read or delete)
	// "annual report" bytes>=1000
}
