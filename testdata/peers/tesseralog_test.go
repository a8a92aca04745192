package peers

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
)

// tesseraOrigin is the name of a log that Tessera keeps.
const tesseraOrigin = "tessera.localhost/peers"

// A tesseraKey is the key of a log that Tessera keeps.
type tesseraKey struct {
	signer note.Signer
	key    proofs.Key
}

func newTesseraKey(t *testing.T) tesseraKey {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, tesseraOrigin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := proofs.ParseKey(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return tesseraKey{signer, key}
}

// openTessera opens the Tessera POSIX log in dir, whose checkpoints the
// witnesses cosign before it publishes them. It returns what stops it.
func openTessera(t *testing.T, dir string, key tesseraKey, witnesses ...servedWitness) (log *tesseraLog, stop func(), err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	o := tessera.NewAppendOptions().WithCheckpointSigner(key.signer).
		WithCheckpointInterval(100*time.Millisecond).WithBatching(256, 10*time.Millisecond)
	if len(witnesses) > 0 {
		o.WithWitnesses(tesseraPolicy(t, policyOf(key.key, witnesses...)), &tessera.WitnessOptions{Timeout: time.Minute})
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, o)
	if err != nil {
		return nil, nil, err
	}
	return &tesseraLog{appender, reader, tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 10*time.Millisecond)}, func() {
		if err := shutdown(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}, nil
}

// tesseraPolicy has Tessera read a policy that we wrote.
func tesseraPolicy(t *testing.T, text []byte) tessera.WitnessGroup {
	t.Helper()
	group, err := tessera.NewWitnessGroupFromPolicy(text)
	if err != nil {
		t.Fatalf("Tessera does not read our policy: %v\n%s", err, text)
	}
	return group
}

// A tesseraLog is an open log of Tessera's.
type tesseraLog struct {
	*tessera.Appender
	tessera.LogReader
	published *tessera.PublicationAwaiter
}

// append appends n random entries and returns a checkpoint that covers them.
func (l *tesseraLog) append(t *testing.T, n int) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var last tessera.IndexFuture
	for range n {
		last = l.Add(ctx, tessera.NewEntry([]byte(rand.Text())))
	}
	_, checkpoint, err := l.published.Await(ctx, last)
	if err != nil {
		t.Fatalf("Tessera does not publish: %v", err)
	}
	return checkpoint
}

// mustBeCosigned has torchwood and Tessera judge the cosignatures of a
// checkpoint that Tessera published.
func mustBeCosigned(t *testing.T, checkpoint []byte, key tesseraKey, witnesses ...servedWitness) {
	t.Helper()
	text := policyOf(key.key, witnesses...)
	if _, _, err := torchwood.VerifyCheckpoint(checkpoint, torchwoodPolicy(t, text)); err != nil {
		t.Errorf("torchwood does not accept our cosignature on Tessera's checkpoint: %v\n%s", err, checkpoint)
	}
	if _, _, err := torchwood.VerifyCheckpoint(forge(t, checkpoint), torchwoodPolicy(t, text)); err == nil {
		t.Error("torchwood accepts our cosignature for another root")
	}
	group := tesseraPolicy(t, text)
	if !group.Satisfied(checkpoint) {
		t.Errorf("Tessera does not accept our cosignature on its checkpoint:\n%s\n%s", text, checkpoint)
	}
	if group.Satisfied(forge(t, checkpoint)) {
		t.Error("Tessera accepts our cosignature for another root")
	}
}

// TestWitnessCosignsTesseraLog has Tessera, as the log, ask our witness to
// cosign, from the empty tree on and with its own consistency proofs; then
// with a second witness of ours, which has never heard of the log: Tessera
// learns that from its answer 409. torchwood and Tessera, as clients, accept
// the cosignatures.
func TestWitnessCosignsTesseraLog(t *testing.T) {
	dir, key := t.TempDir(), newTesseraKey(t)
	first, second := serveWitness(t), serveWitness(t)
	first.trust(t, key.key)
	second.trust(t, key.key)
	log, stop, err := openTessera(t, dir, key, first)
	if err != nil {
		t.Fatalf("Tessera does not start a log with our witness: %v", err)
	}
	for range 3 {
		mustBeCosigned(t, log.append(t, 300), key, first)
	}
	stop()
	if log, stop, err = openTessera(t, dir, key, first, second); err != nil {
		t.Fatal(err)
	}
	mustBeCosigned(t, log.append(t, 10), key, first, second)
	stop()
	if !second.answered(t, http.StatusConflict) {
		t.Error("the second witness never told Tessera the size that it knows")
	}
	seen, err := first.Checkpoint(t.Context(), tesseraOrigin)
	if err != nil {
		t.Fatal(err)
	}
	mustBeCosigned(t, seen, key, first)
}

// TestWitnessRefusesTesseraFork has Tessera start the same log anew, which our
// witness knows already, and then show a larger history that it never saw.
func TestWitnessRefusesTesseraFork(t *testing.T) {
	dir, key, w := t.TempDir(), newTesseraKey(t), serveWitness(t)
	w.trust(t, key.key)
	log, stop, err := openTessera(t, dir, key, w)
	if err != nil {
		t.Fatal(err)
	}
	log.append(t, 10)
	stop()
	_, _, err = openTessera(t, t.TempDir(), key, w)
	if want := "replied with x.tlog.size 10, larger than log size 0"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Tessera starts the log anew, got %v, want our witness to refuse: %s", err, want)
	}

	fork := t.TempDir()
	if log, stop, err = openTessera(t, fork, key); err != nil {
		t.Fatal(err)
	}
	unseen := log.append(t, 20)
	stop()
	if log, stop, err = openTessera(t, fork, key, w); err != nil {
		t.Fatal(err)
	}
	defer stop()
	log.Add(t.Context(), tessera.NewEntry([]byte("one more")))
	if !w.answered(t, http.StatusUnprocessableEntity) {
		t.Error("our witness did not refuse the proof of a fork")
	}
	if now, err := log.ReadCheckpoint(t.Context()); err != nil || string(now) != string(unseen) {
		t.Errorf("Tessera publishes a checkpoint that our witness refused, %v:\n%s", err, now)
	}
}
