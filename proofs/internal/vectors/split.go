package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A splitVector is an event, the declared fields of its stream, and the parts
// that it is sealed in. What is refused has no parts.
type splitVector struct {
	Name     string          `json:"name"`
	Fields   []proofs.Field  `json:"fields"`
	Event    string          `json:"event"`
	Subjects []string        `json:"subjects,omitempty"` // whom all of it concerns
	Given    []givenText     `json:"given,omitempty"`
	Parts    []splitPartText `json:"parts,omitempty"`
	verdict
}

type givenText struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A splitPartText is a part, and what is in it.
type splitPartText struct {
	Subjects  []string    `json:"subjects,omitempty"`
	Given     []givenText `json:"given,omitempty"`
	Places    []uint16    `json:"places,omitempty"`
	Key       string      `json:"idempotency_key,omitempty"`
	Signature hexBytes    `json:"signature,omitempty"`
	Gaps      []uint32    `json:"gaps,omitempty"`
	Pieces    []pieceText `json:"pieces,omitempty"`
	Data      string      `json:"data"`
	Part      hexBytes    `json:"part"`
}

type pieceText struct {
	Gap    uint32 `json:"gap"`
	Length uint32 `json:"length"`
}

func splitFields() []proofs.Field {
	return []proofs.Field{
		{Number: 1, Name: "user", Path: "$.users[*].name", Subject: true},
		{Number: 2, Name: "mail", Path: "$.mail", About: "user"},
		{Number: 3, Name: "profile", Path: "$.profile", About: "user"},
		{Number: 4, Name: "friend", Path: "$.profile.friends", Subject: true},
		{Number: 5, Name: "action", Path: "$.action"},
		{Number: 6, Name: "note", Path: "", About: "friend"},
	}
}

func splitVectors() []splitVector {
	accept := func(name, event string, given ...string) splitVector {
		return acceptSplit(name, splitFields(), proofs.Part{Data: []byte(event)}, given...)
	}
	signed := proofs.Part{MediaType: "application/json", Appender: "payments", IdempotencyKey: "5f0c", Source: "web-1", Signature: []byte{1, 2, 3},
		Data: []byte(`{"users":[{"name":"alice"}],"profile":{"friends":["bob"]}}`)}
	named := proofs.Part{Subjects: []string{"alice"}, Data: []byte(`{"users":[{"name":"alice"},{"name":"bob"}],"mail":"m"}`)}
	return append([]splitVector{
		accept("an event that concerns nobody", `{"users":[],"action":"start"}`),
		accept("an event about a user, with what concerns that one", `{"users":[{"name":"alice","id":1}],"mail":"a@example.com","action":"login"}`),
		accept("an event about two users, and what concerns both", "{\"users\": [ {\"name\" : \"alice\"},\n\t{\"name\":\"bob\"} ], \"mail\" : [\"a@example.com\",{\"b\": 1}] }"),
		accept("an event about the same user in several places", `{"users":[{"name":"alice"},{"name":"bob"},{"name":"\u0061lice"}]}`),
		accept("an event with a value within a value that concerns others", `{"users":[{"name":"alice"}],"profile":{"age":41,"friends":["bob","carol"]}}`),
		accept("an event whose users are a number, null, an empty string and an object", `{"users":[{"name":4711.0},{"name":null},{"name":""},{"name":{"name":"x"}}]}`),
		accept("an event with what is about users of whom there are none", `{"users":[],"mail":"m","profile":{}}`),
		accept("an event about the values of an array", `{"profile":{"friends":["bob",["dan"],"carol","bob"]}}`),
		accept("an event with given fields that concern users", `{"mail":"m"}`, "action", "login", "user", "alice", "note", "about nobody", "friend", "bob", "note", ""),
		acceptSplit("an event with an idempotency key and a signature, which concern all", splitFields(), signed),
		acceptSplit("an event that concerns a user as a whole", splitFields(), named),
		acceptSplit("an event that is one value", []proofs.Field{{Number: 1, Name: "user", Path: "$", Subject: true}}, proofs.Part{Data: []byte(` "alice" `)}),
		acceptSplit("an event with more values than there can be gaps, which is one gap", listField(), proofs.Part{Data: listEvent(proofs.MaxGaps + 1)}),
		acceptSplit("an event with more sets of users than parts, which are joined", pairFields(), proofs.Part{Data: pairEvent(63)}),
	}, refusedSplits()...)
}

func listField() []proofs.Field {
	return []proofs.Field{{Number: 1, Name: "user", Path: "$[*]", Subject: true}}
}

func listEvent(n int) []byte {
	return []byte("[1" + strings.Repeat(",1", n-1) + "]")
}

func pairFields() []proofs.Field {
	return []proofs.Field{
		{Number: 1, Name: "all", Path: "$.all", Subject: true}, {Number: 2, Name: "pair", Path: "$.pairs[*]", About: "all"},
		{Number: 3, Name: "user", Path: "$.pairs[*][*]", Subject: true},
	}
}

func pairEvent(n int) []byte {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf(`["a%d","b%d"]`, i%8, i/8))
	}
	return []byte(`{"all":"x","pairs":[` + strings.Join(pairs, ",") + `]}`)
}

func refusedSplits() []splitVector {
	refuse := func(name, why, event string, subjects ...string) splitVector {
		return splitVector{Name: name, Fields: listField(), Event: event, Subjects: subjects, verdict: malformed(why)}
	}
	var users []string
	for i := range 32 {
		users = append(users, fmt.Sprint(i))
	}
	unknown := refuse("an event with a given field that is not declared", "nobody knows whom it concerns", "[]")
	unknown.Given = []givenText{{"mail", "m"}}
	return []splitVector{
		refuse("an event about 32 users", "31 are the most", "["+strings.Join(users, ",")+"]"),
		refuse("an event about 31 users and one whom all concerns", "31 are the most", "["+strings.Join(users[:31], ",")+"]", "one"),
		refuse("an event about a user with a name of 1025 bytes", "1024 is the limit", `["`+strings.Repeat("x", 1025)+`"]`),
		refuse("an event about a user without a name", "a name has a byte at least", `[]`, ""),
		refuse("an event that is no JSON", "it has no values", `[1`),
		refuse("an event that nests too deep", "64 is the limit", strings.Repeat("[", 65)+strings.Repeat("]", 65)),
		unknown,
	}
}

func acceptSplit(name string, fields []proofs.Field, p proofs.Part, given ...string) splitVector {
	v := splitVector{Name: name, Fields: fields, Event: string(p.Data), Subjects: p.Subjects, verdict: ok()}
	for i := 0; i < len(given); i += 2 {
		p.Fields = append(p.Fields, proofs.GivenField{Name: given[i], Value: []byte(given[i+1])})
	}
	v.Given = givenTexts(p.Fields)
	parts := must(must(proofs.NewExtractor(fields)).Split(p))
	if whole := must(proofs.JoinParts(parts)); !bytes.Equal(whole.Data, p.Data) {
		panic(name + ": it does not come together again")
	}
	for _, part := range parts {
		t := splitPartText{Subjects: part.Subjects, Given: givenTexts(part.Fields), Places: part.Places, Key: part.IdempotencyKey, Signature: part.Signature,
			Gaps: part.Gaps, Data: string(part.Data), Part: must(proofs.FormatPart(part))}
		for _, piece := range part.Pieces {
			t.Pieces = append(t.Pieces, pieceText(piece))
		}
		v.Parts = append(v.Parts, t)
	}
	return v
}

func givenTexts(fields []proofs.GivenField) (texts []givenText) {
	for _, f := range fields {
		texts = append(texts, givenText{f.Name, string(f.Value)})
	}
	return texts
}
