package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// newFiles returns a user with a ledger of a stream whose field outcome was at
// another place in the events before: of each of the two settings one event fits
// mixedQuery.
func newFiles(t *testing.T) *session {
	t.Helper()
	s := newSession(t)
	operator := s.world.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"})
	config := func(outcome string) ledger.StreamConfig {
		return ledger.StreamConfig{Name: "files", Fields: []ledger.FieldConfig{
			{Name: "actor", Path: "actor"}, {Name: "outcome", Path: outcome}, {Name: "bytes", Path: "bytes"}, {Name: "ip"},
		}}
	}
	if _, err := operator.AddStream(t.Context(), config("outcome")); err != nil {
		t.Fatal(err)
	}
	s.append("files",
		`{"actor":"alice","outcome":"denied","bytes":2000,"file":"annual report.pdf"}`,
		`{"actor":"alice","outcome":"ok","bytes":2000,"file":"annual report.pdf"}`,
		`{"actor":"bob","outcome":"denied","bytes":2000,"file":"annual report.pdf"}`)
	if _, _, err := operator.SetStream(t.Context(), config("result.outcome")); err != nil {
		t.Fatal(err)
	}
	s.append("files",
		`{"actor":"alice","outcome":"ok","result":{"outcome":"denied"},"bytes":3000.5,"file":"Report 2"}`,
		`{"actor":"alice","outcome":"denied","result":{"outcome":"ok"},"bytes":3000,"file":"Report 3"}`,
		`{"actor":"alice","bytes":999,"file":"Report 4"}`)
	return s
}

// append records events in a stream.
func (s *session) append(stream string, events ...string) {
	s.t.Helper()
	var list []client.Event
	for _, e := range events {
		list = append(list, client.Event{Data: []byte(e)})
	}
	got, err := s.world.Ledger.As(ledger.Caller{Name: "app"}).Append(s.t.Context(), stream, list, client.Witnessed)
	if err != nil || slices.ContainsFunc(got, func(a client.Appended) bool { return a.Err != nil }) {
		s.t.Fatal(got, err)
	}
}

// mixedQuery has a value, which can be proven, and a rest.
const mixedQuery = `stream:files actor:alice not outcome:ok bytes>=1000 report`

func TestTheRestOfAQueryIsJudgedOnPayloads(t *testing.T) {
	s := newFiles(t)
	s.must("writer", "append", "--stream", "files", "--field", "ip=10.1.2.3", `{"actor":"alice","outcome":"denied"}`)
	for asked, want := range map[string]string{
		mixedQuery: "annual report.pdf|Report 2",
		`stream:files actor:alice outcome:* report`:                         "annual report.pdf|annual report.pdf|Report 2|Report 3",
		`stream:files actor:alice (outcome:ok "annual report" or 4)`:        "annual report.pdf|Report 4",
		`stream:files actor:(alice or bob) $.outcome:denied`:                "annual report.pdf|annual report.pdf|Report 3|",
		`stream:files actor:alice ip:10.0.0.0/8`:                            "",
		`stream:files actor:alice bytes<1000 (stream:files or index:0)`:     "Report 4",
		`stream:files actor:alice -(stream:files after:2020-01-01 bytes:*)`: "",
		`stream:files actor:alice outcome:(denied or no*) -annual`:          "Report 2",
	} {
		stdout := s.must("reader", "search", "--complete", "--now", "--payload", "--json", asked)
		var files []string
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		for _, line := range lines[:len(lines)-1] {
			var l struct{ Payload struct{ File string } }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			files = append(files, l.Payload.File)
		}
		if got := strings.Join(files, "|"); got != want {
			t.Errorf("%s: got %q, want %q", asked, got, want)
		}
		if last := lines[len(lines)-1]; !strings.Contains(last, fmt.Sprintf(`"hits":%d,"rest":{"proven":"stream:files actor:`, len(files))) || !strings.Contains(last, `"complete":true`) {
			t.Errorf("%s: got %s", asked, last)
		}
	}
}

// cheatEntry puts somebody between the user and the ledger, who changes what is shown
// of the entries at some indices.
func (s *session) cheatEntry(indices []uint64, change func(*client.ReadEntry)) {
	s.garble("/v1/entries", func(answer string) string {
		var b strings.Builder
		for line := range strings.Lines(answer) {
			var e client.ReadEntry
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				s.t.Error(err)
			}
			if slices.Contains(indices, e.Index) {
				change(&e)
			}
			line, err := json.Marshal(e)
			if err != nil {
				s.t.Error(err)
			}
			b.Write(append(line, '\n'))
		}
		return b.String()
	})
}

// proven returns the events that have the value of mixedQuery.
func (s *session) proven() (indices []uint64) {
	s.t.Helper()
	stdout := s.must("reader", "search", "--oldest", "--proofs=false", "stream:files actor:alice")
	if err := json.Unmarshal([]byte("["+strings.Join(strings.Fields(stdout), ",")+"]"), &indices); err != nil || len(indices) != 5 {
		s.t.Fatalf("got %q, %v, want five events", stdout, err)
	}
	return indices
}

// What a ledger does not show, it says is not there, or shows otherwise: no event that
// fits is left out without a word.
func TestALedgerThatCheatsTheJudgeIsCaught(t *testing.T) {
	s := newFiles(t)
	honest := s.env["CAIRN_URL"]
	have := s.proven()
	fits := []uint64{have[0], have[2]} // of the first settings, and of the others
	_, log := s.verifierOf("reader")
	bobs, err := log.Entry(t.Context(), have[0]+2)
	if err != nil {
		t.Fatal(err)
	}
	gone := client.NewProblem(client.Gone, "the payload was erased", "")
	firstSettings := func(e *client.ReadEntry) {
		e.Entry.Settings = bobs.Settings
		if e.Entry.FieldKeys[2] == nil { // the number that outcome had at first
			e.Entry.FieldKeys[2] = bobs.FieldKeys[2]
		}
	}
	for what, c := range map[string]struct {
		change func(*client.ReadEntry)
		proof  func(*proofs.SearchProof) // nil: it is honest
		status int
		want   string
	}{
		"that they are gone": {func(e *client.ReadEntry) { e.Entry, e.Problem = nil, gone }, nil, command.Unknown, "gone: the payload was erased\n"},
		"no payload":         {func(e *client.ReadEntry) { e.Entry.Disclosure = nil }, nil, command.Unknown, "its payload is not shown\n"},
		"not the payload": {func(e *client.ReadEntry) {
			p := &e.Entry.Disclosure.Parts[0]
			p.Opening, p.Head, p.Data = nil, nil, nil
		}, nil, command.Unknown, "not all of its payload is shown\n"},
		"no tags": {func(e *client.ReadEntry) {
			for i := range e.Entry.Disclosure.Tags {
				e.Entry.Disclosure.Tags[i].Seed, e.Entry.Disclosure.Tags[i].Tags = nil, nil
			}
		}, nil, command.Unknown, "which say what its fields are\n"},
		"no keys":         {func(e *client.ReadEntry) { e.Entry.FieldKeys = nil }, nil, command.Unknown, "which say what its fields are\n"},
		"a key less":      {func(e *client.ReadEntry) { delete(e.Entry.FieldKeys, 1) }, nil, command.Unknown, "which say what its fields are\n"},
		"half a key":      {func(e *client.ReadEntry) { e.Entry.FieldKeys[1] = e.Entry.FieldKeys[1][:16] }, nil, command.Unknown, "which say what its fields are\n"},
		"another key":     {func(e *client.ReadEntry) { e.Entry.FieldKeys[1] = e.Entry.FieldKeys[3] }, nil, command.No, "does not verify: disclosure: a tag of field 1 is not of the payload"},
		"another payload": {func(e *client.ReadEntry) { e.Entry.Disclosure.Parts[0].Data[2]++ }, nil, command.No, "the payload is not the one that was recorded"},
		"another event": {func(e *client.ReadEntry) { e.Entry.Leaf, e.Entry.Disclosure = bobs.Leaf, bobs.Disclosure }, nil,
			command.No, "is not the one in the proof"},
		"another disclosure": {func(e *client.ReadEntry) { e.Entry.Disclosure = bobs.Disclosure }, nil, command.No, "does not verify: disclosure"},
		"other settings":     {firstSettings, nil, command.No, "are not in the proof"},
		"no settings":        {func(e *client.ReadEntry) { e.Entry.Settings = 0 }, nil, command.No, "are not in the proof"},
		"that it had older settings, and leaves out the others": {firstSettings, func(p *proofs.SearchProof) { p.Names = p.Names[:1] },
			command.No, "the tags are not those of the payload by the settings of entry "},
	} {
		s.env["CAIRN_URL"] = honest
		cheated := fits
		if c.proof != nil {
			s.cheat(reforged(t, c.proof))
			cheated = have
		}
		s.cheatEntry(cheated, c.change)
		kept := filepath.Join(t.TempDir(), "proof")
		status, stdout, stderr := s.run("reader", "search", "--complete", "--now", mixedQuery, "-o", kept)
		switch {
		case status != c.status:
			t.Errorf("%s: got status %d and\n%s%s", what, status, stdout, stderr)
		case c.status == command.No && (stdout != "" || !strings.Contains(stderr, c.want)):
			t.Errorf("%s: got\n%s%s, want %q and nothing else", what, stdout, stderr, c.want)
		case c.status == command.Unknown:
			said := fmt.Sprintf("cannot tell  entries %d, %d: ", fits[0], fits[1])
			left := fmt.Sprintf("the answer is not complete: entries %d, %d, which may fit too, could not be judged\n", fits[0], fits[1])
			if !strings.Contains(stdout, "found        no events\n") || !strings.Contains(stdout, said) || !strings.Contains(stdout, c.want) || !strings.Contains(stderr, left) ||
				!strings.Contains(stdout, fmt.Sprintf("; save entries %d, %d, which could not be judged\n", fits[0], fits[1])) {
				t.Errorf("%s: got\n%s%s", what, stdout, stderr)
			}
		}
		if _, err := os.Stat(kept); errors.Is(err, fs.ErrNotExist) == (c.status == command.Unknown) {
			t.Errorf("%s: the proof: %v", what, err)
		}
	}
}

// Of words tags say nothing, and who shows none hides nothing of them.
func TestWordsAreJudgedWithoutTags(t *testing.T) {
	s := newFiles(t)
	have := s.proven()
	s.cheatEntry(have, func(e *client.ReadEntry) { e.Entry.FieldKeys = nil })
	if stdout := s.must("reader", "search", "--complete", "--now", "stream:files actor:alice annual -source:x"); !strings.Contains(stdout, "found       2 events\n") {
		t.Errorf("got\n%s", stdout)
	}
}

// What an answer leaves open programs are told as well.
func TestWhatCannotBeJudgedIsInTheJSON(t *testing.T) {
	s := newFiles(t)
	have := s.proven()
	s.cheatEntry(have[1:2], func(e *client.ReadEntry) {
		e.Entry, e.Problem = nil, client.NewProblem(client.Forbidden, "not you", "")
	})
	status, stdout, _ := s.run("reader", "search", "--complete", "--now", "--json", mixedQuery)
	want := fmt.Sprintf(`"hits":2,"rest":{"proven":"stream:files actor:alice","events":5,"judged":4,"unjudged":[{"index":%d,"why":"not allowed: not you"}]}`, have[1])
	if status != command.Unknown || !strings.Contains(stdout, want) || !strings.Contains(stdout, `"complete":false`) {
		t.Errorf("got status %d and\n%s, want %s", status, stdout, want)
	}
}
