// Package ledgertest opens complete ledgers for the tests of what uses them:
// a real directory with journal, vault and Trillian's tree, and one witness
// in this process that can be made silent.
//
// It promises nothing else. Nothing that is shipped imports it.
package ledgertest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// Origin is the name of every ledger that this package makes.
const Origin = "ledger.example/test"

// A World is an open ledger with its witness.
type World struct {
	*local.Directory
	Metrics *prometheus.Registry
	Witness *Witness
}

// A Witness is a real one that says nothing when told so.
type Witness struct {
	*witness.Witness
	silent atomic.Bool
}

// Silence makes the witness silent, or speak again.
func (w *Witness) Silence(silent bool) { w.silent.Store(silent) }

// AddCheckpoint cosigns as a witness does.
func (w *Witness) AddCheckpoint(ctx context.Context, r witness.Request) ([]byte, error) {
	if w.silent.Load() {
		return nil, &witness.Error{Status: http.StatusServiceUnavailable, Reason: "the test made it silent"}
	}
	return w.Witness.AddCheckpoint(ctx, r)
}

// Open makes a ledger in a temporary directory and opens it until the test
// ends. The configuration's paths stay empty.
func Open(t testing.TB, c local.Config) *World {
	t.Helper()
	w, err := Make(t.Context(), t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Make makes a ledger in an empty directory and opens it.
func Make(ctx context.Context, dir string, c local.Config) (*World, error) {
	return MakeAt(ctx, dir, c, nil)
}

// MakeAt is Make with a clock that the ledger and its witness share; nil is
// time.Now.
func MakeAt(ctx context.Context, dir string, c local.Config, clock func() time.Time) (*World, error) {
	key, err := proofs.GenerateKey("witness.example/test", proofs.Ed25519Cosignature, rand.Reader)
	if err != nil {
		return nil, err
	}
	inner, err := witness.New(ctx, witness.Config{
		Keys: []proofs.SigningKey{key}, Registers: memory.New(nil).Registers("witness"), Clock: clock,
	})
	if err != nil {
		return nil, err
	}
	w := &World{Metrics: prometheus.NewRegistry(), Witness: &Witness{Witness: inner}}
	o := local.Options{Clock: clock, Witnesses: []ledger.Witness{{Names: []string{"w"}, Cosigner: w.Witness}}}
	policy := fmt.Sprintf("witness w %s\nquorum w\n", key.Key())
	if err := local.Init(ctx, dir, local.InitOptions{Origin: Origin, Policy: policy, Config: c, Options: o}); err != nil {
		return nil, err
	}
	if err := w.Witness.know(filepath.Join(dir, "policy")); err != nil {
		return nil, err
	}
	o.Metrics = w.Metrics
	if w.Directory, err = local.Open(ctx, dir, c, o); err != nil {
		return nil, err
	}
	return w, nil
}

// know lets the witness cosign for the logs of a policy.
func (w *Witness) know(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	policy, err := proofs.ParsePolicy(text)
	if err != nil {
		return err
	}
	var logs []witness.Log
	for _, l := range policy.Logs {
		logs = append(logs, witness.Log{Key: l.Key, Origin: l.Key.Name(), QPD: 1<<31 - 1, Contact: "test"})
	}
	return w.SetLogs(logs)
}
