package witness

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A logSet is the keys that are trusted, by origin. It never changes.
type logSet map[string][]proofs.Key

// newLogSet gathers the keys of each log. It refuses keys that a signature
// line cannot tell apart, and the witness's own.
func newLogSet(logs []Log, own []proofs.SigningKey) (logSet, error) {
	set := make(logSet)
	for _, l := range logs {
		if err := l.check(); err != nil {
			return nil, fmt.Errorf("log %q: %w", l.Origin, err)
		}
		for _, k := range own {
			if bytes.Equal(k.Key().Public(), l.Key.Public()) {
				return nil, fmt.Errorf("log %q: its key %s is a key of this witness", l.Origin, l.Key)
			}
		}
		if slices.Contains(set[l.Origin], l.Key) {
			continue
		}
		for _, k := range set[l.Origin] {
			if k.Name() == l.Key.Name() && k.ID() == l.Key.ID() {
				return nil, fmt.Errorf("log %q: two keys have the name %q and the ID %08x", l.Origin, k.Name(), k.ID())
			}
		}
		set[l.Origin] = append(set[l.Origin], l.Key)
	}
	return set, nil
}

// verify returns those signatures of a checkpoint that are by trusted keys,
// one for each key. Signatures by other keys are ignored. An *Error with
// status 403 says that there is none, that one of them is wrong, or that none
// covers the extension lines: an ML-DSA-44 signature says nothing of them, and
// whoever relays a checkpoint could write them.
func verify(c proofs.SignedCheckpoint, trusted []proofs.Key) ([]proofs.Signature, error) {
	var verified []proofs.Signature
	covered := len(c.Extensions) == 0
	for _, s := range c.Note.Signatures {
		i := slices.IndexFunc(trusted, func(k proofs.Key) bool { return k.Name() == s.Name && k.ID() == s.KeyID })
		if i < 0 {
			continue
		}
		same := slices.IndexFunc(verified, func(v proofs.Signature) bool { return v.Name == s.Name && v.KeyID == s.KeyID })
		if same >= 0 && bytes.Equal(verified[same].Bytes, s.Bytes) {
			continue
		}
		if _, err := trusted[i].CheckSignature(statement(c, trusted[i]), s); err != nil {
			return nil, refuse(statusForbidden, "%v", err)
		}
		covered = covered || trusted[i].Type() == proofs.Ed25519
		if same < 0 {
			verified = append(verified, s)
		}
	}
	switch {
	case len(verified) == 0:
		return nil, refuse(statusForbidden, "no signature by a key that is trusted for %q", c.Origin)
	case !covered:
		return nil, refuse(statusForbidden, "no Ed25519 signature by the log covers the extension lines")
	}
	return verified, nil
}

// statement returns the text that a key's signature speaks of: of ML-DSA-44
// the first three lines only (C2SP tlog-cosignature, "ML-DSA-44 signed
// message").
func statement(c proofs.SignedCheckpoint, k proofs.Key) string {
	if k.Type() != proofs.MLDSA44 || len(c.Extensions) == 0 {
		return c.Note.Text
	}
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: c.Origin, Size: c.Size, Root: c.Root})
	if err != nil {
		panic("witness: a checkpoint that was parsed cannot be written: " + err.Error())
	}
	return text
}
