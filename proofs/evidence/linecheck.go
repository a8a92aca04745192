package evidence

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// What a line must be beside JSON in the one form.

func (l Line) validate() error {
	switch {
	case l.Header != nil:
		return l.Header.validate()
	case l.Checkpoint != nil:
		return l.Checkpoint.validate()
	case l.Search != nil:
		return l.Search.validate()
	case l.Attestation != nil:
		return l.Attestation.validate()
	case l.Context != nil:
		return l.Context.validateContext()
	case l.Entry != nil:
		return l.Entry.validateEntry()
	}
	return l.End.validate()
}

func (h *Header) validate() error {
	if len(h.Origin) < 1 || !isText(h.Origin, proofs.MaxOrigin) {
		return fmt.Errorf("an origin has 1 to %d bytes, and no control character", proofs.MaxOrigin)
	}
	if !isText(h.Selection, MaxSelection) {
		return fmt.Errorf("the selection has more than %d bytes, or a control character", MaxSelection)
	}
	p, err := proofs.ParsePolicy([]byte(h.Policy))
	if err != nil {
		return err
	}
	if string(proofs.FormatPolicy(p)) != h.Policy {
		return errors.New("policy: not written in the one form")
	}
	return nil
}

func (c *Checkpoint) validate() error {
	signed, err := proofs.ParseSignedCheckpoint([]byte(c.Note))
	if err != nil {
		return err
	}
	if signed.Size == 0 || signed.Size > maxIndex {
		return errors.New("a tree of no entries")
	}
	if len(c.Consistency) > maxProof {
		return fmt.Errorf("consistency: more than %d hashes", maxProof)
	}
	return nil
}

func (s *Search) validate() error {
	_, err := proofs.ParseSearchProof(s.Proof)
	return err
}

func (a *Attestation) validate() error {
	_, err := a.parse()
	return err
}

// parse reads the statement, whoever signed it.
func (a *Attestation) parse() (proofs.Attestation, error) {
	note, err := proofs.ParseNote([]byte(a.Note))
	if err != nil {
		return proofs.Attestation{}, err
	}
	return proofs.ParseAttestation(note.Text)
}

func (e *Entry) validateContext() error {
	leaf, err := e.validate()
	if err != nil {
		return err
	}
	if e.Missing != "" || e.Because != nil || e.FieldKeys != nil {
		return errors.New("an entry of the context has no reasons and no field keys")
	}
	switch leaf.Kind {
	case proofs.Settings, proofs.BucketOpened, proofs.Expiry, proofs.Hold, proofs.Release, proofs.Erasure, proofs.Administration:
		return nil
	}
	return fmt.Errorf("entry %d of kind %v says nothing about others", e.Index, leaf.Kind)
}

func (m Missing) known() bool { return m == Gone || m == Disabled || m == Forbidden || m == LeftOut }

func (e *Entry) validateEntry() error {
	if _, err := e.validate(); err != nil {
		return err
	}
	switch {
	case e.Missing != "" && !e.Missing.known():
		return fmt.Errorf("missing: %.20q is not known", e.Missing)
	case e.Missing == "" && !e.complete():
		return errors.New("missing: it does not say why not all is shown")
	case e.Missing != "" && e.complete():
		return errors.New("missing: all is shown")
	}
	last := uint16(0)
	for _, k := range e.FieldKeys {
		if k.Field <= last || len(k.Key) != len(proofs.Key256{}) {
			return errors.New("field keys: their numbers do not rise from 1, or one has not 32 bytes")
		}
		last = k.Field
	}
	if len(e.FieldKeys) > proofs.MaxFields {
		return fmt.Errorf("field keys: more than %d", proofs.MaxFields)
	}
	if len(e.Because) > MaxBecause {
		return fmt.Errorf("because: more than %d", MaxBecause)
	}
	for i, index := range e.Because {
		if i > 0 && index <= e.Because[i-1] {
			return errors.New("because: the indices do not rise")
		}
	}
	return nil
}

// validate checks what entries have everywhere.
func (e *Entry) validate() (proofs.Leaf, error) {
	leaf, err := proofs.ParseLeaf(e.Leaf)
	switch {
	case err != nil:
		return leaf, err
	case e.Index > maxIndex:
		return leaf, errors.New("index: beyond 2^63-1")
	case e.Proof == nil:
		return leaf, errors.New("proof: there is none")
	case len(e.Proof) > maxProof:
		return leaf, fmt.Errorf("proof: more than %d hashes", maxProof)
	}
	return leaf, nil
}

// complete reports whether all of the payload and all tags are shown.
func (e *Entry) complete() bool {
	if e.Disclosure == nil {
		return false
	}
	for _, p := range e.Disclosure.Parts {
		if !p.Shown() {
			return false
		}
	}
	for _, t := range e.Disclosure.Tags {
		if !t.Shown() {
			return false
		}
	}
	return true
}

func (n *End) validate() error {
	sum, err := hex.DecodeString(n.SHA256)
	if err != nil || len(sum) != proofs.HashSize || hex.EncodeToString(sum) != n.SHA256 {
		return errors.New("sha256: not 64 hexadecimal digits in lower case")
	}
	return nil
}
