package ledger

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// shows returns the entries of which the first segment shows tags, and those of
// them of which it shows all.
func (a *archive) shows(stream string) (some, all []uint64) {
	a.t.Helper()
	a.record(DefaultStream, "") // published: what was done before, too
	shown, err := a.l.As(Caller{Name: "auditor", Because: "r"}).Directory(a.t.Context(), client.DirectoryQuery{Stream: stream, Rows: true})
	if err != nil {
		a.t.Fatal(err)
	}
	if b, err := proofs.FormatShownDirectory(shown); err != nil {
		a.t.Fatal(err)
	} else if _, err := proofs.ParseShownDirectory(b); err != nil {
		a.t.Fatal(err)
	}
	for _, t := range shown.Tags {
		leaf, err := a.l.leaf(a.t.Context(), t.Index)
		if err != nil {
			a.t.Fatal(err)
		}
		var commitments []proofs.Hash
		hidden := len(t.Lists) == 0
		for _, l := range t.Lists {
			hidden = hidden || !l.Shown()
			commitments = append(commitments, l.Commitments...)
			for b := range slices.Chunk(l.Tags, 2+proofs.TagSize) {
				tag := proofs.Tag{Field: uint16(b[0])<<8 | uint16(b[1]), Value: [proofs.TagSize]byte(b[2:])}
				commitments = proofs.AppendTagCommitments(commitments, (*proofs.Key256)(l.Seed), []proofs.Tag{tag})
			}
		}
		if len(t.Lists) > 0 && proofs.TagsRoot(commitments) != leaf.T {
			a.t.Errorf("entry %d: it shows other tags than the entry commits to", t.Index)
		}
		some = append(some, t.Index)
		if !hidden {
			all = append(all, t.Index)
		}
	}
	return some, all
}

// TestTagsAreShownOfWhatIsOpen, and of nothing that is erased, held or not, or
// expired.
func TestTagsAreShownOfWhatIsOpen(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	a.short("week", 7)
	people, week := a.record("people", "alice", "bob", "alice"), a.record("week", "alice", "bob")
	both := slices.Concat(people, week)
	wants := func(stream string, some, all []uint64) {
		t.Helper()
		if gotSome, gotAll := a.shows(stream); !slices.Equal(gotSome, some) || !slices.Equal(gotAll, all) {
			t.Errorf("%q: it shows something of %v, all of %v, want %v and %v", stream, gotSome, gotAll, some, all)
		}
	}
	wants("", both, both)
	wants("people", people, people)
	wants("week", week, week)
	wants(DefaultStream, nil, nil)
	if _, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{run(people[0], people[0])}, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people[2])
	a.readable(people[0])
	wants("people", people, people[1:2])
	a.later(9)
	a.later(9)
	a.gone(week[0])
	wants("", people, people[1:2])
}

// TestWhatIsToBeErasedIsNotShown: of its segment nothing is, to whom its stream
// is shown.
func TestWhatIsToBeErasedIsNotShown(t *testing.T) {
	a, _ := newCustody(t, 3600)
	a.record("people", "alice", "bob")
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	a.shows("people")
	if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	reader := a.l.As(Caller{Name: "reader", Because: "r"})
	for _, stream := range []string{"", "people"} {
		for _, large := range []bool{false, true} {
			var p *client.Problem
			q := client.DirectoryQuery{Segment: proofs.SegmentID{Large: large}, Stream: stream}
			if _, err := reader.Directory(t.Context(), q); !errors.As(err, &p) || p.Code() != client.Disabled || !slices.Equal(p.Reasons, []uint64{plan.Requested}) {
				t.Errorf("%+v: got %v, want that entry %d disables it", q, err, plan.Requested)
			}
		}
	}
	if some, _ := a.shows(DefaultStream); len(some) > 0 {
		t.Errorf("it shows tags of %v", some)
	}
	if _, err := a.as("carla").Withdraw(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	if some, all := a.shows("people"); len(some) != 2 || len(all) != 2 {
		t.Errorf("once it is taken back it shows something of %v, all of %v", some, all)
	}
}

func TestDirectoriesAreShownToThoseWhoMay(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	people := a.record("people", "alice", "bob", "carol")
	stranger := a.l.As(Caller{Name: "stranger", May: func(_ proofs.Kind, stream string) bool { return stream != "people" }})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		what string
		ctx  context.Context
		s    *Session
		q    client.DirectoryQuery
		code client.ProblemCode
	}{
		{"no stream", t.Context(), a.as("reader"), client.DirectoryQuery{Stream: "places"}, client.NoSuchStream},
		{"who may not read", t.Context(), stranger, client.DirectoryQuery{Stream: "people"}, client.Forbidden},
		{"a segment without entries", t.Context(), a.as("auditor"), client.DirectoryQuery{Segment: proofs.SegmentID{Number: 1}}, client.NoSuchEntry},
		{"one that no log has", t.Context(), a.as("auditor"), client.DirectoryQuery{Segment: proofs.SegmentID{Large: true, Number: 1<<48 - 1}}, client.NoSuchEntry},
	} {
		var p *client.Problem
		if _, err := c.s.Directory(c.ctx, c.q); !errors.As(err, &p) || p.Code() != c.code {
			t.Errorf("%s: got %v, want %v", c.what, err, c.code)
		}
	}
	if _, err := a.as("auditor").Directory(ended, client.DirectoryQuery{}); err == nil {
		t.Error("it answers whom nobody waits for")
	}
	if acts := history(t, a.l, client.HistoryQuery{What: proofs.ActExport, Who: "stranger"}); len(acts) != 1 || acts[0].Act.Outcome != proofs.OutcomeRefused {
		t.Errorf("the history has %+v", acts)
	}
	a.shows("people")
	acts := history(t, a.l, client.HistoryQuery{What: proofs.ActExport})
	last := acts[len(acts)-1].Act
	if want := proofs.RunsOf(people); last.Results != 3 || last.Stream != "people" || last.Object != "directory of segment 0" || !slices.Equal(last.Entries, want) {
		t.Errorf("the history has %+v, want the entries %v", last, want)
	}
}
