package proofs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

//go:generate env CAIRN_WRITE_VECTORS=1 go test -count=1 -run ^TestEventVectors$ .

func TestEventVectors(t *testing.T) {
	testVectors(t, "json", jsonVectors())
	testVectors(t, "fields", fieldVectors())
}

// A jsonRow is an event that is or isn't a JSON text as the ledger takes it.
type jsonRow struct {
	title
	JSON octets `json:"json"`
	verdict
}

func (r jsonRow) judge(*testing.T) error { return proofs.CheckJSON([]byte(r.JSON)) }

func jsonVectors() []jsonRow {
	var rows []jsonRow
	ok := func(name string, text string) {
		rows = append(rows, jsonRow{title{name}, octets(text), accept()})
	}
	reject := func(name string, text, why string) {
		rows = append(rows, jsonRow{title{name}, octets(text), malformed(why)})
	}
	jsonGrammar(ok, reject)
	jsonNumbers(ok, reject)
	jsonStrings(ok, reject)
	jsonNames(ok, reject)
	return rows
}

func nested(open string, depth int, inner, end string) string {
	return strings.Repeat(open, depth) + inner + strings.Repeat(end, depth)
}

func jsonGrammar(ok func(name, text string), reject func(name, text, why string)) {
	ok("an object is a JSON text", `{"a":1}`)
	ok("an array is a JSON text", `[1,2]`)
	ok("a string alone is a JSON text", `"a"`)
	ok("a number alone is a JSON text", `0`)
	ok("true, false and null are JSON texts", `[true,false,null]`)
	ok("an object can be empty", `{}`)
	ok("an array can be empty", `[]`)
	ok("white space may stand around every token", " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } }\n")
	ok("arrays may nest 64 deep", nested("[", 64, "", "]"))
	ok("objects may nest 64 deep", nested(`{"a":`, 64, "0", "}"))
	reject("arrays may not nest 65 deep", nested("[", 65, "", "]"), "too deep")
	reject("objects may not nest 65 deep", nested(`{"a":`, 65, "0", "}"), "too deep")
	reject("nothing is no JSON text", "", "cut off")
	reject("white space is no JSON text", " ", "cut off")
	reject("a second value may not follow", `{} {}`, "something follows")
	reject("a comma may not follow", `{},`, "something follows")
	reject("a zero byte may not follow", "{}\x00", "something follows")
	reject("a byte order mark may not come first", "\ufeff{}", "byte order mark")
	reject("a form feed is no white space", "\f{}", "no value begins so")
	reject("a no-break space is no white space", "\u00a0{}", "no value begins so")
	reject("a comment is no white space", "/* */{}", "no value begins so")
	reject("an array needs its end", `[1`, "cut off")
	reject("an object needs its end", `{"a":1`, "cut off")
	reject("an array may not end as an object", `[1}`, "',' or ']' is due")
	reject("an object may not end as an array", `{"a":1]`, "',' or '}' is due")
	reject("a comma may not end an array", `[1,]`, "no value begins so")
	reject("a comma may not end an object", `{"a":1,}`, "a name is due")
	reject("a comma may not begin an array", `[,1]`, "no value begins so")
	reject("elements need a comma between them", `[1 2]`, "',' or ']' is due")
	reject("members need a comma between them", `{"a":1 "b":2}`, "',' or '}' is due")
	reject("a name needs a colon", `{"a" 1}`, "':' is due")
	reject("a name needs a value", `{"a":}`, "no value begins so")
	reject("a name needs quotes", `{a:1}`, "a name is due")
	reject("a number is no name", `{1:1}`, "a name is due")
	reject("words are in lower case", `True`, "no value begins so")
	reject("words are whole", `nul`, "no value begins so")
	reject("words end", `nulls`, "something follows")
	reject("strings are not in single quotes", `'a'`, "no value begins so")
}

func jsonNumbers(ok func(name, text string), reject func(name, text, why string)) {
	ok("numbers have a sign, a fraction and an exponent", `[-0,0.5,-1.25e+10,1E-7,1e0,0e0]`)
	ok("an exponent may have zeros in front", `1e007`)
	ok("an integer beyond 2^53 is taken", `9007199254740993`)
	ok("an integer of 64 bits is taken", `-9223372036854775808`)
	ok("a number with more digits than a double is taken", `0.1000000000000000055511151231257827`)
	ok("a number too large for a double is taken", `1e400`)
	reject("a number may not have zeros in front", `01`, "something follows")
	reject("a negative number may not have zeros in front", `-01`, "something follows")
	reject("a number may not begin with a plus", `+1`, "no value begins so")
	reject("a number may not begin with a point", `.5`, "no value begins so")
	reject("a number may not end in a point", `1.`, "a digit is due")
	reject("a minus alone is no number", `-`, "a digit is due")
	reject("a minus before a point is no number", `-.5`, "a digit is due")
	reject("an exponent needs a digit", `1e`, "a digit is due")
	reject("an exponent needs a digit after its sign", `1e+`, "a digit is due")
	reject("hexadecimal digits are no number", `0x10`, "something follows")
	reject("digits may not be grouped", `1_000`, "something follows")
	reject("NaN is no number", `NaN`, "no value begins so")
	reject("Infinity is no number", `-Infinity`, "a digit is due")
}

func jsonStrings(ok func(name, text string), reject func(name, text, why string)) {
	ok("a string can be empty", `""`)
	ok("every escape sequence of RFC 8259 is read", `"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC"`)
	ok("a zero character can be escaped", `"\u0000"`)
	ok("a surrogate pair is one character", `"\ud83d\ude00 \uDBFF\uDFFF"`)
	ok("text in UTF-8 is taken as it is", `"é€😀"`)
	ok("noncharacters are taken", "\"\uffff\U0010ffff\\uffff\"")
	ok("DEL needs no escape", "\"\x7f\"")
	ok("line separators need no escape", "\"\u2028\u2029\"")
	reject("a string needs its end", `"abc`, "cut off")
	reject("a string needs its end after an escaped quote", `"abc\"`, "cut off")
	reject("a string may not end in a backslash", `"abc\`, "cut off")
	reject("a newline must be escaped", "\"a\nb\"", "control character")
	reject("a zero byte must be escaped", "\"a\x00b\"", "control character")
	reject("a unit separator must be escaped", "\"long enough for a word\x1f\"", "control character")
	reject("no other escape sequence is read", `"\x41"`, "no escape sequence")
	reject("escape sequences are in lower case", `"\N"`, "no escape sequence")
	reject("a single quote is not escaped", `"\'"`, "no escape sequence")
	reject(`\u needs four digits`, `"\u12"`, "four hexadecimal digits")
	reject(`\u needs hexadecimal digits`, `"\u12g4"`, "four hexadecimal digits")
	reject("the first half of a surrogate pair needs the second", `"\ud83d"`, "half of a surrogate pair")
	reject("the second half of a surrogate pair needs the first", `"\ude00"`, "half of a surrogate pair")
	reject("the halves of a surrogate pair may not be swapped", `"\ude00\ud83d"`, "half of a surrogate pair")
	reject("two first halves are no pair", `"\ud83d\ud83d"`, "half of a surrogate pair")
	reject("a character between the halves parts them", `"\ud83dx\ude00"`, "half of a surrogate pair")
	reject("a lone byte above ASCII is not UTF-8", "\"\xe9\"", "not UTF-8")
	reject("a character cut off is not UTF-8", "\"\xe2\x82\"", "not UTF-8")
	reject("an overlong form is not UTF-8", "\"\xc0\xaf\"", "not UTF-8")
	reject("a surrogate is not UTF-8", "\"\xed\xa0\x80\"", "not UTF-8")
	reject("a character beyond U+10FFFF is not UTF-8", "\"\xf4\x90\x80\x80\"", "not UTF-8")
	reject("a name must be UTF-8", "{\"\xff\":1}", "not UTF-8")
}

func jsonNames(ok func(name, text string), reject func(name, text, why string)) {
	ok("names that differ in case are different", `{"actor":1,"ACTOR":2}`)
	ok("names that differ in normalization are different", "{\"\u00e9\":1,\"e\u0301\":2}")
	ok("two objects can have the same name", `{"a":{"a":1},"b":{"a":1}}`)
	ok("a name can be empty", `{"":1}`)
	ok("names can begin with one another", `{"a":1,"aa":2,"a\u0000":3,"":4}`)
	ok("a hundred names can differ", manyNames(100, ""))
	reject("a name may not come twice", `{"a":1,"a":2}`, "already has")
	reject("the empty name may not come twice", `{"":1,"":2}`, "already has")
	reject("a name may not come twice with another value in between", `{"a":1,"b":{"a":2},"a":3}`, "already has")
	reject("a name may not come twice in a nested object", `[{"x":{"a":1,"a":1}}]`, "already has")
	reject("a name may not come again escaped", `{"user":1,"\u0075ser":2}`, "already has")
	reject("two escaped names may not be the same", `{"\u00e9":1,"\u00E9":2}`, "already has")
	reject("a surrogate pair and its character are the same name", `{"😀":1,"\ud83d\ude00":2}`, "already has")
	reject("a long name may not come twice", `{"requestParameters":1,"requestParameters":2}`, "already has")
	reject("a name may not come twice among a hundred", manyNames(100, `,"n99":0`), "already has")
	reject("a name may not come twice among a hundred, escaped", manyNames(100, `,"n\u0030":0`), "already has")
}

// manyNames returns an object with the names n0, n1, ….
func manyNames(n int, more string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"n%d":0`, i)
	}
	return "{" + b.String()[1:] + more + "}"
}
