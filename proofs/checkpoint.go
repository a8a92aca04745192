package proofs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxSize is the largest tree size and time that the formats admit.
const maxSize = math.MaxInt64

// A Checkpoint is the head of a log's tree (C2SP tlog-checkpoint): everything
// there is to know about the first Size entries of the log.
type Checkpoint struct {
	// Origin names the log. It is one line of UTF-8, not empty, and need not
	// be the address of anything.
	Origin string `json:"origin"`
	// Size is the number of entries, at most 2^63-1.
	Size uint64 `json:"size"`
	// Root is the root of the tree at that size (RFC 6962 §2.1).
	Root Hash `json:"root"`
	// Extensions are further lines, none of them empty. Nobody checks what
	// they say, and ML-DSA-44 signatures do not cover them; Cairn writes
	// none.
	Extensions []string `json:"extensions,omitempty"`
}

// ParseCheckpoint reads the text of a checkpoint, that is of the note without
// its signatures. A size of zero with another root than [EmptyRoot] is well
// formed.
func ParseCheckpoint(text string) (Checkpoint, error) {
	fail := func(why string) (Checkpoint, error) {
		return Checkpoint{}, fmt.Errorf("%w: checkpoint: %s", ErrMalformed, why)
	}
	if err := checkText(text); err != nil {
		return fail(err.Error())
	}
	body, ok := strings.CutSuffix(text, "\n")
	if !ok {
		return fail("no newline at its end")
	}
	lines := strings.Split(body, "\n")
	if len(lines) < 3 {
		return fail("fewer than three lines")
	}
	for i, line := range lines {
		if line == "" {
			return fail(fmt.Sprintf("line %d is empty", i+1))
		}
	}
	size, err := parseDecimal(lines[1], maxSize)
	if err != nil {
		return fail("size: " + err.Error())
	}
	root, err := ParseHash(lines[2])
	if err != nil {
		return fail(fmt.Sprintf("root: not canonical base64 of %d bytes", HashSize))
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: root}
	if len(lines) > 3 {
		c.Extensions = lines[3:]
	}
	return c, nil
}

// FormatCheckpoint writes the text that [ParseCheckpoint] reads. The error
// matches [ErrMalformed] where c cannot be written.
func FormatCheckpoint(c Checkpoint) (string, error) {
	lines := append([]string{c.Origin, strconv.FormatUint(c.Size, 10), c.Root.String()}, c.Extensions...)
	for i, line := range lines {
		if strings.Contains(line, "\n") {
			return "", fmt.Errorf("%w: checkpoint: newline within line %d", ErrMalformed, i+1)
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	if _, err := ParseCheckpoint(text); err != nil {
		return "", err
	}
	return text, nil
}

// A SignedCheckpoint is a note whose text is a checkpoint. That it parses says
// nothing about who signed it: [Policy.Check] does.
type SignedCheckpoint struct {
	Checkpoint
	Note Note
}

// ParseSignedCheckpoint reads a signed note, as [ParseNote] does, whose text
// is a checkpoint. It verifies nothing.
func ParseSignedCheckpoint(b []byte) (SignedCheckpoint, error) {
	n, err := ParseNote(b)
	if err != nil {
		return SignedCheckpoint{}, err
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return SignedCheckpoint{}, err
	}
	return SignedCheckpoint{c, n}, nil
}

// FormatSignedCheckpoint writes the note of c. To add cosignatures, append to
// c.Note.Signatures.
func FormatSignedCheckpoint(c SignedCheckpoint) []byte { return FormatNote(c.Note) }

// parseDecimal reads an ASCII decimal without sign or leading zeros.
func parseDecimal(s string, max uint64) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("not a canonical decimal number")
	}
	if n > max {
		return 0, fmt.Errorf("larger than %d", max)
	}
	return n, nil
}
