package proofs

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Attestation is the signed word of somebody who audited a log that he made
// directories again, of the tags that the entries commit to, and that they are
// right: they leave nothing out, but for what had expired or was erased by then, of
// which nobody can tell.
//
// It is a C2SP signed note, signed by a plain Ed25519 key of the auditor's own:
//
//	cairn/v1 audited directories
//	<origin>                            of the log
//	<size>                              of the checkpoint that it was judged by, in decimal
//	<root>                              of that checkpoint, base64
//	<time>                              of the statement, in seconds since 1970, in decimal
//	segment <number> <hash>             each directory of a small segment, rising
//	large <number> <hash>               and each of a large one, behind them
//
// Its third line is a number and no hash, so that it can never be taken for a
// checkpoint. A directory that is made anew later has another hash: of that it
// says nothing. As a signed note has at most [MaxNoteSize] bytes there is room for about
// 18,000 directories, of 70 million entries.
type Attestation struct {
	Origin      string
	Size        uint64 // at most 2^63-1
	Root        Hash
	Time        uint64          // in seconds since 1970, at most 2^63-1
	Directories []MadeDirectory // small ones first, rising; all before Size
}

const attestationLine = "cairn/v1 audited directories\n"

// FormatAttestation returns the text to be signed. Its error matches
// [ErrMalformed].
func FormatAttestation(a Attestation) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\n%d\n%s\n%d\n", attestationLine, a.Origin, a.Size, a.Root, a.Time)
	for _, m := range a.Directories {
		fmt.Fprintf(&b, "%s %d %s\n", segmentWord(m.Segment), m.Segment.Number, m.Hash)
	}
	got, err := ParseAttestation(b.String())
	if err == nil && (got.Origin != a.Origin || !slices.Equal(got.Directories, a.Directories)) {
		err = fmt.Errorf("%w: attestation: the origin cannot be written", ErrMalformed)
	}
	if err != nil {
		return "", err
	}
	return b.String(), nil
}

func segmentWord(s SegmentID) string {
	if s.Large {
		return "large"
	}
	return "segment"
}

// ParseAttestation reads what [FormatAttestation] writes and nothing else.
func ParseAttestation(text string) (a Attestation, err error) {
	bad := func(why string) (Attestation, error) {
		return Attestation{}, fmt.Errorf("%w: attestation: %s", ErrMalformed, why)
	}
	rest, ok := strings.CutPrefix(text, attestationLine)
	if !ok || len(text) > MaxNoteSize || checkText(text) != nil || !strings.HasSuffix(rest, "\n") {
		return bad("it is none, too long, or no text")
	}
	lines := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
	if len(lines) < 4 {
		return bad("lines are missing")
	}
	if a.Origin = lines[0]; a.Origin == "" || len(a.Origin) > MaxOrigin {
		return bad("line 2: no origin")
	}
	if a.Size, err = parseDecimal(lines[1], maxSize); err != nil {
		return bad("line 3: not a size")
	}
	if a.Root, err = ParseHash(lines[2]); err != nil {
		return bad("line 4: not a hash")
	}
	if a.Time, err = parseDecimal(lines[3], maxSize); err != nil {
		return bad("line 5: not a time")
	}
	for i, line := range lines[4:] {
		m, ok := parseAttested(line)
		if n := len(a.Directories); !ok || n > 0 && !m.Segment.after(a.Directories[n-1].Segment) || m.Segment.End() > a.Size {
			return bad(fmt.Sprintf("line %d: not the directory of a segment of the log, behind those before", i+6))
		}
		a.Directories = append(a.Directories, m)
	}
	return a, nil
}

func parseAttested(line string) (m MadeDirectory, ok bool) {
	word, rest, _ := strings.Cut(line, " ")
	number, hash, _ := strings.Cut(rest, " ")
	n, err := parseDecimal(number, maxSegment-1)
	if err != nil {
		return m, false
	}
	m.Segment = SegmentID{Large: word == "large", Number: n}
	m.Hash, err = ParseHash(hash)
	return m, err == nil && line == segmentWord(m.Segment)+" "+strconv.FormatUint(n, 10)+" "+m.Hash.String()
}

// SignAttestation signs a statement with a plain Ed25519 key and returns the note. The
// error matches [ErrUnsigned] where it is a key of [NewSigningKey] that did not sign.
func (k SigningKey) SignAttestation(a Attestation) ([]byte, error) {
	if k.key.Type() != Ed25519 {
		return nil, fmt.Errorf("sign attestation: by a key of the type %v, not %v", k.key.Type(), Ed25519)
	}
	text, err := FormatAttestation(a)
	if err != nil {
		return nil, err
	}
	signature, err := k.ed25519([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("sign attestation: %w", err)
	}
	note := FormatNote(Note{Text: text, Signatures: []Signature{{Name: k.key.name, KeyID: k.key.id, Bytes: signature}}})
	if len(note) > MaxNoteSize {
		return nil, fmt.Errorf("%w: attestation: %d directories are too many for a note", ErrMalformed, len(a.Directories))
	}
	return note, nil
}

// CheckAttestation reads a signed statement, and checks that this key, a plain
// Ed25519 one, signed it. The error matches [ErrMalformed] or [ErrNotVerified].
func (k Key) CheckAttestation(note []byte) (Attestation, error) {
	signed, err := ParseNote(note)
	if err != nil {
		return Attestation{}, fmt.Errorf("attestation: %w", err)
	}
	a, err := ParseAttestation(signed.Text)
	if err != nil {
		return Attestation{}, err
	}
	for _, s := range signed.Signatures {
		if !k.claimed(s) {
			continue
		}
		if k.typ != Ed25519 || len(s.Bytes) != ed25519.SignatureSize || !ed25519.Verify([]byte(k.public), []byte(signed.Text), s.Bytes) {
			break
		}
		return a, nil
	}
	return Attestation{}, fmt.Errorf("%w: attestation: it is not signed by %s+%s", ErrNotVerified, k.name, formatKeyID(k.id))
}

// Covers reports whether the statement is of the log of a search proof, and about
// every directory that its answer rests on, as they were.
func (a Attestation) Covers(v SearchVerdict) bool {
	attested := make(map[MadeDirectory]bool, len(a.Directories))
	for _, m := range a.Directories {
		attested[m] = true
	}
	return a.Origin == v.Checkpoint.Origin && !slices.ContainsFunc(v.Directories, func(m MadeDirectory) bool { return !attested[m] })
}
