package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// newSearched returns a user with a ledger of two streams that declare the same
// fields, in another order, and some events of both.
func newSearched(t *testing.T) *session {
	t.Helper()
	s := newSession(t)
	actor, action := ledger.FieldConfig{Name: "actor", Path: "actor"}, ledger.FieldConfig{Name: "action", Path: "action"}
	for name, fields := range map[string][]ledger.FieldConfig{"logins": {actor, action}, "others": {action, actor}} {
		if _, err := s.world.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(t.Context(), ledger.StreamConfig{Name: name, Fields: fields}); err != nil {
			t.Fatal(err)
		}
		s.must("writer", "append", "--stream", name, `{"actor":"alice","action":"login"}`, `{"actor":"bob","action":"login"}`, `{"actor":"alice","action":"alice"}`)
	}
	return s
}

// cheat puts somebody between the user and the ledger, who gives other proofs.
func (s *session) cheat(other func(proof []byte) []byte) {
	s.t.Helper()
	s.cheatAs(client.SearchProofType, other)
}

// cheatAs puts somebody between the user and the ledger, who gives other answers
// of a type.
func (s *session) cheatAs(mediaType string, other func([]byte) []byte) {
	s.t.Helper()
	target, err := url.Parse(s.env["CAIRN_URL"])
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Header.Get("Content-Type") != mediaType {
			return nil
		}
		b, err := io.ReadAll(r.Body)
		b = other(b)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		r.Header.Del("Content-Length")
		return err
	}
	server := httptest.NewServer(proxy)
	s.t.Cleanup(server.Close)
	s.env["CAIRN_URL"] = server.URL
}

// reforged returns a proof after a change.
func reforged(t *testing.T, change func(*proofs.SearchProof)) func([]byte) []byte {
	return func(b []byte) []byte {
		p, err := proofs.ParseSearchProof(b)
		if err != nil {
			t.Error(err)
		}
		change(&p)
		if b, err = proofs.FormatSearchProof(p); err != nil {
			t.Error(err)
		}
		return b
	}
}

func TestALedgerThatCheatsASearchIsCaught(t *testing.T) {
	s := newSearched(t)
	honest := s.env["CAIRN_URL"]
	search := func(args ...string) (status int, stdout, stderr string) {
		return s.run("reader", append([]string{"search", "--complete", "--now"}, args...)...)
	}
	kept := filepath.Join(t.TempDir(), "kept")
	instead := func(args ...string) func([]byte) []byte {
		return func([]byte) []byte {
			mine := s.env["CAIRN_URL"]
			s.env["CAIRN_URL"] = honest
			defer func() { s.env["CAIRN_URL"] = mine }()
			s.must("reader", append([]string{"search", "--complete", "--now", "-o", kept}, args...)...)
			b, err := os.ReadFile(kept)
			if err != nil {
				t.Error(err)
			}
			return b
		}
	}
	s.must("reader", "search", "--complete", "--now", "stream:logins", "actor:alice", "-o", kept)
	old, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	s.append("others", `{"actor":"carol","action":"login"}`) // now that is of an earlier checkpoint
	for what, c := range map[string]struct {
		gives func([]byte) []byte
		want  string
	}{
		"an older answer":            {func([]byte) []byte { return old }, "does not verify: the proof is of the ledger when it had "},
		"one about somebody else":    {instead("stream:logins", "actor:bob"), `does not verify: another value than "alice"`},
		"one of another field":       {instead("stream:logins", "action:alice"), `does not verify: field 2 is not said to be "actor"`},
		"one of another stream":      {instead("stream:others", "actor:alice"), `is not said to be "logins"`},
		"one of some entries":        {instead("stream:logins", "actor:alice", "index:5.."), "does not verify: another range of entries or of time"},
		"one of some time":           {instead("stream:logins", "actor:alice", "after:2020-01-01"), "does not verify: another range of entries or of time"},
		"one of two values":          {instead("stream:logins", "actor:alice", "action:alice"), "does not verify: 2 conditions instead of 1"},
		"a hit less":                 {reforged(t, func(p *proofs.SearchProof) { p.Tail = p.Tail[:len(p.Tail)-1] }), "search proof: does not verify: the tags of entry "},
		"no names":                   {reforged(t, func(p *proofs.SearchProof) { p.Names = nil }), `is not said to be "logins"`},
		"an end before the last":     {reforged(t, func(p *proofs.SearchProof) { p.Stop-- }), "does not verify: it stops at entry "},
		"something that is no proof": {func(b []byte) []byte { return b[:100] }, "search proof"},
	} {
		s.env["CAIRN_URL"] = honest
		s.cheat(c.gives)
		status, stdout, stderr := search("stream:logins", "actor:alice", "-o", filepath.Join(t.TempDir(), "proof"))
		if status != command.No || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: got status %d and\n%s%s, want %q and nothing else", what, status, stdout, stderr, c.want)
		}
	}
	s.env["CAIRN_URL"] = honest
	if status, stdout, stderr := search("stream:logins", "actor:alice"); status != command.Yes || !strings.Contains(stdout, "found       2 events\n") {
		t.Errorf("what is honest: got status %d and\n%s%s", status, stdout, stderr)
	}
}

// A field that was declared anew has two numbers, of which none may be left out.
func TestAFieldThatHadTwoNumbersIsLookedForByBoth(t *testing.T) {
	s := newSearched(t)
	operator := s.world.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"})
	fields := []ledger.FieldConfig{{Name: "actor", Path: "who"}}
	if _, _, err := operator.SetStream(t.Context(), ledger.StreamConfig{Name: "logins", Fields: fields}); err != nil {
		t.Fatal(err)
	}
	got, err := s.world.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), "logins", []client.Event{{Data: []byte(`{"who":"alice"}`)}}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	stdout := s.must("reader", "search", "--complete", "--now", "stream:logins", "actor:alice")
	if !strings.Contains(stdout, "found       3 events\n") || !strings.Contains(stdout, "query       stream:logins actor:alice\n") {
		t.Errorf("got\n%s", stdout)
	}
	v, log := s.verifierOf("reader")
	asked := client.CompleteQuery{Stream: "logins", Fields: []client.FieldValue{{Name: "actor", Value: "alice"}}, Now: true}
	p := s.program("reader", new(bytes.Buffer), new(bytes.Buffer))
	_, a, err := p.proveComplete(t.Context(), log.(*client.HTTP), v, asked)
	if err != nil {
		t.Fatal(err)
	}
	numbers := a.proof.Query.Terms[0].Values[0].Numbers
	if len(numbers) != 2 {
		t.Fatalf("got the numbers %d, want two", numbers)
	}
	for i := range numbers {
		a.proof.Query.Terms[0].Values[0].Numbers = slices.Delete(slices.Clone(numbers), i, i+1)
		if err := a.isOf(asked); !errors.Is(err, proofs.ErrNotVerified) || !strings.Contains(err.Error(), "is left out") {
			t.Errorf("without number %d: got %v, want that it is left out", numbers[i], err)
		}
	}
}

// What a proof calls a field is the name of all of its numbers, or of none.
func TestVerifyNamesNoFieldOfWhichANumberIsLeftOut(t *testing.T) {
	name := func(names map[uint64]proofs.StreamSettings, numbers ...uint16) string {
		a := searchAnswer{stream: "s", verdict: proofs.SearchVerdict{Names: names}, proof: proofs.SearchProof{Query: proofs.SearchQuery{Terms: []proofs.SearchTerm{{Values: []proofs.SearchValue{{Numbers: numbers}}}}}}}
		got, named := a.fieldName(numbers)
		if named != a.named() || named == strings.HasPrefix(got, "field-") {
			t.Errorf("%v: got %q, named %v", numbers, got, named)
		}
		return got
	}
	twice := map[uint64]proofs.StreamSettings{
		1: {Name: "s", Fields: []proofs.Field{{Number: 1, Name: "actor"}, {Number: 2, Name: "action"}, {Number: 3, Name: "host"}}},
		5: {Name: "s", Fields: []proofs.Field{{Number: 2, Name: "actor"}, {Number: 3, Name: "host"}}},
	}
	for want, got := range map[string]string{
		"actor":              name(twice, 1, 2),
		"field-1":            name(twice, 1),
		"action":             name(twice, 2),
		"field-1-or-field-3": name(twice, 1, 3),
		"field-4":            name(twice, 4),
		"host":               name(twice, 3),
	} {
		if got != want {
			t.Errorf("got the name %q, want %q", got, want)
		}
	}
}

// An answer says what the ledger could not read, and is not complete then.
func TestASearchSaysWhatTheLedgerCouldNotRead(t *testing.T) {
	s := newSearched(t)
	var lost uint64
	s.cheat(reforged(t, func(p *proofs.SearchProof) {
		last := &p.Tail[len(p.Tail)-1]
		lost, last.Lists = last.Index, nil
		p.Closed = append(p.Closed, proofs.ClosedEntry{Index: lost})
	}))
	file := filepath.Join(t.TempDir(), "some.search-proof")
	status, stdout, stderr := s.run("reader", "search", "--complete", "--now", "stream:logins", "actor:alice", "-o", file)
	said := fmt.Sprintf("; save entry %d, which the ledger could not read\n", lost)
	why := fmt.Sprintf("the answer is not complete: the ledger could not read entry %d, which may fit too\n", lost)
	if status != command.Unknown || !strings.Contains(stdout, "found       1 event\n") || !strings.Contains(stdout, said) || !strings.Contains(stderr, why) {
		t.Errorf("got status %d and\n%s%s", status, stdout, stderr)
	}
	status, stdout, stderr = s.run("reader", "verify", "--json", file)
	if want := fmt.Sprintf(`"unread":[{"first":%d,"last":%[1]d}]`, lost); status != command.Unknown || !strings.Contains(stdout, want) || !strings.Contains(stdout, `"complete":false`) || !strings.Contains(stderr, why) {
		t.Errorf("got status %d and\n%s%s", status, stdout, stderr)
	}
}

func TestNamesInASearchAreEscaped(t *testing.T) {
	s := newSearched(t)
	s.terminal = true
	stdout := s.must("reader", "search", "--complete", "--now", "stream:logins", "actor:\"\x1b[2J\"")
	if strings.Contains(stdout, "\x1b") || !strings.Contains(stdout, `\x1b[2J`) {
		t.Errorf("got %q", stdout)
	}
}

// garble puts somebody between the user and the ledger, who changes its answers of
// JSON at a path.
func (s *session) garble(path string, change func(answer string) string) {
	s.t.Helper()
	target, err := url.Parse(s.env["CAIRN_URL"])
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.URL.Path != path {
			return nil
		}
		b, err := io.ReadAll(r.Body)
		b = []byte(change(string(b)))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		r.Header.Del("Content-Length")
		return err
	}
	server := httptest.NewServer(proxy)
	s.t.Cleanup(server.Close)
	s.env["CAIRN_URL"] = server.URL
}

func TestALedgerThatFindsSomethingElseIsCaught(t *testing.T) {
	s := newSearched(t)
	honest := s.env["CAIRN_URL"]
	var hits client.Hits
	if err := json.Unmarshal([]byte(`{"hits":[`+strings.ReplaceAll(strings.TrimSpace(s.must("reader", "search", "--proofs=false", "stream:logins")), "\n", ",")+`]}`), &hits); err != nil || len(hits.Hits) != 3 {
		t.Fatalf("got %v and error %v, want three events", hits.Hits, err)
	}
	others := s.must("reader", "search", "--json", "--limit", "1", "stream:others")
	settings := regexp.MustCompile(`"settings":\d+`)
	found := fmt.Sprintf(`"hits":[%d,%d,%d]`, hits.Hits[0], hits.Hits[1], hits.Hits[2])
	for name, c := range map[string]struct {
		path, old, new string
		want           string
	}{
		"the oldest first":     {"/v1/entries:search", found, fmt.Sprintf(`"hits":[%d,%d]`, hits.Hits[2], hits.Hits[0]), "is out of order"},
		"a control entry":      {"/v1/entries:search", found, strings.Replace(settings.FindString(s.entriesAnswer(hits.Hits[0])), `"settings":`, `"hits":[`, 1) + "]", ", which is no event"},
		"an event as settings": {"/v1/entries:search", `"settings":[`, fmt.Sprintf(`"settings":[%d,`, indexOf(t, others)), "does not verify: no settings of a stream"},
		"another payload":      {"/v1/entries", `"data":"`, `"data":"AAAA`, "does not verify"},
		"other settings":       {"/v1/entries", settings.FindString(s.entriesAnswer(hits.Hits[0])), settings.FindString(s.entriesAnswer(indexOf(t, others))), "has not the settings of entry"},
		"no settings":          {"/v1/entries", settings.FindString(s.entriesAnswer(hits.Hits[0])), fmt.Sprintf(`"settings":%d`, hits.Hits[2]), "does not verify: no settings of a stream"},
	} {
		s.env["CAIRN_URL"] = honest
		changed := false
		s.garble(c.path, func(answer string) string {
			changed = changed || strings.Contains(answer, c.old)
			return strings.Replace(answer, c.old, c.new, 1)
		})
		status, stdout, stderr := s.run("reader", "search", "--csv", "stream:logins")
		if !changed || status != command.No || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: changed %v, got status %d and\n%.300s%.300s, want %q and nothing else", name, changed, status, stdout, stderr, c.want)
		}
	}
}

// entriesAnswer returns what the ledger answers to who reads an entry.
func (s *session) entriesAnswer(index uint64) string {
	s.t.Helper()
	_, log := s.verifierOf("reader")
	e, err := log.Entry(s.t.Context(), index)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func indexOf(t *testing.T, line string) uint64 {
	t.Helper()
	entries, err := parseEntryFiles([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return entries[0].Index
}

func TestATerminalShowsWhatIsFoundInColumns(t *testing.T) {
	s := newSearched(t)
	event := client.Event{Data: []byte(`{"actor":"mallory\u001b[2J","action":"` + strings.Repeat("long ", 20) + `"}`)}
	if got, err := s.world.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), "logins", []client.Event{event}, client.Witnessed); err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	s.terminal = true
	_, stdout, stderr := s.run("reader", "search", "--limit", "2", "stream:logins")
	want := `^INDEX  TIME                  ACTOR           ACTION
\d+ +20\S+Z  mallory\\x1b\[2J  (long ){4,6}.{0,4}…
\d+ +20\S+Z  alice           alice
$`
	if !regexp.MustCompile(want).MatchString(stdout) {
		t.Errorf("got\n%swant\n%s", stdout, want)
	}
	if strings.Contains(stderr, "\x1b") || !strings.Contains(stderr, "hint: there is more: go on with --cursor ") {
		t.Errorf("got the talk %q", stderr)
	}
	_, stdout, _ = s.run("reader", "search", "--json", "--limit", "1", "stream:logins")
	if strings.Contains(stdout, "\x1b") {
		t.Errorf("JSON: got %q", stdout)
	}
	file := filepath.Join(t.TempDir(), "found.csv")
	_, stdout, stderr = s.run("reader", "search", "--csv", "-o", file, "stream:logins")
	if b, err := os.ReadFile(file); err != nil || strings.Count(string(b), "\r\n") != 5 || stdout != "" || !strings.Contains(stderr, "\rcairn: found 4 of 50 (8 %)\x1b[K\r\x1b[K") {
		t.Errorf("got the file %q, error %v, and %q%q", b, err, stdout, stderr)
	}
}

// More events than one answer has come page by page, and none twice or not at all.
func TestAllPagesOfASearchArePrinted(t *testing.T) {
	s := newSearched(t)
	const n = 2*client.MaxHits + 3
	var events []client.Event
	for i := range n {
		events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":"many","action":%d}`, i)})
	}
	if _, err := s.world.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), "logins", events, client.Witnessed); err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]string{nil, {"--oldest"}} {
		rows := strings.Split(s.must("reader", append([]string{"search", "--limit", "0", "--csv", "--columns", "action", "stream:logins", "actor:many"}, order...)...), "\r\n")
		if len(rows) != n+2 {
			t.Fatalf("%v: got %d lines, want %d", order, len(rows), n+2)
		}
		for i, row := range rows[1 : n+1] {
			want := fmt.Sprint(n - 1 - i)
			if order != nil {
				want = fmt.Sprint(i)
			}
			if row != want {
				t.Fatalf("%v: got %q in row %d, want %q", order, row, i, want)
			}
		}
	}
	stdout := s.must("reader", "search", "--limit", fmt.Sprint(client.MaxHits+1), "--proofs=false", "actor:many")
	if got := strings.Count(stdout, "\n"); got != client.MaxHits+1 {
		t.Errorf("got %d events, want %d", got, client.MaxHits+1)
	}
}
