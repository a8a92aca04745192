package proofs

import "fmt"

// MaxPartData is the largest data of a part in bytes. Ledgers set a lower
// limit, 1 MiB by default.
const MaxPartData = 1<<24 - 1 - 1<<20

// MaxGaps is the most values of one event that other parts can have.
const MaxGaps = 4096

const (
	partVersion = 1

	dataWhole  = 0 // encodings of the data
	dataGaps   = 1
	dataPieces = 2
)

// A Part is what is sealed: an event as it arrived, and what came with it.
// A payload is one part, or several that can be closed one by one: see
// [Extractor.Split].
//
//	struct {
//	    uint8  version = 1;
//	    opaque media_type<0..255>;
//	    opaque appender<0..255>;
//	    opaque idempotency_key<0..1024>;
//	    opaque source<0..255>;
//	    opaque subjects<0..65535>;      /* each: opaque subject<1..1024> */
//	    opaque fields<0..65535>;        /* each: opaque name<1..255>; opaque value<0..4096> */
//	    opaque signature<0..65535>;
//	    uint8  encoding;                /* 0: data is as it arrived; 1: it has gaps; 2: it is pieces */
//	    select (encoding) {
//	        case 0: struct {};
//	        case 1: uint32 gaps<4..16384>;
//	        case 2: Piece pieces<0..32768>; uint16 places<0..32766>;
//	    };
//	    opaque data<0..2^24-1-2^20>;    /* length in four bytes */
//	} Part;
//	struct { uint32 gap; uint32 length; } Piece;
//
// The data comes last, so that whoever has it already needs only the rest.
type Part struct {
	MediaType      string       // as the appender gave it; at most 255 bytes
	Appender       string       // the identity that appended it; at most 255 bytes
	IdempotencyKey string       // empty: none; at most 1,024 bytes
	Source         string       // the source's name; empty: none; at most 255 bytes
	Subjects       []string     // the data subjects whose keys close this part
	Fields         []GivenField // declared fields given beside the data, not found in it
	Signature      []byte       // the producer's own signature, if there is one

	// Gaps are the offsets in the data at which the word null stands for a
	// value that another part has, or had: at most [MaxGaps], rising. What was
	// there leaves no trace, not even its length.
	Gaps []uint32

	// Pieces are what the data of a further part consists of, one after the
	// other, and Places are those of its given fields among all of the event, one for each
	// field. Both rise. A part has either gaps, or pieces and places.
	Pieces []Piece
	Places []uint16

	Data []byte // the raw bytes, unchanged; at most [MaxPartData]
}

// A Piece fills a gap of the first part.
type Piece struct {
	Gap    uint32 // its number, from 0
	Length uint32 // of the value as it arrived, in bytes, from 1
}

// A GivenField is the canonical value of a declared field that came beside
// the data of an event.
type GivenField struct {
	Name  string
	Value []byte
}

// FormatPart returns the canonical bytes of a part.
func FormatPart(p Part) ([]byte, error) {
	head, err := FormatPartHead(p)
	if err != nil {
		return nil, err
	}
	if err := p.checkData(); err != nil {
		return nil, err
	}
	return appendVector(head, 4, p.Data), nil
}

// FormatPartHead returns the bytes of a part up to its data.
func FormatPartHead(p Part) ([]byte, error) {
	var subjects, fields []byte
	for _, s := range p.Subjects {
		if len(s) < 1 || len(s) > 1024 {
			return nil, fmt.Errorf("%w: part: subject of %d bytes is not within 1..1024", ErrMalformed, len(s))
		}
		subjects = appendVector(subjects, 2, s)
	}
	for _, f := range p.Fields {
		if len(f.Name) < 1 || len(f.Name) > 255 || len(f.Value) > 4096 {
			return nil, fmt.Errorf("%w: part: field %q: name or value is too long or empty", ErrMalformed, f.Name)
		}
		fields = appendVector(fields, 1, f.Name)
		fields = appendVector(fields, 2, f.Value)
	}
	if len(p.MediaType) > 255 || len(p.Appender) > 255 || len(p.IdempotencyKey) > 1024 || len(p.Source) > 255 ||
		len(subjects) > 65535 || len(fields) > 65535 || len(p.Signature) > 65535 {
		return nil, p.tooLong(len(subjects), len(fields))
	}
	b := make([]byte, 0, 32+len(p.MediaType)+len(p.Appender)+len(p.IdempotencyKey)+len(p.Source)+
		len(subjects)+len(fields)+len(p.Signature)+4*len(p.Gaps)+pieceSize*len(p.Pieces)+2*len(p.Places)+len(p.Data))
	b = append(b, partVersion)
	b = appendVector(b, 1, p.MediaType)
	b = appendVector(b, 1, p.Appender)
	b = appendVector(b, 2, p.IdempotencyKey)
	b = appendVector(b, 1, p.Source)
	b = appendVector(b, 2, subjects)
	b = appendVector(b, 2, fields)
	b = appendVector(b, 2, p.Signature)
	return appendEncoding(b, p)
}

// tooLong says what is too long for a head.
func (p Part) tooLong(subjects, fields int) error {
	for _, v := range []struct {
		field string
		n     int
		max   int
	}{
		{"media type", len(p.MediaType), 255}, {"appender", len(p.Appender), 255},
		{"idempotency key", len(p.IdempotencyKey), 1024}, {"source", len(p.Source), 255},
		{"subjects", subjects, 65535}, {"fields", fields, 65535},
	} {
		if v.n > v.max {
			return fmt.Errorf("%w: part: %s of %d bytes is larger than %d", ErrMalformed, v.field, v.n, v.max)
		}
	}
	return fmt.Errorf("%w: part: signature of %d bytes is larger than 65535", ErrMalformed, len(p.Signature))
}

// ParsePart reads the bytes that [FormatPart] writes and no others. The data
// and the signature alias b.
func ParsePart(b []byte) (Part, error) {
	d := decoder{format: "part", rest: b}
	p := parsePartHead(&d)
	p.Data = d.vector("data", 4, 0, MaxPartData)
	if err := d.end(); err != nil {
		return p, err
	}
	return p, p.checkData()
}

// ParsePartHead reads the bytes that [FormatPartHead] writes and no others.
func ParsePartHead(b []byte) (Part, error) {
	d := decoder{format: "part", rest: b}
	p := parsePartHead(&d)
	return p, d.end()
}

func parsePartHead(d *decoder) Part {
	d.version(partVersion)
	p := Part{
		MediaType:      string(d.vector("media type", 1, 0, 255)),
		Appender:       string(d.vector("appender", 1, 0, 255)),
		IdempotencyKey: string(d.vector("idempotency key", 2, 0, 1024)),
		Source:         string(d.vector("source", 1, 0, 255)),
	}
	subjects := decoder{format: d.format, rest: d.vector("subjects", 2, 0, 65535)}
	for len(subjects.rest) > 0 {
		p.Subjects = append(p.Subjects, string(subjects.vector("subject", 2, 1, 1024)))
	}
	fields := decoder{format: d.format, rest: d.vector("fields", 2, 0, 65535)}
	for len(fields.rest) > 0 {
		p.Fields = append(p.Fields, GivenField{
			Name:  string(fields.vector("field name", 1, 1, 255)),
			Value: fields.vector("field value", 2, 0, 4096),
		})
	}
	for _, inner := range []error{subjects.err, fields.err} {
		if d.err == nil && inner != nil {
			d.err = inner
		}
	}
	p.Signature = d.vector("signature", 2, 0, 65535)
	d.encoding(&p)
	return p
}
