package logtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func entryIsKept(t *testing.T, s Subject) {
	events := []client.Event{
		{Data: []byte("{ \"a\" : 1.50,\t\"b\":\"\\u0061\" }\n"), IdempotencyKey: unique(t, 1)},
		{Data: []byte("a line\x00\xff of syslog"), MediaType: "text/plain", IdempotencyKey: unique(t, 2), Subjects: []string{"alice", "bob, the other"}},
		{Data: []byte("{}"), Source: unique(t, 3), Sequence: 1<<63 - 1, Signature: []byte{1, 2, 3}},
		{Data: nil, MediaType: "application/octet-stream"},
	}
	got, err := s.Writer.Append(within(t), s.Stream, events, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	for i, ev := range events {
		if got[i].Err != nil {
			t.Fatalf("event %d: %v", i, got[i].Err)
		}
		e, err := s.Reader.Entry(within(t), got[i].Index)
		if err != nil {
			t.Fatalf("entry %d: %v", got[i].Index, err)
		}
		checkEntry(t, s, e, got[i], ev)
	}
}

// checkEntry checks that an entry is an event, as the writer was told.
func checkEntry(t *testing.T, s Subject, e *client.Entry, a client.Appended, ev client.Event) {
	t.Helper()
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil || e.Index != a.Index || e.Stream != s.Stream || !bytes.Equal(e.Leaf, a.Leaf) {
		t.Fatalf("entry %d: got %+v, want the leaf that the writer got, in stream %s (%v)", a.Index, e, s.Stream, err)
	}
	if err := e.Disclosure.Check(leaf); err != nil {
		t.Fatalf("entry %d: %v", a.Index, err)
	}
	part, err := e.Disclosure.Parts[0].Part()
	if err != nil {
		t.Fatalf("entry %d: %v", a.Index, err)
	}
	mediaType := ev.MediaType
	if mediaType == "" {
		mediaType = "application/json"
	}
	if !bytes.Equal(part.Data, ev.Data) || part.MediaType != mediaType || part.IdempotencyKey != ev.IdempotencyKey ||
		part.Source != ev.Source || !slices.Equal(part.Subjects, ev.Subjects) || !bytes.Equal(part.Signature, ev.Signature) {
		t.Errorf("entry %d: got %+v, want event %+v", a.Index, part, ev)
	}
	if part.Appender == "" {
		t.Errorf("entry %d: nobody appended it", a.Index)
	}
}

const beyond = 1 << 40 // an index that no test log has

func entryMissing(t *testing.T, s Subject) {
	_, err := s.Reader.Entry(within(t), beyond)
	wantProblem(t, err, client.NoSuchEntry)
	_, err = s.Reader.Receipt(within(t), beyond)
	wantProblem(t, err, client.NoSuchEntry)
}

func receipts(t *testing.T, s Subject) {
	last := appendOne(t, s, event(t), client.Witnessed).Index
	for _, index := range []uint64{0, last / 2, last} {
		b, err := s.Reader.Receipt(within(t), index)
		if err != nil {
			t.Fatalf("receipt of entry %d: %v", index, err)
		}
		receipt, err := proofs.ParseReceipt(b)
		if err != nil {
			t.Fatalf("receipt of entry %d: %v", index, err)
		}
		if _, err := receipt.Check(s.Policy, receipt.Extra); err != nil || receipt.Index != index {
			t.Errorf("receipt of entry %d: it is of entry %d, error %v", index, receipt.Index, err)
		}
	}
}

// tailed is what a tail yields.
type tailed struct {
	entry *client.Entry
	err   error
}

// follow runs a tail until the test ends or stop is called.
func follow(t *testing.T, s Subject, q client.TailQuery) (next func() *client.Entry, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	t.Cleanup(cancel)
	items := make(chan tailed)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e, err := range s.Reader.Tail(ctx, q) {
			select {
			case items <- tailed{e, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	next = func() *client.Entry {
		t.Helper()
		select {
		case got := <-items:
			if got.err != nil {
				t.Fatalf("tail: %v", got.err)
			}
			return got.entry
		case <-ctx.Done():
			t.Fatal("tail: no entry came")
		case <-done:
			t.Fatal("tail: it ended")
		}
		return nil
	}
	stop = func() {
		t.Helper()
		cancel()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("tail: it does not end with its context")
		}
	}
	return next, stop
}

func tailFollows(t *testing.T, s Subject) {
	first := appendOne(t, s, event(t), client.Witnessed)
	second := appendOne(t, s, event(t), client.Witnessed)
	next, stop := follow(t, s, client.TailQuery{From: first.Index})
	defer stop()
	indices := []uint64{first.Index}
	for e := next(); ; e = next() {
		if e.Index != indices[len(indices)-1] {
			t.Fatalf("got entry %d, want %d", e.Index, indices[len(indices)-1])
		}
		indices = append(indices, e.Index+1)
		if e.Index == second.Index {
			break
		}
	}
	third := appendOne(t, s, event(t), client.Witnessed)
	e := next()
	for e.Index < third.Index {
		e = next()
	}
	if !bytes.Equal(e.Leaf, third.Leaf) {
		t.Errorf("got entry %d, want the one that was appended while following, %d", e.Index, third.Index)
	}
}

func tailOfStream(t *testing.T, s Subject) {
	first := appendOne(t, s, event(t), client.Witnessed)
	other, err := s.Writer.Append(within(t), s.Other, []client.Event{event(t)}, client.Witnessed)
	if err != nil || other[0].Err != nil {
		t.Fatalf("append to %s: got %+v and error %v", s.Other, other, err)
	}
	last := appendOne(t, s, event(t), client.Witnessed)
	next, stop := follow(t, s, client.TailQuery{Stream: s.Other, From: first.Index})
	if e := next(); e.Index != other[0].Index || e.Stream != s.Other {
		t.Errorf("got entry %d of %q, want %d of %q", e.Index, e.Stream, other[0].Index, s.Other)
	}
	stop()
	next, stop = follow(t, s, client.TailQuery{Stream: s.Stream, From: first.Index})
	defer stop()
	for _, want := range []uint64{first.Index, last.Index} {
		if e := next(); e.Index != want || e.Stream != s.Stream {
			t.Errorf("got entry %d of %q, want %d of %q", e.Index, e.Stream, want, s.Stream)
		}
	}
}

func tailEnds(t *testing.T, s Subject) {
	_, stop := follow(t, s, client.TailQuery{From: beyond})
	time.Sleep(20 * time.Millisecond) // while it waits
	stop()
	last := appendOne(t, s, event(t), client.Witnessed)
	for e, err := range s.Reader.Tail(within(t), client.TailQuery{From: last.Index}) {
		if err != nil || e.Index != last.Index {
			t.Errorf("got %+v and error %v, want entry %d", e, err, last.Index)
		}
		break // which ends it too
	}
}

func publicFiles(t *testing.T, s Subject) {
	a := appendOne(t, s, event(t), client.Witnessed)
	signed, err := s.Reader.ReadFile(within(t), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := s.Policy.Check(signed)
	if err != nil || verdict.Checkpoint.Size <= a.Index {
		t.Fatalf("checkpoint: got %+v and error %v, want one beyond entry %d", verdict.Checkpoint, err, a.Index)
	}
	r := proofs.NewReader(verdict.Checkpoint, s.Reader)
	leaf, err := r.Leaf(within(t), a.Index)
	if err != nil || !bytes.Equal(leaf, a.Leaf) {
		t.Errorf("leaf %d from the bundles: got %x and error %v, want %x", a.Index, leaf, err, a.Leaf)
	}
	proof, err := proofs.ProveInclusion(within(t), a.Index, verdict.Checkpoint.Size, r)
	if err != nil {
		t.Fatalf("proof from the tiles: %v", err)
	}
	if err := proofs.CheckInclusion(a.Index, verdict.Checkpoint.Size, proofs.LeafHash(a.Leaf), proof, verdict.Checkpoint.Root); err != nil {
		t.Errorf("proof from the tiles: %v", err)
	}
	b, err := s.Reader.ReadFile(within(t), "log")
	var info client.Info
	if err != nil || json.Unmarshal(b, &info) != nil {
		t.Fatalf("log: got %s and error %v", b, err)
	}
	if info.Origin != verdict.Checkpoint.Origin || info.MaxPayload != s.MaxPayload || info.MaxBatch != s.MaxBatch || info.Sizes.Published < verdict.Checkpoint.Size {
		t.Errorf("log: got %+v, which is not what the log shows", info)
	}
}

func filesMissing(t *testing.T, s Subject) {
	for _, path := range []string{
		"tile/0/x001/000", "tile/63/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/00/000", "tile/0/0", "tile/64/000",
		"tile/entries/x001/000", "tile/entries/000.p/0", "checkpoints/x999/999", "checkpoints/", "nothing", "", "../checkpoint", "/checkpoint",
		"checkpoint/", "tile/0/../0/000", "tile%2F0", "log?x", "v1/status",
	} {
		b, err := s.Reader.ReadFile(within(t), path)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %d bytes and error %v, want fs.ErrNotExist", path, len(b), err)
		}
	}
}
