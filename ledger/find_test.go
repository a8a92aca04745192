package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func run(first, last uint64) proofs.Run { return proofs.Run{First: first, Last: last} }

func TestFind(t *testing.T) {
	a := newArchive(t)
	a.short("people", 30)
	all := a.record("people", "alice", "bob", "alice", "alice", "carol")
	a.record(DefaultStream, "alice")
	field := func(name, value string) []client.FieldValue { return []client.FieldValue{{Name: name, Value: value}} }
	for _, c := range []struct {
		name string
		q    client.FindQuery
		want []proofs.Run
	}{
		{"a subject", client.FindQuery{Subject: "alice"}, []proofs.Run{run(all[0], all[0]), run(all[2], all[3])}},
		{"a subject from an index on", client.FindQuery{Subject: "alice", From: all[3]}, []proofs.Run{run(all[3], all[3])}},
		{"a value", client.FindQuery{Fields: field("n", "1")}, []proofs.Run{run(all[1], all[1])}},
		{"a value that names a subject", client.FindQuery{Fields: field("actor", "bob")}, []proofs.Run{run(all[1], all[1])}},
		{"both", client.FindQuery{Subject: "alice", Fields: field("n", "2")}, []proofs.Run{run(all[2], all[2])}},
		{"both, of others", client.FindQuery{Subject: "bob", Fields: field("n", "2")}, nil},
		{"two values", client.FindQuery{Fields: append(field("n", "3"), field("actor", "alice")...)}, []proofs.Run{run(all[3], all[3])}},
		{"nobody", client.FindQuery{Subject: "mallory"}, nil},
	} {
		c.q.Stream = "people"
		found, err := a.as("reader").Find(t.Context(), c.q)
		if err != nil || !slices.Equal(found.Entries, c.want) || found.Next != 0 || len(found.Held) > 0 {
			t.Errorf("%s: got %+v, %v, want %v", c.name, found, err, c.want)
		}
	}
	for name, q := range map[string]client.FindQuery{
		"everything":     {Stream: "people"},
		"no stream":      {Subject: "alice"},
		"another stream": {Stream: "peoples", Subject: "alice"},
		"another field":  {Stream: "people", Fields: field("m", "1")},
		"a field twice":  {Stream: "people", Fields: append(field("n", "1"), field("n", "2")...)},
	} {
		if found, err := a.as("reader").Find(t.Context(), q); err == nil {
			t.Errorf("%s: got %+v", name, found)
		}
	}
	stranger := a.l.As(Caller{Name: "stranger", May: func(_ proofs.Kind, stream string) bool { return stream != "people" }})
	_, err := stranger.Find(t.Context(), client.FindQuery{Stream: "people", Subject: "alice"})
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Forbidden {
		t.Errorf("who may not read the stream got %v", err)
	}
}

// TestFindSaysWhereNobodyLooked: what is held beyond its bucket's end is not
// found by its fields.
func TestFindSaysWhereNobodyLooked(t *testing.T) {
	a := newArchive(t)
	a.short("week", 7)
	old := a.record("week", "alice", "bob", "carol")
	if _, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{run(old[1], old[2])}, Reason: "a lawsuit"}); err != nil {
		t.Fatal(err)
	}
	a.later(9)
	a.later(9)
	a.gone(old[0])
	fresh := a.record("week", "bob")
	found, err := a.as("reader").Find(t.Context(), client.FindQuery{Stream: "week", Subject: "bob"})
	if err != nil || !slices.Equal(found.Entries, []proofs.Run{run(fresh[0], fresh[0])}) || !slices.Equal(found.Held, []proofs.Run{run(old[1], old[2])}) {
		t.Errorf("got %+v, %v", found, err)
	}
}

// TestFindNamesNobody: what was looked for is recorded, and a subject's name is
// gone with the subject.
func TestFindNamesNobody(t *testing.T) {
	a := newArchive(t)
	a.short("people", 30)
	a.record("people", "alice", "bob")
	if found, err := a.as("nosy").Find(t.Context(), client.FindQuery{Stream: "people", Subject: "mallory"}); err != nil || found.Entries == nil || len(found.Entries) > 0 {
		t.Fatal(found, err)
	}
	if h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{Who: "nosy"}); err != nil || len(h.Acts) != 1 || h.Acts[0].Act.Subject != "" {
		t.Errorf("got %+v, %v, want one act without a name that no erasure would close", h.Acts, err)
	}
	value := []client.FieldValue{{Name: "actor", Value: "alice"}, {Name: "n", Value: "0"}}
	for _, q := range []client.FindQuery{{Stream: "people", Subject: "alice"}, {Stream: "people", Fields: value}} {
		if _, err := a.as("curious").Find(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}
	said := func() string {
		h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{Who: "curious", What: proofs.ActSearch})
		if err != nil || len(h.Acts) != 2 {
			t.Fatalf("got %+v, %v, want two acts", h.Acts, err)
		}
		return fmt.Sprintf("%s %q %d, %s %q %d", h.Acts[0].Act.Query, h.Acts[0].Act.Subject, h.Acts[0].Act.Results, h.Acts[1].Act.Query, h.Acts[1].Act.Subject, h.Acts[1].Act.Results)
	}
	if got, want := said(), `a subject "alice" 1, actor n="0" "" 1`; got != want {
		t.Errorf("the acts say %s, want %s", got, want)
	}
	plan, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.as("custodian").AwaitDone(t.Context(), plan.Announced); err != nil {
		t.Fatal(err)
	}
	if got, want := said(), `a subject "" 1, actor n="0" "" 1`; got != want {
		t.Errorf("after the erasure the acts say %s, want %s", got, want)
	}
}
