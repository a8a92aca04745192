package proofs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/go-json-experiment/json/jsontext"
)

// A refJSON is a JSON value as RFC 9535 §1.1 sees it: a node with children.
// Scalars have their text instead.
type refJSON struct {
	kind     jsontext.Kind
	text     string
	names    []string // of the children of an object
	children []refJSON

	start, end int // in the text; white space, commas and colons may come first
}

func readRef(t testing.TB, d *jsontext.Decoder) refJSON {
	n := refJSON{start: int(d.InputOffset())}
	token := must(d.ReadToken())
	n.kind = token.Kind()
	switch n.kind {
	case '{', '[':
		for d.PeekKind() != '}' && d.PeekKind() != ']' {
			if n.kind == '{' {
				n.names = append(n.names, must(d.ReadToken()).String())
			}
			n.children = append(n.children, readRef(t, d))
		}
		must(d.ReadToken())
	default:
		n.text = token.String()
	}
	n.end = int(d.InputOffset())
	return n
}

// refSelect applies a path step by step to all nodes it has come to, as RFC
// 9535 §2.1.2 defines it.
func refSelect(root refJSON, path proofs.Path) []refJSON {
	nodes := []refJSON{root}
	for _, step := range path {
		var next []refJSON
		for _, n := range nodes {
			for i, child := range n.children {
				if step.Kind == proofs.Every ||
					step.Kind == proofs.Member && n.kind == '{' && n.names[i] == step.Name ||
					step.Kind == proofs.Element && n.kind == '[' && i == step.Index {
					next = append(next, child)
				}
			}
		}
		nodes = next
	}
	return nodes
}

// refValues returns the values of one field by the words of the specification.
func refValues(t testing.TB, root refJSON, f proofs.Field) []proofs.FieldValue {
	var values []proofs.FieldValue
	if f.Path == "" {
		return nil
	}
	take := func(n refJSON) {
		if n.kind == '{' || n.kind == '[' {
			return
		}
		value := proofs.FieldValue{Number: f.Number, Subject: f.Subject && n.kind != 'n', Value: []byte(n.text)}
		if n.kind == '0' {
			value.Value = []byte(numberValue(t, n.text))
		}
		i := slices.IndexFunc(values, func(v proofs.FieldValue) bool { return string(v.Value) == string(value.Value) })
		if i < 0 {
			values = append(values, value)
		} else if value.Subject {
			values[i].Subject = true
		}
	}
	for _, n := range refSelect(root, must(proofs.ParsePath(f.Path))) {
		take(n)
		if n.kind == '[' {
			for _, element := range n.children {
				take(element)
			}
		}
	}
	return values
}

func listed(values []proofs.FieldValue) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "%d %v %q, ", v.Number, v.Subject, v.Value)
	}
	return b.String()
}

func wantReference(t testing.TB, x *proofs.Extractor, event []byte, fields []proofs.Field) {
	t.Helper()
	got, err := x.Extract(event)
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	root := readRef(t, jsontext.NewDecoder(bytes.NewReader(event)))
	var want []proofs.FieldValue
	for _, f := range fields {
		want = append(want, refValues(t, root, f)...)
	}
	if got, want := listed(got), listed(want); got != want {
		t.Fatalf("%s\ngot  %s\nwant %s", event, got, want)
	}
}

func TestExtractFindsWhatTheReferenceFinds(t *testing.T) {
	for _, set := range []struct {
		name  string
		paths []string
	}{
		{"cloudtrail-s3-exfiltration.zip", []string{
			"@timestamp", "eventName", "userIdentity.arn", "requestParameters", "requestParameters[*]", "$[*]", "responseElements",
			"requestParameters.instancesSet.items[*].instanceId", "requestParameters.instancesSet.items[0].instanceId", "resources[*][*]",
			"userIdentity[*][*][*]", "userIdentity.sessionContext[*].mfaAuthenticated"}},
		{"windows-persistence.zip", []string{
			"EventID", "Channel", "Hostname", "Keywords", "tags", "tags[*]", "Message", "RecordNumber", "$[*][*]", "SubjectUserName"}},
	} {
		t.Run(set.name, func(t *testing.T) {
			fields := declare(t, set.paths...)
			fields[1].Subject = true
			x := must(proofs.NewExtractor(fields))
			for _, event := range realEvents(t, set.name, 500) {
				wantReference(t, x, event, fields)
			}
		})
	}
}

// FuzzExtract holds the values of any paths in any event to the reference.
func FuzzExtract(f *testing.F) {
	f.Add([]byte(`{"a":["x",{"b":1.50},null],"@b":{"a":"\u0041"}}`), "a\na[*].b\n@b.a\na[1][*]\n$[*][*]")
	f.Add([]byte(`[[["x"]],["y"],"z"]`), "$\n$[*]\n$[*][*]\n$[0]\n$[0][0]")
	for _, row := range fieldVectors() {
		if len(row.Fields) > 0 && len(row.Event) < 1000 {
			f.Add([]byte(row.Event), string(row.Fields[0].Path))
		}
	}
	f.Fuzz(func(t *testing.T, event []byte, paths string) {
		var fields []proofs.Field
		for i, path := range strings.Split(paths, "\n") {
			path, err := proofs.NormalizePath(path)
			if err != nil || i == proofs.MaxFields {
				return
			}
			fields = append(fields, proofs.Field{Number: uint16(i + 1), Name: fmt.Sprintf("f%d", i), Path: path, Subject: i%2 == 1})
		}
		x, err := proofs.NewExtractor(fields)
		if err != nil {
			t.Fatal(err)
		}
		_, err = x.Extract(event)
		if checked := proofs.CheckJSON(event); checked != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("%q: %v, and checked: %v", event, err, checked)
			}
			return
		}
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) || !strings.Contains(err.Error(), "field f") {
				t.Fatalf("%s: not an error of a field: %v", event, err)
			}
			return
		}
		wantReference(t, x, event, fields)
	})
}

// Real events as they are have their fields read by encoding/json too.
func TestExtractReadsRealEventsAsEncodingJSONDoes(t *testing.T) {
	x := must(proofs.NewExtractor(windowsFields(t)))
	for _, event := range realEvents(t, "windows-persistence.zip", 2000) {
		var want struct {
			Timestamp    string `json:"@timestamp"`
			EventID      json.Number
			Channel      string
			Hostname     string
			RecordNumber json.Number
		}
		if err := json.Unmarshal(event, &want); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range must(x.Extract(event)) {
			got = append(got, string(v.Value))
		}
		wantEqual(t, "values", strings.Join(got, " | "), strings.Join([]string{
			want.Timestamp, string(want.EventID), want.Channel, want.Hostname, string(want.RecordNumber)}, " | "))
	}
}

func TestExtractorServesManyAtOnce(t *testing.T) {
	fields := declare(t, "@timestamp", "eventName", "requestParameters[*]", "userIdentity.arn")
	x := must(proofs.NewExtractor(fields))
	events := realEvents(t, "cloudtrail-s3-exfiltration.zip", 103)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, event := range events {
				wantReference(t, x, event, fields)
				if _, err := x.Extract(event[:len(event)-1]); err == nil {
					t.Error("an event that is cut off was taken")
				}
			}
		})
	}
	all.Wait()
}

// What one event leaves behind, an error at any place included, does not
// show in the next one's values, nor does the next one change these.
func TestExtractorForgetsTheEventBefore(t *testing.T) {
	fields := declare(t, "a.b", "a.c", "$[*][*]")
	x := must(proofs.NewExtractor(fields))
	event := []byte(`{"a":{"b":"\u0041\u0042","\u0063":1.0},"d":["x"]}`)
	first := must(x.Extract(event))
	want := listed(first)
	for i := range event {
		if _, err := x.Extract(event[:i]); err == nil {
			t.Fatalf("cut off at %d, and taken", i)
		}
		again := bytes.ReplaceAll(event, []byte("004"), []byte("005"))
		must(x.Extract(again))
		wantEqual(t, "the first event's values", listed(first), want)
		wantReference(t, x, event, fields)
	}
}

func TestErrorsOfExtractNameTheField(t *testing.T) {
	fields := []proofs.Field{{Number: 1, Name: "size", Path: "$.s"}, {Number: 2, Name: "all", Path: "$.a"}}
	for _, c := range []struct{ event, want string }{
		{`{"s":1e9999999999}`, "malformed: field size: the exponent of a number is beyond ±1000000000: send it as a string"},
		{`{"a":[` + strings.Repeat(`"",`, 300) + strings.Join(numbersUpTo(256), ",") + `]}`,
			"malformed: field all: more than 255 different values: declare a narrower path"},
	} {
		_, err := proofs.ExtractFields([]byte(c.event), fields)
		wantEqual(t, "error", fmt.Sprint(err), c.want)
	}
}

func numbersUpTo(n int) (numbers []string) {
	for i := range n {
		numbers = append(numbers, fmt.Sprint(i))
	}
	return numbers
}
