package proofs

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const (
	// MaxReceiptSize bounds a receipt in bytes: a note of [MaxNoteSize] and as
	// much again for extra data.
	MaxReceiptSize = 2 * MaxNoteSize
	// maxProof is the most hashes an inclusion proof has in a tree of at most
	// 2^63-1 leaves.
	maxProof = 63

	receiptHeader = "c2sp.org/tlog-proof@v1"
)

// A Receipt shows, without any server, that an entry is in a log that
// witnesses have seen (C2SP tlog-proof; its files end in .tlog-proof).
type Receipt struct {
	// Extra is data for the application, nil where there is none. Nothing
	// authenticates it. Cairn writes the bytes of the leaf here, which
	// [Receipt.Check] is then given like any other claim.
	Extra []byte
	// Index is the leaf's, below 2^63.
	Index uint64
	// Proof is the inclusion proof, from the leaf's sibling up, at most 63
	// hashes.
	Proof []Hash
	// Checkpoint is the signed checkpoint, byte for byte.
	Checkpoint []byte
}

// ParseReceipt reads a receipt of at most [MaxReceiptSize] bytes. It verifies
// nothing.
func ParseReceipt(b []byte) (Receipt, error) {
	fail := func(format string, args ...any) (Receipt, error) {
		return Receipt{}, fmt.Errorf("%w: receipt: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	if len(b) > MaxReceiptSize {
		return fail("%d bytes, at most %d are read", len(b), MaxReceiptSize)
	}
	head, signed, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return fail("no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	if lines[0] != receiptHeader {
		return fail("the first line is not %s", receiptHeader)
	}
	lines = lines[1:]
	var r Receipt
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if r.Extra, ok = parseBase64(lines[0][len("extra "):]); !ok || len(r.Extra) == 0 {
			return fail("extra is not canonical base64 of at least one byte")
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return fail("no index line")
	}
	var err error
	if r.Index, err = parseDecimal(lines[0][len("index "):], maxSize); err != nil {
		return fail("index: %s", err)
	}
	if len(lines) > 1+maxProof {
		return fail("more than %d hashes", maxProof)
	}
	for i, line := range lines[1:] {
		h, err := ParseHash(line)
		if err != nil {
			return fail("hash %d: not canonical base64 of 32 bytes", i)
		}
		r.Proof = append(r.Proof, h)
	}
	if _, err := ParseSignedCheckpoint(signed); err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	r.Checkpoint = bytes.Clone(signed)
	return r, nil
}

// FormatReceipt writes what [ParseReceipt] reads. The error matches
// [ErrMalformed] where r cannot be written: its checkpoint is none, or a bound
// is passed.
func FormatReceipt(r Receipt) ([]byte, error) {
	b := []byte(receiptHeader + "\n")
	if len(r.Extra) > 0 {
		b = append(b, "extra "...)
		b = append(base64.StdEncoding.AppendEncode(b, r.Extra), '\n')
	}
	b = append(b, "index "+strconv.FormatUint(r.Index, 10)+"\n"...)
	for _, h := range r.Proof {
		b = append(b, h.String()+"\n"...)
	}
	b = append(b, '\n')
	b = append(b, r.Checkpoint...)
	if _, err := ParseReceipt(b); err != nil {
		return nil, err
	}
	return b, nil
}

// Check checks that the leaf is in a log that the policy believes: the
// checkpoint passes [Policy.Check], and the proof leads from the leaf to its
// root. The error matches [ErrMalformed] or [ErrNotVerified].
func (r Receipt) Check(p *Policy, leaf []byte) (Verdict, error) {
	v, err := p.Check(r.Checkpoint)
	if err != nil {
		return Verdict{}, err
	}
	if err := CheckInclusion(r.Index, v.Checkpoint.Size, LeafHash(leaf), r.Proof, v.Checkpoint.Root); err != nil {
		return Verdict{}, err
	}
	return v, nil
}
