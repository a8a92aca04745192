package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// ErrNotCovered means that no published checkpoint covers an entry yet: it
// can't be checked now and may be later.
var ErrNotCovered = errors.New("no published checkpoint covers it yet")

// CheckAppended checks that what a ledger answered about an event commits to
// exactly this event: C of the leaf opens to its bytes and to all that the
// writer said of it, and T to the tags that are shown. Of an event in parts,
// every byte is in one of them, and each is closed by all subjects that the
// writer named. That the leaf is in the log is another question: see
// [Verifier.CheckAppended].
//
// Whether the answer says that the entry was there before changes nothing: a
// repeat is one only if all that was sent agrees. The error matches
// [proofs.ErrNotVerified] or [proofs.ErrMalformed]; any other means that it
// could not be checked, as an entry that is there already may be erased.
func CheckAppended(e Event, a Appended) error {
	leaf, err := proofs.ParseLeaf(a.Leaf)
	if err != nil {
		return err
	}
	if leaf.Kind != proofs.Event {
		return fmt.Errorf("%w: entry %d is no event but of kind %v", proofs.ErrNotVerified, a.Index, leaf.Kind)
	}
	if hidden := hides(a.Disclosure); hidden != "" {
		if a.Duplicate && a.Uncompared {
			return fmt.Errorf("entry %d was there before, and is erased, in whole or in part: nothing shows %s, and the ledger could not compare it", a.Index, hidden)
		}
		if a.Duplicate {
			return fmt.Errorf("entry %d was there before, and nothing shows %s: it may be erased", a.Index, hidden)
		}
		return fmt.Errorf("%w: entry %d: the answer does not show %s", proofs.ErrNotVerified, a.Index, hidden)
	}
	d, err := a.Disclosure.Fill(e.Data)
	if err != nil {
		return fmt.Errorf("%w: entry %d: the event does not have its parts: %w", proofs.ErrNotVerified, a.Index, err)
	}
	if err := d.Check(leaf); err != nil {
		return fmt.Errorf("entry %d: %w", a.Index, err)
	}
	what, err := differs(e, d, leaf)
	if err != nil {
		return fmt.Errorf("entry %d: %w", a.Index, err)
	}
	if what != "" {
		return fmt.Errorf("%w: entry %d: %s was recorded otherwise than it was sent", proofs.ErrNotVerified, a.Index, what)
	}
	return nil
}

// hides names what an answer should show and does not.
func hides(d *proofs.Disclosure) string {
	if d == nil || len(d.Parts) == 0 {
		return "what it holds"
	}
	for i, p := range d.Parts {
		if !p.Shown() {
			return fmt.Sprintf("part %d of %d of its payload", i, len(d.Parts))
		}
	}
	for i, t := range d.Tags {
		if !t.Shown() {
			return fmt.Sprintf("list %d of %d of its tags", i, len(d.Tags))
		}
	}
	return ""
}

// differs names what of an event the parts of an entry do not say.
func differs(e Event, d proofs.Disclosure, leaf proofs.Leaf) (string, error) {
	p, err := d.Payload()
	if err != nil {
		return "", err
	}
	sameSource := p.Source == e.Source && (leaf.Source == nil) == (e.Source == "") &&
		(leaf.Source == nil || leaf.Source.Sequence == e.Sequence)
	switch {
	case !bytes.Equal(p.Data, e.Data):
		return "the event itself", nil
	case !sameMediaType(e.MediaType, p.MediaType):
		return "the media type", nil
	case p.IdempotencyKey != e.IdempotencyKey:
		return "the idempotency key", nil
	case !sameSource:
		return "the source or its sequence number", nil
	case !bytes.Equal(p.Signature, e.Signature):
		return "the producer's signature", nil
	case !slices.EqualFunc(p.Fields, e.Fields, sameField):
		return "a given field", nil
	}
	for _, disclosed := range d.Parts {
		part, err := disclosed.Part()
		if err != nil {
			return "", err
		}
		for _, s := range e.Subjects {
			if !slices.Contains(part.Subjects, s) {
				return "a subject", nil
			}
		}
	}
	return "", nil
}

// sameMediaType reports whether a media type is recorded as it was sent, which a
// ledger may spell in its own way.
func sameMediaType(sent, recorded string) bool {
	if sent == recorded {
		return true
	}
	a, errSent := NormalizeMediaType(sent)
	b, errRecorded := NormalizeMediaType(recorded)
	return errSent == nil && errRecorded == nil && a == b
}

func sameField(a, b proofs.GivenField) bool {
	return a.Name == b.Name && bytes.Equal(a.Value, b.Value)
}

// CheckAppended checks what [CheckAppended] does, and that the state which
// the answer claims is true: by its receipt or by the tree where it is
// [Witnessed], and by the log's promise where it is a weaker one.
func (v *Verifier) CheckAppended(ctx context.Context, e Event, a Appended) error {
	if a.Err != nil {
		return a.Err
	}
	if err := CheckAppended(e, a); err != nil {
		return err
	}
	switch {
	case a.State == Witnessed && a.Receipt != nil:
		_, err := v.CheckReceipt(ctx, a.Receipt, a.Index, a.Leaf)
		return err
	case a.State == Witnessed:
		_, err := v.CheckEntry(ctx, a.Index, a.Leaf)
		return err
	case a.Promise != nil:
		text, err := a.Promise.Check(v.o.Policy, a.Index, a.Leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", a.Index, err)
		}
		if !State(text.State).Reached(a.State) {
			return fmt.Errorf("%w: entry %d: it is said to be %s, and only promised to be %s", proofs.ErrNotVerified, a.Index, a.State, text.State)
		}
		return nil
	case a.Duplicate:
		_, err := v.CheckEntry(ctx, a.Index, a.Leaf)
		return err
	}
	return fmt.Errorf("%w: entry %d: the answer has neither receipt nor promise", proofs.ErrNotVerified, a.Index)
}

// CheckReceipt checks that a receipt shows the leaf at the index under the
// policy, and that its checkpoint is of the history that is believed; that is
// then believed too.
func (v *Verifier) CheckReceipt(ctx context.Context, receipt []byte, index uint64, leaf []byte) (proofs.Verdict, error) {
	r, err := proofs.ParseReceipt(receipt)
	if err != nil {
		return proofs.Verdict{}, err
	}
	if r.Index != index {
		return proofs.Verdict{}, fmt.Errorf("%w: the receipt is of entry %d, not %d", proofs.ErrNotVerified, r.Index, index)
	}
	view, err := v.Believe(ctx, r.Checkpoint)
	if err != nil {
		return proofs.Verdict{}, fmt.Errorf("receipt of entry %d: %w", index, err)
	}
	c := view.Checkpoint
	if err := proofs.CheckInclusion(index, c.Size, proofs.LeafHash(leaf), r.Proof, c.Root); err != nil {
		return proofs.Verdict{}, fmt.Errorf("receipt of entry %d: %w", index, err)
	}
	return view.Verdict, nil
}

// CheckEntry checks that the leaf at an index of the believed tree is this
// one. It asks for the latest checkpoint where the believed one does not
// cover the index; where that does not either, the error matches
// [ErrNotCovered].
func (v *Verifier) CheckEntry(ctx context.Context, index uint64, leaf []byte) (View, error) {
	view, err := v.Covering(ctx, index)
	if err != nil {
		return View{}, err
	}
	hash, err := view.Reader.LeafHash(ctx, index)
	if err != nil {
		return View{}, fmt.Errorf("entry %d: %w", index, err)
	}
	if hash != proofs.LeafHash(leaf) {
		return View{}, fmt.Errorf("%w: entry %d: the leaf is not the one that the log has there", proofs.ErrNotVerified, index)
	}
	return view, nil
}

// Covering returns a view whose tree has the entry: the one of the last call
// or, where that is too small, a new one.
func (v *Verifier) Covering(ctx context.Context, index uint64) (View, error) {
	v.mu.Lock()
	view := v.view
	v.mu.Unlock()
	if view.Reader != nil && index < view.Checkpoint.Size {
		return view, nil
	}
	view, err := v.Update(ctx)
	if err == nil && index >= view.Checkpoint.Size {
		err = fmt.Errorf("entry %d: %w, it has %d entries", index, ErrNotCovered, view.Checkpoint.Size)
	}
	return view, err
}
