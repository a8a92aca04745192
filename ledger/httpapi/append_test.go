package httpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

const (
	toEntries = "/v1/streams/default/entries"
	asLines   = "Content-Type: application/x-ndjson"
	asCloud   = "Content-Type: application/cloudevents+json"
	asBatch   = "Content-Type: application/cloudevents-batch+json"
)

// post appends as the writer of every stream.
func (s *served) post(t testing.TB, query, body string, headers ...string) reply {
	t.Helper()
	return s.request(t, "POST", toEntries+query, body, append(headers, s.token(identity.Writer))...)
}

// results reads the lines of an answer to a batch.
func results(t *testing.T, got reply) (all []client.Appended) {
	t.Helper()
	if got.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("got %d %s, want lines", got.status, got.body)
	}
	for line := range strings.Lines(got.body) {
		var a client.Appended
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// part reads the payload of an entry.
func (s *served) part(t *testing.T, index uint64) proofs.Part {
	t.Helper()
	e, err := s.as(t, identity.Reader).Entry(t.Context(), index)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Disclosure.Parts[0].Part()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// problem reads a problem document.
func problem(t *testing.T, got reply) *client.Problem {
	t.Helper()
	p := new(client.Problem)
	if got.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(got.body), p) != nil || p.Status != got.status {
		t.Fatalf("got %d %s, want a problem", got.status, got.body)
	}
	return p
}

func TestSingleEventIsKeptAsItCame(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	tests := []struct{ name, contentType, body, mediaType string }{
		{"JSON with odd spaces", "application/json", "{ \"a\" :1.0 }\r\n", "application/json"},
		{"JSON that says that it is UTF-8", "application/json; charset=UTF-8", `{"ä":1}`, "application/json"},
		{"no media type at all", "", `[1,2]`, "application/json"},
		{"a line of text", "text/plain; charset=iso-8859-1", "na\xefve\x00", "text/plain; charset=iso-8859-1"},
		{"another JSON", "application/vnd.example+json", `{"a":2}`, "application/vnd.example+json"},
		{"bytes", "application/octet-stream", "\x00\x01\xff", "application/octet-stream"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.post(t, "", tt.body, "Content-Type: "+tt.contentType)
			var a client.Appended
			if got.status != http.StatusCreated || json.Unmarshal([]byte(got.body), &a) != nil {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if p := s.part(t, a.Index); string(p.Data) != tt.body || p.MediaType != tt.mediaType {
				t.Errorf("got %q as %q, want %q as %q", p.Data, p.MediaType, tt.body, tt.mediaType)
			}
			receipt, err := proofs.ParseReceipt(a.Receipt)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := receipt.Check(s.Policy, a.Leaf); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHeadersDescribeEvents(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	got := s.post(t, "", "{}", `Idempotency-Key: "a \"key\" \\ of mine"`, "Cairn-Source: host%2C 1", "Cairn-Sequence: 41",
		"Cairn-Subject: alice%40example.com, bob%2C%20the%20other", "Cairn-Subject: %E2%82%AC")
	var a client.Appended
	if got.status != http.StatusCreated || json.Unmarshal([]byte(got.body), &a) != nil {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	p := s.part(t, a.Index)
	if p.IdempotencyKey != `a "key" \ of mine` || p.Source != "host, 1" || !slices.Equal(p.Subjects, []string{"alice@example.com", "bob, the other", "€"}) {
		t.Errorf("got %+v", p)
	}
	lines := results(t, s.post(t, "", "{}\r\n\n[]\n", asLines, "Cairn-Source: host", "Cairn-Sequence: 7", "Cairn-Class: standard"))
	for i, a := range lines {
		leaf, err := proofs.ParseLeaf(a.Leaf)
		if err != nil || leaf.Source == nil || leaf.Source.Sequence != uint64(7+i) {
			t.Errorf("event %d: got leaf %+v and error %v, want sequence number %d", i, leaf, err, 7+i)
		}
	}
	if len(lines) != 2 {
		t.Errorf("got %d results, want 2: empty lines are nothing", len(lines))
	}
}

func TestWrongHeadersAreRefused(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	packed := "Content-Type: " + client.EventsMediaType
	tests := []struct {
		name, query, body string
		headers           []string
	}{
		{"a misspelt header", "", "{}", []string{"Cairn-Sorce: x"}},
		{"a header twice", "", "{}", []string{"Cairn-Class: a", "Cairn-Class: b"}},
		{"a source without a number", "", "{}", []string{"Cairn-Source: x"}},
		{"a number without a source", "", "{}", []string{"Cairn-Sequence: 1"}},
		{"a number with a zero in front", "", "{}", []string{"Cairn-Source: x", "Cairn-Sequence: 01"}},
		{"a number that has no next", "", "{}\n{}", []string{asLines, "Cairn-Source: x", "Cairn-Sequence: 9223372036854775807"}},
		{"a percent sign that encodes nothing", "", "{}", []string{"Cairn-Source: 100%", "Cairn-Sequence: 1"}},
		{"an empty key", "", "{}", []string{"Idempotency-Key: "}},
		{"an empty key in quotes", "", "{}", []string{`Idempotency-Key: ""`}},
		{"an empty key and fields of one", "?idempotency-field=a", `{"a":1}`, []string{"Idempotency-Key: "}},
		{"an empty class", "", "{}", []string{"Cairn-Class: "}},
		{"a header with other strokes", "", "{}", []string{"Cairn_Source: x"}},
		{"a key with another stroke", "", "{}", []string{"Idempotency_Key: x"}},
		{"a list of nobody", "", "{}", []string{"Cairn-Subject: , ,"}},
		{"two media types", "", "{}", []string{asLines, "Content-Type: text/plain"}},
		{"a key with one quote", "", "{}", []string{`Idempotency-Key: "a`}},
		{"a key with a quote within", "", "{}", []string{`Idempotency-Key: "a"b"`}},
		{"one key for a batch", "", "{}\n{}", []string{asLines, "Idempotency-Key: k"}},
		{"a key and fields of one", "?idempotency-field=a", `{"a":1}`, []string{"Idempotency-Key: k"}},
		{"fields that are none", "?idempotency-field=a,", `{"a":1}`, nil},
		{"headers beside events that have their own", "", "", []string{packed, "Cairn-Class: a"}},
		{"fields beside events that have their own", "?idempotency-field=a", "", []string{packed}},
		{"a state that there is not", "?wait=eternal", "{}", nil},
		{"an empty state", "?wait=", "{}", nil},
		{"a time that is none", "?timeout=soon", "{}", nil},
		{"a time that is over", "?timeout=-1s", "{}", nil},
		{"a time without an end", "?timeout=301s", "{}", nil},
		{"a parameter twice", "?wait=witnessed&wait=sequenced", "{}", nil},
		{"no event", "", "\n", []string{asLines}},
		{"no array", "", "{}", []string{asBatch}},
		{"an array and more", "", "[]x", []string{asBatch}},
		{"an array cut off", "", `[{"a":1},`, []string{asBatch}},
		{"packed events cut off", "", "\x01\x00", []string{packed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.Ledger.Status().Sizes.Sequenced
			if p := problem(t, s.post(t, tt.query, tt.body, tt.headers...)); p.Code() != client.BadRequest || p.Detail == "" {
				t.Errorf("got %+v, want a bad request with a reason", p)
			}
			if now := s.Ledger.Status().Sizes.Sequenced; now != before {
				t.Errorf("it was recorded all the same: the ledger went from %d to %d entries", before, now)
			}
		})
	}
}

func TestIdempotencyFieldsMakeTheKey(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const body = "{\"id\":1,\"h\":\"a\"}\n{\"id\":1,\"h\":\"b\"}\n{\"h\":\"c\"}\n{\"id\":1,\"h\":\"a\"}\n"
	got := s.post(t, "?idempotency-field=h,id", body, asLines)
	first := results(t, got)
	if got.status != http.StatusMultiStatus || len(first) != 4 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if first[2].Err == nil || first[2].Err.Code() != client.Invalid {
		t.Errorf("the event without the field: got %+v, want it refused", first[2])
	}
	if first[0].Index == first[1].Index || first[3].Index != first[0].Index || !first[3].Duplicate {
		t.Errorf("got entries %d, %d and %d, want the last to be the first", first[0].Index, first[1].Index, first[3].Index)
	}
	again := results(t, s.post(t, "?idempotency-field=id,$.h", body, asLines))
	if again[0].Index != first[0].Index || !again[0].Duplicate || again[1].Index != first[1].Index {
		t.Errorf("sent again: got entries %d and %d, want %d and %d", again[0].Index, again[1].Index, first[0].Index, first[1].Index)
	}
	// The client makes the same key.
	fields, err := client.ParseKeyFields("id,h")
	if err != nil {
		t.Fatal(err)
	}
	data := []byte(`{"id":1,"h":"a"}`)
	key, err := fields.Key(data)
	if err != nil {
		t.Fatal(err)
	}
	own, err := s.as(t, identity.Writer).Append(t.Context(), "default", []client.Event{{Data: data, IdempotencyKey: key}}, client.Witnessed)
	if err != nil || own[0].Index != first[0].Index {
		t.Errorf("with the client's own key: got %+v and error %v, want entry %d", own, err, first[0].Index)
	}
}

func TestCloudEventsAreTakenInStructuredMode(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const a = `{"specversion":"1.0","id":"1","source":"/a","type":"t","data":{"x":1}}`
	const b = `{ "type":"t","source":"/b" , "id":"1","specversion":"1.0"}`
	single := s.post(t, "", a, asCloud)
	var first client.Appended
	if single.status != http.StatusCreated || json.Unmarshal([]byte(single.body), &first) != nil {
		t.Fatalf("got %d %s", single.status, single.body)
	}
	if p := s.part(t, first.Index); string(p.Data) != a || p.MediaType != "application/cloudevents+json" {
		t.Errorf("got %q as %q", p.Data, p.MediaType)
	}
	if again := s.post(t, "", a, asCloud); again.status != http.StatusOK {
		t.Errorf("the same event again: got %d %s, want 200", again.status, again.body)
	}
	if changed := s.post(t, "", strings.Replace(a, `"x":1`, `"x":2`, 1), asCloud); problem(t, changed).Code() != client.Conflict {
		t.Errorf("another event of the same source and id: got %d, want a conflict", changed.status)
	}
	batch := s.post(t, "", "["+a+" ,\n"+b+`, {"specversion":"1.0"}, {"specversion":"0.3","id":"1","source":"/c","type":"t"}, 7 ]`, asBatch)
	got := results(t, batch)
	if batch.status != http.StatusMultiStatus || len(got) != 5 {
		t.Fatalf("got %d %s", batch.status, batch.body)
	}
	if got[0].Index != first.Index || !got[0].Duplicate || got[1].Err != nil {
		t.Errorf("got %+v and %+v, want the first event's entry %d and a new one", got[0], got[1], first.Index)
	}
	if p := s.part(t, got[1].Index); string(p.Data) != b {
		t.Errorf("got %q, want the very bytes %q", p.Data, b)
	}
	for i, want := range []string{"no attribute id", "version", "no attribute specversion"} {
		if p := got[2+i].Err; p == nil || p.Code() != client.Invalid || !strings.Contains(p.Detail, want) {
			t.Errorf("event %d: got %+v, want it refused with %q", 2+i, p, want)
		}
	}
	// Another key is stronger than source and id.
	if own := s.post(t, "?idempotency-field=source", b, asCloud); own.status != http.StatusCreated {
		t.Errorf("with a field of its own: got %d, want a new entry", own.status)
	}
}

func TestAnswerSaysWhichStateWasReached(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.Witness.Silence(true)
	got := s.post(t, "?timeout=1s", `{"n":1}`, "Idempotency-Key: k")
	var a client.Appended
	if got.status != http.StatusAccepted || json.Unmarshal([]byte(got.body), &a) != nil || a.State != client.Integrated {
		t.Fatalf("without a witness: got %d %s, want 202 and integrated", got.status, got.body)
	}
	if a.Promise == nil {
		t.Fatal("there is no promise")
	}
	if _, err := a.Promise.Check(s.Policy, a.Index, a.Leaf); err != nil {
		t.Error(err)
	}
	if got := s.post(t, "?wait=integrated", `{"n":2}`); got.status != http.StatusCreated {
		t.Errorf("waiting for less: got %d %s, want 201", got.status, got.body)
	}
	if got := s.post(t, "?timeout=300ms", "{\"n\":3}\n{\n", asLines); got.status != http.StatusMultiStatus {
		t.Errorf("a batch with a refused event: got %d, want 207", got.status)
	}
	if got := s.post(t, "?timeout=300ms", "{\"n\":4}\n", asLines); got.status != http.StatusAccepted {
		t.Errorf("a batch: got %d, want 202", got.status)
	}
	s.Witness.Silence(false)
	got = s.post(t, "", `{"n":1}`, "Idempotency-Key: k")
	var again client.Appended
	if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &again) != nil || again.Index != a.Index || again.Receipt == nil {
		t.Errorf("asked again with the witness back: got %d %s, want entry %d with its receipt", got.status, got.body, a.Index)
	}
}

func TestAnswerCanBeShort(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	got := s.post(t, "", `{"n":1}`, "Prefer: respond-async, return=minimal")
	if got.header.Get("Preference-Applied") != "return=minimal" || strings.Contains(got.body, "leaf") || !strings.Contains(got.body, `"state":"witnessed"`) {
		t.Errorf("got %s, header %v", got.body, got.header)
	}
	if got := s.post(t, "", `{"n":1}`, "Prefer: return=representation"); !strings.Contains(got.body, "leaf") {
		t.Errorf("got %s, want all of it", got.body)
	}
}
