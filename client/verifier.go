package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A Verifier believes a ledger as far as it can check it, and remembers what
// it believed. It asks a ledger that nobody vouches for; everything that it
// returns without an error is true under the policy.
//
// The law: the checkpoints that a verifier believes are signed by a log of the
// policy, cosigned by its quorum, and of one history: each one's tree begins
// with that of every smaller one, over all processes that share the memory.
// The believed size never shrinks. A ledger that shows another history, or an
// older one as its latest, is refused with a [HistoryError] that holds the
// evidence, and what was believed before stays believed.
//
// It is safe for concurrent use.
type Verifier struct {
	o VerifierOptions

	mu     sync.Mutex // held while one checkpoint is compared with the memory
	view   View       // the largest so far; its Reader is nil at first
	recent recent     // spares to check and compare again what is the same
}

// VerifierOptions say what to believe and where to ask.
type VerifierOptions struct {
	// Policy says which log and witnesses are believed. It must come from
	// where one trusts, and never from the ledger.
	Policy *proofs.Policy

	// Files is the ledger's public face: a [Log], a mirror, or the directory
	// of an export. What it says is not believed.
	Files proofs.FileReader

	// Memory holds the checkpoint that was believed last, as it was signed.
	// Whoever can change it can make a verifier forget.
	Memory storage.Register

	// MaxAge is how old the cosigned time of the latest checkpoint may be;
	// 0: of any age. It needs Clock.
	MaxAge time.Duration
	Clock  func() time.Time

	// Patience is how long the ledger may show an older checkpoint than the
	// believed one before that is called a rollback: caches between may lag.
	Patience time.Duration

	// Evidence, unless nil, is given what contradicts, to be saved before the
	// HistoryError is returned.
	Evidence func(context.Context, Evidence) error
}

// A View is a ledger as far as a checkpoint that is believed shows it.
type View struct {
	proofs.Verdict
	Signed []byte         // the checkpoint as it was signed
	Reader *proofs.Reader // of its tree; proofs made from it are right
}

// NewVerifier returns a verifier. It reads nothing yet.
func NewVerifier(o VerifierOptions) (*Verifier, error) {
	if o.Policy == nil || o.Files == nil || o.Memory == nil {
		return nil, errors.New("verifier: policy, files and memory are needed")
	}
	if o.MaxAge > 0 && o.Clock == nil {
		return nil, errors.New("verifier: a maximum age needs a clock")
	}
	return &Verifier{o: o}, nil
}

// Update asks the ledger for its latest checkpoint and believes it, if it
// extends what was believed. Its errors match [proofs.ErrNotVerified] or
// [proofs.ErrMalformed] where the answer is no, and are a [*HistoryError]
// where the log contradicts itself; others mean that it could not be told.
func (v *Verifier) Update(ctx context.Context) (View, error) {
	var patience <-chan time.Time
	for {
		view, err := v.update(ctx)
		var h *HistoryError
		if !errors.As(err, &h) {
			return view, err
		}
		if h.Evidence.What != Rollback || v.o.Patience <= 0 {
			return View{}, v.report(ctx, h)
		}
		if patience == nil {
			timer := time.NewTimer(v.o.Patience)
			defer timer.Stop()
			patience = timer.C
		}
		select {
		case <-ctx.Done():
			return View{}, ctx.Err()
		case <-patience:
			return View{}, v.report(ctx, h)
		case <-time.After(v.o.Patience / 8):
		}
	}
}

func (v *Verifier) update(ctx context.Context) (View, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for {
		// The memory is read before the ledger is asked: what another process
		// comes to believe meanwhile does not make the answer a rollback.
		old, err := v.recall(ctx)
		if err != nil {
			return View{}, err
		}
		signed, err := v.o.Files.ReadFile(ctx, "checkpoint")
		if errors.Is(err, fs.ErrNotExist) {
			return View{}, fmt.Errorf("the ledger publishes no checkpoint: %w", err)
		}
		if err != nil {
			return View{}, fmt.Errorf("checkpoint: %w", err)
		}
		verdict, err := v.check(signed)
		if err != nil {
			return View{}, fmt.Errorf("checkpoint: %w", err)
		}
		if err := v.fresh(verdict); err != nil {
			return View{}, err
		}
		if old != nil && verdict.Checkpoint.Size < old.Size {
			return View{}, v.rolledBack(ctx, old, signed, verdict)
		}
		view, err := v.believe(ctx, old, signed, verdict)
		if errors.Is(err, storage.ErrConflict) {
			continue
		}
		return view, err
	}
}

// Believe believes a signed checkpoint that came from anywhere, such as a
// receipt, if it is of the history that was believed so far. It may be
// smaller; then the view is of the smaller tree. Errors are those of Update.
func (v *Verifier) Believe(ctx context.Context, signed []byte) (View, error) {
	view, err := v.believeGiven(ctx, signed)
	var h *HistoryError
	if errors.As(err, &h) {
		return View{}, v.report(ctx, h)
	}
	return view, err
}

func (v *Verifier) believeGiven(ctx context.Context, signed []byte) (View, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if view, ok := v.recent.find(signed); ok {
		return view, nil // once of this history, always
	}
	verdict, err := v.check(signed)
	if err != nil {
		return View{}, fmt.Errorf("checkpoint: %w", err)
	}
	for {
		old, err := v.recall(ctx)
		if err != nil {
			return View{}, err
		}
		view, err := v.believe(ctx, old, signed, verdict)
		if errors.Is(err, storage.ErrConflict) {
			continue
		}
		return view, err
	}
}

// check checks a checkpoint by the policy.
func (v *Verifier) check(signed []byte) (proofs.Verdict, error) {
	if view, ok := v.recent.find(signed); ok {
		return view.Verdict, nil
	}
	return v.o.Policy.Check(signed)
}

// fresh demands that the quorum saw the checkpoint not too long ago.
func (v *Verifier) fresh(verdict proofs.Verdict) error {
	if v.o.MaxAge <= 0 {
		return nil
	}
	if verdict.Time == 0 {
		return fmt.Errorf("%w: nobody attests the age of the checkpoint: the policy demands no witnesses", proofs.ErrNotVerified)
	}
	age := v.o.Clock().Sub(time.Unix(int64(verdict.Time), 0))
	if age > v.o.MaxAge {
		return fmt.Errorf("%w: the checkpoint is %v old, and at most %v are allowed: the ledger stands still or hides its latest",
			proofs.ErrNotVerified, age.Truncate(time.Second), v.o.MaxAge)
	}
	return nil
}

// report hands the evidence over before the error is told.
func (v *Verifier) report(ctx context.Context, h *HistoryError) error {
	if v.o.Evidence == nil {
		return h
	}
	if err := v.o.Evidence(context.WithoutCancel(ctx), h.Evidence); err != nil {
		return fmt.Errorf("%w (the evidence could not be saved: %w)", h, err)
	}
	return h
}
