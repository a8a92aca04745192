package query_test

import "strings"

// fitting has queries and entries that fit them, or not.
func fitting() []vector {
	payload := func(p string) entry { return entry{Payload: p} }
	field := func(values ...string) entry { return entry{Fields: map[string][]string{"f": values}} }
	var rows []vector
	row := func(name, q, canonical string, fits, fitsNot []entry) {
		rows = append(rows, vector{Name: name, Query: q, Canonical: canonical, Fits: fits, FitsNot: fitsNot, Verdict: "ok"})
	}
	row("everything fits the empty query", "", "*", []entry{{}, payload("x"), field("y")}, nil)
	row("a word fits in any case and any value", "alice", "alice",
		[]entry{payload(`{"a":{"b":["x","by ALICE."]}}`), payload("Alice was here")},
		[]entry{{}, payload(`{"alice":"x"}`), payload(`"alices"`), field("alice")})
	row("the beginning of a word fits", "ali*", "ali*", []entry{payload(`"Alice"`), payload(`"ali"`)}, []entry{payload(`"malice"`), payload(`"al"`)})
	row("a phrase fits words one after the other in one value", "alice@example.com", `"alice example com"`,
		[]entry{payload(`"mail alice@example.com"`), payload(`"alice alice example com"`), payload(`["x",["Alice Example: com"]]`)},
		[]entry{payload(`["alice","example","com"]`), payload(`"alice example.org com"`), payload(`"example alice com"`), payload(`"alice example comm"`)})
	row("the last word of a phrase may only begin so", `"access den"*`, `"access den"*`, []entry{payload(`"access denied"`), payload(`"access den"`)}, []entry{payload(`"accessing denied"`)})
	row("a phrase may begin within itself", `"a a b"`, `"a a b"`, []entry{payload(`"a a a b"`)}, []entry{payload(`"a b a b"`), payload(`["a a","b"]`)})
	row("a number is a word", "5158", "5158", []entry{payload(`{"EventID":5158}`), payload(`{"EventID":"5158"}`), payload(`-5158.0`)}, []entry{payload("51580")})
	row("of a long word the first 64 bytes count", strings.Repeat("a", 64)+"b", strings.Repeat("a", 64),
		[]entry{payload(strings.Repeat("A", 64) + "c")}, []entry{payload(strings.Repeat("a", 63) + "b")})
	row("all terms fit", "a -b", "a -b", []entry{payload(`"a"`)}, []entry{payload(`"a b"`), payload(`"c"`)})
	row("one term fits", "a b or c", "a b or c", []entry{payload(`"a b"`), payload(`"c"`)}, []entry{payload(`"a"`), payload(`"b"`)})
	row("a field has the value", "f:alice", "f:alice", []entry{field("alice"), field("bob", "alice")}, []entry{{}, field("Alice"), field("alice "), payload(`{"f":"alice"}`)})
	row("no value of a field", "-f:alice", "-f:alice", []entry{{}, field("bob")}, []entry{field("bob", "alice")})
	row("a number is written in its canonical form", "f:5", "f:5", []entry{field("5")}, []entry{field("5.0"), field("05")})
	row("a number in another form is a text", "f:5.0", "f:5.0", []entry{field("5.0")}, []entry{field("5")})
	row("a field has the empty value", `f:""`, `f:""`, []entry{field("")}, []entry{{}, field("x")})
	row("a field has any value", "f:*", "f:*", []entry{field(""), field("null")}, []entry{{}, {Fields: map[string][]string{"g": {"x"}}}})
	row("a field has a value that begins so", "f:50*", "f:50*", []entry{field("500"), field("50"), field("50.0.0.1")}, []entry{field("5"), field("150")})
	row("one of several values", "f:(a or b*)", "f:(a or b*)", []entry{field("a"), field("bc")}, []entry{field("ac")})
	row("all of several values", "f:(a b)", "f:a f:b", []entry{field("b", "a")}, []entry{field("a")})
	row("numbers in a range", "f>=100", "f>=100", []entry{field("100"), field("1000"), field("1e+21"), field("1", "200")}, []entry{field("99.9"), field("abc"), field("10.0.0.1"), field("2026-01-01")})
	row("one value is in one range, and another in another", "f>10 f<5", "f>10 f<5", []entry{field("1", "20")}, []entry{field("7")})
	row("identifiers of 64 bits are told apart", "f>9007199254740992", "f>9007199254740992", []entry{field("9007199254740993")}, []entry{field("9007199254740992")})
	row("a range of texts has no numbers", "f<b", "f<b", []entry{field("a"), field(""), field("a b")}, []entry{field("b"), field("5")})
	row("times compare by the instant", "f>=2026-01-01", "f>=2026-01-01",
		[]entry{field("2026-01-01"), field("2025-12-31T23:30:00-01:00"), field("2026-01-01 00:00:00.0000001"), field("2026-01-01T00:00Z")},
		[]entry{field("2026-01-01T00:30:00+01:00"), field("2025-12-31"), field("2026-13-01")})
	row("addresses compare as such", "f>10.0.0.9", "f>10.0.0.9", []entry{field("10.0.0.10"), field("::1")}, []entry{field("10.0.0.9"), field("9.9.9.9"), field("100")})
	row("addresses and networks within a network", "f:10.0.0.0/8", "f:10.0.0.0/8",
		[]entry{field("10.0.0.0"), field("10.255.255.255"), field("10.1.0.0/16"), field("10.0.0.0/8"), field("::ffff:10.1.2.3")},
		[]entry{field("11.0.0.0"), field("9.255.255.255"), field("10.0.0.0/7"), field("0.0.0.0/0"), field("10"), field("a00::")})
	row("addresses of IPv6 within a network", "f:fe80::/10", "f:fe80::/10", []entry{field("fe80::1%eth0"), field("FEBF::1")}, []entry{field("fec0::1"), field("10.0.0.1")})
	row("every address of a family", "f:0.0.0.0/0", "f:0.0.0.0/0", []entry{field("255.255.255.255"), field("0.0.0.0/0")}, []entry{field("::"), field("x")})
	row("a value is the text of a network", `f:"10.0.0.0/8"`, `f:"10.0.0.0/8"`, []entry{field("10.0.0.0/8")}, []entry{field("10.0.0.1")})
	row("a path selects what a declared field would", "$.a[*].b:5", "$.a[*].b:5",
		[]entry{payload(`{"a":[{"b":5}]}`), payload(`{"a":[{"c":1},{"b":["x","5"]}]}`), payload(`{"a":{"x":{"b":5.0}}}`)},
		[]entry{{}, payload(`{"a":{"b":5}}`), payload(`{"a":[{"b":[[5]]}]}`), payload(`{"a":[{"b":{"c":5}}]}`), payload("5"), field("5")})
	row("the values at a path are canonical", `$[*]:(1e+21 or "é/" or null)`, "$[*]:(1e+21 or é/ or null)",
		[]entry{payload(`[1000000000000000000000]`), payload(`["\u00e9\/"]`), payload(`["null"]`), payload(`{"x":null}`)}, []entry{payload(`[1e22,"e/",false]`)})
	row("nothing is at a path of what is no JSON", "-$.a:*", "-$.a:*", []entry{payload("a"), payload(`{"a":1`), payload(`{"a":{}}`), payload(`{"a":[]}`)}, []entry{payload(`{"a":null}`)})
	row("the ledger's time", "after:1970-01-01T00:00:01 before:1970-01-01T00:00:02", "after:1970-01-01T00:00:01Z before:1970-01-01T00:00:02Z",
		[]entry{{Time: 1_000_000}, {Time: 1_999_999}}, []entry{{Time: 999_999}, {Time: 2_000_000}})
	row("indices", "index:5..7", "index:5..7", []entry{{Index: 5}, {Index: 7}}, []entry{{Index: 4}, {Index: 8}})
	row("streams and sources have their whole names", "stream:web source:a", "stream:web source:a",
		[]entry{{Stream: "web", Source: "a"}}, []entry{{Stream: "web"}, {Stream: "Web", Source: "a"}, {Stream: "web2", Source: "a"}})
	return rows
}

// worded has payloads and their words.
func worded() (rows []vector) {
	for _, r := range []struct {
		name, payload string
		words         [][]string
	}{
		{"words of strings and numbers, but not of names", `{"User":"Alice B.","ids":[4711,-1.5e3],"ok":true,"none":null}`, [][]string{{"alice", "b"}, {"4711"}, {"1", "5e3"}}},
		{"words with escapes", `"C:\\Temp\\\u00c9t\u00E9\r\nx"`, [][]string{{"c", "temp", "été", "x"}}},
		{"words of a text that is no JSON", `User=Alice\n{}`, [][]string{{"user", "alice", "n"}}},
		{"letters that simple case folding has for one", "\u212aſς ẞ", [][]string{{"ksσ", "ß"}}},
		{"marks are in words", "cafe\u0301", [][]string{{"cafe\u0301"}}},
		{"characters of Han and Hiragana are words", "東京タワーへ", [][]string{{"東", "京", "タワー", "へ"}}},
		{"words of more than 64 bytes are cut", strings.Repeat("é", 33) + " x", [][]string{{strings.Repeat("é", 32), "x"}}},
		{"words are not cut within a character", strings.Repeat("a", 63) + "éb", [][]string{{strings.Repeat("a", 63)}}},
		{"no words", `{"a":"","b":"-"}`, nil},
	} {
		rows = append(rows, vector{Name: r.name, Payload: &r.payload, Words: r.words, Verdict: "ok"})
	}
	return rows
}

// ordered has values in their order.
func ordered() []vector {
	return []vector{
		{Name: "numbers rise", Rising: []string{"-1e+1000000000", "-1e+40", "-10000", "-5158", "-1.5", "-1", "-0.1", "-1e-7", "-1e-1000000000", "0", "1e-1000000000", "1e-40", "1e-7",
			"0.1", "0.10000000000000001", "1", "1.5", "9", "10", "12", "120", "123", "9007199254740992", "9007199254740993", "18446744073709551615", "1e+21", "1e+33", "1e+1000000000"}, Verdict: "ok"},
		{Name: "numbers are equal in any form", Equal: []string{"1500", "1.5e3", "1500.00", "15E+2", "150000e-2", "0.0015e6"}, Verdict: "ok"},
		{Name: "there is one zero", Equal: []string{"0", "-0", "0.00", "0e5", "-0e-5"}, Verdict: "ok"},
		{Name: "addresses rise", Rising: []string{"0.0.0.0/0", "0.0.0.0", "9.255.255.255", "10.0.0.0/7", "10.0.0.0/8", "10.0.0.0", "10.0.0.9", "10.0.0.10", "255.255.255.255", "::", "::1", "fe80::1", "ffff::"}, Verdict: "ok"},
		{Name: "addresses are equal in any form", Equal: []string{"10.0.0.1", "::ffff:10.0.0.1", "::FFFF:a00:1", "10.0.0.1/32", "::ffff:10.0.0.1/128"}, Verdict: "ok"},
		{Name: "times rise", Rising: []string{"0000-01-01", "1969-12-31T23:59:59.999Z", "1970-01-01", "2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.1000000000001Z", "2026-01-01T00:00:00.12Z", "2026-01-01T00:30:00-01:00", "9999-12-31T23:59Z"}, Verdict: "ok"},
		{Name: "times are equal in any form", Equal: []string{"2026-01-01", "2026-01-01T00:00", "2026-01-01 00:00:00", "2026-01-01t00:00:00.000z", "2026-01-01T01:30:00+01:30", "2025-12-31T23:59:60Z"}, Verdict: "ok"},
		{Name: "texts rise", Rising: []string{"", " 5", "+5", "007", "0x10", "1.2.3.4:80", "1e1000000001", "2026-02-30", "Alice", "alice", "alice ", "alicf", "é"}, Verdict: "ok"},
	}
}
