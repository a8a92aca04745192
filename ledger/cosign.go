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
	by           *cosigner
	cosignatures []cosignature
	err          error
}

// A cosignature is one that was checked.
type cosignature struct {
	name      string // of its key in the policy
	signature proofs.Signature
	clock     clockReading
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
		if ctx.Err() != nil && errors.Is(a.err, context.Canceled) {
			return // it is we who broke off
		}
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
	a := answer{by: c}
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
		if refused.Status == http.StatusConflict && refused.Size <= size && refused.Size != c.old {
			c.old = refused.Size
			continue
		}
		if ahead := c.ahead(ctx, t.signed, refused); ahead != nil {
			a.err = ahead
		}
		return a
	}
	return a
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
			a.cosignatures = append(a.cosignatures, cosignature{k.Name, sig, c.l.readClock(at)})
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
