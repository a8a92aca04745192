package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A signedState is the register "signed": the last checkpoint that the log
// signed, and the right edge of its tree, from which the next root is
// computed. Setting it is the commit point of a checkpoint (law 2).
//
//	struct {
//	    uint8  version = 1;
//	    opaque checkpoint<1..65535>;    /* with the log's own signatures; length in four bytes */
//	    opaque edge[32 * n];            /* one hash for each bit of the size, the largest subtree first */
//	} Signed;
type signedState struct {
	note       []byte // the signed checkpoint, with the log's signatures only
	checkpoint proofs.Checkpoint
	edge       edge
	raw        []byte // as it is in the register
}

const signedVersion = 1

func formatSigned(note []byte, e edge) []byte {
	b := binary.BigEndian.AppendUint32([]byte{signedVersion}, uint32(len(note)))
	b = append(b, note...)
	for _, h := range e.hashes {
		b = append(b, h[:]...)
	}
	return b
}

// parseSigned reads a register "signed" and checks that it is whole: the
// edge has the checkpoint's root and the log's keys signed it.
func parseSigned(raw []byte, keys []proofs.SigningKey) (*signedState, error) {
	r := reader{rest: raw}
	if v := r.bytes(1); r.failed || v[0] != signedVersion {
		return nil, fmt.Errorf("register signed: version is not %d", signedVersion)
	}
	note := r.bytes(r.uint(4))
	if r.failed {
		return nil, errors.New("register signed: cut off")
	}
	c, err := proofs.ParseSignedCheckpoint(note)
	if err != nil {
		return nil, fmt.Errorf("register signed: %w", err)
	}
	hashes := make([]proofs.Hash, 0, bits.OnesCount64(c.Size))
	for len(r.rest) >= proofs.HashSize {
		hashes = append(hashes, proofs.Hash(r.bytes(proofs.HashSize)))
	}
	e, err := newEdge(c.Size, hashes)
	if err != nil || len(r.rest) > 0 {
		return nil, fmt.Errorf("register signed: the edge does not have the size of the checkpoint")
	}
	if e.root() != c.Root {
		return nil, fmt.Errorf("register signed: the edge does not have the root of the checkpoint")
	}
	if err := signedByUs(c, keys); err != nil {
		return nil, fmt.Errorf("register signed: %w", err)
	}
	return &signedState{note: note, checkpoint: c.Checkpoint, edge: e, raw: raw}, nil
}

// signedByUs checks that one of the log's keys signed a checkpoint.
func signedByUs(c proofs.SignedCheckpoint, keys []proofs.SigningKey) error {
	for _, k := range keys {
		for _, s := range c.Note.Signatures {
			if s.Name == k.Key().Name() && s.KeyID == k.Key().ID() {
				_, err := k.Key().CheckSignature(c.Note.Text, s)
				return err
			}
		}
	}
	return errors.New("no key of this ledger signed it")
}

// sign signs the checkpoint of an edge and commits to it. Nothing of the
// signature leaves the process before the register holds it. Where the error
// matches [proofs.ErrUnsigned] nothing was signed, and the register is as before.
func (l *Ledger) sign(ctx context.Context, old *signedState, e edge) (*signedState, error) {
	if old != nil && e.size < old.checkpoint.Size {
		panic("ledger: asked to sign a smaller tree than before")
	}
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: l.origin(), Size: e.size, Root: e.root()})
	if err != nil {
		return nil, err
	}
	note, err := l.signer.checkpoint(text, uint64(l.cfg.Clock().Unix()))
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint of size %d: %w", e.size, err)
	}
	raw := formatSigned(proofs.FormatNote(note), e)
	next, err := parseSigned(raw, l.cfg.Keys)
	if err != nil {
		return nil, fmt.Errorf("what was just signed: %w", err)
	}
	var oldRaw []byte
	if old != nil {
		oldRaw = old.raw
	}
	// The commit point. A conflict means that somebody else signs for this log.
	if err := l.cfg.Registers.Register(registerSigned).Swap(ctx, oldRaw, raw); err != nil {
		return nil, fmt.Errorf("register signed: %w", err)
	}
	// The copy comes second, so that it is never ahead of an undisturbed
	// ledger, and before the signature is used, so that it is never behind what
	// others have seen. Another value in it is another ledger's.
	if l.cfg.SignedCopy == nil {
		return next, nil
	}
	if err := l.swapCopy(ctx, oldRaw, raw); err != nil {
		return nil, err
	}
	return next, nil
}

// copySigned brings the copy of the register up to date at a start. It
// replaces only the value that was compared with this ledger; nil: there was
// none. What it has become since is another ledger's.
func (l *Ledger) copySigned(ctx context.Context, copied, s *signedState) error {
	var old []byte
	if copied != nil {
		old = copied.raw
	}
	if l.cfg.SignedCopy == nil || bytes.Equal(old, s.raw) {
		return nil
	}
	return l.swapCopy(ctx, old, s.raw)
}

// swapCopy replaces the copy of the register.
func (l *Ledger) swapCopy(ctx context.Context, old, next []byte) error {
	err := l.cfg.SignedCopy.Swap(ctx, old, next)
	if errors.Is(err, storage.ErrConflict) {
		return &RestoredError{"the copy of the register signed was changed by another ledger"}
	}
	if err != nil {
		return fmt.Errorf("copy of register signed: %w", err)
	}
	return nil
}

// The names of the ledger's registers.
const (
	registerSigned    = "signed"
	registerPublished = "published"
	registerState     = "state"
	registerKept      = "kept"
)
