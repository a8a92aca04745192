package client_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// forkEvidence returns a cheating log and the evidence of its fork between two
// sizes.
func forkEvidence(t testing.TB, before, kept, after int) (*cheatingLog, client.Evidence) {
	l := newCheatingLog(t)
	w := l.watch()
	l.grow(before, "true", 1000)
	if _, err := w.Update(ctx); err != nil {
		t.Fatal(err)
	}
	l.rewrite(kept)
	l.grow(after, "false", 1001)
	if _, err := w.Update(ctx); err == nil {
		t.Fatal("the fork was believed")
	}
	return l, w.evidence[0]
}

func TestEvidenceConvictsNobodyWrongly(t *testing.T) {
	l, fork := forkEvidence(t, 5, 3, 9)
	honest := newCheatingLog(t)
	small, large := honest.grow(5, "true", 1000), honest.grow(9, "true", 1001)
	root := rootOf(honest.leaves[:5])
	tests := []struct {
		name   string
		change func(e *client.Evidence)
	}{
		{"of one history", func(e *client.Evidence) { e.Old, e.New = string(small), string(large) }},
		{"of one history, with its true root", func(e *client.Evidence) {
			*e = client.Evidence{What: client.Fork, Old: string(small), New: string(large), Root: &root}
		}},
		{"of one checkpoint twice", func(e *client.Evidence) { e.New = e.Old }},
		{"with a proof cut short", func(e *client.Evidence) { e.Proof = e.Proof[1:] }},
		{"with another root", func(e *client.Evidence) { e.Root = &proofs.Hash{1} }},
		{"without a root", func(e *client.Evidence) { e.Root = nil }},
		{"called a rollback", func(e *client.Evidence) { e.What = client.Rollback }},
		{"called something else", func(e *client.Evidence) { e.What = "mistake" }},
		{"of an unsigned checkpoint", func(e *client.Evidence) {
			e.New = strings.Replace(e.New, "— "+logOrigin, "— example.com/x", 1)
		}},
		{"of a damaged checkpoint", func(e *client.Evidence) { e.Old = e.Old[1:] }},
	}
	if err := fork.Check(l.policy); err != nil {
		t.Fatalf("the true evidence: %v", err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := fork
			tt.change(&e)
			err := e.Check(l.policy)
			if !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("got error %v, want a refusal", err)
			}
		})
	}
}

func TestHistoryErrorsSayWhatWasSeen(t *testing.T) {
	_, fork := forkEvidence(t, 5, 3, 9)
	if got := (&client.HistoryError{Evidence: fork}).Error(); !strings.Contains(got, "fork") || !strings.Contains(got, "5 entries") || !strings.Contains(got, "9 entries") {
		t.Errorf("got %q, want a fork between 5 and 9 entries", got)
	}
	rollback := client.Evidence{What: client.Rollback, Old: fork.New, New: fork.Old}
	if got := (&client.HistoryError{Evidence: rollback}).Error(); !strings.Contains(got, "had 9 entries before, and now shows 5") {
		t.Errorf("got %q, want a rollback from 9 to 5 entries", got)
	}
}

func FuzzParseEvidence(f *testing.F) {
	l, fork := forkEvidence(f, 5, 3, 9)
	b, err := client.FormatEvidence(fork)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := client.ParseEvidence(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want ErrMalformed", err)
			}
			return
		}
		again, err := client.FormatEvidence(e)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q became %q (error %v)", b, again, err)
		}
		_ = e.Check(l.policy) // must not panic
	})
}
