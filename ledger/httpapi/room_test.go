package httpapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// A begun answer is one of which only the beginning was read.
type begun struct {
	*http.Response
	conn net.Conn
	err  error
}

// begin asks for an entry over a connection that buffers nothing, and reads the
// beginning of the answer.
func (s *served) begin(l *pipeListener, index uint64) begun {
	near, far := net.Pipe()
	l.conns <- far
	go fmt.Fprintf(near, "GET /v1/entries/%d HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", index, s.token(identity.Reader))
	res, err := http.ReadResponse(bufio.NewReaderSize(near, 16), nil)
	return begun{res, near, err}
}

// Large entries that are taken slowly, by many at once, must not take more
// memory than there is.
func TestEntriesThatAreReadSlowlyAreBounded(t *testing.T) {
	const size = 256 << 10
	s := serve(t, local.Config{MaxPayload: size}, httpapi.Limits{})
	var a client.Appended
	if got := s.post(t, "", strings.Repeat("x", size), "Content-Type: text/plain"); json.Unmarshal([]byte(got.body), &a) != nil {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities, Limits: httpapi.Limits{Entries: 2 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	l := &pipeListener{make(chan net.Conn), make(chan struct{})}
	run(t, api.ServeOn(l, api.Handler(httpapi.Read)))
	answers := make(chan begun, 8)
	for range cap(answers) {
		go func() { answers <- s.begin(l, a.Index) }()
	}
	count := make(map[int]int)
	var slow []net.Conn
	for range cap(answers) {
		b := <-answers
		if b.err != nil {
			t.Fatal(b.err)
		}
		count[b.StatusCode]++
		slow = append(slow, b.conn)
	}
	if count[http.StatusOK] < 2 || count[http.StatusServiceUnavailable] < 2 {
		t.Errorf("got %v, want some refused", count)
	}
	for _, conn := range slow {
		conn.Close()
	}
	// The next waits for the room that those give back.
	b := s.begin(l, a.Index)
	if b.err != nil {
		t.Fatal(b.err)
	}
	if n, err := io.Copy(io.Discard, b.Body); err != nil || b.StatusCode != http.StatusOK || n < size {
		t.Errorf("when there is room again: got %d, %d bytes and error %v", b.StatusCode, n, err)
	}
	b.conn.Close()
}

// A query looks at every event of a stream, so that a few of them are under way
// at once, and all else goes on.
func TestQueriesAreBounded(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	api := loggingAPI(t, s, io.Discard)
	s.addPeople(t)
	ask := func(path, body string) int {
		req := httptest.NewRequest("POST", path, strings.NewReader(body))
		name, value, _ := strings.Cut(s.token(identity.Reader), ": ")
		req.Header.Set(name, value)
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.Handler(httpapi.Read).ServeHTTP(w, req)
		return w.Code
	}
	find := func() int { return ask("/v1/entries:find", `{"stream":"people","subject":"alice"}`) }
	prove := func() int {
		return ask("/v1/entries:prove", `{"stream":"people","fields":[{"name":"actor","value":"alice"}],"now":true}`)
	}
	search := func() int { return ask("/v1/entries:search", `{"query":"actor:alice","stream":"people"}`) }
	leave := api.FillFinds()
	if got, proof, hits := find(), prove(), search(); got != http.StatusServiceUnavailable || proof != http.StatusServiceUnavailable || hits != http.StatusServiceUnavailable {
		t.Errorf("one more than there may be: got %d, %d of a proof, and %d of a search", got, proof, hits)
	}
	if got := handle(api.Handler(httpapi.Read), "GET", "/v1/entries/1", s.token(identity.Reader)); got.status == http.StatusServiceUnavailable {
		t.Errorf("a read meanwhile: got %d %s", got.status, got.body)
	}
	leave()
	for range 70 { // each gives its room back
		if got, proof, hits := find(), prove(), search(); got != http.StatusOK || proof != http.StatusOK || hits != http.StatusOK {
			t.Fatalf("when there is room: got %d, %d of a proof, and %d of a search", got, proof, hits)
		}
	}
}
