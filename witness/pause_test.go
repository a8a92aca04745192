package witness_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// An outside key is one that somebody else keeps, and is away on demand.
type outsideKey struct {
	ed25519.PrivateKey
	away  error // nil: it is there
	asked int
}

func (k *outsideKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.asked++; k.away != nil {
		return nil, k.away
	}
	return k.PrivateKey.Sign(nil, message, opts)
}

// asking asks a witness to cosign a checkpoint of a log.
func (b *bench) asking(t *testing.T, h history, old, size uint64) *http.Response {
	t.Helper()
	r := witness.Request{Old: old, Checkpoint: sign(t, h.text(t, origin, size), key(t, origin, proofs.Ed25519))}
	if old > 0 {
		r.Proof = h.proof(t, old, size)
	}
	return b.do(t, http.MethodPost, "/add-checkpoint", witness.FormatRequest(r))
}

func TestNothingIsCosignedWhileAKeyIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &outsideKey{PrivateKey: ed25519.NewKeyFromSeed(make([]byte, 32))}
		outside, err := proofs.NewSigningKey("witness.example/w", proofs.Ed25519Cosignature, away)
		must(t, err)
		b := newBench(t, trust(key(t, origin, proofs.Ed25519))...)
		registry := prometheus.NewRegistry()
		var log bytes.Buffer
		b.Witness, err = witness.New(t.Context(), witness.Config{
			// The key in the file signs first: its signature must not get out alone.
			Keys:      []proofs.SigningKey{key(t, "witness.example/w", proofs.MLDSA44), outside},
			Registers: b.world.Registers("cosigned"), Logs: b.logs, Clock: b.clock.Now,
			Metrics: registry, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		must(t, err)
		h := newHistory(100, "")
		if got := b.asking(t, h, 0, 5); got.StatusCode != http.StatusOK {
			t.Fatalf("got %s", got.Status)
		}
		before, asked := b.served(t, origin), away.asked

		away.away = errors.New("ssh-agent /run/agent: it has no key, or is locked")
		for range 3 {
			got := b.asking(t, h, 5, 8)
			if body := read(t, got); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "5" || body != "the witness cannot sign now\n" {
				t.Errorf("got %s %q, want 503 that says to come back, and not why", got.Status, body)
			}
		}
		if n := away.asked - asked; n != 1 {
			t.Errorf("the key was asked %d times within a second, want once", n)
		}
		if now := b.served(t, origin); now != before {
			t.Errorf("it remembers as cosigned\n%swant\n%s", now, before)
		}
		if got := b.asking(t, h, 0, 8); got.StatusCode != http.StatusConflict {
			t.Errorf("got %s for another old size, want 409 as ever", got.Status)
		}
		pauses := func(value string) {
			t.Helper()
			must(t, testutil.GatherAndCompare(registry, strings.NewReader(
				"# HELP cairn_witness_signing_paused 1 while a signing key cannot be used, so that nothing is cosigned.\n"+
					"# TYPE cairn_witness_signing_paused gauge\ncairn_witness_signing_paused "+value+"\n"), "cairn_witness_signing_paused"))
		}
		pauses("1")

		away.away = nil
		time.Sleep(time.Second)
		got := b.asking(t, h, 5, 8)
		signatures, err := proofs.ParseSignatures([]byte(read(t, got)))
		if err != nil || len(signatures) != 2 {
			t.Errorf("got %s, %v and %d signatures, want both keys'", got.Status, err, len(signatures))
		}
		pauses("0")
		for _, once := range []string{"nothing is cosigned until", "is locked", "sign again"} {
			if n := strings.Count(log.String(), once); n != 1 {
				t.Errorf("the log says %q %d times, want once:\n%s", once, n, &log)
			}
		}
	})
}

// TestPausedWitnessKeepsToOneHistory: what was signed with one key and thrown
// away binds nobody, and what was cosigned binds as ever.
func TestPausedWitnessKeepsToOneHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &outsideKey{PrivateKey: ed25519.NewKeyFromSeed(make([]byte, 32))}
		outside, err := proofs.NewSigningKey("witness.example/w", proofs.Ed25519Cosignature, away)
		must(t, err)
		b := newBench(t, trust(key(t, origin, proofs.Ed25519))...)
		b.Witness, err = witness.New(t.Context(), witness.Config{
			Keys: []proofs.SigningKey{outside}, Registers: b.world.Registers("cosigned"), Logs: b.logs, Clock: b.clock.Now,
		})
		must(t, err)
		one, other := newHistory(100, ""), newHistory(3, "other")
		status := func(h history, old, size uint64) int { return b.asking(t, h, old, size).StatusCode }
		var got []int
		got = append(got, status(one, 0, 5))
		away.away = errors.New("away")
		got = append(got, status(one, 5, 8))
		away.away = nil
		time.Sleep(time.Second)
		got = append(got, status(other, 5, 8), status(one, 5, 9), status(other, 5, 9))
		if want := []int{200, 503, 422, 200, 409}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
