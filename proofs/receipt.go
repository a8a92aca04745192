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
	if len(b) > MaxReceiptSize {
		return Receipt{}, fmt.Errorf("%w: receipt: %d bytes, at most %d are read", ErrMalformed, len(b), MaxReceiptSize)
	}
	head, signed, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return Receipt{}, fmt.Errorf("%w: receipt: no empty line before the checkpoint", ErrMalformed)
	}
	r, err := parseReceiptHead(strings.Split(string(head), "\n"))
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: receipt: %w", ErrMalformed, err)
	}
	if _, err := ParseSignedCheckpoint(signed); err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	r.Checkpoint = bytes.Clone(signed)
	return r, nil
}

// parseReceiptHead reads the lines before the checkpoint.
func parseReceiptHead(lines []string) (r Receipt, err error) {
	if lines[0] != receiptHeader {
		return r, fmt.Errorf("the first line is not %s", receiptHeader)
	}
	lines = append(lines[1:], "") // so that there is a line to look at
	if extra, ok := strings.CutPrefix(lines[0], "extra "); ok {
		if r.Extra, ok = parseBase64(extra); !ok || len(r.Extra) == 0 {
			return r, fmt.Errorf("extra: not canonical base64 of at least one byte")
		}
		lines = lines[1:]
	}
	index, ok := strings.CutPrefix(lines[0], "index ")
	if !ok {
		return r, fmt.Errorf("no index line")
	}
	if r.Index, err = parseDecimal(index, maxSize); err != nil {
		return r, fmt.Errorf("index: %w", err)
	}
	hashes := lines[1 : len(lines)-1]
	if len(hashes) > maxProof {
		return r, fmt.Errorf("more than %d hashes", maxProof)
	}
	for i, line := range hashes {
		h, err := ParseHash(line)
		if err != nil {
			return r, fmt.Errorf("hash %d: not canonical base64 of %d bytes", i, HashSize)
		}
		r.Proof = append(r.Proof, h)
	}
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
