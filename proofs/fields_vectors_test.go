package proofs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A fieldRow is an event, the declared fields of its stream, and the values
// that these have in it.
type fieldRow struct {
	title
	Fields []declaredField `json:"fields"`
	Event  octets          `json:"event"`
	Values []declaredValue `json:"values,omitempty"`
	verdict
}

type declaredField struct {
	Number  uint16 `json:"number"`
	Name    string `json:"name"`
	Path    octets `json:"path"`
	Subject bool   `json:"subject"`
}

type declaredValue struct {
	Number  uint16 `json:"number"`
	Subject bool   `json:"subject"`
	Value   octets `json:"value"`
}

func (r fieldRow) judge(t *testing.T) error {
	var fields []proofs.Field
	for _, f := range r.Fields {
		fields = append(fields, proofs.Field{Number: f.Number, Name: f.Name, Path: string(f.Path), Subject: f.Subject})
	}
	values, err := proofs.ExtractFields([]byte(r.Event), fields)
	if err != nil {
		return err
	}
	var got []declaredValue
	for _, v := range values {
		got = append(got, declaredValue{v.Number, v.Subject, octets(v.Value)})
	}
	wantEqual(t, "values", fmt.Sprint(got), fmt.Sprint(r.Values))
	return nil
}

func fieldVectors() []fieldRow {
	var rows []fieldRow
	rows = append(rows, selectionRows()...)
	rows = append(rows, valueRows()...)
	rows = append(rows, numberRows()...)
	rows = append(rows, boundRows()...)
	return append(rows, declarationRows()...)
}

// one returns a row with a single field that has the values.
func one(name, path, event string, values ...string) fieldRow {
	row := fieldRow{title{name}, []declaredField{{1, "f", octets(path), false}}, octets(event), nil, accept()}
	for _, v := range values {
		row.Values = append(row.Values, declaredValue{1, false, octets(v)})
	}
	return row
}

func refused(name, path, event, why string) fieldRow {
	row := one(name, path, event)
	row.verdict = malformed(why)
	return row
}

func selectionRows() []fieldRow {
	return []fieldRow{
		one("the whole event is selected", "$", `"a"`, "a"),
		one("a member is selected by name", "$.a", `{"b":"1","a":"2"}`, "2"),
		one("a member of a member is selected", "$.a.b", `{"b":"1","a":{"b":"2"}}`, "2"),
		one("an escaped name selects", "$.user", `{"\u0075ser":"x"}`, "x"),
		one("a name that is no shorthand selects", "$['@timestamp']", `{"@timestamp":"t"}`, "t"),
		one("a name with a quote and a newline selects", `$['it\'s\na']`, `{"it's\na":"x"}`, "x"),
		one("the empty name selects", "$['']", `{"":"x"}`, "x"),
		one("a name beyond ASCII selects", "$.größe", `{"gr\u00f6\u00dfe":"x"}`, "x"),
		one("names differ in case", "$.a", `{"A":"x"}`),
		one("an element is selected by index", "$.a[1]", `{"a":["x","y","z"]}`, "y"),
		one("an index beyond the end selects nothing", "$.a[3]", `{"a":["x","y","z"]}`),
		one("an index selects nothing in an object", "$.a[0]", `{"a":{"0":"x"}}`),
		one("a name selects nothing in an array", "$.a.b", `{"a":[{"b":"x"}]}`),
		one("a name selects nothing in a string", "$.a.b", `{"a":"b"}`),
		one("every element is selected", "$.a[*].b", `{"a":[{"b":"x"},{"c":"y"},{"b":"z"}]}`, "x", "z"),
		one("every member is selected, in the order of the event", "$.a[*]", `{"a":{"z":"1","y":"2"}}`, "1", "2"),
		one("every element of every element is selected", "$[*][*]", `[["a","b"],["c"]]`, "a", "b", "c"),
		one("what is absent has no value", "$.a", `{}`),
		{title{"fields come in the order of their declaration"},
			[]declaredField{{7, "b", "$.b", false}, {2, "a", "$.a[*]", false}, {3, "c", "$.c", true}}, `{"c":"3","a":["1","2"],"b":"0"}`,
			[]declaredValue{{7, false, "0"}, {2, false, "1"}, {2, false, "2"}, {3, true, "3"}}, accept()},
		{title{"fields may share a path, and paths may run through one another"},
			[]declaredField{{1, "a", "$.a[0]", false}, {2, "b", "$.a[*]", false}, {3, "c", "$.a", false}, {4, "d", "$.a[0]", false}},
			`{"a":["x","y"]}`,
			[]declaredValue{{1, false, "x"}, {2, false, "x"}, {2, false, "y"}, {3, false, "x"}, {3, false, "y"}, {4, false, "x"}}, accept()},
		{title{"a field without a path has no value in the event"},
			[]declaredField{{1, "a", "", false}}, `{"a":"x","":"y"}`, nil, accept()},
	}
}

func valueRows() []fieldRow {
	return []fieldRow{
		one("a string is its characters in UTF-8", "$.a", `{"a":"é\u20ac\ud83d\ude00\n\/"}`, "é€😀\n/"),
		one("a string is not normalized", "$.a", `{"a":"e\u0301"}`, "e\u0301"),
		one("the empty string is a value", "$.a", `{"a":""}`, ""),
		one("true, false and null are their words", "$.a[*]", `{"a":[true,false,null]}`, "true", "false", "null"),
		one("a string and a number with the same text are the same value", "$.a[*]", `{"a":[5158,"5158"]}`, "5158"),
		one("an array has one value an element", "$.a", `{"a":["x",1,true]}`, "x", "1", "true"),
		one("an empty array has no value", "$.a", `{"a":[]}`),
		one("an object has no value", "$.a", `{"a":{"b":"x"}}`),
		one("arrays and objects within an array have no value", "$.a", `{"a":["x",["y"],{"b":"z"}]}`, "x"),
		one("an array that is selected as an element has one value an element", "$.a[*]", `{"a":["x",["y",["z"]]]}`, "x", "y"),
		one("a value that repeats is dropped", "$.a", `{"a":["x","y","x","\u0078",1,1.0,"1"]}`, "x", "y", "1"),
		{title{"null names no data subject, and the string null does"},
			[]declaredField{{1, "a", "$.a", true}, {2, "b", "$.b", true}, {3, "c", "$.c", true}, {4, "d", "$.d", true}},
			`{"a":null,"b":"null","c":[null,"null"],"d":["null",null]}`,
			[]declaredValue{{1, false, "null"}, {2, true, "null"}, {3, true, "null"}, {4, true, "null"}}, accept()},
	}
}

func numberRows() []fieldRow {
	rows := []fieldRow{
		one("integers keep their digits", "$[*]", `[0,7,-7,1000,12345678901234567890]`, "0", "7", "-7", "1000", "12345678901234567890"),
		one("equal numbers have one value", "$[*]", `[1,1.0,1e0,10e-1,0.1e1,100E-2,1.000]`, "1"),
		one("there is one zero", "$[*]", `[0,-0,0.0,-0.0,0e9,0E-9,-0e99999999999999999999]`, "0"),
		one("integers of 64 bits are not rounded", "$[*]", `[9007199254740992,9007199254740993,-9214364837600034816,9223372036854775807,18446744073709551615]`,
			"9007199254740992", "9007199254740993", "-9214364837600034816", "9223372036854775807", "18446744073709551615"),
		one("fractions are not rounded", "$[*]", `[0.1,0.10000000000000001,333333333.33333329]`, "0.1", "0.10000000000000001", "333333333.33333329"),
		one("the other numbers of the example in RFC 8785 §3.2.2.3 come out as there", "$[*]", `[1E30,4.50,2e-3,0.000000000000000000000000001]`,
			"1e+30", "4.5", "0.002", "1e-27"),
		one("numbers beyond the range of doubles keep their value", "$[*]", `[1e400,-1e-400,123e1000000]`, "1e+400", "-1e-400", "1.23e+1000002"),
		one("from 10^21 on there is an exponent", "$[*]", `[100000000000000000000,999999999999999999999,1000000000000000000000,1234567890123456789012]`,
			"100000000000000000000", "999999999999999999999", "1e+21", "1.234567890123456789012e+21"),
		one("below 10^-6 there is an exponent", "$[*]", `[0.000001,0.00000123,0.0000001,-0.00000012]`, "0.000001", "0.00000123", "1e-7", "-1.2e-7"),
		one("exponents may have zeros in front", "$[*]", `[1e007,1e-0000000000000000000000007]`, "10000000", "1e-7"),
		one("the largest exponent is taken", "$[*]", `[1e1000000000,1e-1000000000]`, "1e+1000000000", "1e-1000000000"),
		refused("a larger exponent is refused", "$[*]", `[1e1000000001]`, "the exponent of a number is beyond"),
		refused("a smaller exponent is refused", "$[*]", `[1e-1000000001]`, "the exponent of a number is beyond"),
		one("a larger exponent is taken where no field is", "$.a", `{"b":1e1000000001}`),
	}
	for _, n := range rfc8785Numbers {
		if n.text != "" {
			rows = append(rows, one("the double "+n.bits+" of RFC 8785 Appendix B has its own form", "$", n.text, n.text))
		}
	}
	return rows
}

func boundRows() []fieldRow {
	elements := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ",%d", i)
		}
		return "[" + b.String()[1:] + "]"
	}
	var all []string
	for i := range proofs.MaxFieldValues {
		all = append(all, fmt.Sprint(i))
	}
	five := refused("1,024 values altogether are the most", "$[*]", elements(205), "more than 1024 values together")
	for i := range uint16(4) {
		five.Fields = append(five.Fields, declaredField{i + 2, fmt.Sprintf("f%d", i+2), "$[*]", false})
	}
	return []fieldRow{
		one("a field may have 255 values", "$", elements(255), all...),
		one("repeats are not counted", "$[*]", "[0,0,"+elements(255)[1:], all...),
		refused("a field may not have 256 values", "$", elements(256), "more than 255 different values"),
		five,
		refused("an event that is not JSON as the ledger takes it is refused", "$.a", `{"a":1,"b":2,"b":3}`, "already has"),
	}
}

func declarationRows() []fieldRow {
	declared := func(name string, verdict verdict, fields ...declaredField) fieldRow {
		return fieldRow{title{name}, fields, "{}", nil, verdict}
	}
	field := func(name string) declaredField { return declaredField{1, name, "$.a", false} }
	path := func(name, path, why string) fieldRow { return refused(name, path, "{}", why) }
	rows := []fieldRow{
		declared("a name may have 64 characters", accept(), field(strings.Repeat("a", 64))),
		declared("a name may have digits, points, dashes and underscores", accept(), field("0a_b-c.d")),
		declared("a name may be at", accept(), field("at")),
		declared("a name may not have 65 characters", malformed("1 to 64"), field(strings.Repeat("a", 65))),
		declared("a name may not be empty", malformed("1 to 64"), field("")),
		declared("a name may not have capitals", malformed("1 to 64"), field("EventID")),
		declared("a name may not begin with a point", malformed("1 to 64"), field(".a")),
		declared("a name may not have a space", malformed("1 to 64"), field("a b")),
		declared("a name may not be beyond ASCII", malformed("1 to 64"), field("größe")),
		declared("numbers begin at 1", malformed("numbers begin at 1"), declaredField{0, "a", "$.a", false}),
		declared("a number may not be there twice", malformed("twice"), declaredField{1, "a", "$.a", false}, declaredField{1, "b", "$.b", false}),
		declared("a name may not be there twice", malformed("twice"), declaredField{1, "a", "$.a", false}, declaredField{2, "a", "$.b", false}),
		path("a path begins at the event", "a", "does not begin with $"),
		path("a path is canonical: no quotes that are not needed", "$['a']", "not canonical"),
		path("a path is canonical: single quotes", `$["@a"]`, "not canonical"),
		path("a path is canonical: brackets around the wildcard", "$.*", "not canonical"),
		path("a path is canonical: no blanks", "$[ 0 ]", "not canonical"),
		path("a path is canonical: the shortest escapes", `$['\u000a']`, "not canonical"),
		path("a path is canonical: hexadecimal digits in lower case", `$['\u001F']`, "not canonical"),
		path("a name that is no shorthand needs quotes", "$.@timestamp", "not canonical"),
		path("a control character in a name needs an escape", "$['\x01']", "escape it"),
		path("a path is in UTF-8", "$['\xff']", "not UTF-8"),
		path("an index has no zeros in front", "$[01]", "zeros"),
		path("an index is not negative", "$[-1]", "an index below"),
		path("an index is below a thousand million", "$[1000000000]", "an index below"),
		path("descendants cannot be declared", "$..a", "descendants"),
		path("a slice cannot be declared", "$[0:1]", "']' is due"),
		path("a union cannot be declared", "$[0,1]", "']' is due"),
		path("a filter cannot be declared", "$[?@.a]", "a step in brackets"),
		path("a bracket needs its end", "$[0", "']' is due"),
		path("a quote needs its end", "$['a", "quote at its end"),
		path("a step needs a name", "$.", "cannot stand there as a name"),
		path("half of a surrogate pair is no name", `$['\ud800']`, "no escape sequence"),
		path("a path has at most 512 bytes", "$."+strings.Repeat("a", 511), "at most 512"),
		one("a path may have 512 bytes", "$."+strings.Repeat("a", 510), "{}"),
		one("a path may have 32 steps", "$"+strings.Repeat("[*]", 32), nested("[", 32, `"x"`, "]"), "x"),
		path("a path has at most 32 steps", "$"+strings.Repeat("[*]", 33), "more than 32 steps"),
	}
	for _, name := range []string{"stream", "kind", "bucket", "source", "sequence", "time", "index"} {
		rows = append(rows, declared("the name "+name+" is reserved", malformed("every entry has one already"), field(name)))
	}
	var many []declaredField
	for i := range uint16(proofs.MaxFields + 1) {
		many = append(many, declaredField{i + 1, fmt.Sprintf("f%d", i), octets(fmt.Sprintf("$.f%d", i)), false})
	}
	rows = append(rows, declared("a stream may declare 64 fields", accept(), many[:64]...))
	return append(rows, declared("a stream may not declare 65 fields", malformed("more than 64"), many...))
}
