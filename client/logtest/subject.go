package logtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A Subject is a log under test, with the rights to write and to read. A
// witness must cosign what it publishes.
type Subject struct {
	Writer, Reader client.Log
	Stream         string // without declared fields, of a class that keeps entries for ever
	Other          string // another such stream
	Policy         *proofs.Policy
	MaxPayload     int // bytes; at most 1 MiB
	MaxBatch       int // events in one append; at most 4,096
}

// Run tests a log.
func Run(t *testing.T, s Subject) {
	tests := []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"a witnessed append brings its evidence", witnessed},
		{"a weaker append brings a promise or more", promised},
		{"results are in the order of the events", inOrder},
		{"the same event again is the same entry", repeated},
		{"another event under a used key is a conflict", conflict},
		{"a source's number is used once", sourced},
		{"a refused event refuses no other", refusedAlone},
		{"an append that cannot be is a problem", refusedWhole},
		{"a context that ended ends an append", ended},
		{"an entry is what was appended", entryIsKept},
		{"an entry that is not there is a problem", entryMissing},
		{"a receipt of any published entry verifies", receipts},
		{"a tail yields what is there and what comes", tailFollows},
		{"a tail of a stream yields no other", tailOfStream},
		{"a tail ends with its context", tailEnds},
		{"the public files are a log that verifies", publicFiles},
		{"a file that is not there does not exist", filesMissing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, s) })
	}
}

// within returns a context for what must not take long.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// unique returns a name that no other test run uses.
func unique(t *testing.T, i int) string {
	return fmt.Sprintf("%s/%d/%d", t.Name(), time.Now().UnixNano(), i)
}

// event returns an event that was never appended before.
func event(t *testing.T) client.Event {
	name := unique(t, 0)
	return client.Event{Data: fmt.Appendf(nil, `{"event":%q}`, name), IdempotencyKey: name}
}

// appendOne appends one event, which must not be refused.
func appendOne(t *testing.T, s Subject, ev client.Event, wait client.State) client.Appended {
	t.Helper()
	got, err := s.Writer.Append(within(t), s.Stream, []client.Event{ev}, wait)
	if err != nil || len(got) != 1 || got[0].Err != nil {
		t.Fatalf("append: got %+v and error %v", got, err)
	}
	if !got[0].State.Reached(wait) {
		t.Fatalf("append: got state %s, want %s", got[0].State, wait)
	}
	return got[0]
}

// checkResult checks that a result's evidence is of the event.
func checkResult(t *testing.T, s Subject, a client.Appended, ev client.Event) {
	t.Helper()
	leaf, err := proofs.ParseLeaf(a.Leaf)
	if err != nil {
		t.Fatalf("leaf: %v", err)
	}
	if a.Disclosure == nil || len(a.Disclosure.Parts) != 1 {
		t.Fatalf("the disclosure does not show one part: %+v", a.Disclosure)
	}
	d := *a.Disclosure
	d.Parts = []proofs.DisclosedPart{d.Parts[0]}
	d.Parts[0].Data = ev.Data
	if err := d.Check(leaf); err != nil {
		t.Errorf("disclosure with the event's data: %v", err)
	}
	if a.State != client.Witnessed {
		return
	}
	receipt, err := proofs.ParseReceipt(a.Receipt)
	if err != nil {
		t.Fatalf("receipt: %v", err)
	}
	if _, err := receipt.Check(s.Policy, a.Leaf); err != nil {
		t.Errorf("receipt: %v", err)
	}
	if receipt.Index != a.Index {
		t.Errorf("the receipt is of entry %d, want %d", receipt.Index, a.Index)
	}
}

// wantProblem checks that an error is a problem of a kind.
func wantProblem(t *testing.T, err error, want client.ProblemCode) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) {
		t.Errorf("got error %v, want a problem %q", err, want)
		return
	}
	if p.Code() != want {
		t.Errorf("got problem %q (%v), want %q", p.Code(), p, want)
	}
	if p.Status < 400 || p.Title == "" {
		t.Errorf("problem %q has status %d and title %q", want, p.Status, p.Title)
	}
}
