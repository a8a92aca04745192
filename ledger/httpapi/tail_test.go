package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// A stream is an open tail, by its lines.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
}

// open opens a tail with a token.
func (s *served) open(t *testing.T, query, token string, headers ...string) *stream {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/entries:tail"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := s.hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d, %v", res.StatusCode, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return &stream{t, lines, stop}
}

// block reads lines up to an empty one.
func (s *stream) block() (lines []string) {
	s.t.Helper()
	for s.lines.Scan() && s.lines.Text() != "" {
		lines = append(lines, s.lines.Text())
	}
	if err := s.lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	return lines
}

// entry reads blocks up to one with an entry.
func (s *stream) entry() client.Entry {
	s.t.Helper()
	for {
		lines := s.block()
		if len(lines) == 0 {
			s.t.Fatal("the tail ended")
		}
		if len(lines) != 3 {
			continue
		}
		var e client.Entry
		data, ok := strings.CutPrefix(lines[2], "data: ")
		if !ok || lines[1] != "event: entry" || json.Unmarshal([]byte(data), &e) != nil || lines[0] != fmt.Sprintf("id: %d", e.Index) {
			s.t.Fatalf("got %q", lines)
		}
		return e
	}
}

func TestTailResumesBehindTheLastEvent(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for i := range 4 {
		s.post(t, "", fmt.Sprintf(`{"n":%d}`, i))
	}
	first := s.open(t, "?from=2", s.bearer[identity.Reader])
	at := first.entry().Index
	again := s.open(t, "?from=0", s.bearer[identity.Reader], fmt.Sprintf("Last-Event-ID: %d", at))
	for want := at + 1; want < at+4; want++ {
		if e := again.entry(); e.Index != want {
			t.Errorf("behind %d: got entry %d, want %d", at, e.Index, want)
		}
	}
	for _, bad := range []string{"x", "-1", "04", "9223372036854775808"} {
		got := s.request(t, "GET", "/v1/entries:tail", "", "Last-Event-ID: "+bad, s.token(identity.Reader))
		if got.status != http.StatusBadRequest {
			t.Errorf("behind %q: got %d, want 400", bad, got.status)
		}
	}
}

func TestTailSaysSomethingWhenThereIsNothingToSay(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{KeepAlive: 10 * time.Millisecond})
	s.addStream(t, ledger.StreamConfig{Name: "other"})
	token := s.issue(t, identity.Grant{Name: "r", Role: identity.Reader, Streams: []string{"other", "more"}})
	got := s.post(t, "", `{"n":1}`)
	var a client.Appended
	if err := json.Unmarshal([]byte(got.body), &a); err != nil {
		t.Fatal(err)
	}
	// Nothing is for this reader, and still the place moves on.
	tail := s.open(t, "", token)
	want := fmt.Sprintf("id: %d", a.Index)
	for line := tail.block(); len(line) != 1 || line[0] != want; line = tail.block() {
		if len(line) != 1 || !strings.HasPrefix(line[0], "id: ") && line[0] != ": keep-alive" {
			t.Fatalf("got %q, want ids and comments alone, up to %q", line, want)
		}
	}
}

func TestReaderOfSomeStreamsFollowsThemAlone(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.addStream(t, ledger.StreamConfig{Name: "a"})
	s.addStream(t, ledger.StreamConfig{Name: "b"})
	var want []uint64
	for i, name := range []string{"a", "default", "b", "default", "a"} {
		got := s.request(t, "POST", "/v1/streams/"+name+"/entries", fmt.Sprintf(`{"n":%d}`, i), s.token(identity.Writer))
		var a client.Appended
		if err := json.Unmarshal([]byte(got.body), &a); err != nil {
			t.Fatal(err)
		}
		if name != "default" {
			want = append(want, a.Index)
		}
	}
	tail := s.open(t, "", s.issue(t, identity.Grant{Name: "r", Role: identity.Reader, Streams: []string{"a", "b"}}))
	for _, index := range want {
		if e := tail.entry(); e.Index != index {
			t.Errorf("got entry %d of %q, want %d", e.Index, e.Stream, index)
		}
	}
	alone := s.open(t, "", s.issue(t, identity.Grant{Name: "r", Role: identity.Reader, Streams: []string{"b"}}))
	if e := alone.entry(); e.Index != want[1] {
		t.Errorf("a reader of one stream: got entry %d of %q, want %d", e.Index, e.Stream, want[1])
	}
}

func TestShutdownEndsTails(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	tail := s.open(t, "?from=1000000", s.bearer[identity.Reader])
	s.api.EndTails()
	s.api.EndTails() // again is nothing
	if lines := tail.block(); len(lines) != 0 {
		t.Errorf("got %q, want the end", lines)
	}
	later := s.open(t, "?from=1000000", s.bearer[identity.Reader])
	if lines := later.block(); len(lines) != 0 {
		t.Errorf("a later tail: got %q, want the end", lines)
	}
}

func TestTailEndsWithItsToken(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{KeepAlive: 10 * time.Millisecond})
	for _, entryComes := range []bool{true, false} {
		token, about, err := s.tokens.Issue(t.Context(), identity.Grant{Name: "r", Role: identity.Reader, Streams: []string{"*"}})
		if err != nil {
			t.Fatal(err)
		}
		from := s.Ledger.Status().Sizes.Sequenced
		tail := s.open(t, fmt.Sprintf("?from=%d", from), token)
		if err := s.tokens.Revoke(t.Context(), about.ID, nil); err != nil {
			t.Fatal(err)
		}
		if entryComes {
			s.post(t, "", "{}")
		}
		lines := tail.block()
		for len(lines) == 1 { // comments of before
			lines = tail.block()
		}
		if len(lines) != 2 || lines[0] != "event: problem" || !strings.Contains(lines[1], string(client.Unauthorized)) {
			t.Errorf("after its token was revoked, with an entry to come %v: got %q", entryComes, lines)
		}
	}
}

func TestTailTellsWhyItEnds(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	tail := s.open(t, "?from=1000000", s.bearer[identity.Reader])
	if err := s.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	lines := tail.block()
	if len(lines) != 2 || lines[0] != "event: problem" || !strings.Contains(lines[1], string(client.Unavailable)) {
		t.Errorf("got %q, want a problem", lines)
	}
	for _, err := range s.as(t, identity.Reader).Tail(t.Context(), client.TailQuery{From: 1000000}) {
		wantCode(t, err, client.Unavailable)
	}
}
