package proofs

import (
	"errors"
	"fmt"
	"slices"
)

// JoinParts puts together what [Extractor.Split] divided: the event as it
// arrived, to the byte, with all whom it concerns as its subjects. The first
// part must be there; the others are those that there are, in any order.
//
// Where a value is missing the data has the word null, and the result has a
// gap: without gaps the data is complete. That given fields, the idempotency
// key or the signature are missing does not show in the event, but in the
// record.
//
// The error matches [ErrMalformed] where the parts are not of one event.
func JoinParts(parts []Part) (Part, error) {
	if len(parts) == 0 {
		return Part{}, fmt.Errorf("%w: join: there is no part", ErrMalformed)
	}
	whole := parts[0]
	if len(whole.Pieces) > 0 || len(whole.Places) > 0 {
		return Part{}, fmt.Errorf("%w: join: the first part is a further one", ErrMalformed)
	}
	whole.Subjects = slices.Clone(whole.Subjects)
	values := make([][]byte, len(whole.Gaps))
	for i, p := range parts {
		if err := p.checkEncoding(); err != nil {
			return Part{}, fmt.Errorf("join: %w", err)
		}
		if err := p.checkData(); err != nil {
			return Part{}, fmt.Errorf("join: %w", err)
		}
		if i == 0 {
			continue
		}
		if err := whole.join(p, values); err != nil {
			return Part{}, fmt.Errorf("%w: join: part %d: %s", ErrMalformed, i, err)
		}
	}
	fields, err := joinFields(parts)
	if err != nil {
		return Part{}, err
	}
	whole.Fields = fields
	return whole, whole.fill(values)
}

// join adds a further part to the first, and its data to the values of the
// gaps.
func (p *Part) join(further Part, values [][]byte) error {
	switch {
	case further.MediaType != "" || further.Appender != "" || further.Source != "" || len(further.Gaps) > 0:
		return errors.New("it is the first one of an event")
	case len(further.Pieces) == 0 && len(further.Data) > 0:
		return errors.New("it has data that fills no gap")
	case len(further.Places) != len(further.Fields):
		return errors.New("its given fields have no places")
	case further.IdempotencyKey != "" && p.IdempotencyKey != "" || len(further.Signature) > 0 && len(p.Signature) > 0:
		return errors.New("it has an idempotency key or a signature too")
	}
	if further.IdempotencyKey != "" {
		p.IdempotencyKey = further.IdempotencyKey
	}
	if len(further.Signature) > 0 {
		p.Signature = further.Signature
	}
	for _, s := range further.Subjects {
		if !slices.Contains(p.Subjects, s) {
			p.Subjects = append(p.Subjects, s)
		}
	}
	data := further.Data
	for _, piece := range further.Pieces {
		if int(piece.Gap) >= len(values) || values[piece.Gap] != nil {
			return fmt.Errorf("there is no gap %d, or another part fills it", piece.Gap)
		}
		values[piece.Gap], data = data[:piece.Length], data[piece.Length:]
	}
	return nil
}

// fill fills the gaps of the first part, but for those without a value.
func (p *Part) fill(values [][]byte) error {
	size := len(p.Data)
	for _, v := range values {
		size += max(len(v)-len(gapText), 0)
	}
	if len(p.Gaps) == 0 {
		return nil
	}
	data, at := make([]byte, 0, size), 0
	var missing []uint32
	for i, g := range p.Gaps {
		data = append(data, p.Data[at:g]...)
		if at = int(g) + len(gapText); values[i] == nil {
			missing = append(missing, uint32(len(data)))
			data = append(data, gapText...)
		}
		data = append(data, values[i]...)
	}
	data = append(data, p.Data[at:]...)
	if len(data) > MaxPartData {
		return fmt.Errorf("%w: join: %d bytes are more than %d", ErrMalformed, len(data), MaxPartData)
	}
	if err := CheckJSON(data); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	p.Data, p.Gaps = data, missing
	return nil
}

// joinFields puts the given fields of all parts into their order.
func joinFields(parts []Part) ([]GivenField, error) {
	type placed struct {
		place int
		field GivenField
	}
	var further []placed
	for _, p := range parts[1:] {
		for i, f := range p.Fields {
			further = append(further, placed{int(p.Places[i]), f})
		}
	}
	slices.SortFunc(further, func(a, b placed) int { return a.place - b.place })
	var fields []GivenField
	rest := parts[0].Fields
	for i, f := range further {
		if i > 0 && f.place == further[i-1].place {
			return nil, fmt.Errorf("%w: join: two given fields have one place", ErrMalformed)
		}
		n := min(max(f.place-len(fields), 0), len(rest))
		fields, rest = append(fields, rest[:n]...), rest[n:]
		fields = append(fields, f.field)
	}
	return append(fields, rest...), nil
}

// CutParts divides the data of an event into parts whose heads are known
// ([ParsePartHead]), which it returns with their data. So whoever has the event
// needs only the heads to check what a ledger recorded of it. The head of
// every part must be there. The event is not judged: what the parts are bound to
// tells whether it is the one. The error matches [ErrMalformed] where no event
// could be divided so.
func CutParts(heads []Part, event []byte) ([]Part, error) {
	if len(heads) == 0 {
		return nil, fmt.Errorf("%w: cut: there is no part", ErrMalformed)
	}
	parts := slices.Clone(heads)
	lengths := make([]uint32, len(parts[0].Gaps))
	for i, p := range parts {
		if err := p.checkEncoding(); err != nil {
			return nil, fmt.Errorf("cut: %w", err)
		}
		for _, piece := range p.Pieces {
			if i == 0 || int(piece.Gap) >= len(lengths) || lengths[piece.Gap] != 0 {
				return nil, fmt.Errorf("%w: cut: part %d: there is no gap %d, or another part fills it", ErrMalformed, i, piece.Gap)
			}
			lengths[piece.Gap] = piece.Length
		}
	}
	first := &parts[0]
	first.Data = make([]byte, 0, len(event)+len(gapText)*len(lengths))
	values := make([][]byte, len(lengths))
	for i, g := range first.Gaps {
		before := int64(g) - int64(len(first.Data)) // bytes of the event before the gap
		end := before + int64(lengths[i])
		if before < 0 || end > int64(len(event)) || lengths[i] == 0 {
			return nil, fmt.Errorf("%w: cut: gap %d has no value, or lies outside of the event", ErrMalformed, i)
		}
		first.Data = append(append(first.Data, event[:before]...), gapText...)
		values[i], event = event[before:end], event[end:]
	}
	first.Data = append(first.Data, event...)
	for i := range parts[1:] {
		p := &parts[1+i]
		p.Data = nil
		for _, piece := range p.Pieces {
			p.Data = append(p.Data, values[piece.Gap]...)
		}
	}
	return parts, nil
}
