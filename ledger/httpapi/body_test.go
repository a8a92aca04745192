package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

func TestBodiesAreBounded(t *testing.T) {
	s := serve(t, local.Config{MaxPayload: 1000, MaxBatch: 4}, httpapi.Limits{Body: 10_000})
	large := strings.Repeat("x", 10_001)
	packed := gzipped(t, large)
	for name, got := range map[string]reply{
		"a body that says so":     s.post(t, "", large, "Content-Type: text/plain"),
		"a body that unpacks":     s.post(t, "", packed, "Content-Type: text/plain", "Content-Encoding: gzip"),
		"too many lines":          s.post(t, "", "1\n1\n1\n1\n1\n", asLines),
		"too many elements":       s.post(t, "", "[1,1,1,1,1]", asBatch),
		"an event, not the body":  s.post(t, "", large[:1001], "Content-Type: text/plain"),
		"a body without a length": s.chunked(t, "", large),
		"too many packed events":  s.post(t, "", string(packedEvents(t, 5)), "Content-Type: "+client.EventsMediaType),
	} {
		if p := problem(t, got); p.Code() != client.TooLarge {
			t.Errorf("%s: got %+v, want 413", name, p)
		}
	}
	if len(packed) > 1000 {
		t.Errorf("the packed body has %d bytes, which proves nothing", len(packed))
	}
	if got := s.post(t, "", gzipped(t, `{"n":1}`), "Content-Encoding: gzip"); got.status != http.StatusCreated {
		t.Errorf("a small body in gzip: got %d %s", got.status, got.body)
	}
	if p := problem(t, s.post(t, "", "no gzip", "Content-Encoding: gzip")); p.Code() != client.BadRequest {
		t.Errorf("a body that is not in gzip: got %+v, want 400", p)
	}
	lines := results(t, s.post(t, "", "{}\n\""+large[:1000]+"\"\n{}\n", asLines))
	if lines[0].Err != nil || lines[2].Err != nil || lines[1].Err == nil || lines[1].Err.Code() != client.TooLarge {
		t.Errorf("a line that is too long: got %+v, want it alone refused", lines)
	}
}

// While an append waits for its witnesses its body takes the room of what it
// is, and not of what it might have been.
func TestSmallBodiesTakeLittleRoom(t *testing.T) {
	s := serve(t, local.Config{MaxPayload: 1 << 20}, httpapi.Limits{Body: 1 << 20, Bodies: 1 << 20})
	s.Witness.Silence(true)
	packed := gzipped(t, `{"a":1}`)
	var waiting sync.WaitGroup
	for range 40 {
		waiting.Go(func() {
			if got := s.post(t, "?timeout=2s", packed, "Content-Encoding: gzip"); got.status != http.StatusAccepted {
				t.Errorf("a small body in gzip: got %d %s, want 202", got.status, got.body)
			}
		})
		waiting.Go(func() {
			if got := s.chunked(t, "?timeout=2s", "small"); got.status != http.StatusAccepted {
				t.Errorf("a small body without a length: got %d %s, want 202", got.status, got.body)
			}
		})
	}
	waiting.Wait()
	s.Witness.Silence(false)
	for name, got := range map[string]reply{
		"without a length": s.chunked(t, "", strings.Repeat("x", 1<<20)),
		"in gzip":          s.post(t, "", gzipped(t, strings.Repeat("x", 1<<20)), "Content-Type: text/plain", "Content-Encoding: gzip"),
		"with its length":  s.post(t, "", strings.Repeat("x", 1<<20), "Content-Type: text/plain"),
	} {
		if got.status != http.StatusCreated {
			t.Errorf("a body that takes all the room, %s: got %d %s, want 201", name, got.status, got.body)
		}
	}
}

func TestABodyThatGrowsBeyondTheRoomIsRefused(t *testing.T) {
	s := serve(t, local.Config{MaxPayload: 1 << 20}, httpapi.Limits{Body: 1 << 20, Bodies: 1 << 20})
	s.Witness.Silence(true)
	before := s.Ledger.Status().Sizes.Integrated
	first := make(chan reply, 1)
	go func() { first <- s.chunked(t, "?timeout=10s", strings.Repeat("x", 600<<10)) }()
	for s.Ledger.Status().Sizes.Integrated == before {
		time.Sleep(time.Millisecond)
	}
	for name, got := range map[string]reply{
		"without a length": s.chunked(t, "", strings.Repeat("x", 600<<10)),
		"in gzip":          s.post(t, "", gzipped(t, strings.Repeat("x", 600<<10)), "Content-Type: text/plain", "Content-Encoding: gzip"),
	} {
		if p := problem(t, got); p.Code() != client.Overloaded {
			t.Errorf("%s: got %+v, want 503", name, p)
		}
	}
	s.Witness.Silence(false)
	if got := <-first; got.status != http.StatusCreated {
		t.Errorf("the first: got %d %s, want 201", got.status, got.body)
	}
}

// Room is for what comes, not for what is announced: whoever announces much and
// sends nothing would else keep everybody out.
func TestAnAnnouncedBodyTakesNoRoom(t *testing.T) {
	s := serve(t, local.Config{MaxPayload: 1 << 20}, httpapi.Limits{Body: 1 << 20, Bodies: 1 << 20})
	for range 8 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = io.WriteString(c, "POST "+toEntries+" HTTP/1.1\r\nHost: x\r\n"+s.token(identity.Writer)+"\r\nContent-Length: 1048576\r\nExpect: 100-continue\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		// The server says so when it begins to read.
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
			t.Fatalf("got %q and error %v, want 100", line, err)
		}
	}
	if got := s.post(t, "", strings.Repeat("x", 600<<10), "Content-Type: text/plain"); got.status != http.StatusCreated {
		t.Errorf("a body that comes: got %d %s, want 201", got.status, got.body)
	}
}

// Many small events cost more than their bytes: each has its answer, until the
// last of them is taken.
func TestSmallEventsTakeRoomToo(t *testing.T) {
	s := serve(t, local.Config{MaxBatch: 256}, httpapi.Limits{Body: 1 << 20, Bodies: 1 << 20})
	s.Witness.Silence(true)
	var waiting sync.WaitGroup
	statuses := make(chan int, 8)
	for range 8 {
		waiting.Go(func() { statuses <- s.post(t, "?timeout=1s", strings.Repeat("1\n", 256), asLines).status })
	}
	waiting.Wait()
	close(statuses)
	count := make(map[int]int)
	for status := range statuses {
		count[status]++
	}
	if count[http.StatusServiceUnavailable] == 0 || count[http.StatusAccepted] == 0 || len(count) != 2 {
		t.Errorf("got %v, want that not all batches have room at once", count)
	}
	s.Witness.Silence(false)
	if got := s.post(t, "", strings.Repeat("1\n", 256), asLines); got.status != http.StatusOK {
		t.Errorf("a batch alone: got %d %s, want 200", got.status, got.body)
	}
}

// A key behind the body would not be heeded: whoever sends it again would
// record it twice.
func TestHeadersBehindTheBodyAreRefused(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, declared := range []string{"", "Trailer: Idempotency-Key\r\n"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "POST "+toEntries+" HTTP/1.1\r\nHost: x\r\n"+s.token(identity.Writer)+"\r\n"+declared+
			"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nIdempotency-Key: k\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 400 ") {
			t.Errorf("declared by %q: got %q and error %v, want 400", declared, line, err)
		}
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func packedEvents(t *testing.T, n int) (b []byte) {
	t.Helper()
	for range n {
		var p *client.Problem
		if b, p = client.AppendEvent(b, &client.Event{Data: []byte("{}")}); p != nil {
			t.Fatal(p)
		}
	}
	return b
}

// chunked sends a body without saying how long it is.
func (s *served) chunked(t *testing.T, query, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+toEntries+query, struct{ *strings.Reader }{strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = -1
	req.Header.Set("Content-Type", "text/plain")
	req.Header.Set("Authorization", "Bearer "+s.bearer[identity.Writer])
	res, err := s.hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, b.String()}
}

// A pipeListener hands out one connection in memory, with deadlines.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func TestSlowClientsAreCutOff(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	head := func(token, length string) string {
		return "POST " + toEntries + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n" + token + "\r\n\r\n"
	}
	tests := []struct {
		name, send string
		drip       bool // then a byte every nine seconds
		want       string
		within     time.Duration
	}{
		{"a header that does not end", "GET / HTTP/1.1\r\nHost: x\r\n", true, "", 6 * time.Second},
		{"a body that does not come", head(s.token(identity.Writer), "100"), false, "HTTP/1.1 408 ", 11 * time.Second},
		{"a body that drips", head(s.token(identity.Writer), "100"), true, "HTTP/1.1 408 ", 31 * time.Second},
		{"a body that nobody asked for", "POST /checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", false, "HTTP/1.1 405 ", 11 * time.Second},
		{"a connection without a request", "", false, "", 6 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities})
				if err != nil {
					t.Fatal(err)
				}
				l := &pipeListener{make(chan net.Conn), make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				served := make(chan error)
				go func() { served <- httpapi.Serve(ctx, time.Second, api.ServeOn(l, api.Handler(httpapi.Every))) }()
				near, far := net.Pipe()
				l.conns <- far
				start := time.Now()
				var sender sync.WaitGroup
				sender.Go(func() {
					_, err := io.WriteString(near, tt.send)
					for tt.drip && err == nil {
						time.Sleep(9 * time.Second)
						_, err = near.Write([]byte("x"))
					}
				})
				line, _ := bufio.NewReader(near).ReadString('\n') // what came before the end
				if !strings.HasPrefix(line, tt.want) {
					t.Errorf("got %q, want %q", line, tt.want)
				}
				io.Copy(io.Discard, near)
				if took := time.Since(start); took > tt.within {
					t.Errorf("it was cut off after %v, want at most %v", took, tt.within)
				}
				near.Close()
				sender.Wait()
				stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
