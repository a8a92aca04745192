package ledger

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A signer signs with the log's keys, and knows whether they can be signed
// with: one that an agent has may be away for a while. Then signing pauses.
// Nothing was signed ([proofs.ErrUnsigned]), and so nothing speaks against
// trying again, with whatever the tree has become meanwhile.
type signer struct {
	keys []proofs.SigningKey
	log  *slog.Logger

	// promises holds whoever has the turn to sign a promise. There are many of
	// them, and a token may take a second for each: a checkpoint waits behind
	// one at most.
	promises chan struct{}

	mu      sync.Mutex
	trouble string    // why the last checkpoint was not signed; empty: it was
	failed  time.Time // the last attempt that failed, also for a promise; zero: a checkpoint was signed since
}

func newSigner(keys []proofs.SigningKey, log *slog.Logger) *signer {
	return &signer{keys: keys, log: log, promises: make(chan struct{}, 1)}
}

// checkpoint signs the text of a checkpoint with every key, or with none: the
// signatures of those that could are thrown away.
func (s *signer) checkpoint(text string, unixTime uint64) (proofs.Note, error) {
	note := proofs.Note{Text: text}
	for _, k := range s.keys {
		signature, err := k.SignCheckpoint(text, unixTime)
		if err != nil {
			s.pause(err)
			return proofs.Note{}, err
		}
		note.Signatures = append(note.Signatures, signature)
	}
	s.resume()
	return note, nil
}

const (
	// promiseTurn is how long a promise waits for those before it.
	promiseTurn = 5 * time.Second

	// promisePause is how long no promise is tried after a key could not be
	// signed with. The next checkpoint is tried sooner, and says when it can be.
	promisePause = 2 * maxBackoff
)

// turn waits for the turn to sign a promise, which ends when release is
// called. The error is that of a promise that cannot be signed now.
func (s *signer) turn() (release func(), err error) {
	if s.recently(promisePause) {
		return nil, errUnpromised()
	}
	late := time.NewTimer(promiseTurn)
	defer late.Stop()
	select {
	case s.promises <- struct{}{}:
		return func() { <-s.promises }, nil
	case <-late.C:
		return nil, errUnpromised()
	}
}

// promise signs a promise, by whoever has the turn.
func (s *signer) promise(text proofs.PromiseText) ([]byte, error) {
	if s.recently(promisePause) { // those before us found out
		return nil, errUnpromised()
	}
	note, err := s.keys[0].SignPromise(text)
	if errors.Is(err, proofs.ErrUnsigned) {
		// Why is found out with the checkpoint, which is tried until it is signed.
		s.mu.Lock()
		s.failed = time.Now()
		s.mu.Unlock()
		return nil, errUnpromised()
	}
	return note, err
}

// errUnpromised is what callers are told of events for which the ledger cannot
// give its word: not why, which is the operator's matter.
func errUnpromised() error {
	p := client.NewProblem(client.Unavailable, "the events are recorded, and the ledger cannot sign its word for it now",
		"send them again with the same idempotency keys: each is recorded once")
	p.RetryAfter = promiseTurn
	return p
}

// pause takes down why a checkpoint was not signed, and tells the log if that
// is new.
func (s *signer) pause(err error) {
	if !errors.Is(err, proofs.ErrUnsigned) {
		return // no key was asked
	}
	trouble := err.Error()
	if _, cause, ok := strings.Cut(trouble, proofs.ErrUnsigned.Error()+": "); ok {
		trouble = cause
	}
	s.mu.Lock()
	was := s.trouble
	s.trouble, s.failed = trouble, time.Now()
	s.mu.Unlock()
	if was != trouble {
		s.log.Error("signing pauses until the signing key can be used again", slog.String("error", trouble))
	}
}

// resume takes down that a checkpoint was signed.
func (s *signer) resume() {
	s.mu.Lock()
	was := s.trouble
	s.trouble, s.failed = "", time.Time{}
	s.mu.Unlock()
	if was != "" {
		s.log.Info("the signing key signs again")
	}
}

// paused returns why nothing is signed now; empty where signing goes on.
func (s *signer) paused() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// recently reports whether a key could not be signed with less than a time ago.
func (s *signer) recently(d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.failed.IsZero() && time.Since(s.failed) < d
}
