package httpapi_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
)

func toDefault() map[string]string { return map[string]string{"stream": "default"} }

func at(name, value string) map[string]string { return map[string]string{name: value} }

func publicScenarios() []scenario {
	var all []scenario
	for _, f := range []struct{ path, there, absent string }{
		{"/checkpoint", "", ""}, {"/log", "", ""},
		{"/checkpoints/{place}", "005", "999"}, {"/tile/{place}", "0/000.p/4", "0/001"}, {"/tile/entries/{place}", "000.p/4", "001"},
	} {
		all = append(all,
			scenario{method: "GET", path: f.path, params: at("place", f.there), want: 200},
			scenario{method: "HEAD", path: f.path, params: at("place", f.there), want: 200},
			scenario{method: "GET", path: f.path, params: at("place", f.there), headers: []string{"If-None-Match: *"}, want: 304})
		if f.absent != "" {
			all = append(all, scenario{method: "GET", path: f.path, params: at("place", f.absent), want: 404})
		}
	}
	for _, path := range []string{"/checkpoints", "/healthz", "/readyz", "/metrics"} {
		all = append(all, scenario{method: "GET", path: path, want: 200})
	}
	return all
}

func (s *served) appendScenarios() []scenario {
	const path = "/v1/streams/{stream}/entries"
	const lines, cloud, batch = "Content-Type: application/x-ndjson", "Content-Type: application/cloudevents+json", "Content-Type: application/cloudevents-batch+json"
	const event = `{"specversion":"1.0","id":"1","source":"/s","type":"t"}`
	token := s.token(identity.Writer)
	post := func(want int, body, query string, headers ...string) scenario {
		return scenario{method: "POST", path: path, params: toDefault(), body: body, query: query, headers: append(headers, token), want: want}
	}
	all := []scenario{
		post(201, `{"a":1}`, "", "Content-Type: application/json"),
		post(201, `{"a":2}`, "wait=integrated&timeout=10s", "Idempotency-Key: k"),
		post(200, `{"a":2}`, "", `Idempotency-Key: "k"`),
		post(422, `{"a":3}`, "", "Idempotency-Key: k"),
		post(422, `{"a":3`, ""),
		post(200, "{\"id\":1}\n{\"id\":2}\n", "idempotency-field=id", lines),
		post(207, "{\"id\":1}\n{\"id\":}\n", "idempotency-field=id", lines),
		post(200, "{}\n", "", lines, "Prefer: return=minimal"),
		post(201, event, "", cloud),
		post(200, "["+event+"]", "", batch),
		post(400, "{}", "wiat=witnessed"),
		post(404, "{}", ""),
		post(401, "{}", ""),
		post(403, "{}", ""),
		post(413, strings.Repeat(" ", 1001), "", "Content-Type: text/plain"),
		post(415, "a=b", "", "Content-Type: application/x-www-form-urlencoded"),
	}
	for i := range all {
		switch all[i].want {
		case 401:
			all[i].headers = nil
		case 403:
			all[i].headers = []string{s.token(identity.Reader)}
		case 404:
			all[i].params = at("stream", "nope")
		}
	}
	return all
}

// playWithoutWitness appends what cannot be witnessed in time.
func (s *served) playWithoutWitness(play func([]scenario)) {
	s.Witness.Silence(true)
	play([]scenario{{
		method: "POST", path: "/v1/streams/{stream}/entries", params: toDefault(), query: "timeout=2s",
		body: `{"a":4}`, headers: []string{s.token(identity.Writer)}, want: 202,
	}})
	s.Witness.Silence(false)
}

// refusals are what every route that needs a token answers to those who may not.
func (s *served) refusals(method, path string, params map[string]string, role identity.Role) []scenario {
	return []scenario{
		{method: method, path: path, params: params, want: 401},
		{method: method, path: path, params: params, headers: []string{s.token(role)}, want: 403},
	}
}

func (s *served) readScenarios() []scenario {
	var all []scenario
	add := func(role identity.Role, path, query string, params map[string]string, want int) {
		all = append(all, scenario{method: "GET", path: path, params: params, query: query, headers: []string{s.token(role)}, want: want})
	}
	for _, path := range []string{"/v1/entries/{index}", "/v1/receipts/{index}"} {
		add(identity.Reader, path, "", at("index", "4"), 200)
		add(identity.Reader, path, "", at("index", "04"), 400)
		add(identity.Reader, path, "", at("index", "4000"), 404)
		all = append(all, s.refusals("GET", path, at("index", "4"), identity.Writer)...)
	}
	add(identity.Reader, "/v1/entries", "entries=4-5", nil, 200)
	add(identity.Reader, "/v1/entries", "entries=5-4", nil, 400)
	add(identity.Reader, "/v1/entries", "", nil, 400)
	add(identity.Reader, "/v1/entries", "entries=4000", nil, 404)
	add(identity.Reader, "/v1/entries", "entries=0-256", nil, 413)
	all = append(all, s.refusals("GET", "/v1/entries", nil, identity.Writer)...)
	add(identity.Auditor, "/v1/history", "who=test-reader&limit=1", nil, 200)
	add(identity.Auditor, "/v1/history", "limit=1001", nil, 400)
	all = append(all, s.refusals("GET", "/v1/history", nil, identity.Reader)...)
	for _, p := range []struct{ path, query, absent string }{
		{"/v1/proofs/inclusion", "index=0&size=4", "index=0&size=9999"}, {"/v1/proofs/consistency", "from=4", "from=4&to=9999"},
	} {
		add(identity.Auditor, p.path, p.query, nil, 200)
		add(identity.Auditor, p.path, "", nil, 400)
		add(identity.Auditor, p.path, p.absent, nil, 404)
		all = append(all, s.refusals("GET", p.path, nil, identity.Operator)...)
	}
	add(identity.Auditor, "/v1/vault/{place}", "", at("place", "000.p/4"), 200)
	add(identity.Auditor, "/v1/vault/{place}", "", at("place", "0"), 404)
	all = append(all, s.refusals("GET", "/v1/vault/{place}", at("place", "000.p/4"), identity.Reader)...)
	const directories, ofStream = "/v1/directories/{size}/{number}", "/v1/streams/{stream}/directories/{size}/{number}"
	segment := func(size, number string) map[string]string {
		return map[string]string{"stream": "default", "size": size, "number": number}
	}
	for _, size := range []string{"small", "large"} {
		add(identity.Auditor, directories, "rows=true", segment(size, "0"), 200)
		add(identity.Auditor, directories, "rows=yes", segment(size, "0"), 400)
		add(identity.Auditor, directories, "", segment(size, "00"), 400)
		add(identity.Auditor, directories, "", segment(size, "9223372036854775807"), 404)
		add(identity.Reader, ofStream, "", segment(size, "0"), 200)
		add(identity.Reader, ofStream, "rows=yes", segment(size, "0"), 400)
		add(identity.Reader, ofStream, "", segment(size, "1"), 404)
	}
	add(identity.Auditor, directories, "", segment("medium", "0"), 404)
	all = append(all, s.refusals("GET", directories, segment("small", "0"), identity.Reader)...)
	all = append(all, s.refusals("GET", ofStream, segment("small", "0"), identity.Auditor)...)
	add(identity.Reader, "/v1/entries:tail", "from=x", nil, 400)
	all = append(all, s.refusals("GET", "/v1/entries:tail", nil, identity.Auditor)...)
	for _, path := range []string{"/v1/streams", "/v1/classes"} {
		add(identity.Auditor, path, "", nil, 200)
		all = append(all, s.refusals("GET", path, nil, identity.Reader)...)
	}
	return all
}

func (s *served) adminScenarios() []scenario {
	var all []scenario
	add := func(method, path string, params map[string]string, body string, want int, headers ...string) {
		all = append(all, scenario{method: method, path: path, params: params, body: body, headers: append(headers, s.token(identity.Operator)), want: want})
	}
	const json = "Content-Type: application/json"
	add("POST", "/v1/streams", nil, `{"name":"s","fields":[{"name":"actor","path":"user.id","subject":true}]}`, 201, json)
	add("POST", "/v1/streams", nil, `{"name":"s"}`, 409, json)
	add("POST", "/v1/streams", nil, `{"name":"S"}`, 400, json)
	add("POST", "/v1/streams", nil, `{"name":"t"}`, 415, "Content-Type: text/plain")
	add("PUT", "/v1/streams/{stream}", at("stream", "s"), `{"closed":true}`, 200, json)
	add("PUT", "/v1/streams/{stream}", at("stream", "s"), `{"name":"t"}`, 400, json)
	add("PUT", "/v1/streams/{stream}", at("stream", "t"), `{}`, 404, json)
	add("POST", "/v1/classes", nil, `{"name":"year","days":365,"period":"month"}`, 201, json)
	add("POST", "/v1/classes", nil, `{"name":"year"}`, 409, json)
	add("POST", "/v1/classes", nil, `{"name":"year","period":"week"}`, 409, json)
	add("POST", "/v1/classes", nil, `{"name":"week","period":"week"}`, 400, json)
	add("GET", "/v1/tokens", nil, "", 200)
	add("POST", "/v1/tokens", nil, `{"name":"w","role":"writer","streams":["s"],"expires":"2999-01-01T00:00:00Z"}`, 201, json)
	add("POST", "/v1/tokens", nil, `{"name":"w","role":"root"}`, 400, json)
	add("POST", "/v1/tokens", nil, `{"name":"w","role":"writer","streams":["nope"]}`, 404, json)
	add("DELETE", "/v1/tokens/{id}", at("id", s.tokens.List()[0].ID), "", 200)
	add("DELETE", "/v1/tokens/{id}", at("id", "0"), "", 404)
	add("GET", "/v1/status", nil, "", 200)
	add("POST", "/v1/index:rebuild", nil, "", 202)
	add("POST", "/v1/index:rebuild", nil, "{}", 400)
	for _, r := range []struct{ method, path string }{
		{"POST", "/v1/streams"}, {"PUT", "/v1/streams/{stream}"}, {"POST", "/v1/classes"},
		{"GET", "/v1/tokens"}, {"POST", "/v1/tokens"}, {"DELETE", "/v1/tokens/{id}"}, {"GET", "/v1/status"}, {"POST", "/v1/index:rebuild"},
	} {
		all = append(all, s.refusals(r.method, r.path, map[string]string{"stream": "s", "id": "0"}, identity.Auditor)...)
	}
	// The token of the writer is the first, and it is needed later.
	revoke := len(all)
	for i, c := range all {
		if c.method == http.MethodDelete && c.want == http.StatusOK {
			revoke = i
		}
	}
	all[revoke].params = at("id", s.tokens.List()[3].ID)
	last := all[revoke]
	return append(append(all[:revoke:revoke], all[revoke+1:]...), last)
}

// playTail opens a tail, which does not end by itself, and a second one, for
// which there is no room; and one with a query.
func (s *served) playTail(t *testing.T, doc *openapi3.T, seen map[string]bool) {
	const path = "/v1/entries:tail"
	token := s.token(identity.Reader)
	for _, method := range []string{"GET", "POST"} {
		open := scenario{method: method, path: path, headers: []string{token, isJSON}}
		if method == "POST" {
			open.body = `{"query":"*"}`
		}
		res, leave := s.follow(t, open)
		line, err := bufio.NewReader(res.Body).ReadString('\n')
		if err != nil || line != "id: 8\n" {
			t.Errorf("%s tail: got %q and error %v, want the first event", method, line, err)
		}
		if err := checkReply(t, doc, open, reply{res.StatusCode, res.Header, ""}); err != nil {
			t.Errorf("%s tail: %v", method, err)
		}
		full := s.request(t, method, path, open.body, open.headers...)
		if err := checkReply(t, doc, open, full); err != nil || full.status != 503 {
			t.Errorf("second %s tail: got status %d, %v", method, full.status, err)
		}
		if full.header.Get("Retry-After") != "1" || !strings.Contains(full.body, string(client.Overloaded)) {
			t.Errorf("second %s tail: got %q, Retry-After %q", method, full.body, full.header.Get("Retry-After"))
		}
		seen[method+" "+path+": 200"], seen[method+" "+path+": 503"] = true, true
		leave()
	}
}

// follow opens a tail, as soon as there is room.
func (s *served) follow(t *testing.T, c scenario) (res *http.Response, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	for {
		req, err := http.NewRequestWithContext(ctx, c.method, s.url+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range c.headers {
			name, value, _ := strings.Cut(h, ": ")
			req.Header.Set(name, value)
		}
		if res, err = s.hc.Do(req); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusServiceUnavailable {
			return res, func() {
				cancel()
				res.Body.Close()
			}
		}
		res.Body.Close() // the one before is on its way out
	}
}
