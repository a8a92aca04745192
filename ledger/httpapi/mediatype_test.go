package httpapi_test

import (
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

func TestMediaTypesThatSayNothingAreRefused(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, header := range []string{
		"Content-Type: application/x-www-form-urlencoded", "Content-Type: multipart/form-data; boundary=x", "Content-Type: json", "Content-Type: a/b; c",
		"Content-Type: application/json; charset=utf-16", "Content-Type: text/" + strings.Repeat("x", 300), "Ce-Specversion: 1.0", "Content-Encoding: br", "Content-Encoding: gzip, gzip",
	} {
		if p := problem(t, s.post(t, "", "{}", header)); p.Code() != client.UnsupportedType {
			t.Errorf("%.60s: got %+v, want 415", header, p)
		}
	}
	if got := s.post(t, "", "{}", "Content-Encoding: br"); !strings.Contains(got.header.Get("Accept-Encoding"), "gzip") {
		t.Error("it is not said which content coding would be taken")
	}
}

func TestMediaTypesHaveOneSpellingHoweverTheyCome(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	e := client.Event{Data: []byte(`{"a":1}`), MediaType: " Application/JSON ; Charset=utf-8"}
	got, err := s.as(t, identity.Writer).Append(t.Context(), "default", []client.Event{e, {Data: []byte("x"), MediaType: "json"}}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	if p := s.part(t, got[0].Index); p.MediaType != "application/json" {
		t.Errorf("it is recorded as %q, want application/json", p.MediaType)
	}
	if err := client.CheckAppended(e, got[0]); err != nil {
		t.Error(err)
	}
	if got[1].Err == nil || got[1].Err.Code() != client.UnsupportedType {
		t.Errorf("an event of no media type: got %+v, want it alone refused", got[1])
	}
}
