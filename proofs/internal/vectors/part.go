package main

import (
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
		refuse("a part of an unknown encoding", changed(small, encoding, 1), "encoding 0 is the only one"),
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

func acceptPart(name string, p proofs.Part) partVector {
	return partVector{Name: name, Format: "part", Bytes: must(proofs.FormatPart(p)), Fields: fieldsOf(p), verdict: ok()}
}

func fieldsOf(p proofs.Part) *partFields {
	f := &partFields{
		MediaType: p.MediaType, Appender: p.Appender, IdempotencyKey: p.IdempotencyKey, Source: p.Source,
		Subjects: append([]string{}, p.Subjects...), Fields: []givenField{}, Signature: p.Signature, Data: p.Data,
	}
	for _, g := range p.Fields {
		f.Fields = append(f.Fields, givenField{g.Name, g.Value})
	}
	return f
}
