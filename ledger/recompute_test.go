package ledger

import (
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// recomputed lets the auditor make all directories again, of the tags that
// readers are shown, and demands that they are those that the log commits to.
func (a *archive) recomputed() {
	a.t.Helper()
	a.record(DefaultStream, "") // published: what was done before, too
	state := judged(a.t, a.l, a.policy).State
	list := a.l.directories.committed()
	if len(list.large) == 0 {
		a.t.Fatal("there is no large directory")
	}
	shown := func(id proofs.SegmentID) audit.ShownDirectory {
		s, err := a.as("auditor").Directory(a.t.Context(), client.DirectoryQuery{Segment: id, Rows: true})
		if err != nil {
			a.t.Fatal(err)
		}
		return s
	}
	var small [proofs.LargeSegments]*audit.RecomputedDirectory
	for n := range list.small {
		id := proofs.SegmentID{Number: uint64(n)}
		r, err := state.RecomputeDirectory(id.Number, a.leavesOf(id), shown(id))
		if err != nil || len(r.Findings) > 0 || r.NotJudged != "" {
			a.t.Fatalf("%v: %v, found %v, not judged %q", id, err, r.Findings, r.NotJudged)
		}
		if n < len(small) {
			small[n] = r
		}
	}
	r, err := state.RecomputeLarge(small, shown(proofs.SegmentID{Large: true}))
	if err != nil || len(r.Findings) > 0 || r.NotJudged != "" {
		a.t.Fatalf("large: %v, found %v, not judged %q", err, r.Findings, r.NotJudged)
	}
}

// leavesOf returns the leaves of a segment.
func (a *archive) leavesOf(id proofs.SegmentID) (leaves []proofs.Leaf) {
	for i := id.First(); i < id.End(); i++ {
		leaf, err := a.l.leaf(a.t.Context(), i)
		if err != nil {
			a.t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	return leaves
}

func TestAuditorsMakeTheSameDirectories(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := newArchive(t)
	a.short("people", 0)
	a.short("week", 7)
	people := a.crowd("people", 2*proofs.SegmentSize, "alice", "bob", "carol")
	old := a.crowd("week", 5000, "alice", "bob")
	for name, more := range a.crowd("people", 14*proofs.SegmentSize, "bob", "dave") {
		people[name] = append(people[name], more...)
	}
	a.recomputed()
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people["alice"][0])
	a.recomputed()
	a.later(9)
	a.later(9)
	a.gone(old["alice"][0])
	a.recomputed()
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "carol", Reason: "she too"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people["carol"][0])
	a.recomputed()
	a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("bob"), Now: true}, people["bob"])
}
