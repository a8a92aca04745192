package proofs

import (
	"encoding/binary"
	"fmt"
)

// What a part says of its data: see [Part].

const (
	gapText   = "null"
	pieceSize = 4 + 4
	maxPlaces = 1<<14 - 1 // as many given fields as there is room for
)

// appendEncoding appends the encoding of a part and what belongs to it.
func appendEncoding(b []byte, p Part) ([]byte, error) {
	pieces := len(p.Pieces) > 0 || len(p.Places) > 0
	switch {
	case len(p.Gaps) > 0 && pieces:
		return nil, fmt.Errorf("%w: part: it has gaps and pieces", ErrMalformed)
	case len(p.Gaps) > MaxGaps || len(p.Pieces) > MaxGaps:
		return nil, fmt.Errorf("%w: part: %d gaps and %d pieces are more than %d", ErrMalformed, len(p.Gaps), len(p.Pieces), MaxGaps)
	case pieces && len(p.Places) != len(p.Fields):
		return nil, fmt.Errorf("%w: part: %d given fields have %d places", ErrMalformed, len(p.Fields), len(p.Places))
	case len(p.Gaps) > 0:
		b = append(b, dataGaps)
		b = binary.BigEndian.AppendUint16(b, uint16(4*len(p.Gaps)))
		for _, g := range p.Gaps {
			b = binary.BigEndian.AppendUint32(b, g)
		}
	case pieces:
		b = append(b, dataPieces)
		b = binary.BigEndian.AppendUint16(b, uint16(pieceSize*len(p.Pieces)))
		for _, piece := range p.Pieces {
			b = binary.BigEndian.AppendUint32(b, piece.Gap)
			b = binary.BigEndian.AppendUint32(b, piece.Length)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(2*len(p.Places)))
		for _, place := range p.Places {
			b = binary.BigEndian.AppendUint16(b, place)
		}
	default:
		b = append(b, dataWhole)
	}
	return b, p.checkEncoding()
}

// encoding reads what appendEncoding writes.
func (d *decoder) encoding(p *Part) {
	encoding := d.uint8("encoding")
	switch encoding {
	case dataWhole:
	case dataGaps:
		gaps := decoder{format: d.format, rest: d.vector("gaps", 2, 4, 4*MaxGaps)}
		for len(gaps.rest) > 0 {
			p.Gaps = append(p.Gaps, gaps.uint32("gap"))
		}
		d.inner(gaps)
	case dataPieces:
		pieces := decoder{format: d.format, rest: d.vector("pieces", 2, 0, pieceSize*MaxGaps)}
		for len(pieces.rest) > 0 {
			p.Pieces = append(p.Pieces, Piece{Gap: pieces.uint32("gap"), Length: pieces.uint32("length")})
		}
		d.inner(pieces)
		places := decoder{format: d.format, rest: d.vector("places", 2, 0, 2*maxPlaces)}
		for len(places.rest) > 0 {
			p.Places = append(p.Places, places.uint16("place"))
		}
		d.inner(places)
		if d.err == nil && len(p.Pieces) == 0 && len(p.Places) == 0 {
			d.fail("pieces", "neither a piece nor a given field")
		}
		if d.err == nil && len(p.Places) != len(p.Fields) {
			d.fail("places", "not one for each given field")
		}
	default:
		d.fail("encoding", fmt.Sprintf("%d is not known", encoding))
	}
	if err := p.checkEncoding(); d.err == nil && err != nil {
		d.err, d.rest = err, nil
	}
}

// inner takes over the error of a decoder of a part of the input.
func (d *decoder) inner(part decoder) {
	if d.err == nil && part.err != nil {
		d.err, d.rest = part.err, nil
	}
}

// checkEncoding checks what can be told without the data.
func (p Part) checkEncoding() error {
	for i, g := range p.Gaps {
		if i > 0 && (g <= p.Gaps[i-1] || g-p.Gaps[i-1] < uint32(len(gapText))) {
			return fmt.Errorf("%w: part: gaps: they do not rise, or overlap", ErrMalformed)
		}
	}
	for i, piece := range p.Pieces {
		if piece.Length == 0 || piece.Gap >= MaxGaps || i > 0 && piece.Gap <= p.Pieces[i-1].Gap {
			return fmt.Errorf("%w: part: pieces: one is empty, or their gaps do not rise", ErrMalformed)
		}
	}
	for i, place := range p.Places {
		if i > 0 && place <= p.Places[i-1] {
			return fmt.Errorf("%w: part: places: they do not rise", ErrMalformed)
		}
	}
	return nil
}

// checkData checks that the data is what the head says.
func (p Part) checkData() error {
	if len(p.Data) > MaxPartData {
		return fmt.Errorf("%w: part: data of %d bytes is larger than %d", ErrMalformed, len(p.Data), MaxPartData)
	}
	for _, g := range p.Gaps {
		end := uint64(g) + uint64(len(gapText))
		if end > uint64(len(p.Data)) || string(p.Data[g:end]) != gapText {
			return fmt.Errorf("%w: part: data: byte %d: no null stands in the gap", ErrMalformed, g)
		}
	}
	if len(p.Pieces) == 0 && len(p.Places) == 0 {
		return nil
	}
	sum := uint64(0)
	for _, piece := range p.Pieces {
		sum += uint64(piece.Length)
	}
	if sum != uint64(len(p.Data)) {
		return fmt.Errorf("%w: part: data: %d bytes are not the %d of its pieces", ErrMalformed, len(p.Data), sum)
	}
	return nil
}
