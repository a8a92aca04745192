package logtest_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/logtest"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
)

// subject returns a new ledger as its users see it.
func subject(t *testing.T) logtest.Subject {
	t.Helper()
	w := ledgertest.Open(t, local.Config{MaxBatch: 100, MaxPayload: 100 << 10})
	if _, err := w.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(t.Context(), ledger.StreamConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	return logtest.Subject{
		Writer: w.Ledger.As(ledger.Caller{Name: "writer"}), Reader: w.Ledger.As(ledger.Caller{Name: "reader"}), Policy: w.Policy,
		Stream: ledger.DefaultStream, Other: "other", MaxPayload: 100 << 10, MaxBatch: 100,
	}
}

func TestLedgerKeepsTheLaw(t *testing.T) { logtest.Run(t, subject(t)) }

// forgetfulLog does not know a repeat.
type forgetfulLog struct{ client.Log }

func (l forgetfulLog) Append(ctx context.Context, stream string, events []client.Event, wait client.State) ([]client.Appended, error) {
	events = slices.Clone(events)
	for i := range events {
		events[i].IdempotencyKey = ""
	}
	return l.Log.Append(ctx, stream, events, wait)
}

// shuffledLog answers in another order.
type shuffledLog struct{ client.Log }

func (l shuffledLog) Append(ctx context.Context, stream string, events []client.Event, wait client.State) ([]client.Appended, error) {
	got, err := l.Log.Append(ctx, stream, events, wait)
	slices.Reverse(got)
	return got, err
}

// boastingLog says that everything is witnessed.
type boastingLog struct{ client.Log }

func (l boastingLog) Append(ctx context.Context, stream string, events []client.Event, _ client.State) ([]client.Appended, error) {
	got, err := l.Log.Append(ctx, stream, events, client.Sequenced)
	for i := range got {
		got[i].State = client.Witnessed
	}
	return got, err
}

// polishedLog changes what it kept.
type polishedLog struct{ client.Log }

func (l polishedLog) Entry(ctx context.Context, index uint64) (*client.Entry, error) {
	e, err := l.Log.Entry(ctx, index)
	if err == nil && len(e.Disclosure.Parts) > 0 && len(e.Disclosure.Parts[0].Data) > 0 {
		e.Disclosure.Parts[0].Data[0] ^= 1
	}
	return e, err
}

// neighbourlyLog gives the receipt of another entry.
type neighbourlyLog struct{ client.Log }

func (l neighbourlyLog) Receipt(ctx context.Context, index uint64) ([]byte, error) {
	return l.Log.Receipt(ctx, index^1)
}

// leakyLog leaves entries out of its tails.
type leakyLog struct{ client.Log }

func (l leakyLog) Tail(ctx context.Context, q client.TailQuery) iter.Seq2[*client.Entry, error] {
	return func(yield func(*client.Entry, error) bool) {
		for e, err := range l.Log.Tail(ctx, q) {
			if (err != nil || e.Index > q.From) && !yield(e, err) {
				return
			}
		}
	}
}

// openHandedLog has every file.
type openHandedLog struct{ client.Log }

func (l openHandedLog) ReadFile(ctx context.Context, path string) ([]byte, error) {
	data, _ := l.Log.ReadFile(ctx, path)
	return data, nil
}

// broken are logs that break the law, by the test that must notice.
func broken() map[string]func(client.Log) client.Log {
	return map[string]func(client.Log) client.Log{
		"the same event again is the same entry":     func(l client.Log) client.Log { return forgetfulLog{l} },
		"results are in the order of the events":     func(l client.Log) client.Log { return shuffledLog{l} },
		"a witnessed append brings its evidence":     func(l client.Log) client.Log { return boastingLog{l} },
		"an entry is what was appended":              func(l client.Log) client.Log { return polishedLog{l} },
		"a receipt of any published entry verifies":  func(l client.Log) client.Log { return neighbourlyLog{l} },
		"a tail yields what is there and what comes": func(l client.Log) client.Log { return leakyLog{l} },
		"a file that is not there does not exist":    func(l client.Log) client.Log { return openHandedLog{l} },
	}
}

const brokenVariable = "CAIRN_LOGTEST_BROKEN"

// TestBroken runs the tests on the broken log that the environment names, and
// is meant to fail. TestBrokenLogsAreCaught runs it.
func TestBroken(t *testing.T) {
	if spoil := broken()[os.Getenv(brokenVariable)]; spoil != nil {
		s := subject(t)
		s.Writer, s.Reader = spoil(s.Writer), spoil(s.Reader)
		logtest.Run(t, s)
	}
}

// TestBrokenLogsAreCaught tests the tests.
func TestBrokenLogsAreCaught(t *testing.T) {
	for name := range broken() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test := strings.ReplaceAll(name, " ", "_")
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBroken$/^"+test+"$")
			cmd.Env = append(os.Environ(), brokenVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBroken/"+test) {
				t.Errorf("the test passes: %v\n%s", err, out)
			}
		})
	}
}

// Whoever implements client.Log makes a subject of it and has it tested:
//
//	func TestMyLog(t *testing.T) { logtest.Run(t, subject) }
func ExampleSubject() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	w, err := ledgertest.Make(ctx, dir, local.Config{})
	if err != nil {
		panic(err)
	}
	defer w.Close()
	if _, err := w.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(ctx, ledger.StreamConfig{Name: "other"}); err != nil {
		panic(err)
	}
	subject := logtest.Subject{
		Writer: w.Ledger.As(ledger.Caller{Name: "writer"}), Reader: w.Ledger.As(ledger.Caller{Name: "reader"}), Policy: w.Policy,
		Stream: ledger.DefaultStream, Other: "other", MaxPayload: 1 << 20, MaxBatch: 4096,
	}
	got, err := subject.Writer.Append(ctx, subject.Other, []client.Event{{Data: []byte(`{"n":1}`)}}, client.Witnessed)
	if err != nil {
		panic(err)
	}
	fmt.Println(got[0].State)
	// Output: witnessed
}
