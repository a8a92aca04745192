package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// TestMain lets the test binary be cairnd, so that tests can start and kill
// real processes.
func TestMain(m *testing.M) {
	if os.Getenv("CAIRN_TEST_MAIN") == "cairnd" {
		main()
	}
	os.Exit(m.Run())
}

// A process is a running "cairnd dev".
type process struct {
	*exec.Cmd
	talk bytes.Buffer
}

func startDev(t *testing.T, dir, address string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(exe, "dev", "--dir", dir, "--listen", address)}
	p.Env = append(os.Environ(), "CAIRN_TEST_MAIN=cairnd")
	p.Stdout, p.Stderr = &p.talk, &p.talk
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			p.Process.Kill()
			p.Wait()
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		res, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return p
			}
		}
		if time.Now().After(deadline) {
			p.Process.Kill()
			p.Wait()
			t.Fatalf("cairnd is not ready: %s", p.talk.String())
		}
	}
}

// freeAddress returns an address of this machine where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func devToken(t *testing.T, dir, role string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "dev-tokens"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if r, token, ok := strings.Cut(strings.TrimSpace(line), " "); ok && r == role {
			return token
		}
	}
	t.Fatalf("there is no token of a %s", role)
	return ""
}

// A load appends events and remembers what was acknowledged.
type load struct {
	mu    sync.Mutex
	next  int
	acked map[int]client.Appended
}

func (l *load) run(ctx context.Context, log client.Log) {
	states := []client.State{client.Sequenced, client.Integrated, client.Witnessed}
	for ctx.Err() == nil {
		l.mu.Lock()
		i := l.next
		l.next++
		l.mu.Unlock()
		got, err := log.Append(ctx, ledger.DefaultStream, []client.Event{loadEvent(i)}, states[i%3])
		if err != nil || got[0].Err != nil {
			return
		}
		l.mu.Lock()
		l.acked[i] = got[0]
		l.mu.Unlock()
	}
}

func loadEvent(i int) client.Event {
	return client.Event{Data: fmt.Appendf(nil, `{"n":%d,"pad":%q}`, i, strings.Repeat("x", i%700)), IdempotencyKey: fmt.Sprintf("load-%d", i)}
}

// TestKilledServerLosesNothing kills a server during a load of appends, again
// and again, and then looks for everything that was acknowledged.
func TestKilledServerLosesNothing(t *testing.T) {
	kills := 50
	if testing.Short() {
		kills = 5
	}
	dir, address := filepath.Join(t.TempDir(), "ledger"), freeAddress(t)
	l := &load{acked: make(map[int]client.Appended)}
	rng := rand.New(rand.NewPCG(1, 1))
	for range kills {
		p := startDev(t, dir, address)
		log, err := client.Dial("http://"+address, client.Options{Token: devToken(t, dir, "writer"), Attempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { l.run(ctx, log) })
		}
		time.Sleep(time.Duration(20+rng.IntN(150)) * time.Millisecond)
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.Wait()
		cancel()
		wg.Wait()
	}
	startDev(t, dir, address)
	checkLoad(t, l, dir, "http://"+address)
	t.Logf("%d kills, %d events sent, %d acknowledged, none lost", kills, l.next, len(l.acked))
}

// checkLoad checks that everything acknowledged is there byte for byte, that
// it is recognised when sent again, and that the auditor finds nothing.
func checkLoad(t *testing.T, l *load, dir, url string) {
	t.Helper()
	ctx := t.Context()
	writer, err := client.Dial(url, client.Options{Token: devToken(t, dir, "writer")})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := client.Dial(url, client.Options{Token: devToken(t, dir, "reader")})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.acked) < 10 {
		t.Errorf("only %d events were acknowledged: the test shows little", len(l.acked))
	}
	for i, a := range l.acked {
		if err := checkPayload(ctx, reader, a.Index, loadEvent(i).Data); err != nil {
			t.Errorf("event %d at index %d: %v", i, a.Index, err)
		}
		e, err := reader.Entry(ctx, a.Index)
		if err != nil || !bytes.Equal(e.Leaf, a.Leaf) {
			t.Errorf("event %d at index %d: the leaf is not the one that was acknowledged (%v)", i, a.Index, err)
		}
		again, err := writer.Append(ctx, ledger.DefaultStream, []client.Event{loadEvent(i)}, client.Sequenced)
		if err != nil || again[0].Err != nil || !again[0].Duplicate || again[0].Index != a.Index {
			t.Errorf("event %d sent again: got %+v, %v, want index %d", i, again, err, a.Index)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := proofs.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	report, err := auditAll(ctx, reader, policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		t.Errorf("audit: %v", f)
	}
}
