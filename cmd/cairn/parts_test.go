package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// cmdMeetings adds a stream whose events are sealed in parts, by whom they
// concern.
func cmdMeetings(ts *testscript.TestScript, _ bool, _ []string) {
	l := ts.Value("server").(*server).world.Ledger
	_, err := l.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(context.Background(), ledger.StreamConfig{
		Name: "meetings", Split: true, Fields: []ledger.FieldConfig{
			{Name: "host", Path: "$.host.id", Subject: true}, {Name: "guest", Path: "$.guests[*]", Subject: true},
			{Name: "mail", Path: "$.host.mail", About: "host"}, {Name: "room", Path: "$.room"}, {Name: "badge", About: "guest"},
		},
	})
	ts.Check(err)
}

// cmdErase erases a subject of a stream, and waits until that is done.
func cmdErase(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	custodian := ts.Value("server").(*server).world.Ledger.As(ledger.Caller{Name: "custodian", Role: "custodian"})
	plan, err := custodian.Erase(ctx, ledger.Erasure{Stream: args[0], Subject: args[1], Reason: "asked to"})
	ts.Check(err)
	ts.Check(custodian.AwaitDone(ctx, plan.Announced))
}

func TestVerifySaysThatNothingIsShownOfTheTags(t *testing.T) {
	s := newSession(t)
	entries, err := parseEntryFiles(s.entryWithTags())
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	for i, list := range e.Disclosure.Tags {
		e.Disclosure.Tags[i] = proofs.DisclosedTags{SealedHash: list.SealedHash}
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := s.verify(nil, "entry.json", string(b))
	if status != command.Yes || !strings.Contains(stdout, "payload: part 0, 34 bytes, is what was recorded") || !strings.Contains(stdout, "not checked  T: nothing is shown of the tags") {
		t.Errorf("got status %d and\n%s%s\nwant the payload checked, and not the tags", status, stdout, stderr)
	}
}

func TestVerifyHoldsPartsToTheSettings(t *testing.T) {
	fields := []proofs.Field{{Number: 1, Name: "who", Path: "$.who", Subject: true}}
	x, err := proofs.NewExtractor(fields)
	if err != nil {
		t.Fatal(err)
	}
	whole := proofs.Part{MediaType: "application/json", Data: []byte(`{"who":"alice"}`)}
	divided, err := x.Split(whole)
	if err != nil {
		t.Fatal(err)
	}
	about := whole
	about.Subjects = []string{"alice"}
	text := whole
	text.MediaType = "text/plain"
	for _, tt := range []struct {
		name  string
		parts []proofs.Part
		split bool
		want  error
	}{
		{"an event in its parts", divided, true, nil},
		{"a whole event", []proofs.Part{about}, false, nil},
		{"what is no JSON", []proofs.Part{text}, true, nil},
		{"a whole event that must be in parts", []proofs.Part{whole}, true, proofs.ErrNotVerified},
		{"an event in parts that must be whole", divided, false, proofs.ErrNotVerified},
		{"an event that is not about whom it names", []proofs.Part{whole}, false, proofs.ErrNotVerified},
	} {
		e := &entryFile{Disclosure: &proofs.Disclosure{}}
		for _, p := range tt.parts {
			head, err := proofs.FormatPartHead(p)
			if err != nil {
				t.Fatal(err)
			}
			e.Disclosure.Parts = append(e.Disclosure.Parts, proofs.DisclosedPart{Opening: make([]byte, 32), Head: head, Data: p.Data})
		}
		values, err := valuesOf(e, fields)
		if err != nil {
			t.Fatal(err)
		}
		used := &usedSettings{name: "its settings", fields: fields, stream: &proofs.StreamBody{Split: tt.split}}
		if err := checkParts(new(finding), e, used, values); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}
