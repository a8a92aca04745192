package proofs

import (
	"bytes"
	"fmt"
	"slices"
)

// CheckSplit checks that an event, all of which is shown, is in the parts that
// [Extractor.Split] makes of it. The extractor has the fields that its stream
// declared then. What cannot be checked without keys is that the parts are
// sealed under those of the subjects that they name.
//
// The error matches [ErrNotVerified] where the parts are others, so that an
// erasure would close too little or too much.
func (d Disclosure) CheckSplit(x *Extractor) error {
	payload, parts, err := d.allParts()
	if err != nil {
		return err
	}
	payload.Subjects = parts[0].Subjects // whom all of it concerns
	want, err := x.Split(payload)
	if err != nil {
		return fmt.Errorf("%w: the event cannot be divided: %w", ErrNotVerified, err)
	}
	if len(parts) != len(want) {
		return fmt.Errorf("%w: the event is in %d parts, and must be in %d", ErrNotVerified, len(parts), len(want))
	}
	for i := range want {
		b, err := FormatPart(parts[i])
		if err != nil {
			return err
		}
		if again, err := FormatPart(want[i]); err != nil || !bytes.Equal(b, again) {
			return fmt.Errorf("%w: part %d is not what concerns the same people", ErrNotVerified, i)
		}
	}
	return nil
}

// CheckWhole checks that an event, all of which is shown, is in one part for
// all data subjects whom values of its declared fields name, as in a stream
// that does not divide its events. The error is as that of
// [Disclosure.CheckSplit].
func (d Disclosure) CheckWhole(values []FieldValue) error {
	payload, parts, err := d.allParts()
	if err != nil {
		return err
	}
	if len(parts) != 1 {
		return fmt.Errorf("%w: the event is in %d parts, and must be in one", ErrNotVerified, len(parts))
	}
	for _, v := range values {
		if v.Subject && len(v.Value) > 0 && !slices.Contains(payload.Subjects, string(v.Value)) {
			return fmt.Errorf("%w: a value of field %d names somebody whom the event is not about", ErrNotVerified, v.Number)
		}
	}
	return nil
}

// allParts returns the payload and its parts, all of which must be shown.
func (d Disclosure) allParts() (payload Part, parts []Part, err error) {
	if payload, err = d.Payload(); err != nil {
		return payload, nil, err
	}
	for i, p := range d.Parts {
		if !p.Shown() {
			return payload, nil, fmt.Errorf("part %d of the payload is not shown", i)
		}
		part, err := p.Part()
		if err != nil {
			return payload, nil, fmt.Errorf("part %d: %w", i, err)
		}
		parts = append(parts, part)
	}
	return payload, parts, nil
}
