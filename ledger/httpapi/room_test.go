package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/local"
)

// Large entries that are taken slowly, by many at once, must not take more
// memory than there is.
func TestEntriesThatAreReadSlowlyAreBounded(t *testing.T) {
	const size = 256 << 10
	s := serve(t, local.Config{MaxPayload: size}, httpapi.Limits{})
	var a client.Appended
	if got := s.post(t, "", strings.Repeat("x", size), "Content-Type: text/plain"); json.Unmarshal([]byte(got.body), &a) != nil {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Tokens: s.tokens, Limits: httpapi.Limits{Entries: 2 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	l := &pipeListener{make(chan net.Conn), make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- httpapi.Serve(ctx, time.Second, api.ServeOn(l, api.Handler(httpapi.Read))) }()
	// ask asks for the entry and reads the beginning of the answer.
	ask := func() (*http.Response, net.Conn) {
		near, far := net.Pipe()
		l.conns <- far
		go fmt.Fprintf(near, "GET /v1/entries/%d HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", a.Index, s.token(httpapi.Reader))
		res, err := http.ReadResponse(bufio.NewReaderSize(near, 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		return res, near
	}
	count := make(map[int]int)
	var slow []net.Conn
	for range 8 {
		res, conn := ask()
		count[res.StatusCode]++
		slow = append(slow, conn)
	}
	if count[http.StatusOK] < 2 || count[http.StatusServiceUnavailable] < 2 {
		t.Errorf("got %v, want some refused", count)
	}
	for _, conn := range slow {
		conn.Close()
	}
	var res *http.Response
	for start := time.Now(); res == nil || res.StatusCode != http.StatusOK; {
		if time.Since(start) > 10*time.Second {
			t.Fatal("there is no room again")
		}
		var conn net.Conn
		res, conn = ask()
		if n, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode == http.StatusOK && n < size {
			t.Errorf("got %d bytes and error %v", n, err)
		}
		conn.Close()
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
