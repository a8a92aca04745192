package proofs

import (
	"crypto/ed25519"
	"fmt"
	"strings"
)

// A Promise is the log's signed word that an entry has its index, given
// before a published checkpoint covers it. If none ever does, or another leaf
// stands at the index, the promise is evidence that the log broke its word.
//
// The note covers all entries of one batch:
//
//	cairn/v1 promise by <origin>
//	<state: sequenced or integrated>
//	<start> <end>                       the batch's indices, in decimal
//	<root>                              RFC 6962 root of the batch's leaves alone, base64
//	<time>                              microseconds since 1970, in decimal
//
//	— <origin> <signature>
//
// Its second line is no number, so that it can never be taken for a checkpoint.
type Promise struct {
	Note  []byte `json:"note"`            // the signed note
	Proof []Hash `json:"proof,omitempty"` // inclusion of the entry's leaf in the batch
}

// A PromiseText is what the note of a promise says.
type PromiseText struct {
	Origin     string
	State      string // "sequenced" or "integrated"
	Start, End uint64 // the indices of the batch are [Start, End)
	Root       Hash   // of the batch's leaves alone
	Time       uint64 // microseconds since 1970
}

const promiseLine = "cairn/v1 promise by "

// FormatPromiseText returns the text to be signed.
func FormatPromiseText(p PromiseText) (string, error) {
	text := fmt.Sprintf("%s%s\n%s\n%d %d\n%s\n%d\n", promiseLine, p.Origin, p.State, p.Start, p.End, p.Root, p.Time)
	if q, err := ParsePromiseText(text); err != nil || q != p {
		return "", fmt.Errorf("%w: promise: origin, state or range cannot be written", ErrMalformed)
	}
	return text, nil
}

// SignPromise signs what a promise says with a log's Ed25519 key and returns
// the note. The error matches [ErrUnsigned] where it is a key of
// [NewSigningKey] that did not sign.
func (k SigningKey) SignPromise(p PromiseText) ([]byte, error) {
	if k.key.Type() != Ed25519 || k.key.Name() != p.Origin {
		return nil, fmt.Errorf("sign promise: not by an Ed25519 key of %s", p.Origin)
	}
	text, err := FormatPromiseText(p)
	if err != nil {
		return nil, err
	}
	signature, err := k.ed25519([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("sign promise: %w", err)
	}
	return FormatNote(Note{Text: text, Signatures: []Signature{{Name: k.key.name, KeyID: k.key.id, Bytes: signature}}}), nil
}

// ParsePromiseText reads what [FormatPromiseText] writes and nothing else.
func ParsePromiseText(text string) (PromiseText, error) {
	bad := func(line string) (PromiseText, error) {
		return PromiseText{}, fmt.Errorf("%w: promise: %s", ErrMalformed, line)
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 6 || lines[5] != "" {
		return bad("not five lines")
	}
	origin, ok := strings.CutPrefix(lines[0], promiseLine)
	if !ok || origin == "" || len(origin) > MaxOrigin {
		return bad("line 1: no origin")
	}
	p := PromiseText{Origin: origin, State: lines[1]}
	if p.State != "sequenced" && p.State != "integrated" {
		return bad("line 2: neither sequenced nor integrated")
	}
	start, end, ok := strings.Cut(lines[2], " ")
	var errStart, errEnd, errTime error
	p.Start, errStart = parseDecimal(start, maxSize)
	p.End, errEnd = parseDecimal(end, maxSize)
	if !ok || errStart != nil || errEnd != nil || p.Start >= p.End {
		return bad("line 3: not a range of indices")
	}
	root, err := ParseHash(lines[3])
	if err != nil {
		return bad("line 4: not a hash")
	}
	p.Root = root
	if p.Time, errTime = parseDecimal(lines[4], maxSize); errTime != nil {
		return bad("line 5: not a time")
	}
	return p, nil
}

// Check checks that a log of the policy promised this leaf this index.
func (p Promise) Check(policy *Policy, index uint64, leaf []byte) (PromiseText, error) {
	signed, err := ParseNote(p.Note)
	if err != nil {
		return PromiseText{}, fmt.Errorf("promise: %w", err)
	}
	text, err := ParsePromiseText(signed.Text)
	if err != nil {
		return PromiseText{}, err
	}
	if err := checkPromiseSignature(policy, text.Origin, signed); err != nil {
		return PromiseText{}, err
	}
	if index < text.Start || index >= text.End {
		return PromiseText{}, fmt.Errorf("%w: promise: it covers [%d, %d), not %d", ErrNotVerified, text.Start, text.End, index)
	}
	if err := CheckInclusion(index-text.Start, text.End-text.Start, LeafHash(leaf), p.Proof, text.Root); err != nil {
		return PromiseText{}, fmt.Errorf("promise: %w", err)
	}
	return text, nil
}

func checkPromiseSignature(policy *Policy, origin string, signed Note) error {
	for _, log := range policy.Logs {
		if log.Key.Type() != Ed25519 || log.Key.Name() != origin {
			continue
		}
		for _, s := range signed.Signatures {
			if s.Name != origin || s.KeyID != log.Key.ID() {
				continue
			}
			if len(s.Bytes) != ed25519.SignatureSize || !ed25519.Verify(log.Key.Public(), []byte(signed.Text), s.Bytes) {
				return fmt.Errorf("%w: promise: the signature is not by %s", ErrNotVerified, origin)
			}
			return nil
		}
	}
	return fmt.Errorf("%w: promise: no signature of a log of the policy", ErrNotVerified)
}
