package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// A calendar is a clock that jumps.
type calendar struct {
	mu     sync.Mutex
	passed time.Duration
}

func (c *calendar) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.passed)
}

func (c *calendar) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// An archive is a session whose ledger destroys keys, and whose clock jumps.
type archive struct {
	*session
	calendar
	dir string
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{dir: t.TempDir()}
	c := local.Config{Heartbeat: "1s", KeepCheckpoint: "1s", KeyState: local.KeyState{Places: []string{"here", "there"}}}
	world, err := ledgertest.MakeAt(t.Context(), t.TempDir(), c, a.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	a.session = newSessionOf(t, world)
	operator := a.as("operator")
	if _, err := operator.AddClass(t.Context(), ledger.ClassConfig{Name: "short", Days: 30, Period: "day"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []ledger.StreamConfig{
		{Name: "logins", Class: "short", Fields: []ledger.FieldConfig{{Name: "who", Path: "$.who", Subject: true}}},
		{Name: "calls", Split: true, Fields: []ledger.FieldConfig{{Name: "from", Path: "$.from", Subject: true}, {Name: "to", Path: "$.to", Subject: true}}},
	} {
		if _, err := operator.AddStream(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a *archive) as(name string) *ledger.Session {
	return a.world.Ledger.As(ledger.Caller{Name: name, Role: name})
}

// record appends an event and returns its index.
func (a *archive) record(stream, data string) (index uint64) {
	a.t.Helper()
	if _, err := fmt.Sscan(a.must("writer", "append", "--stream", stream, "--idempotency-key", data, data), &index); err != nil {
		a.t.Fatal(err)
	}
	return index
}

// later lets days pass. Before, a checkpoint is kept that covers what there is:
// from its time on the age counts.
func (a *archive) later(days int) {
	a.pass(5 * time.Second)
	a.record("calls", fmt.Sprintf(`{"before":%d}`, days))
	a.pass(time.Duration(days) * 24 * time.Hour)
}

// gone waits until the payload of an entry is gone, and nothing is left to do.
func (a *archive) gone(index uint64) {
	a.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if err := a.as("custodian").Retain(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		_, err := a.as("reader").Entry(a.t.Context(), index)
		closings, errClosings := a.as("auditor").Closings(a.t.Context())
		var p *client.Problem
		if errors.As(err, &p) && p.Code() == client.Gone && errClosings == nil && len(closings) == 0 {
			return
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("entry %d is not gone: %v, %v, %+v", index, err, errClosings, closings)
		}
	}
}

// evidence exports and verifies a file, and returns what it says of each entry
// and of itself.
func (a *archive) evidence(role, name string, args ...string) (map[uint64]evidenceEntry, evidenceFile) {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	a.must(role, append([]string{"export", "--evidence", path}, args...)...)
	lines := strings.Split(strings.TrimSpace(a.must("", "verify", "--json", path)), "\n")
	entries := make(map[uint64]evidenceEntry)
	for _, line := range lines[:len(lines)-1] {
		var e evidenceEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			a.t.Fatal(err)
		}
		entries[e.Index] = e
	}
	var f evidenceFile
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &f); err != nil {
		a.t.Fatal(err)
	}
	return entries, f
}

// What a real ledger closes is told in evidence with its reasons.
func TestEvidenceSaysWhatIsGoneAndWhy(t *testing.T) {
	a := newArchive(t)
	first, held := a.record("logins", `{"who":"alice"}`), a.record("logins", `{"who":"bob"}`)
	both, carol := a.record("calls", `{"from":"alice","to":"bob","seconds":61}`), a.record("calls", `{"from":"carol","to":"carol"}`)
	hold, err := a.as("custodian").Hold(t.Context(), ledger.HoldConfig{Entries: []proofs.Run{{First: held, Last: held}}, Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	a.later(33)
	a.gone(first)
	if _, err := a.as("custodian").Erase(t.Context(), ledger.Erasure{Stream: "calls", Subject: "alice", Reason: "asked to"}); err != nil {
		t.Fatal(err)
	}
	a.gone(first) // which waits until all is done
	later := a.record("logins", `{"who":"dora"}`)

	entries, f := a.evidence("reader", "logins.evidence", "--stream", "logins")
	want := evidence.Counts{Entries: 3, InLog: 3, Events: 3, Whole: 2, Gone: 1, Tagged: 1}
	if f.Counts != want {
		t.Fatalf("got %+v, want %+v:\n%+v", f.Counts, want, entries)
	}
	e := entries[first]
	if len(e.Closings) != 1 || e.Closings[0].What != "expiry" || !e.Closings[0].Aged || e.Closings[0].Days != 30 || e.Closings[0].Done == 0 || e.Missing != evidence.Gone {
		t.Errorf("got %+v of what expired", e)
	}
	if e := entries[held]; e.Payload != evidence.Whole {
		t.Errorf("got %+v of what is held", e)
	}
	if e := entries[later]; !e.Tagged || e.Closings != nil {
		t.Errorf("got %+v of what is new", e)
	}

	entries, f = a.evidence("reader", "calls.evidence", fmt.Sprint(both), fmt.Sprint(carol))
	if want := (evidence.Counts{Entries: 2, InLog: 2, Events: 2, Whole: 1, Partly: 1, Gone: 1, Tagged: 1}); f.Counts != want {
		t.Fatalf("got %+v, want %+v:\n%+v", f.Counts, want, entries)
	}
	if e := entries[both]; len(e.Closings) != 1 || e.Closings[0].What != "erasure" || e.Closings[0].Done == 0 || e.Payload != evidence.Partly {
		t.Errorf("got %+v of what was erased in part", e)
	}
	if e := entries[carol]; !e.Tagged || e.Payload != evidence.Whole {
		t.Errorf("got %+v of somebody else", e)
	}

	if _, err := a.as("custodian").Release(t.Context(), ledger.Release{Hold: hold.Hold, Reason: "it is settled"}); err != nil {
		t.Fatal(err)
	}
	a.gone(held)
	entries, _ = a.evidence("reader", "released.evidence", fmt.Sprint(held))
	if e := entries[held]; len(e.Closings) != 1 || len(e.Closings[0].Holds) != 1 || e.Closings[0].Holds[0] != hold.Hold || e.Closings[0].Effective <= e.Closings[0].Announced {
		t.Errorf("got %+v of what was held and released", e)
	}
	text := a.must("", "verify", filepath.Join(a.dir, "released.evidence"))
	if !strings.Contains(text, fmt.Sprintf("; held by entry %d until entry ", hold.Hold)) {
		t.Errorf("got\n%s", text)
	}
}

// A payload that was destroyed without a word is a finding, and the file with
// it is made all the same.
func TestEvidenceOfWhatIsGoneWithoutAReasonIsAFinding(t *testing.T) {
	a := newArchive(t)
	index := a.record("logins", `{"who":"alice"}`)
	a.later(33)
	a.gone(index)
	path := filepath.Join(a.dir, "gone.evidence")
	a.must("reader", "export", "--evidence", path, fmt.Sprint(index))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mute := filepath.Join(a.dir, "mute.evidence")
	if err := os.WriteFile(mute, withoutReasons(t, b), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := a.run("", "verify", mute)
	want := fmt.Sprintf("entry %d: does not verify: it is gone, and no published entry says why", index)
	if status != command.No || !strings.Contains(stderr, want) || !strings.Contains(stdout, want) {
		t.Errorf("got status %d and\n%s%s, want %q", status, stdout, stderr, want)
	}
}

// withoutReasons returns a file whose entries name no reasons.
func withoutReasons(t *testing.T, b []byte) []byte {
	t.Helper()
	var out strings.Builder
	var w *evidence.Writer
	r := evidence.NewReader(strings.NewReader(string(b)))
	for {
		l, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case l.Header != nil:
			w, err = evidence.NewWriter(&out, *l.Header)
		case l.Checkpoint != nil:
			err = w.Checkpoint(*l.Checkpoint)
		case l.Context != nil:
			err = w.Context(*l.Context)
		case l.Entry != nil:
			l.Entry.Because = nil
			err = w.Entry(*l.Entry)
		case l.End != nil:
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return []byte(out.String())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
