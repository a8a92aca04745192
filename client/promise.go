package client

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A PromisedEntry is a log's promise of one entry, with all that is needed to
// check it, and to tell later whether the log has kept its word. It is a text
// file, usually called INDEX.promise:
//
//	cairn/v1 promised entry
//	index <index of the entry, in decimal>
//	leaf <its leaf, base64>
//	<hash, base64>          inclusion in the promised batch, at most 63 of them
//
//	<the signed note of the promise, see [proofs.Promise]>
type PromisedEntry struct {
	Index   uint64
	Leaf    []byte // as it is hashed, at least one byte
	Promise proofs.Promise
}

const (
	promisedHeader  = "cairn/v1 promised entry"
	maxPromiseProof = 63 // hashes, in a batch of less than 2^63 entries

	// MaxPromisedEntry bounds the file of a promise in bytes.
	MaxPromisedEntry = 2 << 20
)

// FormatPromisedEntry returns the file of a promise. The error matches
// [proofs.ErrMalformed] where [ParsePromisedEntry] would not read it.
func FormatPromisedEntry(p PromisedEntry) ([]byte, error) {
	b := fmt.Appendf(nil, "%s\nindex %d\nleaf ", promisedHeader, p.Index)
	b = append(base64.StdEncoding.AppendEncode(b, p.Leaf), '\n')
	for _, h := range p.Promise.Proof {
		b = append(b, h.String()+"\n"...)
	}
	b = append(append(b, '\n'), p.Promise.Note...)
	if _, err := ParsePromisedEntry(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParsePromisedEntry reads what [FormatPromisedEntry] writes and nothing else.
// It verifies nothing: see [proofs.Promise.Check] and [Verifier.CheckPromise].
func ParsePromisedEntry(b []byte) (PromisedEntry, error) {
	bad := func(format string, args ...any) (PromisedEntry, error) {
		return PromisedEntry{}, fmt.Errorf("%w: promised entry: %s", proofs.ErrMalformed, fmt.Sprintf(format, args...))
	}
	if len(b) > MaxPromisedEntry {
		return bad("larger than %d bytes", MaxPromisedEntry)
	}
	head, note, ok := bytes.Cut(b, []byte("\n\n"))
	lines := strings.SplitN(string(head), "\n", 4+maxPromiseProof)
	if !ok || len(lines) < 3 || lines[0] != promisedHeader {
		return bad("it does not begin with %q, index and leaf", promisedHeader)
	}
	if len(lines) > 3+maxPromiseProof {
		return bad("more than %d hashes", maxPromiseProof)
	}
	var p PromisedEntry
	if p.Index, ok = parseSizeLine(lines[1], "index "); !ok {
		return bad("line 2: not index and a number")
	}
	if p.Leaf, ok = parseLeafLine(lines[2]); !ok {
		return bad("line 3: not leaf and its bytes")
	}
	for i, line := range lines[3:] {
		h, err := proofs.ParseHash(line)
		if err != nil {
			return bad("line %d: not a hash", 4+i)
		}
		p.Promise.Proof = append(p.Promise.Proof, h)
	}
	p.Promise.Note = note
	if _, err := p.text(); err != nil {
		return PromisedEntry{}, err
	}
	return p, nil
}

func parseLeafLine(line string) ([]byte, bool) {
	text, ok := strings.CutPrefix(line, "leaf ")
	leaf, err := base64.StdEncoding.Strict().DecodeString(text)
	return leaf, ok && err == nil && len(leaf) > 0 && !strings.Contains(text, "\r")
}

// text returns what the promise says, whoever signed it.
func (p PromisedEntry) text() (proofs.PromiseText, error) {
	note, err := proofs.ParseNote(p.Promise.Note)
	if err != nil {
		return proofs.PromiseText{}, err
	}
	return proofs.ParsePromiseText(note.Text)
}

// Check checks that a log of the policy promised the entry.
func (p PromisedEntry) Check(policy *proofs.Policy) (proofs.PromiseText, error) {
	text, err := p.Promise.Check(policy, p.Index, p.Leaf)
	if err != nil {
		return text, fmt.Errorf("entry %d: %w", p.Index, err)
	}
	return text, nil
}
