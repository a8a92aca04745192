package query_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

// wordsOf returns the words of a payload, each as value:word.
func wordsOf(payload string) (words []string) {
	for value, word := range query.Words([]byte(payload)) {
		words = append(words, fmt.Sprintf("%d:%s", value, word))
	}
	return words
}

// slowWords returns what Words should, by way of encoding/json.
func slowWords(payload string) (words []string) {
	if !utf8.ValidString(payload) {
		return nil
	}
	texts := []string{payload}
	if proofs.CheckJSON([]byte(payload)) == nil {
		texts = jsonTexts(payload)
	}
	for i, text := range texts {
		for _, w := range slowTextWords(text) {
			words = append(words, fmt.Sprintf("%d:%s", i, w))
		}
	}
	return words
}

// jsonTexts returns the strings and numbers of a JSON text, but names.
func jsonTexts(payload string) (texts []string) {
	type open struct{ object, name bool }
	var stack []open
	d := json.NewDecoder(strings.NewReader(payload))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return texts
		}
		name := len(stack) > 0 && stack[len(stack)-1].name
		if len(stack) > 0 && stack[len(stack)-1].object {
			stack[len(stack)-1].name = !name
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				stack = append(stack, open{token == '{', token == '{'})
				continue
			}
			stack = stack[:len(stack)-1]
			if len(stack) > 0 && stack[len(stack)-1].object {
				stack[len(stack)-1].name = true
			}
		case string:
			if !name {
				texts = append(texts, token)
			}
		case json.Number:
			texts = append(texts, token.String())
		}
	}
}

// slowTextWords returns the words of a text.
func slowTextWords(text string) (words []string) {
	separate := func(r rune) rune {
		if unicode.In(r, unicode.Han, unicode.Hiragana) && unicode.In(r, unicode.L, unicode.M, unicode.N) {
			return -r
		}
		if unicode.In(r, unicode.L, unicode.M, unicode.N) {
			return slowFold(r)
		}
		return ' '
	}
	var spaced strings.Builder
	for _, r := range text {
		if r = separate(r); r < 0 {
			fmt.Fprintf(&spaced, " %c ", -r)
		} else {
			spaced.WriteRune(r)
		}
	}
	for _, w := range strings.Split(spaced.String(), " ") {
		for len(w) > query.MaxWord {
			_, size := utf8.DecodeLastRuneInString(w)
			w = w[:len(w)-size]
		}
		if w != "" {
			words = append(words, w)
		}
	}
	return words
}

// slowFold returns the small form of the least of all cases of a letter.
func slowFold(r rune) rune {
	orbit := []rune{r}
	for c := unicode.SimpleFold(r); c != r; c = unicode.SimpleFold(c) {
		orbit = append(orbit, c)
	}
	return unicode.ToLower(slices.Min(orbit))
}

func TestWords(t *testing.T) {
	for _, row := range []struct {
		name, payload string
		want          string
	}{
		{"the values of members, and not their names", `{"name":"value","more":{"inner":["a","b"]}}`, "0:value 1:a 2:b"},
		{"names after values of every kind", `{"a":1,"b":[{"c":"x"},"y"],"d":{"e":{}},"f":"z"}`, "0:1 1:x 2:y 3:z"},
		{"any case", `"ALICE Alice alice ÉTÉ"`, "0:alice 0:alice 0:alice 0:été"},
		{"the letters that simple case folding has for one", "\"Kelvin \u212aelvin ſet σίσυφος ΣΊΣΥΦΟΣ\"", "0:kelvin 0:kelvin 0:set 0:σίσυφοσ 0:σίσυφοσ"},
		{"true, false and null are no words", `[true,false,null,"true"]`, "0:true"},
		{"numbers as they are written", `[5158,-1.50e+3,0]`, "0:5158 1:1 1:50e 1:3 2:0"},
		{"escapes of characters that separate", `"a\nb\tc\\d\"e\/f"`, "0:a 0:b 0:c 0:d 0:e 0:f"},
		{"the letter after an escaped backslash", `"C:\\Windows\\notepad\\u0041"`, "0:c 0:windows 0:notepad 0:u0041"},
		{"escapes of letters", `"\u0041b\u00e9c a\u0020b \ud835\udc00x"`, "0:abéc 0:a 0:b 0:𝐀x"},
		{"punctuation separates", `"alice@example.com user_name a-b"`, "0:alice 0:example 0:com 0:user 0:name 0:a 0:b"},
		{"marks are in words", "\"cafe\u0301s हिन्दी\"", "0:cafe\u0301s 0:हिन्दी"},
		{"characters of Han and Hiragana are words", `"東京タワーへ行くx東"`, "0:東 0:京 0:タワー 0:へ 0:行 0:く 0:x 0:東"},
		{"the empty string is a value", `["","a"]`, "1:a"},
		{"a text that is no JSON", "Login failed\nfor Bob\\n", "0:login 0:failed 0:for 0:bob 0:n"},
		{"several JSON values are no JSON", "{\"a\":1}\n{\"a\":2}", "0:a 0:1 0:a 0:2"},
		{"what is not UTF-8 has no words", "abc \xff", ""},
		{"nothing", "", ""},
		{"long words are cut", `"` + strings.Repeat("a", 70) + ` ` + strings.Repeat("B", 70) + ` b"`, "0:" + strings.Repeat("a", 64) + " 0:" + strings.Repeat("b", 64) + " 0:b"},
		{"and not within a character", `"` + strings.Repeat("a", 63) + `éb c"`, "0:" + strings.Repeat("a", 63) + " 0:c"},
		{"white space and nesting", " [ { \"a\" : \" x \" , \"b\" : [ ] } , { } , 7 ] ", "0:x 1:7"},
		{"objects as deep as they may be", strings.Repeat(`{"a":`, 64) + `"x"` + strings.Repeat("}", 64), "0:x"},
		{"arrays as deep as they may be, then a member", `{"a":` + strings.Repeat(`[`, 63) + `"x"` + strings.Repeat("]", 63) + `,"b":"y"}`, "0:x 1:y"},
	} {
		if got := strings.Join(wordsOf(row.payload), " "); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		if got := strings.Join(slowWords(row.payload), " "); got != row.want {
			t.Errorf("%s: the reference has %q, want %q", row.name, got, row.want)
		}
	}
}

// TestWordsCanBeLeftAlone breaks off after each word.
func TestWordsCanBeLeftAlone(t *testing.T) {
	payload := []byte(`["a Bb 東京 é x","c",5]`)
	all := slices.Collect(func(yield func(string) bool) {
		for _, w := range query.Words(payload) {
			if !yield(string(w)) {
				return
			}
		}
	})
	for n := range all {
		var got []string
		for _, w := range query.Words(payload) {
			if got = append(got, string(w)); len(got) == n+1 {
				break
			}
		}
		if !slices.Equal(got, all[:n+1]) {
			t.Errorf("got %q, want %q", got, all[:n+1])
		}
	}
}

func TestAWordIsAWordOfItself(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N) {
			continue
		}
		var words [2]string
		for i, text := range []string{"- " + string(r), ""} {
			if i == 1 {
				text = words[0]
			}
			for _, w := range query.Words([]byte(text)) {
				words[i] = string(w)
			}
		}
		if words[0] == "" || words[1] != words[0] {
			t.Errorf("%U is the word %q, which has the word %q", r, words[0], words[1])
		}
	}
}

func TestWordsOfRealEvents(t *testing.T) {
	for _, name := range []string{"cloudtrail-s3-exfiltration.zip", "windows-persistence.zip"} {
		for _, event := range realEvents(t, name, 1000) {
			if got, want := wordsOf(string(event)), slowWords(string(event)); !slices.Equal(got, want) {
				t.Fatalf("%s: got %q, want %q", event, got, want)
			}
		}
	}
}

func TestNoWordAllocates(t *testing.T) {
	event := realEvents(t, "windows-persistence.zip", 1)[0]
	total := 0
	got := testing.AllocsPerRun(100, func() {
		for _, w := range query.JSONWords(event) {
			total += len(w)
		}
	})
	if got > 3 { // for the iteration
		t.Errorf("got %v allocations for %d bytes, want at most 3", got, total)
	}
}

func FuzzWords(f *testing.F) {
	f.Add(`{"a":"Łódź \u0041\\n","b":[1.5e3,true,{"c":"東x"}]}`)
	f.Add("plain TEXT\\u0041 é")
	f.Add(`["` + strings.Repeat("ab", 40) + `\ud835\udc00É"]`)
	f.Fuzz(func(t *testing.T, payload string) {
		if got, want := wordsOf(payload), slowWords(payload); !slices.Equal(got, want) {
			t.Fatalf("%q: got %q, want %q", payload, got, want)
		}
		quoted, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := wordsOf(string(quoted)), slowWords(string(quoted)); !slices.Equal(got, want) {
			t.Fatalf("%s: got %q, want %q", quoted, got, want)
		}
	})
}

// realEvents returns up to limit events of a data set in testdata/events.
func realEvents(t testing.TB, name string, limit int) (events [][]byte) {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join("..", "..", "testdata", "events", name))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	file, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for len(events) < limit && lines.Scan() {
		events = append(events, bytes.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil || len(events) == 0 {
		t.Fatalf("%s: %d events, error %v", name, len(events), err)
	}
	return events
}

func BenchmarkWords(b *testing.B) {
	events := realEvents(b, "windows-persistence.zip", 5000)
	size := 0
	for _, e := range events {
		size += len(e)
	}
	for name, of := range map[string]func([]byte) iter.Seq2[int, []byte]{"any payload": query.Words, "JSON": query.JSONWords} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size / len(events)))
			b.ReportAllocs()
			words := 0
			for i := 0; b.Loop(); i++ {
				for _, w := range of(events[i%len(events)]) {
					words += min(len(w), 1)
				}
			}
			b.ReportMetric(float64(words)/float64(b.N), "words/op")
		})
	}
}
