package client

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A ConsistencyProof shows that the tree of one checkpoint begins with that of
// an earlier one (RFC 6962 §2.1.2). It is a text file:
//
//	cairn/v1 consistency proof
//	old <size>
//	new <size>
//	<hash, base64>          at most 64 of them
type ConsistencyProof struct {
	Old, New uint64 // sizes, Old ≤ New < 2^63
	Hashes   []proofs.Hash
}

const (
	consistencyHeader = "cairn/v1 consistency proof"
	maxConsistency    = 64 // hashes, in a tree of at most 2^63-1 leaves
)

// FormatConsistencyProof returns the bytes of a proof.
func FormatConsistencyProof(p ConsistencyProof) []byte {
	b := fmt.Appendf(nil, "%s\nold %d\nnew %d\n", consistencyHeader, p.Old, p.New)
	for _, h := range p.Hashes {
		b = append(b, h.String()+"\n"...)
	}
	return b
}

// ParseConsistencyProof reads what [FormatConsistencyProof] writes and nothing
// else. It verifies nothing.
func ParseConsistencyProof(b []byte) (p ConsistencyProof, err error) {
	bad := func(format string, args ...any) (ConsistencyProof, error) {
		return ConsistencyProof{}, fmt.Errorf("%w: consistency proof: %s", proofs.ErrMalformed, fmt.Sprintf(format, args...))
	}
	body, ok := strings.CutSuffix(string(b), "\n")
	lines := strings.SplitN(body, "\n", 4+maxConsistency)
	if !ok || len(lines) < 3 || lines[0] != consistencyHeader {
		return bad("it does not begin with %q and two sizes", consistencyHeader)
	}
	if len(lines) > 3+maxConsistency {
		return bad("more than %d hashes", maxConsistency)
	}
	if p.Old, ok = parseSizeLine(lines[1], "old "); !ok {
		return bad("line 2: not old and a size")
	}
	if p.New, ok = parseSizeLine(lines[2], "new "); !ok || p.New < p.Old {
		return bad("line 3: not new and a size that is not smaller")
	}
	for i, line := range lines[3:] {
		h, err := proofs.ParseHash(line)
		if err != nil {
			return bad("line %d: not a hash", 4+i)
		}
		p.Hashes = append(p.Hashes, h)
	}
	return p, nil
}

func parseSizeLine(line, keyword string) (uint64, bool) {
	digits, ok := strings.CutPrefix(line, keyword)
	size, err := strconv.ParseUint(digits, 10, 63)
	return size, ok && err == nil && strconv.FormatUint(size, 10) == digits
}

// Check checks that the tree of latest begins with that of old. Both are
// believed; the error matches [proofs.ErrNotVerified] where they are not what
// the proof is about, or it does not show it.
func (p ConsistencyProof) Check(old, latest proofs.Checkpoint) error {
	if old.Origin != latest.Origin {
		return fmt.Errorf("%w: consistency: the checkpoints are of two logs, %q and %q", proofs.ErrNotVerified, old.Origin, latest.Origin)
	}
	if p.Old != old.Size || p.New != latest.Size {
		return fmt.Errorf("%w: consistency: the proof is from size %d to %d, and the checkpoints are of size %d and %d",
			proofs.ErrNotVerified, p.Old, p.New, old.Size, latest.Size)
	}
	return proofs.CheckConsistency(p.Old, p.New, old.Root, latest.Root, p.Hashes)
}
