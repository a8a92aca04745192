package proofs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// A Disclosure shows somebody the private side of one entry, or some of it:
// enough to check against the leaf what is shown, and nothing about the
// rest. The ledger gives it to the writer of an entry and to its readers;
// an evidence bundle carries it.
//
// In JSON bytes are in standard base64; [ParseDisclosure] reads it strictly.
type Disclosure struct {
	ID    []byte          `json:"id"` // the 16 bytes of the [EntryID]
	Parts []DisclosedPart `json:"parts"`
	Tags  []DisclosedTags `json:"tags"`
}

// A DisclosedPart is a part that is shown, or the commitment to one that is
// not: then Opening, Head and Data are empty.
type DisclosedPart struct {
	SealedHash Hash   `json:"sealed_hash"`       // SHA-256 of the sealed part
	Binding    Hash   `json:"binding"`           // see [Binding]
	Opening    []byte `json:"opening,omitempty"` // 32 bytes, see [Binding]
	Head       []byte `json:"head,omitempty"`    // the part without its data: [ParsePartHead]
	Data       []byte `json:"data,omitempty"`    // left out where the receiver has it
}

// DisclosedTags is one list of tags that is shown, or the commitments to one
// that is not: then Seed and Tags are empty. Commitments are not known where
// the key of a list was destroyed and its record is not scrubbed yet; then no
// list of the entry can be shown or has any.
type DisclosedTags struct {
	SealedHash  Hash   `json:"sealed_hash"`           // SHA-256 of the sealed tags
	Seed        []byte `json:"seed,omitempty"`        // 32 bytes, see [TagSeed]
	Tags        []byte `json:"tags,omitempty"`        // uint16 field ‖ 16 bytes, for each tag
	Commitments []Hash `json:"commitments,omitempty"` // where the tags are not shown
}

// FormatDisclosure returns the disclosure in JSON, without white space.
func FormatDisclosure(d Disclosure) ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("disclosure: %w", err)
	}
	return b, nil
}

// ParseDisclosure reads what [FormatDisclosure] writes and nothing else, white
// space aside: no other name, order, spelling of a string or of base64. What
// it says is for [Disclosure.Check] to judge.
func ParseDisclosure(b []byte) (Disclosure, error) {
	var d Disclosure
	if err := json.Unmarshal(b, &d); err != nil {
		return Disclosure{}, fmt.Errorf("%w: disclosure: %w", ErrMalformed, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		return Disclosure{}, fmt.Errorf("%w: disclosure: %w", ErrMalformed, err)
	}
	again, err := FormatDisclosure(d)
	if err != nil {
		return Disclosure{}, err
	}
	if !bytes.Equal(again, compact.Bytes()) {
		return Disclosure{}, fmt.Errorf("%w: disclosure: not written as it must be", ErrMalformed)
	}
	return d, nil
}

// Check checks everything that is shown against the leaf: that the parts are
// those that C commits to, and that the tags are those that T commits to,
// unless nothing is known of them ([Disclosure.CoversT]).
func (d Disclosure) Check(leaf Leaf) error {
	if err := d.checkParts(leaf.C); err != nil {
		return err
	}
	return d.checkTags(leaf.T)
}

func (d Disclosure) checkParts(c Hash) error {
	if len(d.ID) != len(EntryID{}) {
		return fmt.Errorf("%w: disclosure: entry id: not 16 bytes", ErrMalformed)
	}
	if len(d.Parts) > maxParts || len(d.Tags) > maxTagLists {
		return fmt.Errorf("%w: disclosure: %d parts and %d tag lists are too many", ErrMalformed, len(d.Parts), len(d.Tags))
	}
	r := Record{ID: EntryID(d.ID)}
	for i, p := range d.Parts {
		r.Parts = append(r.Parts, RecordPart{Hash: p.SealedHash, Binding: p.Binding})
		if !p.Shown() {
			if len(p.Head) > 0 || len(p.Data) > 0 {
				return fmt.Errorf("%w: disclosure: part %d: it is given without its opening", ErrMalformed, i)
			}
			continue
		}
		if len(p.Opening) != openingSize {
			return fmt.Errorf("%w: disclosure: part %d: opening: not 32 bytes", ErrMalformed, i)
		}
		part, err := p.bytes()
		if err != nil {
			return fmt.Errorf("disclosure: part %d: %w", i, err)
		}
		if Binding((*Key256)(p.Opening), r.ID, i, part) != p.Binding {
			return fmt.Errorf("%w: disclosure: part %d: the payload is not the one that was recorded", ErrNotVerified, i)
		}
	}
	for _, t := range d.Tags {
		r.Tags = append(r.Tags, RecordTags{Hash: t.SealedHash})
	}
	if r.Commitment() != c {
		return fmt.Errorf("%w: disclosure: it is not what the leaf commits to", ErrNotVerified)
	}
	return nil
}

func (d Disclosure) checkTags(root Hash) error {
	var commitments []Hash
	for i, t := range d.Tags {
		if !t.Shown() {
			if len(t.Tags) > 0 {
				return fmt.Errorf("%w: disclosure: tags %d: they are given without their seed", ErrMalformed, i)
			}
			commitments = append(commitments, t.Commitments...)
			continue
		}
		tags, err := t.list()
		if err != nil {
			return fmt.Errorf("disclosure: tags %d: %w", i, err)
		}
		for _, tag := range tags {
			commitments = append(commitments, TagCommitment((*Key256)(t.Seed), len(commitments), tag))
		}
	}
	if !d.CoversT() {
		return nil
	}
	if len(commitments) > MaxTags || TagsRoot(commitments) != root {
		return fmt.Errorf("%w: disclosure: the tags are not those that the leaf commits to", ErrNotVerified)
	}
	return nil
}

// CoversT reports whether tags are shown or committed to, so that
// [Disclosure.Check] holds them to T. Of an entry without tags it does too.
func (d Disclosure) CoversT() bool {
	known := func(t DisclosedTags) bool { return t.Shown() || len(t.Commitments) > 0 }
	return len(d.Tags) == 0 || slices.ContainsFunc(d.Tags, known)
}

// Payload puts together what is shown: the event, with a gap for each value
// that is not ([JoinParts]). It judges nothing: see [Disclosure.Check]. Without
// the first part there is nothing to put together.
func (d Disclosure) Payload() (Part, error) {
	if len(d.Parts) == 0 || !d.Parts[0].Shown() {
		return Part{}, errors.New("the first part of the payload is not shown")
	}
	var parts []Part
	for i, p := range d.Parts {
		if !p.Shown() {
			continue
		}
		part, err := p.Part()
		if err != nil {
			return Part{}, fmt.Errorf("part %d: %w", i, err)
		}
		parts = append(parts, part)
	}
	return JoinParts(parts)
}

// Fill returns the disclosure with the data of an event in its parts, for whoever
// has the event ([CutParts]). All parts must be shown; what data they have is
// replaced. It judges nothing: see [Disclosure.Check].
func (d Disclosure) Fill(event []byte) (Disclosure, error) {
	heads := make([]Part, len(d.Parts))
	for i, p := range d.Parts {
		if !p.Shown() {
			return d, fmt.Errorf("part %d of the payload is not shown", i)
		}
		var err error
		if heads[i], err = p.Part(); err != nil {
			return d, fmt.Errorf("part %d: %w", i, err)
		}
	}
	parts, err := CutParts(heads, event)
	if err != nil {
		return d, err
	}
	d.Parts = slices.Clone(d.Parts)
	for i, p := range parts {
		d.Parts[i].Data = p.Data
	}
	return d, nil
}

// Shown reports whether the part is shown.
func (p DisclosedPart) Shown() bool { return p.Opening != nil }

// Part returns a part that is shown, without its data where that is left out.
func (p DisclosedPart) Part() (Part, error) {
	part, err := ParsePartHead(p.Head)
	part.Data = p.Data
	return part, err
}

func (p DisclosedPart) bytes() ([]byte, error) {
	part, err := p.Part()
	if err != nil {
		return nil, err
	}
	if err := part.checkData(); err != nil {
		return nil, err
	}
	return appendVector(append([]byte(nil), p.Head...), 4, p.Data), nil
}

// Shown reports whether the tags are shown.
func (t DisclosedTags) Shown() bool { return t.Seed != nil }

func (t DisclosedTags) list() ([]Tag, error) {
	if len(t.Commitments) > 0 {
		return nil, fmt.Errorf("%w: shown tags need no commitments", ErrMalformed)
	}
	if len(t.Seed) != len(Key256{}) || len(t.Tags)%sealedTagSize != 0 || len(t.Tags) > MaxTags*sealedTagSize {
		return nil, fmt.Errorf("%w: seed or list does not have the right size", ErrMalformed)
	}
	return parseTags(t.Tags), nil
}

// CheckFields checks that the tags that are shown are exactly those of the
// given values: the declared fields of the payload, in the order in which
// [ExtractFields] gives them. Keys holds the key of each field in the entry's
// bucket; that they are the right ones shows from their [FieldKeyHash] in
// the log.
func (d Disclosure) CheckFields(values []FieldValue, keys map[uint16]Key256) error {
	want := make(map[Tag]bool)
	for _, v := range values {
		key, ok := keys[v.Number]
		if !ok {
			return fmt.Errorf("disclosure: there is no key of field %d", v.Number)
		}
		want[MakeTag(v.Number, &key, v.Value)] = true
	}
	for i, t := range d.Tags {
		if t.Seed == nil {
			return fmt.Errorf("disclosure: tags %d are not shown", i)
		}
		tags, err := t.list()
		if err != nil {
			return fmt.Errorf("disclosure: tags %d: %w", i, err)
		}
		for _, tag := range tags {
			if !want[tag] {
				return fmt.Errorf("%w: disclosure: a tag of field %d is not of the payload", ErrNotVerified, tag.Field)
			}
			delete(want, tag)
		}
	}
	for tag := range want {
		return fmt.Errorf("%w: disclosure: a value of field %d has no tag", ErrNotVerified, tag.Field)
	}
	return nil
}
