package ledger

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func alice(l *Ledger) *Session { return l.As(Caller{Name: "alice"}) }

// unpromised appends an event that is recorded and not promised.
func unpromised(t *testing.T, l *Ledger, e client.Event) {
	t.Helper()
	_, err := alice(l).Append(t.Context(), DefaultStream, []client.Event{e}, client.Sequenced)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Unavailable || p.RetryAfter <= 0 || !strings.Contains(p.Detail, "the events are recorded") {
		t.Fatalf("got %v, want unavailable, to be tried again", err)
	}
	if strings.Contains(p.Error(), "ssh-agent") {
		t.Errorf("the caller is told of the key: %v", p)
	}
}

func TestSigningPausesWhileTheKeyIsAway(t *testing.T) {
	w, k := outsideWorld(t)
	w.create()
	c := w.config()
	registry := prometheus.NewRegistry()
	var log lockedBuffer
	c.Metrics, c.Logger = registry, slog.New(slog.NewTextHandler(&log, nil))
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	appendEvents(t, alice(l), client.Witnessed, event(1))
	before := l.Status().Sizes

	k.leave()
	unpromised(t, l, event(2))
	eventually(t, "the entry is in the tree", func() bool { return l.Status().Sizes.Integrated > before.Integrated })
	eventually(t, "signing pauses", func() bool { return l.Status().Paused != "" })
	s := l.Status()
	if s.Sizes.Signed != before.Signed || s.Sizes.Published != before.Published || s.Stopped != "" || !s.Ready || !strings.Contains(s.Paused, errAway.Error()) {
		t.Errorf("got %+v, want that it takes entries, and signs nothing because %v", s, errAway)
	}
	if err := gauged(registry, "1"); err != nil {
		t.Error(err)
	}
	unpromised(t, l, event(3))

	k.comeBack()
	got := appendEvents(t, alice(l), client.Witnessed, event(2), event(3), event(4))
	if !got[0].Duplicate || !got[1].Duplicate || got[2].Duplicate {
		t.Errorf("got %+v, want that what was sent before is recorded once", got)
	}
	if s := l.Status(); s.Paused != "" || l.Stopped() != nil {
		t.Errorf("got %+v, want that it signs", s)
	}
	if err := gauged(registry, "0"); err != nil {
		t.Error(err)
	}
	for i, want := range []client.Event{event(2), event(3), event(4)} {
		checkEntry(t, alice(l), w.policy, got[i].Index, want)
	}
	for _, once := range []string{"signing pauses", "signs again"} {
		if n := strings.Count(log.String(), once); n != 1 {
			t.Errorf("the log says %q %d times, want once", once, n)
		}
	}
	if a := appendEvents(t, alice(l), client.Sequenced, event(5))[0]; a.State != client.Witnessed && a.Promise == nil {
		t.Error("nothing is promised although the key is there")
	}
}

// gauged checks the metric that says whether signing pauses.
func gauged(registry *prometheus.Registry, value string) error {
	return testutil.GatherAndCompare(registry, strings.NewReader(
		"# HELP cairn_signing_paused 1 while a signing key cannot be used, so that nothing is signed.\n"+
			"# TYPE cairn_signing_paused gauge\ncairn_signing_paused "+value+"\n"), "cairn_signing_paused")
}

// A lockedBuffer takes what several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestWhatIsPublishedStaysFreshWhileSigningPauses(t *testing.T) {
	w, k := outsideWorld(t)
	l := w.beating(50 * time.Millisecond)
	k.leave()
	before := l.Status().Sizes.Published
	unpromised(t, l, event(1))
	note := func() string { return string(l.progress.publication().note) }
	eventually(t, "signing pauses", func() bool { return l.Status().Paused != "" })
	for range 2 { // cosignatures tell seconds
		last := note()
		eventually(t, "the published checkpoint is cosigned again", func() bool { return note() != last })
	}
	if got := l.Status().Sizes.Published; got != before {
		t.Errorf("got published size %d, want still %d", got, before)
	}
	k.comeBack()
	appendEvents(t, alice(l), client.Witnessed, event(1))
}

func TestLedgerStartsAndEndsWhileItsKeyIsAway(t *testing.T) {
	w, k := outsideWorld(t)
	w.create()
	k.leave()
	l := w.open()
	unpromised(t, l, event(1))
	started := time.Now()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("closing took %v", took)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	w.crash(rng)
	l = w.open()
	unpromised(t, l, event(2))
	if s := l.Status(); s.Sizes.Published == s.Sizes.Integrated {
		t.Errorf("got %+v: something was published that nobody could sign", s.Sizes)
	}
	die(l) // or it signs when the key is back
	w.crash(rng)
	k.comeBack()
	l = w.open()
	t.Cleanup(func() { l.Close() })
	got := appendEvents(t, alice(l), client.Witnessed, event(1), event(2))
	if !got[0].Duplicate || !got[1].Duplicate {
		t.Errorf("got %+v, want what was recorded while the key was away", got)
	}
}

func TestLedgerIsMadeOnceItsKeyIsThere(t *testing.T) {
	w, k := outsideWorld(t)
	k.leave()
	if err := Create(t.Context(), w.config()); !errors.Is(err, proofs.ErrUnsigned) {
		t.Fatalf("got %v, want ErrUnsigned", err)
	}
	k.comeBack()
	w.create()
	l := w.open()
	t.Cleanup(func() { l.Close() })
	appendEvents(t, alice(l), client.Witnessed, event(1))
}

// TestOneRootForEachSize however often the key goes and comes, and however
// often the power fails meanwhile.
func TestOneRootForEachSizeWhateverTheKeyDoes(t *testing.T) {
	w, k := outsideWorld(t)
	w.create()
	rng := rand.New(rand.NewPCG(3, 4))
	n := 0
	for range 6 {
		calls := 0
		k.behave(func() error {
			if calls++; calls%3 > 0 {
				return errAway
			}
			return nil
		})
		l := w.open()
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, _ = alice(l).Append(ctx, DefaultStream, []client.Event{event(n)}, client.Integrated) // what becomes of it is seen below
			cancel()
			n++
		}
		k.leave() // what dies now signs nothing more
		w.crash(rng)
		l.Close()
	}
	k.comeBack()
	l := w.open()
	t.Cleanup(func() { l.Close() })
	var all []client.Event
	for i := range n {
		all = append(all, event(i))
	}
	for i, a := range appendEvents(t, alice(l), client.Witnessed, all...) {
		checkEntry(t, alice(l), w.policy, a.Index, all[i])
	}
	judged(t, l, w.policy)
}

func TestCheckpointIsSignedByAllKeysOrByNone(t *testing.T) {
	w, k := outsideWorld(t)
	w.create()
	k.leave()
	second, err := proofs.GenerateKey(w.keys[0].Key().Name(), proofs.MLDSA44, &seeded{rand.NewChaCha8([32]byte{2})})
	if err != nil {
		t.Fatal(err)
	}
	w.keys = append([]proofs.SigningKey{second}, w.keys...)
	s := newSigner(w.keys, slog.New(slog.DiscardHandler))
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: second.Key().Name(), Size: 7})
	if err != nil {
		t.Fatal(err)
	}
	if note, err := s.checkpoint(text, 1); !errors.Is(err, proofs.ErrUnsigned) || len(note.Signatures) > 0 {
		t.Errorf("got %v and %d signatures, want ErrUnsigned and none", err, len(note.Signatures))
	}
	k.comeBack()
	if note, err := s.checkpoint(text, 1); err != nil || len(note.Signatures) != 2 {
		t.Errorf("got %v and %d signatures, want both", err, len(note.Signatures))
	}
}

func TestPromisesDoNotHoldCheckpointsUp(t *testing.T) {
	_, k := outsideWorld(t)
	key, err := proofs.NewSigningKey("example.com/ledger", proofs.Ed25519, k)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSigner([]proofs.SigningKey{key}, slog.New(slog.DiscardHandler))
		release, err := s.turn()
		if err != nil {
			t.Fatal(err)
		}
		text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: "example.com/ledger", Size: 7})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := s.checkpoint(text, 1); err != nil || time.Since(start) > 0 {
			t.Errorf("got %v after %v, want a checkpoint at once", err, time.Since(start))
		}
		var p *client.Problem
		if _, err := s.turn(); !errors.As(err, &p) || time.Since(start) != promiseTurn {
			t.Errorf("got %v after %v, want a problem after %v", err, time.Since(start), promiseTurn)
		}
		release()
		k.leave()
		if _, err := s.checkpoint(text, 1); !errors.Is(err, proofs.ErrUnsigned) {
			t.Errorf("got %v, want ErrUnsigned", err)
		}
		start = time.Now()
		if _, err := s.turn(); !errors.As(err, &p) || time.Since(start) > 0 {
			t.Errorf("got %v after %v, want a problem at once", err, time.Since(start))
		}
		time.Sleep(promisePause)
		k.comeBack()
		if release, err = s.turn(); err != nil {
			t.Fatalf("got %v, want another attempt", err)
		}
		release()
	})
}
