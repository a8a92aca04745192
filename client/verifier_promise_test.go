package client_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func TestVerifierTellsWhetherAPromiseWasKept(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	l.grow(10, "true", 1000)
	p := l.promise(4, 9, 6)
	l.shown = l.sign(5, 1000, l.wit...)
	text, _, err := w.CheckPromise(ctx, p)
	if !errors.Is(err, client.ErrNotCovered) || errors.Is(err, proofs.ErrNotVerified) || text.State != "sequenced" {
		t.Errorf("before a checkpoint covers it: got %+v and error %v, want what was promised and ErrNotCovered", text, err)
	}
	l.shown = l.sign(10, 1001, l.wit...)
	text, view, err := w.CheckPromise(ctx, p)
	if err != nil || view.Checkpoint.Size != 10 || text.Start != 4 || text.End != 9 {
		t.Errorf("a promise that was kept: got %+v, size %d and error %v", text, view.Checkpoint.Size, err)
	}
	p.Promise.Proof = nil
	if _, _, err := w.CheckPromise(ctx, p); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("what was never promised: got error %v, want ErrNotVerified", err)
	}
	if len(w.evidence) > 0 {
		t.Errorf("evidence was saved against a log that keeps its word: %+v", w.evidence)
	}
}

func TestABrokenPromiseIsEvidence(t *testing.T) {
	for _, size := range []int{7, 10, 300} {
		l := newCheatingLog(t)
		w := l.watch()
		l.grow(10, "true", 1000)
		p := l.promise(4, 9, 6)
		l.rewrite(5)
		shown := l.grow(size, "false", 1001)
		_, _, err := w.CheckPromise(ctx, p)
		refused(t, l, w, err, client.Broken, shown)
		if got := err.Error(); !strings.Contains(got, "broken promise: "+logOrigin+" promised entry 6, and has another one there, in its tree with ") {
			t.Errorf("got %q, want what was seen", got)
		}
		e := w.evidence[0]
		b, err := client.FormatEvidence(e)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := client.ParseEvidence(b); err != nil || again.Check(l.policy) != nil {
			t.Errorf("the evidence does not survive its file: %v", err)
		}
	}
}

func TestEvidenceOfBrokenPromisesConvictsNobodyWrongly(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	l.grow(10, "true", 1000)
	honest, p := l.shown, l.promise(4, 9, 6)
	kept := proofs.LeafHash(p.Leaf)
	l.rewrite(5)
	l.grow(10, "false", 1001)
	_, _, err := w.CheckPromise(ctx, p)
	refused(t, l, w, err, client.Broken, l.shown)
	broken := w.evidence[0]
	other := newCheatingLog(t)
	stranger, err := proofs.GenerateKey(logOrigin, proofs.Ed25519, bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	other.key = stranger
	other.grow(10, "true", 1000)
	forged, err := client.FormatPromisedEntry(other.promise(4, 9, 6))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(e *client.Evidence){
		"with the checkpoint that keeps it":   func(e *client.Evidence) { e.New = string(honest) },
		"with the leaf that was promised":     func(e *client.Evidence) { e.Leaf = &kept },
		"with any other leaf":                 func(e *client.Evidence) { e.Leaf = &proofs.Hash{1} },
		"without a leaf":                      func(e *client.Evidence) { e.Leaf = nil },
		"with a proof cut short":              func(e *client.Evidence) { e.Proof = e.Proof[1:] },
		"called a fork":                       func(e *client.Evidence) { e.What = client.Fork },
		"with a promise that is damaged":      func(e *client.Evidence) { e.Old = e.Old[1:] },
		"with a promise by another key":       func(e *client.Evidence) { e.Old = string(forged) },
		"with a promise of another index":     func(e *client.Evidence) { e.Old = strings.Replace(e.Old, "index 6", "index 5", 1) },
		"with a checkpoint of another log":    func(e *client.Evidence) { e.New = string(other.shown) },
		"with a checkpoint that is no longer": func(e *client.Evidence) { e.New = "" },
	} {
		e := broken
		change(&e)
		if err := e.Check(l.policy); !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want a refusal", name, err)
		}
	}
}
