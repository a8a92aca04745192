package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// A cosigner asks one witness for cosignatures, in a goroutine of its own so
// that a slow witness delays nobody. It always works on the latest checkpoint
// it was given, and tries again until it has an answer.
type cosigner struct {
	l       *Ledger
	name    string // for people
	witness witness.Cosigner
	keys    []proofs.PolicyWitness // of this witness, in the policy

	old     uint64             // the size that the witness cosigned last, as far as we know
	last    *proofs.Checkpoint // what it cosigned last in this run, which we checked
	trouble string             // what was wrong last; empty: it cosigned
	targets chan *target
}

// A target is a signed checkpoint to be cosigned. A new one for the same
// checkpoint asks for fresh cosignatures.
type target struct {
	signed *signedState

	// answers has room for the one answer of each witness that ends its work
	// on the target: that it cosigned, or that it is ahead.
	answers chan answer
}

// An answer is what a witness said to a target.
type answer struct {
	cosignatures []cosignature
	err          error
}

// A cosignature is one that was checked.
type cosignature struct {
	name      string // of its key in the policy
	signature proofs.Signature
	time      time.Time
}

// An AheadError means that a witness says it has cosigned more of this log
// than this ledger has signed, or another history of it: somebody restored an
// old copy of the ledger, or runs two, or the witness lies.
type AheadError struct {
	Witness string
	Size    uint64 // what the witness has cosigned
	Signed  uint64 // what this ledger has signed

	// Checkpoint is what the witness showed of it, signed by a key of this
	// log: the proof that it does not lie. Nil: it showed nothing.
	Checkpoint []byte
}

func (e *AheadError) Error() string {
	what := fmt.Sprintf("size %d of this log, and this ledger has signed %d only", e.Size, e.Signed)
	if e.Size <= e.Signed {
		what = fmt.Sprintf("another tree of size %d of this log", e.Size)
	}
	if e.Checkpoint == nil {
		return fmt.Sprintf("witness %s says that it has cosigned %s, and does not prove it: this is an old copy of the ledger, or a second one is running, or the witness lies; see cairn-troubleshooting(7)",
			e.Witness, what)
	}
	return fmt.Sprintf("witness %s has cosigned %s, with this log's signature: this is an old copy of the ledger, or a second one is running; nothing more is signed; see cairn-troubleshooting(7)",
		e.Witness, what)
}

const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// run works on targets until the context ends.
func (c *cosigner) run(ctx context.Context) {
	var t *target
	backoff := minBackoff
	for {
		if t == nil {
			select {
			case t = <-c.targets:
			case <-ctx.Done():
				return
			}
		}
		a := c.ask(ctx, t)
		c.note(a)
		if a.err == nil || c.stops(a.err) {
			t.answers <- a
			t, backoff = nil, minBackoff
			continue
		}
		pause := max(backoff, retryAfter(a.err))
		backoff = min(2*backoff, maxBackoff)
		select {
		case t = <-c.targets: // a newer checkpoint is worth another try at once
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// note tells everybody what the witness says, and the log when it is new.
func (c *cosigner) note(a answer) {
	was := c.trouble
	c.trouble = ""
	if a.err != nil {
		c.trouble = a.err.Error()
	}
	c.l.metrics.answered(c.name, a)
	c.l.setWitness(c.name, c.trouble)
	if c.stops(a.err) {
		c.l.stop(a.err) // whatever the others say
	}
	switch {
	case c.trouble == was:
	case c.trouble == "":
		c.l.log.Info("witness cosigns again", slog.String("witness", c.name))
	default:
		c.l.log.Warn("witness does not cosign", slog.String("witness", c.name), slog.String("error", c.trouble))
	}
}

// stops reports whether an error must stop the ledger: a witness proves that
// it is ahead of us, or says so before we know better. Once the witnesses of
// every quorum have answered we do: a word alone is trouble with the witness.
func (c *cosigner) stops(err error) bool {
	var ahead *AheadError
	if !errors.As(err, &ahead) {
		return false
	}
	cleared := false
	c.l.progress.read(func(p *progress) { cleared = p.cleared })
	return ahead.Checkpoint != nil || !cleared
}

// give replaces the target.
func (c *cosigner) give(t *target) {
	for {
		select {
		case c.targets <- t:
			return
		default:
		}
		select {
		case <-c.targets:
		default:
		}
	}
}

// ask asks the witness, and once more when it says that it knows another old
// size than we thought.
func (c *cosigner) ask(ctx context.Context, t *target) answer {
	var a answer
	for range 3 {
		var body []byte
		body, a.err = c.request(ctx, t.signed)
		if a.err == nil {
			if a.err = c.check(&a, t.signed, body); a.err == nil {
				c.old, c.last = t.signed.checkpoint.Size, &t.signed.checkpoint
			}
			return a
		}
		var refused *witness.Error
		if !errors.As(a.err, &refused) {
			return a
		}
		size := t.signed.checkpoint.Size
		switch {
		case refused.Status == http.StatusConflict && refused.Size > size:
			a.err = c.ahead(ctx, refused.Size, size)
			return a
		case refused.Status == http.StatusConflict && refused.Size != c.old:
			c.old = refused.Size
		case c.old == size && deniesRoot(refused, size) && !c.hasCosigned(t.signed.checkpoint):
			a.err = c.ahead(ctx, size, size)
			return a
		default:
			return a
		}
	}
	return a
}

// deniesRoot reports whether a witness that was told our size as the old one
// refuses because it knows another tree of it. C2SP tlog-witness has 422 for
// this and had 409 before.
func deniesRoot(e *witness.Error, size uint64) bool {
	return e.Status == http.StatusUnprocessableEntity || e.Status == http.StatusConflict && e.Size == size
}

// ahead returns the error that the witness has cosigned a size that does not
// fit what we signed, with the proof of it where it shows one.
func (c *cosigner) ahead(ctx context.Context, size, signed uint64) error {
	e := &AheadError{Witness: c.name, Size: size, Signed: signed}
	monitor, ok := c.witness.(witness.Monitor)
	if !ok {
		return e
	}
	ctx, cancel := context.WithTimeout(ctx, c.l.cfg.WitnessTimeout)
	defer cancel()
	note, err := monitor.Checkpoint(ctx, c.l.origin())
	if err != nil {
		return e
	}
	shown, err := proofs.ParseSignedCheckpoint(note)
	if err != nil || shown.Origin != c.l.origin() || signedByUs(shown, c.l.cfg.Keys) != nil {
		return e
	}
	if shown.Size <= signed { // of the past, which must be ours
		root, err := proofs.Root(ctx, shown.Size, c.l.cfg.Tree)
		if err != nil || root == shown.Root {
			return e
		}
	}
	e.Size, e.Checkpoint = shown.Size, note
	return e
}

// hasCosigned reports whether the witness has cosigned this very tree in this
// run. Then it has no other tree of the size, whatever it says now.
func (c *cosigner) hasCosigned(t proofs.Checkpoint) bool {
	return c.last != nil && c.last.Size == t.Size && c.last.Root == t.Root
}

func (c *cosigner) request(ctx context.Context, s *signedState) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.l.cfg.WitnessTimeout)
	defer cancel()
	size := s.checkpoint.Size
	if c.old > size {
		c.old = 0 // it told us so of an earlier run; it shall say so again
	}
	var proof []proofs.Hash
	if c.old > 0 && c.old < size {
		var err error
		if proof, err = proofs.ProveConsistency(ctx, c.old, size, c.l.cfg.Tree); err != nil {
			return nil, fmt.Errorf("consistency proof from %d to %d: %w", c.old, size, err)
		}
	}
	return c.witness.AddCheckpoint(ctx, witness.Request{Old: c.old, Proof: proof, Checkpoint: s.note})
}

// check keeps of a witness's answer the signatures of its own keys, all of
// which must be good. Others are ignored, as C2SP tlog-witness demands.
func (c *cosigner) check(a *answer, s *signedState, body []byte) error {
	signatures, err := proofs.ParseSignatures(body)
	if err != nil {
		return err
	}
	note, err := proofs.ParseNote(s.note)
	if err != nil {
		return err
	}
	for _, sig := range signatures {
		for _, k := range c.keys {
			if sig.Name != k.Key.Name() || sig.KeyID != k.Key.ID() {
				continue
			}
			at, err := k.Key.CheckSignature(note.Text, sig)
			if err != nil {
				return err
			}
			a.cosignatures = append(a.cosignatures, cosignature{k.Name, sig, time.Unix(int64(at), 0)})
		}
	}
	if len(a.cosignatures) == 0 {
		return errors.New("the answer has no cosignature by a key of the policy")
	}
	return nil
}

func retryAfter(err error) time.Duration {
	var refused *witness.Error
	if errors.As(err, &refused) {
		return min(refused.RetryAfter, time.Minute)
	}
	return 0
}

// startCosigners starts one goroutine for each witness.
func (l *Ledger) startCosigners(ctx context.Context, wg *sync.WaitGroup) (cosigners []*cosigner) {
	for _, w := range l.cfg.Witnesses {
		c := &cosigner{l: l, name: strings.Join(w.Names, "+"), witness: w.Cosigner, targets: make(chan *target, 1)}
		for _, p := range l.cfg.Policy.Witnesses {
			if slices.Contains(w.Names, p.Name) {
				c.keys = append(c.keys, p)
			}
		}
		cosigners = append(cosigners, c)
		wg.Go(func() { c.run(ctx) })
	}
	return cosigners
}
