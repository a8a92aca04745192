package httpapi_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// destroys is the configuration of a ledger that can destroy keys.
func destroys() local.Config {
	return local.Config{KeyState: local.KeyState{Places: []string{"keystate", "keystate2"}}}
}

const isJSON = "Content-Type: application/json"

// addPeople adds a stream whose field "actor" names data subjects, and a class
// of its own. It returns the indices of an event about each of some subjects.
func (s *served) addPeople(t testing.TB, subjects ...string) (indices []uint64) {
	t.Helper()
	if _, err := s.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddClass(t.Context(), ledger.ClassConfig{Name: "people", Days: 3000}); err != nil {
		t.Fatal(err)
	}
	fields := []ledger.FieldConfig{{Name: "actor", Path: "actor", Subject: true}, {Name: "event-4624", Path: "id"}}
	s.addStream(t, ledger.StreamConfig{Name: "people", Class: "people", Fields: fields})
	return s.appendAbout(t, subjects...)
}

func (s *served) appendAbout(t testing.TB, subjects ...string) (indices []uint64) {
	t.Helper()
	for i, subject := range subjects {
		data := fmt.Appendf(nil, `{"actor":%q,"id":%d}`, subject, i)
		got, err := s.Ledger.As(ledger.Caller{Name: "w"}).Append(t.Context(), "people", []client.Event{{Data: data}}, client.Witnessed)
		if err != nil || got[0].Err != nil {
			t.Fatal(err, got)
		}
		indices = append(indices, got[0].Index)
	}
	return indices
}

// An indexed is what one scenario needs of the answer to another.
type indexed struct{ Announced, Requested, Hold uint64 }

// playClosings plays what is about retention, holds and erasure.
func (s *served) playClosings(t *testing.T, play func([]scenario)) {
	entries := s.addPeople(t, "alice", "bob", "carol")
	custodian, auditor := s.token(identity.Custodian), s.token(identity.Auditor)
	second := "Authorization: Bearer " + s.issue(t, identity.Grant{Name: "another", Role: identity.Custodian})
	operator := "Authorization: Bearer " + s.issue(t, identity.Grant{Name: "operator", Role: identity.Operator}) // the first one's is revoked
	post := func(path string, params map[string]string, query, body string, want int, headers ...string) scenario {
		if body != "" {
			headers = append(headers, isJSON)
		}
		return scenario{method: "POST", path: path, params: params, query: query, body: body, headers: headers, want: want}
	}
	get := func(path string, params map[string]string, query string, want int) scenario {
		return scenario{method: "GET", path: path, params: params, query: query, headers: []string{auditor}, want: want}
	}
	put := func(path, body string, want int, token string) scenario {
		return scenario{method: "PUT", path: path, params: at("class", "people"), body: body, headers: []string{token, isJSON}, want: want}
	}
	const search, count, tail = "/v1/entries:search", "/v1/entries:count", "/v1/entries:tail"
	const find, prove, erasures, release, done = "/v1/entries:find", "/v1/entries:prove", "/v1/erasures", "/v1/holds/{hold}/release", "wait=done&timeout=20s"
	reader := s.token(identity.Reader)
	about := func(subject string) string {
		return fmt.Sprintf(`{"stream":"people","subject":%q,"reason":"it was asked for"}`, subject)
	}
	index := func(method, path, query, body, token string) string {
		got := s.request(t, method, path+"?"+query, body, token, isJSON)
		var i indexed
		if err := json.Unmarshal([]byte(got.body), &i); err != nil || got.status >= 300 {
			t.Fatalf("%s %s: got %d %s", method, path, got.status, got.body)
		}
		return fmt.Sprint(i.Announced + i.Requested + i.Hold)
	}
	play([]scenario{post(prove, nil, "", `{"stream":"people","fields":[{"name":"event-4624","value":"1"}],"first":1,"until":4000000000000000,"now":true}`, 200, reader)})
	held := index("POST", "/v1/holds", "", fmt.Sprintf(`{"entries":[{"first":%d,"last":%d}],"reason":"a lawsuit"}`, entries[1], entries[1]), custodian)
	s.Witness.Silence(true) // so that nothing is done at once
	alice := index("POST", erasures, "", about("alice"), custodian)
	play([]scenario{
		post(erasures, nil, "", about("bob"), 202, custodian), post(erasures, nil, "wait=done&timeout=1ms", about("bob"), 202, custodian),
		post(prove, nil, "", `{"stream":"people","fields":[{"name":"event-4624","value":"1"}],"now":true}`, 410, reader),
		get("/v1/directories/{size}/{number}", map[string]string{"size": "small", "number": "0"}, "", 410),
		{method: "GET", path: "/v1/streams/{stream}/directories/{size}/{number}", params: map[string]string{"stream": "people", "size": "small", "number": "0"}, headers: []string{reader}, want: 410},
	})
	s.Witness.Silence(false)
	play([]scenario{
		get("/v1/retention", nil, "", 200),
		post("/v1/retention:run", nil, "", "", 202, operator), post("/v1/retention:run", nil, "", "{}", 400, operator),
		post("/v1/holds", nil, "", `{"stream":"people","subject":"alice","fields":[{"name":"event-4624","value":"0"}],"reason":"r"}`, 201, custodian),
		post("/v1/holds", nil, "", `{"stream":"people","reason":""}`, 400, custodian), post("/v1/holds", nil, "", `{"stream":"nope","reason":"r"}`, 404, custodian),
		get("/v1/holds", nil, "", 200),
		post(find, nil, "", `{"stream":"people","subject":"bob","fields":[{"name":"event-4624","value":"1"}]}`, 200, reader),
		post(find, nil, "", `{"stream":"people","subject":"whom nothing concerns"}`, 200, reader),
		post(find, nil, "", `{"stream":"people"}`, 400, reader), post(find, nil, "", `{"stream":"nope","subject":"bob"}`, 404, reader),
		post(search, nil, "", `{"query":"actor:bob n or event-4624:1","stream":"people","limit":10}`, 200, reader), post(search, nil, "", `{"query":"actor:(","stream":"people"}`, 400, reader),
		post(search, nil, "", `{"query":"","stream":"nope"}`, 404, reader),
		post(count, nil, "", `{"query":"actor:*","stream":"people","facets":["actor"],"top":3,"every":"day"}`, 200, reader), post(count, nil, "", `{"every":"day","top":-1}`, 400, reader),
		post(count, nil, "", `{"query":"stream:nope"}`, 404, reader),
		post(tail, nil, "", `{"query":"actor:("}`, 400, reader), post(tail, nil, "", `{"query":"stream:nope"}`, 404, reader),
		post(prove, nil, "", `{"stream":"people","fields":[]}`, 400, reader), post(prove, nil, "", `{"stream":"nope","fields":[{"name":"a","value":"b"}]}`, 404, reader),
		post("/v1/erasures:plan", nil, "", about("bob"), 200, custodian),
		post("/v1/erasures:plan", nil, "", `{"stream":"people"}`, 400, custodian), post("/v1/erasures:plan", nil, "", `{"stream":"nope","subject":"x"}`, 404, custodian),
		post(erasures, nil, done, about("carol"), 200, custodian),
		post(erasures, nil, "wait=witnessed", about("bob"), 400, custodian), post(erasures, nil, "", `{"stream":"nope","subject":"x","reason":"r"}`, 404, custodian),
		{method: "GET", path: "/v1/entries/{index}", params: at("index", fmt.Sprint(entries[2])), headers: []string{s.token(identity.Reader)}, want: 410},
		get("/v1/closings", nil, "", 200), get("/v1/closings/{index}", at("index", alice), done, 200),
		get("/v1/closings/{index}", at("index", alice), "timeout=1s", 400), get("/v1/closings/{index}", at("index", "0"), "", 404),
		post(release, at("hold", held), "", `{"reason":""}`, 400, custodian), post(release, at("hold", "0"), "", `{"reason":"r"}`, 404, custodian),
		post(release, at("hold", held), done, `{"reason":"it is settled"}`, 200, custodian),
		get("/v1/custody", nil, "", 200), put("/v1/custody", `{"custodians":3,"grace":0}`, 400, operator),
		put("/v1/classes/{class}", `{"days":3001}`, 200, operator), put("/v1/classes/{class}", `{}`, 400, operator),
		get("/v1/pruning", nil, "", 200), put("/v1/pruning", `{}`, 400, operator), put("/v1/pruning", `{"days":1000}`, 200, operator),
		{method: "PUT", path: "/v1/classes/{class}", params: at("class", "nope"), body: `{"days":1}`, headers: []string{operator, isJSON}, want: 404},
		get("/v1/custodians", nil, "", 200), put("/v1/custodians", `{"names":["one"]}`, 400, operator), put("/v1/custodians", `{"names":[]}`, 200, operator),
		put("/v1/custody", `{"custodians":2,"grace":0}`, 200, operator), put("/v1/custodians", `{"names":["carla","cato"]}`, 202, custodian),
		put("/v1/custody", `{"custodians":1,"grace":0}`, 202, custodian), put("/v1/classes/{class}", `{"days":7}`, 202, custodian),
		{method: "PUT", path: "/v1/streams/{stream}", params: at("stream", "people"), body: `{"class":"people","fields":[]}`, headers: []string{custodian, isJSON}, want: 202},
		put("/v1/pruning", `{"days":999}`, 202, custodian),
	})
	s.appendAbout(t, "dave")
	dave := index("POST", erasures, "", about("dave"), custodian)
	erin := index("POST", erasures, "", about("erin"), custodian)
	hold := index("POST", "/v1/holds", "", `{"stream":"people","reason":"r"}`, custodian)
	play([]scenario{
		get("/v1/requests", nil, "", 200), get("/v1/requests/{index}", at("index", dave), "", 200),
		get("/v1/requests/{index}", at("index", "x"), "", 400), get("/v1/requests/{index}", at("index", "0"), "", 404),
		post(release, at("hold", hold), "", `{"reason":"r"}`, 202, custodian),
		post("/v1/requests/{index}/withdrawal", at("index", erin), "", "{}", 400, custodian),
		post("/v1/requests/{index}/withdrawal", at("index", erin), "", "", 409, second),
		post("/v1/requests/{index}/withdrawal", at("index", erin), "", "", 200, custodian),
		post("/v1/requests/{index}/withdrawal", at("index", "0"), "", "", 404, custodian),
		post("/v1/requests/{index}/approval", at("index", dave), "", "", 409, custodian),
		post("/v1/requests/{index}/approval", at("index", dave), "wait=never", "", 400, second),
		post("/v1/requests/{index}/approval", at("index", "0"), "", "", 404, second),
		post("/v1/requests/{index}/approval", at("index", dave), done, "", 200, second),
	})
	if _, _, err := s.Ledger.As(ledger.Caller{Name: "operator"}).SetCustody(t.Context(), ledger.CustodyConfig{Custodians: 2, Grace: 3600}); err != nil {
		t.Fatal(err)
	}
	frank := index("POST", erasures, "", about("frank"), custodian)
	play([]scenario{post("/v1/requests/{index}/approval", at("index", frank), "", "", 202, second)})
	for _, path := range []string{find, prove, search, count, tail} {
		play(s.refusals("POST", path, nil, identity.Auditor))
	}
	for _, r := range []struct{ method, path string }{
		{"PUT", "/v1/classes/{class}"}, {"GET", "/v1/retention"}, {"POST", "/v1/retention:run"}, {"POST", erasures}, {"POST", "/v1/erasures:plan"},
		{"GET", "/v1/holds"}, {"POST", "/v1/holds"}, {"POST", release}, {"GET", "/v1/closings"}, {"GET", "/v1/closings/{index}"},
		{"GET", "/v1/requests"}, {"GET", "/v1/requests/{index}"}, {"POST", "/v1/requests/{index}/approval"}, {"POST", "/v1/requests/{index}/withdrawal"},
		{"GET", "/v1/custody"}, {"PUT", "/v1/custody"}, {"GET", "/v1/custodians"}, {"PUT", "/v1/custodians"},
		{"GET", "/v1/pruning"}, {"PUT", "/v1/pruning"},
	} {
		play(s.refusals(r.method, r.path, map[string]string{"class": "people", "hold": "1", "index": "1"}, identity.Reader))
	}
}
