package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairnlog/cairn/proofs"
)

// A keptCheckpoint is a checkpoint of an earlier size.
type keptCheckpoint struct {
	path    string // empty where it is the state's
	size    uint64 // as the path says
	found   []Finding
	note    proofs.Hash    // SHA-256 of its bytes
	verdict proofs.Verdict // zero where a finding says that it can't be believed

	known     bool          // whether edge is, and then whether root is
	root      proofs.Hash   // of the tree at its size
	edge      []proofs.Hash // of its last bundle's entries, at its size
	entryTime uint64        // of its last entry; 0: not known
}

// readSigned reads a checkpoint and judges its signatures, not the quorum. It
// returns findings where it can't be believed or its file is damaged.
func (l *ledger) readSigned(ctx context.Context, path string) (v proofs.Verdict, signed []byte, found []Finding, err error) {
	fail := func(kind FindingKind, format string, args ...any) (proofs.Verdict, []byte, []Finding, error) {
		return proofs.Verdict{}, nil, []Finding{{Kind: kind, Index: NoIndex, Path: path, Detail: fmt.Sprintf(format, args...)}}, nil
	}
	signed, err = l.files.ReadFile(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(CheckpointMissing, "The checkpoint is missing: there is no such file.")
	case err != nil && !wrong(err):
		return v, nil, nil, fmt.Errorf("read %s: %w", path, err)
	case err == nil:
		v, err = l.policy.CheckLog(signed)
	}
	switch {
	case errors.Is(err, proofs.ErrMalformed):
		return fail(CheckpointMalformed, "The checkpoint is damaged: %v.", why(err))
	case errors.Is(err, proofs.ErrNotVerified):
		return fail(CheckpointSignature, "The checkpoint is not signed as the policy demands, or was changed after it was: %v.", why(err))
	case err != nil:
		return v, nil, nil, err
	}
	if name, key, ok := damagedSignature(l.policy, signed); ok {
		found = append(found, Finding{Kind: CheckpointSignature, Index: NoIndex, Path: path,
			Detail: fmt.Sprintf("A signature on the checkpoint is damaged: the line by %q is that of the policy's key %s with its name or ID changed.", name, key)})
	}
	return v, signed, found, nil
}

// damagedSignature looks for a signature line that was changed so that it names
// no key of the policy: it has the ID of one of them with another name, or its
// name with an ID that differs in one character of base64. Verifiers must pass
// over such lines (C2SP signed-note). But IDs are hashes, so that they are
// alike by chance once in ten million keys. It returns the name in the line and
// the key that it was.
func damagedSignature(p *proofs.Policy, signed []byte) (name, key string, found bool) {
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		return "", "", false
	}
	var keys []proofs.Key
	for _, l := range p.Logs {
		keys = append(keys, l.Key)
	}
	for _, w := range p.Witnesses {
		keys = append(keys, w.Key)
	}
	for _, s := range c.Note.Signatures {
		for _, k := range keys {
			if s.KeyID == k.ID() && s.Name != k.Name() || s.Name == k.Name() && oneCharacter(s.KeyID^k.ID()) {
				return s.Name, keyName(k), true
			}
		}
	}
	return "", "", false
}

// oneCharacter reports whether the bits set are all within one of the groups
// of six that base64 writes as a character.
func oneCharacter(set uint32) bool {
	for shift := range 6 {
		if group := uint32(0xfc000000) >> (6 * shift); set != 0 && set&^group == 0 {
			return true
		}
	}
	return false
}

// keyName returns the name and the ID of a key, as signatures do.
func keyName(k proofs.Key) string { return fmt.Sprintf("%s+%08x", k.Name(), k.ID()) }

// readKept reads the kept checkpoint of a size and judges it alone.
func (l *ledger) readKept(ctx context.Context, size uint64) (keptCheckpoint, error) {
	k := keptCheckpoint{path: CheckpointPath(size), size: size}
	v, signed, found, err := l.readSigned(ctx, k.path)
	k.found, k.note = found, sha256.Sum256(signed)
	if err != nil || v.LogKeys == nil {
		return k, err
	}
	if c := v.Checkpoint; c.Size != size || c.Origin != l.head.Origin {
		k.found = append(k.found, Finding{Kind: CheckpointMisplaced, Index: NoIndex, Path: k.path,
			Detail: fmt.Sprintf("The checkpoint is of %q at size %d; its place is that of %q at size %d.", c.Origin, c.Size, l.head.Origin, size)})
		return k, nil
	}
	k.verdict = v
	return k, nil
}

// believed reports whether the checkpoint is what it seems to be.
func (k *keptCheckpoint) believed() bool { return k.path == "" || k.verdict.LogKeys != nil }
