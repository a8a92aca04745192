package main

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

type partVector struct {
	Name   string      `json:"name"`
	Format string      `json:"format"` // part, or head: a part without its data
	Bytes  hexBytes    `json:"bytes"`
	Fields *partFields `json:"fields,omitempty"`
	verdict
}

type partFields struct {
	MediaType      string       `json:"media_type"`
	Appender       string       `json:"appender"`
	IdempotencyKey string       `json:"idempotency_key"`
	Source         string       `json:"source"`
	Subjects       []string     `json:"subjects"`
	Fields         []givenField `json:"fields"`
	Signature      hexBytes     `json:"signature"`
	Gaps           []uint32     `json:"gaps,omitempty"`
	Pieces         []pieceText  `json:"pieces,omitempty"`
	Places         []uint16     `json:"places,omitempty"`
	Data           hexBytes     `json:"data"`
}

type givenField struct {
	Name  string   `json:"name"`
	Value hexBytes `json:"value"`
}

func samplePart() proofs.Part {
	return proofs.Part{
		MediaType: "application/json", Appender: "payments", IdempotencyKey: "5f0c", Source: "web-1",
		Subjects:  []string{"alice@example.com", "bob@example.com"},
		Fields:    []proofs.GivenField{{Name: "action", Value: []byte("transfer")}, {Name: "note"}},
		Signature: []byte{1, 2, 3}, Data: []byte(`{"actor":"alice@example.com","amount":12}`),
	}
}

func partVectors() []partVector {
	full := acceptPart("an event with all that can come with it", samplePart())
	vectors := []partVector{
		acceptPart("a part of which everything is empty", proofs.Part{}),
		acceptPart("an event as it arrived, and who appended it",
			proofs.Part{MediaType: "text/plain", Appender: "cron", Data: []byte("backup done\n")}),
		full,
		acceptPart("a part with the longest texts there can be", proofs.Part{
			MediaType: strings.Repeat("m", 255), Appender: strings.Repeat("a", 255),
			IdempotencyKey: strings.Repeat("k", 1024), Source: strings.Repeat("s", 255),
		}),
		{Name: "a part whose appender is not UTF-8", Format: "part",
			Bytes: []byte{1, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, verdict: ok()},
	}
	gaps := acceptPart("an event with gaps", proofs.Part{MediaType: "application/json", Gaps: []uint32{5, 15}, Data: []byte(`{"a":null,"b":[null]}`)})
	pieces := acceptPart("a part that fills a gap and has a given field", proofs.Part{
		Subjects: []string{"alice"}, Fields: []proofs.GivenField{{Name: "user", Value: []byte("alice")}},
		Pieces: []proofs.Piece{{Gap: 1, Length: 7}}, Places: []uint16{2}, Data: []byte(`"alice"`),
	})
	vectors = append(vectors, gaps, pieces,
		acceptPart("a part of a given field only", proofs.Part{Fields: []proofs.GivenField{{Name: "user"}}, Places: []uint16{0}}),
		acceptPart("a part of a signature only", proofs.Part{Subjects: []string{"alice", "bob"}, Signature: []byte{1}}))
	vectors = append(vectors, refusedEncodings(gaps.Bytes, pieces.Bytes)...)
	head := full
	head.Name, head.Format, head.Bytes = "an event without its data", "head", must(proofs.FormatPartHead(samplePart()))
	head.Fields = fieldsOf(samplePart())
	head.Fields.Data = nil
	return append(append(vectors, head), refusedParts(full.Bytes, head.Bytes)...)
}

// refusedParts changes the smallest part, whose bytes are easy to place.
func refusedParts(full, head []byte) []partVector {
	small := must(proofs.FormatPart(proofs.Part{}))
	const key, subjects, fields, signature, encoding, data = 3, 6, 8, 10, 12, 13
	long := func(at int, length ...byte) []byte {
		n := 0
		for _, b := range length {
			n = n<<8 | int(b)
		}
		return join(small[:at], length, make([]byte, n), small[at+len(length):])
	}
	with := func(at int, list ...byte) []byte {
		return join(small[:at], []byte{0, byte(len(list))}, list, small[at+2:])
	}
	refuse := func(name string, b []byte, why string) partVector {
		return partVector{Name: name, Format: "part", Bytes: b, verdict: malformed(why)}
	}
	return []partVector{
		refuse("a part without bytes", nil, "it is cut off"),
		refuse("a part of version 0", changed(small, 0, 0), "version 1 is the only one"),
		refuse("a part of version 2", changed(small, 0, 2), "version 1 is the only one"),
		refuse("a part of an unknown encoding", changed(small, encoding, 3), "an encoding is 0, 1 or 2"),
		refuse("a part whose idempotency key has 1025 bytes", long(key, 4, 1), "1024 is the limit"),
		refuse("a part with an empty subject", with(subjects, 0, 0), "a subject has a byte at least"),
		refuse("a part with a subject of 1025 bytes",
			join(small[:subjects], []byte{4, 3, 4, 1}, make([]byte, 1025), small[subjects+2:]), "1024 is the limit"),
		refuse("a part whose last subject is cut off", with(subjects, 0, 2, 'x'), "it is cut off"),
		refuse("a part with a field without a name", with(fields, 0, 0, 0), "a name has a byte at least"),
		refuse("a part with a value of 4097 bytes",
			join(small[:fields], []byte{16, 5, 1, 'f', 16, 1}, make([]byte, 4097), small[fields+2:]), "4096 is the limit"),
		refuse("a part whose last field is cut off", with(fields, 1, 'f', 0, 2, 'x'), "it is cut off"),
		refuse("a part whose signature is longer than what is there", changed(small, signature+1, 9), "it is cut off"),
		refuse("a part whose data is longer than what is there", changed(small, data+3, 1), "it is cut off"),
		refuse("a part whose data is longer than any may be", join(small[:data], []byte{0xff, 0xff, 0xff, 0xff}), "2^24-1-2^20 is the limit"),
		refuse("a part that lacks its last byte", full[:len(full)-1], "it is cut off"),
		refuse("a part with a byte after its end", join(full, []byte{0}), "nothing may follow"),
		refuse("a head where a part is due", head, "it is cut off"),
		{Name: "a part where a head is due", Format: "head", Bytes: full, verdict: malformed("nothing may follow")},
	}
}

// refusedEncodings changes a part with gaps and one of a piece.
func refusedEncodings(gaps, pieces []byte) []partVector {
	refuse := func(name string, b []byte, why string) partVector {
		return partVector{Name: name, Format: "part", Bytes: b, verdict: malformed(why)}
	}
	const gapList, gapData = 29, 29 + 2 + 8 + 4               // offsets of lengths and of the data
	first := bytes.Index(pieces, []byte{2, 0, 8, 0, 0, 0, 1}) // the encoding of the pieces
	list, places := first+1, first+1+2+8
	many := make([]byte, 0, 4*(proofs.MaxGaps+1))
	for i := range proofs.MaxGaps + 1 {
		many = binary.BigEndian.AppendUint32(many, uint32(5*i))
	}
	return []partVector{
		refuse("a part with gaps of which there are none", join(gaps[:gapList], []byte{0, 0}, gaps[gapList+2+8:]), "without gaps its encoding is 0"),
		refuse("a part with half a gap", join(gaps[:gapList], []byte{0, 6}, gaps[gapList+2:gapList+2+6], gaps[gapList+2+8:]), "a gap has four bytes"),
		refuse("a part with more gaps than there can be", join(gaps[:gapList], []byte{0x40, 4}, many, gaps[gapList+2+8:]), "4096 are the most"),
		refuse("a part with a gap twice", changed(gaps, gapList+2+7, 5), "they rise"),
		refuse("a part with gaps that overlap", changed(gaps, gapList+2+7, 8), "a null has four bytes"),
		refuse("a part with a gap where no null stands", changed(gaps, gapList+2+7, 16), "a null stands in every gap"),
		refuse("a part with a gap behind its end", changed(gaps, gapList+2+4, 0x80), "a null stands in every gap"),
		refuse("a part with another word in a gap", changed(gaps, gapData+5, 'N'), "a null stands in every gap"),
		refuse("a part of an empty piece", changed(pieces, list+2+7, 0), "a value has a byte at least"),
		refuse("a part of a piece that is longer than the data", changed(pieces, list+2+7, 8), "the data is the pieces"),
		refuse("a part of a piece that is shorter than the data", changed(pieces, list+2+7, 6), "the data is the pieces"),
		refuse("a part that fills a gap that no part has", changed(pieces, list+2+2, 16), "4096 gaps are the most"),
		refuse("a part with a given field that has no place", join(pieces[:places], []byte{0, 0}, pieces[places+4:]), "each field has one"),
		refuse("a part with a place of no given field", join(pieces[:places], []byte{0, 4, 0, 2, 0, 3}, pieces[places+4:]), "each field has one"),
		refuse("a part with half a place", join(pieces[:places], []byte{0, 3, 0, 2, 0}, pieces[places+4:]), "a place has two bytes"),
		refuse("a part of pieces that are not in order", join(pieces[:list], []byte{0, 16}, pieces[list+2:list+10], []byte{0, 0, 0, 0, 0, 0, 0, 1}, pieces[places:]), "their gaps rise"),
		refuse("a part of neither a piece nor a given field", join(must(proofs.FormatPartHead(proofs.Part{}))[:12], []byte{2, 0, 0, 0, 0, 0, 0, 0, 0}), "its encoding is 0 then"),
	}
}

func acceptPart(name string, p proofs.Part) partVector {
	return partVector{Name: name, Format: "part", Bytes: must(proofs.FormatPart(p)), Fields: fieldsOf(p), verdict: ok()}
}

func fieldsOf(p proofs.Part) *partFields {
	f := &partFields{
		MediaType: p.MediaType, Appender: p.Appender, IdempotencyKey: p.IdempotencyKey, Source: p.Source,
		Subjects: append([]string{}, p.Subjects...), Fields: []givenField{}, Signature: p.Signature,
		Gaps: p.Gaps, Places: p.Places, Data: p.Data,
	}
	for _, piece := range p.Pieces {
		f.Pieces = append(f.Pieces, pieceText(piece))
	}
	for _, g := range p.Fields {
		f.Fields = append(f.Fields, givenField{g.Name, g.Value})
	}
	return f
}
