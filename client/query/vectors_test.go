package query_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client/query"
)

//go:generate env CAIRN_WRITE_VECTORS=1 go test -count=1 -run ^TestVectors$ .

// A vector is a query and what becomes of it, or the words of a payload, or
// values in their order.
type vector struct {
	Name string `json:"name"`

	Query     string   `json:"query,omitempty"`
	Now       string   `json:"now,omitempty"`    // from which ages count back
	Fields    []string `json:"fields,omitempty"` // the names that are declared, if that counts
	Canonical string   `json:"canonical,omitempty"`
	Offset    *int     `json:"offset,omitempty"` // of what is refused, in bytes
	Length    int      `json:"length,omitempty"`
	Hint      string   `json:"hint,omitempty"`
	Fits      []entry  `json:"fits,omitempty"`
	FitsNot   []entry  `json:"fits_not,omitempty"`

	Payload *string    `json:"payload,omitempty"`
	Words   [][]string `json:"words,omitempty"` // of each value that has any

	Rising []string `json:"rising,omitempty"` // values of one class, each before the next
	Equal  []string `json:"equal,omitempty"`  // values that compare as equal

	Verdict string `json:"verdict"` // ok or reject
	Why     string `json:"why,omitempty"`
}

// An entry is what queries see of one.
type entry struct {
	Index   uint64              `json:"index,omitempty"`
	Time    uint64              `json:"time,omitempty"`
	Stream  string              `json:"stream,omitempty"`
	Source  string              `json:"source,omitempty"`
	Fields  map[string][]string `json:"fields,omitempty"`
	Payload string              `json:"payload,omitempty"`
}

func (e entry) document() *query.Document {
	return &query.Document{Index: e.Index, Time: e.Time, Stream: e.Stream, Source: e.Source, Fields: e.Fields, Payload: []byte(e.Payload)}
}

func TestVectors(t *testing.T) {
	path := filepath.Join("..", "..", "testdata", "vectors", "query.json")
	var made bytes.Buffer
	e := json.NewEncoder(&made)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(slices.Concat(parsed(), refused(), fitting(), worded(), ordered())); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CAIRN_WRITE_VECTORS") != "" {
		if err := os.WriteFile(path, made.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, made.Bytes()) {
		t.Errorf("%s is not what its rows make: run go generate", path)
	}
	var vectors []vector
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			switch {
			case v.Payload != nil:
				v.judgeWords(t)
			case v.Rising != nil || v.Equal != nil:
				v.judgeOrder(t)
			default:
				v.judge(t)
			}
		})
	}
}

func (v vector) judge(t *testing.T) {
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	if v.Now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, v.Now); err != nil {
			t.Fatal(err)
		}
	}
	q, err := query.Parse(v.Query, now)
	if err == nil && v.Fields != nil {
		err = query.CheckFields(q, v.Fields)
	}
	if v.Verdict == "reject" {
		var e *query.Error
		if !errors.As(err, &e) {
			t.Fatalf("got %v and no error, want one at %d: %s", q, *v.Offset, v.Why)
		}
		if e.Offset != *v.Offset || e.Length != v.Length || e.Problem != v.Why || e.Hint != v.Hint {
			t.Errorf("got %d bytes at %d, %q, hint %q\nwant %d bytes at %d, %q, hint %q", e.Length, e.Offset, e.Problem, e.Hint, v.Length, *v.Offset, v.Why, v.Hint)
		}
		return
	}
	if err != nil {
		t.Fatalf("got error %v", err)
	}
	if q.String() != v.Canonical {
		t.Errorf("got the canonical form %s, want %s", q, v.Canonical)
	}
	for _, e := range v.Fits {
		if !query.Match(q.Expr, e.document()) {
			t.Errorf("%+v does not fit", e)
		}
	}
	for _, e := range v.FitsNot {
		if query.Match(q.Expr, e.document()) {
			t.Errorf("%+v fits", e)
		}
	}
}

func (v vector) judgeWords(t *testing.T) {
	var got [][]string
	last := -1
	for value, word := range query.Words([]byte(*v.Payload)) {
		if value != last {
			got = append(got, nil)
			last = value
		}
		got[len(got)-1] = append(got[len(got)-1], string(word))
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", v.Words) {
		t.Errorf("got %q, want %q", got, v.Words)
	}
}

func (v vector) judgeOrder(t *testing.T) {
	for i, a := range v.Rising {
		for j, b := range v.Rising {
			if order, ok := query.Compare(a, b); !ok || order < 0 != (i < j) || order > 0 != (i > j) {
				t.Errorf("%q and %q compare as %d, %v", a, b, order, ok)
			}
		}
	}
	for _, b := range v.Equal {
		if order, ok := query.Compare(v.Equal[0], b); !ok || order != 0 {
			t.Errorf("%q and %q compare as %d, %v", v.Equal[0], b, order, ok)
		}
	}
}

// parsed has queries and their canonical forms.
func parsed() (rows []vector) {
	for _, r := range [][3]string{
		{"the empty query is for everything", "", "*"},
		{"so is white space", " \t\n", "*"},
		{"a word", "Alice", "alice"},
		{"the beginning of a word", "ali*", "ali*"},
		{"a phrase", `"Access  denied!"`, `"access denied"`},
		{"a phrase whose last word may go on", `"access den"*`, `"access den"*`},
		{"a phrase of one word is the word", `"alice"`, "alice"},
		{"text with characters that are in no word is a phrase", "alice@example.com", `"alice example com"`},
		{"a * after such a character says nothing", `HKLM\Software\*`, `"hklm software"`},
		{"what begins with a path's sign and is none is text", "$5", "5"},
		{"characters of Han are words", "東京", `"東 京"`},
		{"terms after each other", "a  b\tc", "a b c"},
		{"and between them", "a and b AND c", "a b c"},
		{"or binds less", "a b or c d Or e", "a b or c d or e"},
		{"parentheses", "a (b or c) d", "a (b or c) d"},
		{"parentheses that say nothing", "((a) (b c)) or ((d or e))", "a b c or d or e"},
		{"not and the minus are one", "not a -b NOT (c d)", "-a -b -(c d)"},
		{"two negations are none", "-(-a) not not b --c", "a b c"},
		{"operators in quotes are words", `"and" "or" "NOT"*`, `"and" "or" "not"*`},
		{"nothing fits this", "-*", "-*"},
		{"everything, in an or", "* or a", "* or a"},
		{"a value of a field", "actor:alice", "actor:alice"},
		{"a value in quotes that needs none", `actor:"alice"`, "actor:alice"},
		{"a value that needs quotes", `actor:"Alice B. (admin) * "`, `actor:"Alice B. (admin) * "`},
		{"a quote in quotes", `actor:"the ""boss"""`, `actor:"the ""boss"""`},
		{"a backslash is a character like others", `path:"C:\Program Files\" path:C:\Windows\`, `path:"C:\Program Files\" path:C:\Windows\`},
		{"an empty value", `actor:""`, `actor:""`},
		{"the beginning of a value", "region:eu* path:\"C:\\Program Files\\\"*", "region:eu* path:\"C:\\Program Files\\\"*"},
		{"any value", `actor:* actor:""*`, "actor:* actor:*"},
		{"a value with colons", "principal:arn:aws:iam::123456789123:user/pedro", "principal:arn:aws:iam::123456789123:user/pedro"},
		{"a value with a space at its end", "actor:alice ", "actor:alice"},
		{"operators and negations are values where they follow a colon", "actor:and actor:not actor:-5", "actor:and actor:not actor:-5"},
		{"names have digits, points, dashes and underscores", "0a_b-c.D:1", "0a_b-c.D:1"},
		{"several values", "actor:(alice or bob* or *)", "actor:(alice or bob* or *)"},
		{"several values are an or", "actor:alice or actor:bob", "actor:(alice or bob)"},
		{"several values, all of them", "tag:(a -b)", "tag:a -tag:b"},
		{"several values, grouped", "tag:(a (b or c))", "tag:a tag:(b or c)"},
		{"several values that need quotes", `actor:("and" or "-a" or "b:c" or "d e")`, `actor:("and" or "-a" or "b:c" or "d e")`},
		{"no value of several", "-actor:(alice or bob)", "-actor:(alice or bob)"},
		{"one of several streams", "stream:(web or db)", "stream:web or stream:db"},
		{"ranges", "status<500 status<=500 status>400 status>=400", "status<500 status<=500 status>400 status>=400"},
		{"a range of times", `at>="2026-01-01 10:00"`, `at>="2026-01-01 10:00"`},
		{"a range below zero", "celsius<-5", "celsius<-5"},
		{"the values of a range are alternatives to others", "n<5 or n:7", "n<5 or n:7"},
		{"a network", "ip:10.1.2.3/8 ip:2001:DB8::1/32", "ip:10.0.0.0/8 ip:2001:db8::/32"},
		{"the text of a network", `ip:"10.0.0.0/8"`, `ip:"10.0.0.0/8"`},
		{"networks and addresses", "ip:(10.0.0.0/8 or 192.168.1.1)", "ip:(10.0.0.0/8 or 192.168.1.1)"},
		{"addresses of IPv6", "ip:::1 ip:::/0 ip:(::1 or fe80::/10) ip>::1", "ip:::1 ip:::/0 ip:(::1 or fe80::/10) ip>::1"},
		{"a path", "$.userIdentity.arn:x", "$.userIdentity.arn:x"},
		{"a path in another spelling", `$["userIdentity"]['arn']:x $.a.*:y $['@timestamp']>=2026-01-01`, "$.userIdentity.arn:x $.a[*]:y $['@timestamp']>=2026-01-01"},
		{"a path with everything in a name", `$['a"b (c):d ]']:x`, `$['a"b (c):d ]']:x`},
		{"several values at a path", "$.a[0]:(x or y)", "$.a[0]:(x or y)"},
		{"times", "after:2026-01-01 before:2026-02-01T10:00Z", "after:2026-01-01 before:2026-02-01T10:00:00Z"},
		{"times with offsets and fractions", "after:2026-01-01T00:30:00.250000+01:00 before:2026-01-01t10:00:00.000001z", "after:2025-12-31T23:30:00.25Z before:2026-01-01T10:00:00.000001Z"},
		{"ages", "after:-24h before:-90m after:-1d12h after:-2w before:-0s", "after:2026-11-22T12:00:00Z before:2026-11-23T10:30:00Z after:2026-11-22 after:2026-11-09T12:00:00Z before:2026-11-23T12:00:00Z"},
		{"the last time", "before:9999-12-31T23:59:59.999999Z", "before:9999-12-31T23:59:59.999999Z"},
		{"indices", "index:7 index:100..200 index:100.. index:..200 index:5..5", "index:7 index:100..200 index:100.. index:0..200 index:5"},
		{"the largest index", "index:..18446744073709551615 index:18446744073709551615", "index:0.. index:18446744073709551615"},
		{"streams and sources", `stream:web source:"a b"`, `stream:web source:"a b"`},
		{"names of entries within a path are names", "$.stream:web", "$.stream:web"},
		{"white space of any kind separates", "a\u00a0b\u2003c", "a b c"},
		{"128 terms", strings.Repeat("a ", 127) + "a", strings.Repeat("a ", 127) + "a"},
		{"32 parentheses", strings.Repeat("(", 32) + "a" + strings.Repeat(")", 32), "a"},
		{"4096 bytes", "a:" + strings.Repeat("b", 4094), "a:" + strings.Repeat("b", 4094)},
	} {
		rows = append(rows, vector{Name: r[0], Query: r[1], Canonical: r[2], Now: map[bool]string{true: "2026-11-23T12:00:00Z"}[r[0] == "ages"], Verdict: "ok"})
	}
	return append(rows, vector{Name: "fields that are declared", Query: "actor:alice -eventid:12 stream:x", Fields: []string{"actor", "eventid"}, Canonical: "actor:alice -eventid:12 stream:x", Verdict: "ok"})
}

// refused has queries that are none.
func refused() (rows []vector) {
	const inQuotes = "put the text in double quotes to find it as it is"
	for _, r := range []struct {
		name, query    string
		offset, length int
		why, hint      string
	}{
		{"a parenthesis is not closed", "a (b or c", 2, 1, "the parenthesis is not closed", "write ) where it ends, or put the text in double quotes"},
		{"a parenthesis of values is not closed", "actor:(b or c", 6, 1, "the parenthesis is not closed", "write ) where it ends, or put the text in double quotes"},
		{"an open parenthesis at the end", "a (", 2, 1, "the parenthesis is not closed", "write ) where it ends, or put the text in double quotes"},
		{"a parenthesis that is not open", "a b) c", 3, 1, "no parenthesis is open here", "leave it out, or put the text in double quotes"},
		{"nothing in parentheses", "a ( )", 2, 3, "nothing stands between the parentheses", "leave them out, or put the text in double quotes"},
		{"a quote is not closed", `a "b c`, 2, 1, "the quote is not closed", `write " where it ends, and "" for a quote within`},
		{"a backslash before a quote", `path:"C:\x\"y"`, 11, 1, "the quote ends here: a backslash is a character like others", `write "" for a quote within quotes`},
		{"text after a quote", `actor:"a"b`, 9, 1, "a space or ) is due after the quote", `write "" for a quote within quotes`},
		{"a quote within a text", `actor:a"b"`, 7, 1, "a space is due before it", `put a text that has parentheses or quotes in it in double quotes, and write "" for a quote within`},
		{"a single quote", "actor:'Alice'", 6, 1, "no quote begins so", `write double quotes: "Alice"`},
		{"a typographer's quote", "“Alice”", 0, 3, "no quote begins so", `write double quotes: "Alice"`},
		{"nothing after or", "a or", 4, 1, "something to search for is due here", `write "and", "or" and "not" in double quotes to find the words`},
		{"nothing before and", "and a", 0, 3, `"and" stands between two things to search for`, `write "and" in double quotes to find the word`},
		{"nothing after not", "(a not)", 6, 1, "something to search for is due here", `write "and", "or" and "not" in double quotes to find the words`},
		{"a minus alone", "a - b", 2, 1, "nothing follows the minus, which excludes what it is written to", "leave no space after it, or leave it out"},
		{"operators of other languages: and", "a && b", 2, 2, "there is no &&", "write and, or nothing between the two"},
		{"operators of other languages: or", "a || b", 2, 2, "there is no ||", "write or"},
		{"operators of other languages: not", "a !b", 2, 1, "there is no !", "write - before what is excluded"},
		{"an equals sign", "actor=alice", 5, 1, "values are given after a colon", "write actor:value without spaces"},
		{"two equals signs", "actor==alice", 5, 2, "values are given after a colon", "write actor:value without spaces"},
		{"an equals sign between spaces", "actor = alice", 6, 1, "values are given after a colon", "write name:value without spaces"},
		{"a value that is not", "actor!=alice", 0, 7, "there is no !=", "write -actor:value to exclude a value"},
		{"a comparison after a colon", "status:>=500", 6, 3, "there is no :>=", "write status>=value"},
		{"a comparison the other way around", "status=>500", 6, 2, "there is no =>", "write status>=value"},
		{"a comparison that there is not", "status<>500", 6, 2, "there is no <>", "write status:value, and values that begin so in double quotes"},
		{"a comparison of a word", "status > 500", 7, 1, "a name is due before >", "write name>value without spaces, or put the text in double quotes"},
		{"a comparison of several values", "n>=(1 or 2)", 3, 1, "one value is due after >=", "write (n>=A or n>=B)"},
		{"a comparison of a beginning", "actor>a*", 7, 1, "a whole value is due after >", "put the text in double quotes if it has the * itself"},
		{"no value", "actor: alice", 6, 1, "a value is due here", "leave no space before it, or put all of the text in double quotes to find it"},
		{"no value at the end", "actor:", 6, 1, "a value is due here", "leave no space before it, or put all of the text in double quotes to find it"},
		{"a * at the beginning", "actor:*lice", 6, 1, "a * stands only at the end, for whatever follows", "put the text in double quotes if it has the * itself"},
		{"a * in a word", "al*ce", 2, 1, "a * stands only at the end, for whatever follows", "put the text in double quotes if it has the * itself"},
		{"a field within values of another", "actor:(a or b action:c)", 20, 1, "a value with a : in it stands in double quotes here", "the parentheses hold values of actor; close them before another field"},
		{"no word in quotes", `a "--"`, 2, 4, "there is no word in it", "words are made of letters and digits; name:value compares a field as it is"},
		{"a name with a sign", "@timestamp:5", 0, 1, `'@' is in no name of a field`, "write $['@timestamp']: for a member of events, or put the text in double quotes to find it"},
		{"a name with a letter beyond ASCII, after one", "größe:5", 2, 2, `'ö' is in no name of a field`, "write $.größe: for a member of events, or put the text in double quotes to find it"},
		{"a name with a slash", "a/b:5", 1, 1, `'/' is in no name of a field`, inQuotes},
		{"a long name", strings.Repeat("a", 65) + ":5", 0, 65, "names of fields have at most 64 bytes", inQuotes},
		{"a path that is none", "$..a:5", 0, 4, `path "$..a": descendants (..) cannot be declared: name each step`, ""},
		{"a path without a value", "a $.b c", 2, 3, "a path is followed by : and a value", "$.b:* has any value; to find the text put it in double quotes"},
		{"a date that is none", "after:2026-02-29", 6, 10, `"2026-02-29" is no time`, "write 2026-01-31, 2026-01-31T10:00Z, or -24h for an age"},
		{"an hour that is none", "after:2026-02-28T24:00Z", 6, 17, `"2026-02-28T24:00Z" is no time`, "write 2026-01-31, 2026-01-31T10:00Z, or -24h for an age"},
		{"an age in units that there are not", "after:-3y", 6, 3, `"-3y" is no time`, "write 2026-01-31, 2026-01-31T10:00Z, or -24h for an age"},
		{"a time before 1970", "after:1969-12-31", 6, 10, "that is not in the years from 1970 to 9999", ""},
		{"an age before 1970", "after:-99999w", 6, 7, "that is not in the years from 1970 to 9999", ""},
		{"an age of more than 64 bits", "after:-2147483647w2147483647w9w", 6, 25, "that is not in the years from 1970 to 9999", ""},
		{"a time after the year 9999", "after:9999-12-31T23:59:60Z", 6, 20, "that is not in the years from 1970 to 9999", ""},
		{"a time between microseconds", "after:2026-01-01T00:00:00.0000001Z", 6, 28, "the ledger's time is in microseconds", "leave out all but six digits of the fraction"},
		{"the beginning of a time", "after:2026*", 10, 1, "a * is in no time", ""},
		{"a comparison of the ledger's time", "after>=2026-01-01", 5, 2, "a colon is due after after", "write after:2026-01-31"},
		{"a comparison of a stream", "stream>a", 6, 1, "a colon is due after stream", "write stream:NAME"},
		{"indices the wrong way around", "index:9..5", 6, 4, "the range ends before it begins", "did you mean index:5..9?"},
		{"indices that are none", "index:a..b", 6, 4, `"a..b" is no range of indices`, "write index:7, index:100..200, index:100.. or index:..200"},
		{"an index beyond 64 bits", "index:18446744073709551616", 6, 20, `"18446744073709551616" is no range of indices`, "write index:7, index:100..200, index:100.. or index:..200"},
		{"indices without ends", "index:..", 6, 2, `".." is no range of indices`, "write index:7, index:100..200, index:100.. or index:..200"},
		{"the beginning of a stream's name", "stream:we*", 7, 3, "the name of a stream is due, as a whole", "several are written stream:(A or B)"},
		{"a name that all entries have: time", "time>2026-01-01", 0, 4, "entries are not searched by time", "write after:2026-01-31 and before:2026-02-01T10:00Z"},
		{"a name that all entries have: kind", "kind:event", 0, 4, "entries are not searched by kind", "searches find events; cairn history shows the other entries"},
		{"a name that all entries have: bucket", "bucket:5", 0, 6, "entries are not searched by bucket", "write index:100..200 for entries by their place"},
		{"a value that is not, with a name", "a !b:c", 2, 1, "there is no !", "write - before what is excluded"},
		{"a path without its first dot", "a $b.c:d", 2, 4, "a path begins with $. or $[", "write $.b.c, or put the text in double quotes to find it"},
		{"a range in brackets", "a:b at:[2026-01-01 TO 2026-02-01]", 7, 26, "ranges are not written in brackets", "write at>=2026-01-01 at<=2026-02-01"},
		{"a range with dots", "status:400..499 a", 7, 8, "only indices have ranges with ..", "write status>=400 status<=499, or put it in double quotes if it is a value"},
		{"a network of too many bits", "a ip:10.0.0.0/33", 5, 11, "there is no such network", "the addresses of a network have at most 32 bits in common; put it in double quotes if it is a value"},
		{"a network with a zero in front", "ip:fe80::/064 a", 3, 10, "there is no such network", "the addresses of a network have at most 128 bits in common; put it in double quotes if it is a value"},
		{"values with a comma between them", "actor:(alice, bob)", 12, 1, "or is due between values", "write actor:(A or B), and values that end so in double quotes"},
		{"an age without its minus", "after:1d12h", 6, 5, `"1d12h" is no time`, "write -1d12h for an age"},
		{"129 terms", strings.Repeat("a ", 129), 256, 1, "the query has more than 128 terms", "ask in several queries"},
		{"129 words in a phrase", `"` + strings.Repeat("a ", 129) + `"`, 0, 260, "the query has more than 128 terms", "ask in several queries"},
		{"33 parentheses", strings.Repeat("(", 33) + "a" + strings.Repeat(")", 33), 32, 1, "parentheses and negations nest more than 32 deep", ""},
		{"33 negations", strings.Repeat("-", 33) + "a", 32, 1, "parentheses and negations nest more than 32 deep", ""},
		{"4097 bytes", "a:" + strings.Repeat("b", 4095), 4096, 1, "the query is longer than 4096 bytes", "ask in several queries"},
		{"4097 bytes with all that it stands for", strings.Repeat("after:-1s ", 120) + "a:" + strings.Repeat("b", 2000), 0, 3202, "the query is longer than 4096 bytes with all that it stands for", "ask in several queries"},
	} {
		rows = append(rows, vector{Name: r.name, Query: r.query, Offset: &r.offset, Length: r.length, Why: r.why, Hint: r.hint, Verdict: "reject"})
	}
	return append(rows, undeclared()...)
}

// undeclared has queries for fields that are not declared.
func undeclared() (rows []vector) {
	for _, r := range []struct {
		name, query    string
		offset, length int
		why, hint      string
	}{
		{"a field with a letter too many", "a actorr:b", 2, 6, "no field actorr is declared", "did you mean actor?"},
		{"a field with two letters swapped", "aciton:b", 0, 6, "no field aciton is declared", "did you mean action?"},
		{"a field in capitals", "EventID:12", 0, 7, "no field EventID is declared", "did you mean eventid?"},
		{"the second of two fields", "actor:a or (bctor:b)", 12, 5, "no field bctor is declared", "did you mean actor?"},
		{"a short name that is none of them", "xyz:b", 0, 3, "no field xyz is declared", "write $.xyz for a member of events that is not declared, or put the text in double quotes to find it"},
		{"whether there is a value", "has:actor", 0, 3, "no field has is declared", "write name:* for what has any value of a field"},
		{"a time apart from its date", "after:2026-01-01 07:30 b", 17, 2, "no field 07 is declared", "write 2026-01-01T07:30 for a time"},
		{"a name that entries have", "befor:2026-01-01", 0, 5, "no field befor is declared", "did you mean before?"},
		{"a member that is a little like a word", "adder:x", 0, 5, "no field adder is declared", "write $.adder for a member of events that is not declared, or put the text in double quotes to find it"},
		{"a member of events", "userIdentity.arn:x", 0, 16, "no field userIdentity.arn is declared", "write $.userIdentity.arn for a member of events that is not declared, or put the text in double quotes to find it"},
		{"a text with a colon", "http://example.com", 0, 4, "no field http is declared", "write $.http for a member of events that is not declared, or put the text in double quotes to find it"},
	} {
		rows = append(rows, vector{Name: r.name, Query: r.query, Fields: []string{"action", "actor", "eventid"}, Offset: &r.offset, Length: r.length, Why: r.why, Hint: r.hint, Verdict: "reject"})
	}
	return rows
}
