package proofs

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// MaxNoteSize bounds a signed note in bytes: room for [MaxSignatures]
	// signatures by ML-DSA-44, of 3.3 kB each, and more.
	MaxNoteSize = 1 << 20
	// MaxSignatures bounds the signature lines of a note. C2SP signed-note
	// demands at least 16.
	MaxSignatures = 128
)

// sigPrefix begins a signature line: an em dash and a space.
const sigPrefix = "— "

// A Note is text and signatures of it (C2SP signed-note). That it parses says
// nothing about who signed it.
type Note struct {
	// Text ends in a newline. It may hold empty lines.
	Text string
	// Signatures has at least one element.
	Signatures []Signature
}

// A Signature is one signature line of a note.
type Signature struct {
	// Name and KeyID are those of the key that is claimed to have signed.
	Name  string
	KeyID uint32
	// Bytes is what follows the key ID, at least one byte: for cosignatures
	// the time and the signature, otherwise the signature.
	Bytes []byte
}

// ParseNote reads a signed note of at most [MaxNoteSize] bytes. It verifies
// nothing. The text is separated from the signatures by the last empty line.
func ParseNote(b []byte) (Note, error) {
	if len(b) > MaxNoteSize {
		return Note{}, fmt.Errorf("%w: note: %d bytes, at most %d are read", ErrMalformed, len(b), MaxNoteSize)
	}
	if err := checkText(string(b)); err != nil {
		return Note{}, fmt.Errorf("%w: note: %s", ErrMalformed, err)
	}
	end := bytes.LastIndex(b, []byte("\n\n"))
	if end < 0 {
		return Note{}, fmt.Errorf("%w: note: no empty line between text and signatures", ErrMalformed)
	}
	signatures, err := ParseSignatures(b[end+2:])
	if err != nil {
		return Note{}, err
	}
	return Note{Text: string(b[:end+1]), Signatures: signatures}, nil
}

// FormatNote writes a note as [ParseNote] reads it. It checks nothing.
func FormatNote(n Note) []byte {
	return append([]byte(n.Text+"\n"), FormatSignatures(n.Signatures)...)
}

// ParseSignatures reads one to [MaxSignatures] signature lines, as they stand
// at the end of a note and in the answer of a witness.
func ParseSignatures(b []byte) ([]Signature, error) {
	if len(b) > MaxNoteSize {
		return nil, fmt.Errorf("%w: signatures: %d bytes, at most %d are read", ErrMalformed, len(b), MaxNoteSize)
	}
	var signatures []Signature
	for number := 1; len(b) > 0 || number == 1; number++ {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		switch {
		case number > MaxSignatures:
			return nil, fmt.Errorf("%w: signatures: more than %d", ErrMalformed, MaxSignatures)
		case len(line) == 0 && number == 1:
			return nil, fmt.Errorf("%w: signatures: none", ErrMalformed)
		case !ok:
			return nil, fmt.Errorf("%w: signature %d: no newline at its end", ErrMalformed, number)
		}
		s, err := parseSignature(string(line))
		if err != nil {
			return nil, fmt.Errorf("%w: signature %d: %s", ErrMalformed, number, err)
		}
		signatures = append(signatures, s)
		b = rest
	}
	return signatures, nil
}

// FormatSignatures writes signature lines as [ParseSignatures] reads them. It
// checks nothing.
func FormatSignatures(signatures []Signature) []byte {
	var b []byte
	for _, s := range signatures {
		b = append(b, sigPrefix+s.Name+" "...)
		b = base64.StdEncoding.AppendEncode(b, append(binary.BigEndian.AppendUint32(nil, s.KeyID), s.Bytes...))
		b = append(b, '\n')
	}
	return b
}

// parseSignature reads a signature line without its newline.
func parseSignature(line string) (Signature, error) {
	rest, ok := strings.CutPrefix(line, sigPrefix)
	if !ok {
		return Signature{}, fmt.Errorf("does not begin with an em dash and a space")
	}
	name, material, ok := strings.Cut(rest, " ")
	if !ok || !validKeyName(name) {
		return Signature{}, fmt.Errorf("no valid key name")
	}
	b, ok := parseBase64(material)
	if !ok || len(b) < 5 {
		return Signature{}, fmt.Errorf("not canonical base64 of a key ID and a signature")
	}
	return Signature{Name: name, KeyID: binary.BigEndian.Uint32(b), Bytes: b[4:]}, nil
}

// checkText says what a note must not contain: anything but UTF-8, and
// control characters below U+0020 other than newline.
func checkText(text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("not UTF-8")
	}
	for i := range len(text) {
		if c := text[i]; c < 0x20 && c != '\n' {
			return fmt.Errorf("control character 0x%02x at byte %d", c, i)
		}
	}
	return nil
}
