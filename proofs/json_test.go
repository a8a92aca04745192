package proofs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Every vector has the verdict that it has from another strict parser, except
// where events are flatter than JSON may be.
func TestCheckJSONAgreesWithOthers(t *testing.T) {
	for _, row := range jsonVectors() {
		t.Run(row.Name, func(t *testing.T) { agree(t, []byte(row.JSON)) })
	}
}

// agree holds CheckJSON to two other parsers.
func agree(t *testing.T, b []byte) {
	t.Helper()
	err := proofs.CheckJSON(b)
	if err != nil && !errors.Is(err, proofs.ErrMalformed) {
		t.Fatalf("%q: not a parse error: %v", b, err)
	}
	// Jsontext refuses the same: bytes that are not UTF-8, lone surrogates and
	// names that come twice. It only lets values nest deeper.
	if want := jsontext.Value(b).IsValid() && depthOf(b) <= proofs.MaxJSONDepth; want != (err == nil) {
		t.Fatalf("%q: %v, and valid by jsontext: %v", b, err, want)
	}
	if err != nil {
		return
	}
	// Encoding/json takes more, but what CheckJSON takes it understands alike.
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var v1, v2 any
	if err := decoder.Decode(&v1); err != nil {
		t.Fatalf("%q: encoding/json: %v", b, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Fatalf("%q: encoding/json reads something behind it: %v", b, err)
	}
	numbers := jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) error {
		if d.PeekKind() != '0' {
			return errors.ErrUnsupported
		}
		number, err := d.ReadValue()
		*v = json.Number(number)
		return err
	}))
	if err := jsonv2.Unmarshal(b, &v2, numbers); err != nil {
		t.Fatalf("%q: encoding/json/v2: %v", b, err)
	}
	if !reflect.DeepEqual(v1, v2) {
		t.Fatalf("%q: encoding/json reads %v, encoding/json/v2 %v", b, v1, v2)
	}
}

// depthOf returns how deep arrays and objects nest, for JSON in UTF-8.
func depthOf(b []byte) int {
	deepest, depth, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && (c == '{' || c == '['):
			depth++
		case !quoted && (c == '}' || c == ']'):
			depth--
		}
		deepest = max(deepest, depth)
	}
	return deepest
}

func FuzzCheckJSON(f *testing.F) {
	for _, row := range jsonVectors() {
		f.Add([]byte(row.JSON))
	}
	for _, event := range realEvents(f, "cloudtrail-s3-exfiltration.zip", 10) {
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, b) })
}

func TestCheckJSONTakesRealEvents(t *testing.T) {
	for _, name := range []string{"cloudtrail-s3-exfiltration.zip", "windows-persistence.zip"} {
		for _, event := range realEvents(t, name, 2000) {
			if err := proofs.CheckJSON(event); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, event)
			}
		}
	}
}

// Cut off anywhere, and with any byte made another, an event is never
// misjudged.
func TestCheckJSONOfDamagedEvents(t *testing.T) {
	event := []byte(`{"a\u00e9":[1.5e3,-0,"é\ud83d\ude00 long plain text",{"":null}],"b":{"c":true,"d":false}}`)
	for i := range event {
		if err := proofs.CheckJSON(event[:i]); !errors.Is(err, proofs.ErrMalformed) {
			t.Fatalf("cut off at %d: %v", i, err)
		}
		for b := range 256 {
			damaged := bytes.Clone(event)
			damaged[i] = byte(b)
			agree(t, damaged)
		}
	}
}

func TestErrorsOfCheckJSONNameTheByte(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"a":01}`, "malformed: json: byte 6: ',' or '}' is due"},
		{`{"a":1,"a":1}`, "malformed: json: byte 7: a name that the object already has: send each once"},
		{"[\"\x01\"]", `malformed: json: byte 2: control character in a string: write it as \u0001`},
		{`["\ud800"]`, "malformed: json: byte 2: half of a surrogate pair without the other: no character is written so"},
		{"\"ab\xff\"", "malformed: json: byte 3: not UTF-8: encode the text, or send the bytes in base64"},
		{`{"a":{}`, "malformed: json: byte 7: ',' or '}' is due"},
		{manyNames(70, `,"n3":0`), "malformed: json: byte 551: a name that the object already has: send each once"},
	} {
		err := proofs.CheckJSON([]byte(c.text))
		wantEqual(t, c.text, fmt.Sprint(err), c.want)
	}
}

// Of objects around the size from which names are sorted, each is searched
// for every name that could come twice.
func TestRepeatedNamesOfLargeObjects(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 65, 66, 200} {
		if err := proofs.CheckJSON([]byte(manyNames(n, ""))); err != nil {
			t.Errorf("%d names: %v", n, err)
		}
		for i := range n {
			text := manyNames(n, fmt.Sprintf(`,"\u006e%d":0`, i))
			if err := proofs.CheckJSON([]byte(text)); !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("name %d of %d came twice: %v", i, n, err)
			}
		}
	}
	// An object's names are forgotten when it ends, however many they are.
	inner := manyNames(100, "")
	text := `{"n1":` + inner + `,"n2":` + inner + `,"n3":[` + inner + `,` + inner + `]}`
	if err := proofs.CheckJSON([]byte(text)); err != nil {
		t.Error(err)
	}
}

func TestCheckJSONOfManyNamesIsNotQuadratic(t *testing.T) {
	// Half a million names that differ only at the end: compared one by one
	// this would take an hour.
	var b strings.Builder
	for i := range 500_000 {
		fmt.Fprintf(&b, `,"requestParameters%06d":0`, i)
	}
	if err := proofs.CheckJSON([]byte("{" + b.String()[1:] + "}")); err != nil {
		t.Error(err)
	}
}
