package main

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A joinVector is the parts of an event that there are, the first one first,
// and what they say of the event: null stands where a value is missing.
type joinVector struct {
	Name  string     `json:"name"`
	Parts []hexBytes `json:"parts"`
	Event string     `json:"event,omitempty"`
	Gaps  []uint32   `json:"gaps,omitempty"` // offsets in the event
	verdict
}

func joinVectors() []joinVector {
	// Parts for nobody, alice, bob, both, and all of them with the signature.
	parts := must(must(proofs.NewExtractor(splitFields())).Split(proofs.Part{
		MediaType: "application/json", Appender: "payments", IdempotencyKey: "5f0c", Signature: []byte{1, 2, 3},
		Data:   []byte(`{"users":[{"name":"alice"}, {"name":"bob"}],"mail":"m","profile":{"friends":["carol"]},"action":"login"}`),
		Fields: []proofs.GivenField{{Name: "action", Value: []byte("x")}, {Name: "user", Value: []byte("alice")}},
	}))
	without := func(i int) []proofs.Part { return slices.Delete(slices.Clone(parts), i, i+1) }
	reversed := slices.Clone(parts)
	slices.Reverse(reversed[1:])
	whole := proofs.Part{MediaType: "text/plain", Data: []byte("no JSON")}
	return append([]joinVector{
		acceptJoin("an event whose parts are all there", parts),
		acceptJoin("an event whose further parts come in another order", reversed),
		acceptJoin("an event without the part of one user", without(1)),
		acceptJoin("an event without the part of both users", without(3)),
		acceptJoin("an event of which only the first part is there", parts[:1]),
		acceptJoin("an event in one part", []proofs.Part{whole}),
	}, refusedJoins(parts)...)
}

func refusedJoins(parts []proofs.Part) []joinVector {
	refuse := func(name, why string, change func(p []proofs.Part) []proofs.Part) joinVector {
		return joinVector{Name: name, Parts: formatted(change(slices.Clone(parts))), verdict: malformed(why)}
	}
	return []joinVector{
		refuse("no part", "there is a first one", func([]proofs.Part) []proofs.Part { return nil }),
		refuse("an event without its first part", "the first one says where the others belong", func(p []proofs.Part) []proofs.Part { return p[1:] }),
		refuse("an event with a part twice", "a gap is filled once", func(p []proofs.Part) []proofs.Part { return append(p, p[1]) }),
		refuse("an event with two first parts", "there is one", func(p []proofs.Part) []proofs.Part { return append(p, p[0]) }),
		refuse("an event with data that fills no gap", "further data is of pieces", func(p []proofs.Part) []proofs.Part {
			return append(p, proofs.Part{Data: []byte("1")})
		}),
		refuse("an event with an appender in a further part", "the first one says it", func(p []proofs.Part) []proofs.Part {
			p[1].Appender = "mallory"
			return p
		}),
		refuse("an event with two idempotency keys", "there is one", func(p []proofs.Part) []proofs.Part {
			p[1].IdempotencyKey = "5f0d"
			return p
		}),
		refuse("an event with two signatures", "there is one", func(p []proofs.Part) []proofs.Part {
			p[1].Signature = []byte{4}
			return p
		}),
		refuse("an event with a piece of a gap that is not there", "gaps are numbered from 0", func(p []proofs.Part) []proofs.Part {
			p[2].Pieces = []proofs.Piece{{Gap: 4, Length: p[2].Pieces[0].Length}}
			return p
		}),
		refuse("an event with two given fields in one place", "each has its own", func(p []proofs.Part) []proofs.Part {
			p[2].Fields, p[2].Places = []proofs.GivenField{{Name: "user", Value: []byte("bob")}}, p[1].Places
			return p
		}),
		refuse("an event with a piece that is no JSON", "an event in parts is JSON", func(p []proofs.Part) []proofs.Part {
			p[2].Data = []byte(`"bob]`)
			return p
		}),
	}
}

func formatted(parts []proofs.Part) []hexBytes {
	list := []hexBytes{}
	for _, p := range parts {
		list = append(list, must(proofs.FormatPart(p)))
	}
	return list
}

func acceptJoin(name string, parts []proofs.Part) joinVector {
	whole := must(proofs.JoinParts(parts))
	return joinVector{Name: name, Parts: formatted(parts), Event: string(whole.Data), Gaps: whole.Gaps, verdict: ok()}
}
