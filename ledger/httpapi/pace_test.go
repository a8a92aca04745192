package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/local"
)

// keepMany makes a ledger's list of kept checkpoints long: n thousand names of
// files that hold nothing.
func (s *served) keepMany(t *testing.T, n int) {
	t.Helper()
	var dir string
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "checkpoints" {
			dir = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n * 1000 {
		name := filepath.Join(dir, fmt.Sprintf("x%03d", 1+i/1000), fmt.Sprintf("%03d", i%1000))
		if i%1000 == 0 {
			if err := os.Mkdir(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// What is answered must be taken, not only piece by piece but in all: few who
// read slowly on purpose would else keep everybody out.
func TestSlowReadersAreCutOff(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.keepMany(t, 7)
	large := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 16 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	for _, tt := range []struct {
		name   string
		list   bool
		pause  time.Duration // after each 4 KiB
		cut    bool
		within time.Duration
	}{
		{"a list, slowly", true, 1500 * time.Millisecond, true, 33 * time.Second},
		{"a list, in its time", true, 500 * time.Millisecond, false, 30 * time.Second},
		{"1 MiB, slowly", false, 1500 * time.Millisecond, true, 40 * time.Second},
		{"1 MiB, in its time", false, 200 * time.Millisecond, false, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities})
				if err != nil {
					t.Fatal(err)
				}
				handler := api.Frame(large)
				if tt.list {
					handler = api.Handler(httpapi.Public)
				}
				l := &pipeListener{make(chan net.Conn), make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				served := make(chan error)
				go func() { served <- httpapi.Serve(ctx, time.Second, api.ServeOn(l, handler)) }()
				near, far := net.Pipe()
				l.conns <- far
				start := time.Now()
				go io.WriteString(near, "GET /checkpoints HTTP/1.1\r\nHost: x\r\n\r\n")
				res, err := http.ReadResponse(bufio.NewReader(near), nil)
				if err != nil || res.StatusCode != http.StatusOK {
					t.Fatalf("got %v and error %v", res, err)
				}
				for piece := int64(4 << 10); err == nil; time.Sleep(tt.pause) {
					_, err = io.CopyN(io.Discard, res.Body, piece)
				}
				if took := time.Since(start); (err != io.EOF) != tt.cut || took > tt.within {
					t.Errorf("it ended after %v with %v, want it cut off: %v, within %v", took, err, tt.cut, tt.within)
				}
				near.Close()
				stop()
				if err := <-served; err != nil && !strings.Contains(err.Error(), "closed") {
					t.Error(err)
				}
			})
		})
	}
}
