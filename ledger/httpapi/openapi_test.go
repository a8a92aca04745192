package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

func openDocument(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../../doc/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocumentHasEveryRouteAndNoOther(t *testing.T) {
	doc := openDocument(t)
	s := serve(t, local.Config{}, httpapi.Limits{})
	routes := make(map[string]httpapi.RouteInfo)
	for _, rt := range s.api.Routes() {
		path := strings.ReplaceAll(rt.Path, "...}", "}")
		routes[rt.Method+" "+path] = rt
		item := doc.Paths.Value(path)
		if item == nil || item.GetOperation(rt.Method) == nil {
			t.Errorf("the document lacks %s %s", rt.Method, path)
			continue
		}
		op := item.GetOperation(rt.Method)
		if needsToken := op.Security == nil; needsToken != (rt.Needs != 0) {
			t.Errorf("%s %s: the document says that it needs a token: %v; the server: %v", rt.Method, path, needsToken, rt.Needs != 0)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if _, ok := routes[strings.Replace(method, http.MethodHead, http.MethodGet, 1)+" "+path]; !ok {
				t.Errorf("the server lacks %s %s", method, path)
			}
		}
	}
}

func TestManualHasEveryRoute(t *testing.T) {
	page, err := os.ReadFile("../../doc/man/cairn-http.7")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, rt := range s.api.Routes() {
		path, _, _ := strings.Cut(rt.Path, "{")
		if !strings.Contains(string(page), "Li "+rt.Method+" "+path) {
			t.Errorf("cairn-http(7) lacks %s %s", rt.Method, rt.Path)
		}
	}
}

// A scenario is a request of which the document says what answer it can have.
type scenario struct {
	method, path string // as in the document
	params       map[string]string
	query, body  string
	headers      []string
	want         int
}

// url returns where the request goes.
func (c scenario) url() string {
	u := c.path
	for name, value := range c.params {
		u = strings.ReplaceAll(u, "{"+name+"}", value)
	}
	if c.query != "" {
		u += "?" + c.query
	}
	return u
}

func TestServerAnswersAsItsDocumentSays(t *testing.T) {
	doc := openDocument(t)
	config := destroys()
	config.MaxBatch, config.MaxPayload = 3, 1000
	s := serve(t, config, httpapi.Limits{Body: 1 << 20, Tails: 1})
	seen := make(map[string]bool)
	playTo := func(s *served, scenarios []scenario) {
		for _, c := range scenarios {
			got := s.request(t, c.method, c.url(), c.body, c.headers...)
			name := fmt.Sprintf("%s %s: %d", c.method, c.path, got.status)
			seen[name] = true
			if got.status != c.want {
				t.Errorf("%s, want %d: %.1000q", name, c.want, got.body)
			}
			if err := checkReply(t, doc, c, got); err != nil {
				t.Errorf("%s: %v\n%.1000q", name, err, got.body)
			}
		}
	}
	play := func(scenarios []scenario) { playTo(s, scenarios) }
	play(publicScenarios())
	play(s.appendScenarios())
	play(s.readScenarios())
	play(s.adminScenarios())
	s.playTail(t, doc, seen)
	s.playClosings(t, play)
	one := open(t, local.Config{}, httpapi.Limits{})
	one.addPeople(t)
	playTo(one, []scenario{{
		method: "POST", path: "/v1/erasures", body: `{"stream":"people","subject":"alice","reason":"r"}`, headers: []string{one.token(identity.Custodian), isJSON}, want: 409,
	}})
	bare := open(t, local.Config{Search: local.Search{Off: true}}, httpapi.Limits{})
	for _, path := range []string{"/v1/entries:search", "/v1/entries:count"} {
		playTo(bare, []scenario{{method: "POST", path: path, body: "{}", headers: []string{bare.token(identity.Reader), isJSON}, want: 409}})
	}
	playTo(bare, []scenario{{method: "POST", path: "/v1/index:rebuild", headers: []string{bare.token(identity.Operator)}, want: 409}})
	s.playWithoutWitness(play)
	if err := s.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	play([]scenario{
		{method: "GET", path: "/readyz", want: 503},
		{method: "POST", path: "/v1/streams/{stream}/entries", params: toDefault(), body: "{}", headers: []string{s.token(identity.Writer)}, want: 503},
	})
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				// That of a slow client takes its time, and has a test of its own.
				elsewhere := status == "default" || status == "408"
				if name := fmt.Sprintf("%s %s: %s", method, path, status); !elsewhere && !seen[name] {
					t.Errorf("no request was answered as the document says: %s", name)
				}
			}
		}
	}
}

// checkReply checks an answer against the document.
func checkReply(t *testing.T, doc *openapi3.T, c scenario, got reply) error {
	item := doc.Paths.Value(c.path)
	req, err := http.NewRequestWithContext(t.Context(), c.method, c.url(), nil)
	if err != nil {
		return err
	}
	op := item.GetOperation(c.method)
	if op.Responses.Value(fmt.Sprint(got.status)) == nil {
		return fmt.Errorf("the document does not know the status")
	}
	options := &openapi3filter.Options{IncludeResponseStatus: true}
	mediaType, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	if !slices.Contains([]string{"application/json", "application/problem+json"}, mediaType) {
		options.ExcludeResponseBody = true
	}
	if mediaType == "application/x-ndjson" {
		line := "Result"
		if c.method == "GET" {
			line = "ReadEntry"
		}
		if err := checkLines(doc, line, got.body); err != nil {
			return err
		}
	}
	return openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: req, PathParams: c.params,
			Route: &routers.Route{Spec: doc, Path: c.path, PathItem: item, Method: c.method, Operation: op},
		},
		Status: got.status, Header: got.header, Body: io.NopCloser(strings.NewReader(got.body)), Options: options,
	})
}

// checkLines checks each line against a schema.
func checkLines(doc *openapi3.T, name, body string) error {
	schema := doc.Components.Schemas[name].Value
	for line := range strings.Lines(body) {
		var v any
		d := json.NewDecoder(bytes.NewReader([]byte(line)))
		if err := d.Decode(&v); err != nil {
			return err
		}
		if err := schema.VisitJSON(v); err != nil {
			return err
		}
	}
	return nil
}
