package witness

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

const (
	// MaxProof bounds the hashes of a request's consistency proof (C2SP
	// tlog-witness, add-checkpoint).
	MaxProof = 63

	// MaxRequest bounds a request in bytes: 63 lines of proof, and a checkpoint
	// with sixteen signatures of 5 kB each, in base64, take half of it.
	MaxRequest = 256 << 10
)

// A Request asks a witness to cosign a checkpoint (C2SP tlog-witness,
// add-checkpoint). On the wire it is
//
//	old <size>
//	<hash of the consistency proof in base64>   0 to 63 lines
//
//	<checkpoint>
type Request struct {
	Old        uint64        // the size that the witness cosigned last, as far as the log knows; at most 2^63-1
	Proof      []proofs.Hash // consistency from Old to the checkpoint, at most MaxProof hashes
	Checkpoint []byte        // signed by the log
}

// ParseRequest reads the body of an add-checkpoint request of at most
// [MaxRequest] bytes. What stands in the place of the checkpoint is taken as
// it is. An error matches [proofs.ErrMalformed].
func ParseRequest(b []byte) (Request, error) {
	fail := func(format string, args ...any) (Request, error) {
		return Request{}, malformed("request: "+format, args...)
	}
	if len(b) > MaxRequest {
		return fail("%d bytes, at most %d are read", len(b), MaxRequest)
	}
	head, checkpoint, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return fail("no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	if len(lines) > 1+MaxProof {
		return fail("more than %d lines of proof", MaxProof)
	}
	size, ok := strings.CutPrefix(lines[0], "old ")
	if !ok {
		return fail("the first line does not begin with %q", "old ")
	}
	r := Request{Checkpoint: checkpoint}
	var err error
	if r.Old, err = parseSize(size); err != nil {
		return fail("old size: %v", err)
	}
	for i, line := range lines[1:] {
		h, err := proofs.ParseHash(line)
		if err != nil {
			return fail("line %d: not canonical base64 of a hash", i+2)
		}
		r.Proof = append(r.Proof, h)
	}
	return r, nil
}

// FormatRequest writes the body that [ParseRequest] reads.
func FormatRequest(r Request) []byte {
	b := fmt.Appendf(nil, "old %d\n", r.Old)
	for _, h := range r.Proof {
		b = append(b, h.String()+"\n"...)
	}
	b = append(b, '\n')
	return append(b, r.Checkpoint...)
}

// parseSize reads a tree size: an ASCII decimal without leading zeros.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("not a canonical decimal number")
	}
	if n > math.MaxInt64 {
		return 0, fmt.Errorf("above 2^63-1")
	}
	return n, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{proofs.ErrMalformed}, args...)...)
}
