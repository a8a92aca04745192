package proofs_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func streamSettings(t *testing.T) ([]byte, proofs.StreamBody) {
	t.Helper()
	s := proofs.StreamSettings{Name: "audit", Fields: []proofs.Field{
		{Number: 1, Name: "actor", Path: "$.actor", Subject: true}, {Number: 3, Name: "action", Path: "$.action"},
		{Number: 4, Name: "mail", Path: "$.mail", About: "actor"},
	}}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b, proofs.StreamBody{Stream: 1, Class: 1, Fields: s.Body()}
}

func TestCheckStreamSettings(t *testing.T) {
	payload, body := streamSettings(t)
	if s, err := proofs.CheckStreamSettings(payload, body); err != nil || s.Name != "audit" {
		t.Fatalf("got %+v, %v, want the settings", s, err)
	}
	other := body
	other.Fields = []proofs.FieldBody{{Number: 1}, {Number: 3}, {Number: 4}}
	if _, err := proofs.CheckStreamSettings(payload, other); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("a field that the entry does not declare to name subjects: got %v, want ErrNotVerified", err)
	}
	other.Fields = body.Fields[:1]
	if _, err := proofs.CheckStreamSettings(payload, other); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("a field that the entry does not declare: got %v, want ErrNotVerified", err)
	}
	for name, bad := range map[string]string{
		"a name in another case":     `{"Name":"audit","fields":[]}`,
		"white space":                `{"name": "audit","fields":[]}`,
		"a name twice":               `{"name":"audit","name":"other","fields":[]}`,
		"something unknown":          `{"name":"audit","fields":[],"more":1}`,
		"a field without its number": `{"name":"audit","fields":[{"number":0,"name":"a","path":"$.a","subject":false}]}`,
		"a field about itself":       `{"name":"audit","fields":[{"number":1,"name":"a","path":"$.a","subject":true,"about":"a"}]}`,
		"a field about no field":     `{"name":"audit","fields":[{"number":1,"name":"a","path":"$.a","subject":true,"about":"b"}]}`,
		"a field about nobody":       `{"name":"audit","fields":[{"number":1,"name":"a","path":"$.a","subject":false},{"number":2,"name":"b","path":"$.b","subject":false,"about":"a"}]}`,
		"an empty about":             `{"name":"audit","fields":[{"number":1,"name":"a","path":"$.a","subject":false,"about":""}]}`,
		"nothing":                    ``,
	} {
		if _, err := proofs.CheckStreamSettings([]byte(bad), proofs.StreamBody{Stream: 1}); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", name, err)
		}
	}
}

func FuzzParseClassSettings(f *testing.F) {
	f.Add([]byte(`{"name":"standard"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := proofs.ParseClassSettings(b)
		if err != nil {
			return
		}
		if again, err := json.Marshal(s); err != nil || string(again) != string(b) {
			t.Fatalf("got %q, %v, want %q", again, err, b)
		}
	})
}
