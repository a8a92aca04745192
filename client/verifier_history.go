package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// RecordsActs reports whether entries of a kind record acts. The ledger alone
// writes them: what an event says is never an act.
func RecordsActs(k proofs.Kind) bool {
	switch k {
	case proofs.Access, proofs.Administration, proofs.Hold, proofs.Release, proofs.Erasure, proofs.Expiry:
		return true
	}
	return false
}

// CheckAct checks that an act is the one that its leaf commits to, and that
// time and kind are the leaf's. That the leaf is in the log is another
// question: see [Verifier.CheckAct]. The error matches [proofs.ErrNotVerified]
// or [proofs.ErrMalformed].
func CheckAct(r RecordedAct) error {
	leaf, err := proofs.ParseLeaf(r.Leaf)
	if err != nil {
		return fmt.Errorf("entry %d: %w", r.Index, err)
	}
	switch {
	case !RecordsActs(leaf.Kind):
		return fmt.Errorf("%w: entry %d is of kind %v, which records no act", proofs.ErrNotVerified, r.Index, leaf.Kind)
	case r.Kind != leaf.Kind.String() || r.Time != leaf.Time:
		return fmt.Errorf("%w: entry %d is not of the kind or time that is said of it", proofs.ErrNotVerified, r.Index)
	case r.Disclosure == nil || len(r.Disclosure.Parts) == 0 || !r.Disclosure.Parts[0].Shown():
		return fmt.Errorf("%w: entry %d: nothing shows which act it records", proofs.ErrNotVerified, r.Index)
	}
	d := *r.Disclosure
	d.Parts = slices.Clone(d.Parts)
	act := r.Act
	if len(d.Parts) > 1 {
		if err := checkSubject(r.Act.Subject, d.Parts[1]); err != nil {
			return fmt.Errorf("entry %d: %w", r.Index, err)
		}
		act.Subject = ""
	}
	if d.Parts[0].Data, err = proofs.FormatAct(act); err != nil {
		return fmt.Errorf("entry %d: %w", r.Index, err)
	}
	if err := d.Check(leaf); err != nil {
		return fmt.Errorf("entry %d: %w", r.Index, err)
	}
	part, err := d.Parts[0].Part()
	if err != nil {
		return fmt.Errorf("entry %d: %w", r.Index, err)
	}
	if part.MediaType != proofs.ActMediaType {
		return fmt.Errorf("%w: entry %d holds a %q, which is no act", proofs.ErrNotVerified, r.Index, part.MediaType)
	}
	return nil
}

// SubjectMediaType is the media type of the second part of an act that names a
// data subject: a JSON object with the name as its member subject. It is sealed
// apart, so that it can be erased.
const SubjectMediaType = "application/vnd.cairn.subject+json"

// checkSubject checks that a part names a subject; one that is not shown names
// none.
func checkSubject(subject string, p proofs.DisclosedPart) error {
	if !p.Shown() {
		if subject != "" {
			return fmt.Errorf("%w: nothing shows which subject the act is about", proofs.ErrNotVerified)
		}
		return nil
	}
	part, err := p.Part()
	if err != nil {
		return err
	}
	var named struct {
		Subject string `json:"subject"`
	}
	if err := json.Unmarshal(part.Data, &named); err != nil || part.MediaType != SubjectMediaType {
		return fmt.Errorf("%w: the second part of an act names no subject", proofs.ErrMalformed)
	}
	if named.Subject != subject {
		return fmt.Errorf("%w: the act is about another subject", proofs.ErrNotVerified)
	}
	return nil
}

// CheckAct checks what [CheckAct] does, and that the leaf is the one that the
// believed tree has at the act's index. It returns the view that shows it; the
// error matches [ErrNotCovered] where no checkpoint covers the entry yet.
func (v *Verifier) CheckAct(ctx context.Context, r RecordedAct) (View, error) {
	if err := CheckAct(r); err != nil {
		return View{}, err
	}
	return v.CheckEntry(ctx, r.Index, r.Leaf)
}
