package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// printed returns what search prints of hits that it has verified, each call of
// the printer a batch.
func printed(t *testing.T, o searchFlags, out outlet, several bool, batches ...[]hit) string {
	t.Helper()
	var b bytes.Buffer
	out.Writer = &b
	o.proofs = true
	printer, err := o.hitPrinter(out, several)
	if err != nil {
		t.Fatal(err)
	}
	for _, hits := range batches {
		if err := printer.print(hits); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// loginsDeclaration is what a stream of logins declares.
func loginsDeclaration(t *testing.T) *declaration {
	t.Helper()
	fields := []proofs.Field{{Number: 1, Name: "actor", Path: "$.actor"}, {Number: 2, Name: "ip", Path: "$.ip"}, {Number: 3, Name: "note", Path: "$.note"}, {Number: 4, Name: "beside"}}
	x, err := proofs.NewExtractor(fields)
	if err != nil {
		t.Fatal(err)
	}
	return &declaration{index: 2, stream: 1, fields: fields, extractor: x}
}

func hitOf(index uint64, d *declaration, payload string) hit {
	return hit{
		index: index, entry: &client.Entry{Index: index, Stream: "logins"}, declared: d, shown: true,
		leaf:    proofs.Leaf{Kind: proofs.Event, Time: 1_700_000_000_123_456, Stream: 1},
		payload: proofs.Part{Data: []byte(payload), Appender: "app"},
	}
}

func TestColumnsHaveTheValuesOfEvents(t *testing.T) {
	d := loginsDeclaration(t)
	h := hitOf(7, d, `{"actor":["alice","bob"],"note":null,"user":{"id":5.0},"n":[1,2]}`)
	h.payload.Fields = []proofs.GivenField{{Name: "beside", Value: []byte("given")}}
	text := hitOf(8, d, "no JSON")
	text.payload.MediaType = "text/plain"
	gap := hitOf(9, d, `{"actor":null,"ip":"10.0.0.1"}`)
	gap.payload.Gaps = []uint32{9}
	gone := hit{index: 10, problem: client.NewProblem(client.Gone, "erased", "")}
	for _, c := range []struct {
		column string
		hit    hit
		want   string
	}{
		{"actor", h, "alice|bob"}, {"note", h, "null"}, {"beside", h, "given"}, {"ip", h, ""}, {"nosuch", h, ""},
		{"$.user.id", h, "5"}, {"$.n[*]", h, "1|2"}, {"$.n[1]", h, "2"}, {"$.actor", h, "alice|bob"},
		{"index", h, "7"}, {"time", h, "2023-11-14T22:13:20.123456Z"}, {"stream", h, "logins"}, {"appender", h, "app"}, {"source", h, ""},
		{"payload", h, `{"actor":["alice","bob"],"note":null,"user":{"id":5.0},"n":[1,2]}`},
		{"actor", text, ""}, {"$.actor", text, ""}, {"payload", text, "no JSON"},
		{"actor", gap, ""}, {"ip", gap, "10.0.0.1"}, {"$.actor", gap, ""},
		{"index", gone, "10"}, {"time", gone, ""}, {"stream", gone, ""}, {"actor", gone, ""}, {"payload", gone, ""},
		{"actor", hitOf(11, nil, `{"actor":"alice"}`), ""},
	} {
		columns, err := parseColumns([]string{c.column})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(columns[0].values(&c.hit), "|"); got != c.want {
			t.Errorf("%s of entry %d: got %q, want %q", c.column, c.hit.index, got, c.want)
		}
	}
	for _, bad := range []string{"", "$.", "$.a[", "$..a", "$[-1]"} {
		if _, err := parseColumns([]string{bad}); !command.IsUsage(err) {
			t.Errorf("the column %q: got %v, want wrong usage", bad, err)
		}
	}
}

// A field that happens to have the name of a column is what is printed of the
// streams that declare it.
func TestAFieldCanBeCalledPayload(t *testing.T) {
	x, err := proofs.NewExtractor([]proofs.Field{{Number: 1, Name: "payload", Path: "$.p"}})
	if err != nil {
		t.Fatal(err)
	}
	d := &declaration{stream: 1, fields: []proofs.Field{{Number: 1, Name: "payload", Path: "$.p"}}, extractor: x}
	got := printed(t, searchFlags{csv: true, columns: []string{"payload"}}, outlet{}, false, []hit{hitOf(1, d, `{"p":"tiny"}`), hitOf(2, loginsDeclaration(t), `{}`)})
	if want := "payload\r\ntiny\r\n{}\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestACellIsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "alice": "alice", "a,b": `"a,b"`, `say "x"`: `"say ""x"""`, "two\nlines": "\"two\nlines\"", "a;b": `"a;b"`, " x": `" x"`,
		"=1+1": `"'=1+1"`, "+49 30": `"'+49 30"`, "-x": `"'-x"`, "@SUM(1)": `"'@SUM(1)"`, "\t=1": "\"'\t=1\"", "\r=1": "\"'\r=1\"", "\n=1": "\"'\n=1\"",
		"＝1": `"'＝1"`, "＋1": `"'＋1"`, "－1": `"'－1"`, "＠1": `"'＠1"`,
		"-5": "-5", "-0.5": "-0.5", "-1e-7": "-1e-7", "-05": `"'-05"`, "-5+1": `"'-5+1"`, "-1-1": `"'-1-1"`, "--": `"'--"`, "5": "5",
		"x=1": "x=1", "'": `"'"`, "a|b": `"a|b"`, "1;=2": `"1;=2"`,
	} {
		if got := formatCell(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestCSVIsReadBackAsItWas(t *testing.T) {
	d := loginsDeclaration(t)
	values := []string{"alice", "", "with \"quotes\", and\r\nlines", " spaces ", "ünï", "a;b|c\td"}
	var hits []hit
	for i, v := range values {
		hits = append(hits, hitOf(uint64(i), d, fmt.Sprintf(`{"actor":%q}`, v)))
	}
	text := printed(t, searchFlags{csv: true}, outlet{}, true, hits[:2], hits[2:])
	r := csv.NewReader(strings.NewReader(text))
	rows, err := r.ReadAll()
	if err != nil || len(rows) != len(values)+1 {
		t.Fatalf("got %v and %q", err, rows)
	}
	if want := []string{"index", "time", "stream", "actor", "ip", "note", "beside"}; !slices.Equal(rows[0], want) {
		t.Errorf("got the columns %q, want %q", rows[0], want)
	}
	for i, v := range values {
		want := strings.ReplaceAll(v, "\r\n", "\n") // as encoding/csv reads it
		if got := rows[i+1][3]; got != want {
			t.Errorf("row %d: got %q, want %q", i, got, want)
		}
	}
	if strings.Count(text, "\r\n") != len(values)+2 { // and one in a value
		t.Errorf("got lines that end otherwise: %q", text)
	}
}

func TestCSVWithoutEventsHasItsColumns(t *testing.T) {
	for want, o := range map[string]searchFlags{
		"index,time,payload\r\n": {csv: true},
		"actor,$.a\r\n":          {csv: true, columns: []string{"actor", "$.a"}},
	} {
		if got := printed(t, o, outlet{}, false, nil); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestATableShowsWhatThereIsRoomFor(t *testing.T) {
	d := loginsDeclaration(t)
	hits := []hit{
		hitOf(1234, d, `{"actor":"alice","ip":"10.0.0.1","note":"a note that is rather long, and so it is cut somewhere"}`),
		hitOf(5, d, `{"actor":"bob\u001b[2J"}`),
		{index: 6, problem: client.NewProblem(client.Gone, "entry 6", "")},
	}
	erased := hitOf(7, d, "")
	erased.shown, erased.payload = false, proofs.Part{}
	hits = append(hits, erased)
	for _, c := range []struct {
		name string
		out  outlet
		o    searchFlags
		want string
	}{
		{"without a bound", outlet{}, searchFlags{table: true}, `
INDEX  TIME                  ACTOR       IP        NOTE
1234   2023-11-14T22:13:20Z  alice       10.0.0.1  a note that is rather long, and so it is cut somewhere
5      2023-11-14T22:13:20Z  bob\x1b[2J
6      (gone: entry 6)
7      2023-11-14T22:13:20Z  (payload erased)
`},
		{"of 70 characters", outlet{terminal: true, width: 70}, searchFlags{}, `
INDEX  TIME                  ACTOR       IP        NOTE
1234   2023-11-14T22:13:20Z  alice       10.0.0.1  a note that is rat…
5      2023-11-14T22:13:20Z  bob\x1b[2J
6      (gone: entry 6)
7      2023-11-14T22:13:20Z  (payload erased)
`},
		{"of 50 characters", outlet{terminal: true, width: 50}, searchFlags{}, `
INDEX  TIME                  ACTOR       IP
1234   2023-11-14T22:13:20Z  alice       10.0.0.1
5      2023-11-14T22:13:20Z  bob\x1b[2J
6      (gone: entry 6)
7      2023-11-14T22:13:20Z  (payload erased)
`},
		{"of chosen columns", outlet{terminal: true, width: 30}, searchFlags{columns: []string{"ip", "$.actor", "index"}}, `
IP        $.actor     INDEX
10.0.0.1  alice       1234
          bob\x1b[2J  5
6         (gone: entry 6)
                      7      (payload erased)
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := "\n" + printed(t, c.o, c.out, false, hits); got != c.want {
				t.Errorf("got%swant%s", got, c.want)
			}
		})
	}
}

func TestALaterIndexIsNotCut(t *testing.T) {
	d := loginsDeclaration(t)
	got := printed(t, searchFlags{columns: []string{"index", "actor"}}, outlet{terminal: true, width: 40}, false,
		[]hit{hitOf(9, d, `{"actor":"al"}`)}, []hit{hitOf(1234567, d, `{"actor":"alexandra"}`)})
	if want := "INDEX  ACTOR\n9      al\n1234567  alex…\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestFieldsWithoutAColumnAreNamed(t *testing.T) {
	x, err := proofs.NewExtractor([]proofs.Field{{Number: 1, Name: "amount", Path: "$.a"}, {Number: 2, Name: "to", Path: "$.to"}})
	if err != nil {
		t.Fatal(err)
	}
	other := &declaration{index: 3, stream: 2, fields: []proofs.Field{{Number: 1, Name: "amount", Path: "$.a"}, {Number: 2, Name: "to", Path: "$.to"}}, extractor: x}
	first, later := []hit{hitOf(9, loginsDeclaration(t), `{"actor":"alice"}`)}, []hit{hitOf(8, other, `{"a":5}`), hitOf(7, other, `{"a":6}`)}
	for name, c := range map[string]struct {
		o    searchFlags
		want []string
	}{
		"CSV, of all that are declared":   {searchFlags{csv: true}, []string{"amount", "to"}},
		"a table, of those with values":   {searchFlags{table: true}, []string{"amount"}},
		"a table, whose columns are made": {searchFlags{table: true, columns: []string{"index"}}, nil},
		"CSV, whose columns are made":     {searchFlags{csv: true, columns: []string{"amount"}}, nil},
	} {
		c.o.proofs = true
		printer, err := c.o.hitPrinter(outlet{Writer: io.Discard}, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(printer.print(first), printer.print(later)); err != nil {
			t.Fatal(err)
		}
		if got := printer.(interface{ leftOut() []string }).leftOut(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestATableWithoutFieldsShowsPayloads(t *testing.T) {
	got := printed(t, searchFlags{}, outlet{terminal: true, width: 60}, true, []hit{hitOf(1, nil, `{"a":"0123456789012345678901234567890123456789"}`)})
	want := "INDEX  TIME                  STREAM  PAYLOAD\n1      2023-11-14T22:13:20Z  logins  {\"a\":\"0123456789012345…\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestAColumnThatNobodyDeclaresIsRefused(t *testing.T) {
	d := loginsDeclaration(t)
	refused := func(hits ...hit) bool {
		columns, err := parseColumns([]string{"actr"})
		if err != nil {
			t.Fatal(err)
		}
		return command.IsUsage(checkColumns(columns, hits))
	}
	if !refused(hitOf(1, d, "{}")) || refused() || refused(hitOf(1, d, "{}"), hitOf(2, nil, "{}")) {
		t.Errorf("got %v, %v and %v for events of known, no, and unknown streams", refused(hitOf(1, d, "{}")), refused(), refused(hitOf(1, d, "{}"), hitOf(2, nil, "{}")))
	}
}
