package audit_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// showing is what an honest ledger shows of segments now.
func (w *tagged) showing(_ context.Context, id proofs.SegmentID, rows bool) (audit.ShownDirectory, error) {
	s := w.made[id]
	if !id.Large {
		s = w.show(id.Number)
	}
	if !rows {
		s.Rows = nil
	}
	return s, nil
}

// remade lets an auditor make directories again.
func (w *tagged) remade(files fstest.MapFS, o audit.Recomputing, change ...func(*audit.Options)) *audit.Report {
	w.tb.Helper()
	if o.Show == nil {
		o.Show = w.showing
	}
	options := audit.Options{Policy: w.policy, Workers: 2, Directories: &o}
	for _, f := range change {
		f(&options)
	}
	return check(audit.Run(context.Background(), files, options))
}

// counted demands how many directories were right, wrong and not judged.
func counted(t *testing.T, r *audit.Report, right, wrong, notJudged uint64) {
	t.Helper()
	got := r.Summary.Recomputed
	if got == nil || got.Right != right || got.Wrong != wrong || got.NotJudged != notJudged || got.Sampled != right+wrong+notJudged || len(r.Directories) != int(right) {
		t.Errorf("got %+v, with %d right ones, want %d right, %d wrong and %d not judged; found %v", got, len(r.Directories), right, wrong, notJudged, r.Findings)
	}
}

func TestAllDirectoriesAreMadeAgain(t *testing.T) {
	w := newTagged(t)
	w.few = true
	w.grow(proofs.DirectoryPlace(17) + 1)
	w.publish()
	r := w.remade(w.files, audit.Recomputing{})
	counted(t, r, 19, 0, 0)
	if !r.OK() || r.State == nil || !strings.Contains(r.Summary.String(), "\nDirectories made again of their tags: all 19: 19 are right.\n") {
		t.Errorf("found %v, with\n%v", r.Findings, r.Summary)
	}
	for _, m := range r.Directories {
		head := w.made[m.Segment].Head
		if hash := check(head.Hash()); hash != m.Hash {
			t.Errorf("%v: got %v, want %v", m.Segment, m.Hash, hash)
		}
	}
	// Of a large one nobody can tell where one of its small ones is not shown.
	r = w.remade(w.files, audit.Recomputing{Show: func(ctx context.Context, id proofs.SegmentID, rows bool) (audit.ShownDirectory, error) {
		if id == (proofs.SegmentID{Number: 2}) {
			return audit.ShownDirectory{}, audit.ErrNotShown
		}
		return w.showing(ctx, id, rows)
	}})
	counted(t, r, 17, 1, 1)
	// With a large one come all small ones of it, and two auditors draw the same.
	drawn := map[string][]proofs.MadeDirectory{}
	for _, seed := range []string{"a", "b", "c", "d"} {
		o := audit.Recomputing{Count: 2, Seed: seed}
		r, again := w.remade(w.files, o), w.remade(w.files, o)
		if !reflect.DeepEqual(r.Directories, again.Directories) {
			t.Errorf("%s: got %v and %v", seed, r.Directories, again.Directories)
		}
		large := slices.ContainsFunc(r.Directories, func(m proofs.MadeDirectory) bool { return m.Segment.Large })
		if got := r.Summary.Recomputed.Sampled; large && got < 17 || !large && got != 2 {
			t.Errorf("%s: %d were made again, a large one among them: %v", seed, got, large)
		}
		drawn[r.Summary.Recomputed.String()] = r.Directories
	}
	if len(drawn) < 4 {
		t.Errorf("got the outcomes %q", slices.Collect(maps.Keys(drawn)))
	}
}

// TestAnAuditNamesTheRowsThatLie, of small directories and of large ones.
func TestAnAuditNamesTheRowsThatLie(t *testing.T) {
	w := newTagged(t)
	w.few = true
	w.directories.hash = func(id proofs.SegmentID) proofs.Hash {
		w.lie = nil
		switch {
		case id.Large:
			w.lie = func(_ *proofs.DirectoryHead, r map[uint32][]proofs.DirectoryRow) { r[2] = r[2][1:] }
		case id.Number == 3:
			w.lie = func(_ *proofs.DirectoryHead, r map[uint32][]proofs.DirectoryRow) {
				r[1] = slices.Insert(slices.Clone(r[1]), 3, proofs.DirectoryRow{Tag: r[1][3].Tag})
			}
		}
		return w.make(id)
	}
	w.grow(proofs.DirectoryPlace(15) + 1)
	w.publish()
	r := w.remade(w.files, audit.Recomputing{})
	counted(t, r, 15, 2, 0)
	want := []string{"The directory of large segment 0 has other rows of bucket 2 than the tags make: there is no row 0 of the tag ",
		"The directory of segment 3 has other rows of bucket 1 than the tags make: the rows 3 and 4 are both of the tag "}
	for i, f := range r.Findings {
		if f.Kind != audit.DirectoryWrong || !strings.Contains(f.Detail, want[i]) {
			t.Errorf("found %v, want %q", f, want[i])
		}
	}
	if len(r.Findings) != 2 || r.State != nil {
		t.Errorf("found %v", r.Findings)
	}
}

// TestWhatALedgerDoesNotShow is a finding, unless a published entry says why.
func TestWhatALedgerDoesNotShow(t *testing.T) {
	w := newTagged(t)
	w.grow(proofs.DirectoryPlace(1) + 1)
	w.publish()
	instead := func(err error) audit.Recomputing {
		return audit.Recomputing{Show: func(ctx context.Context, id proofs.SegmentID, rows bool) (audit.ShownDirectory, error) {
			if id.Number == 1 {
				return audit.ShownDirectory{}, err
			}
			return w.showing(ctx, id, rows)
		}}
	}
	for _, tt := range []struct {
		err error
		why string
	}{
		{audit.ErrNotShown, "The ledger does not show what the directory of segment 1 is made of: nobody shows it."},
		{proofs.ErrMalformed, "The ledger does not show what the directory of segment 1 is made of"},
		{audit.ErrDisabled, "because of an erasure: no published entry approves or announces one."},
	} {
		waits := 2
		r := w.remade(w.files, instead(tt.err), func(o *audit.Options) { o.Wait = func(context.Context) bool { waits--; return waits >= 0 } })
		counted(t, r, 1, 1, 0)
		if len(r.Findings) != 1 || r.Findings[0].Kind != audit.DirectoryUnshown || !strings.Contains(r.Findings[0].Detail, tt.why) || waits >= 0 {
			t.Errorf("%v: found %v; it waits %d times more", tt.err, r.Findings, waits)
		}
	}
	broken := errors.New("the connection broke")
	o := instead(broken)
	if _, err := audit.Run(t.Context(), w.files, audit.Options{Policy: w.policy, Directories: &o}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}

	some := func(ctx context.Context, id proofs.SegmentID, rows bool) (audit.ShownDirectory, error) {
		s, err := w.showing(ctx, id, rows)
		s.Tags = s.Tags[:len(s.Tags)/2]
		return s, err
	}
	r := w.remade(w.files, audit.Recomputing{Show: some})
	counted(t, r, 0, 2, 0)
	if len(r.Findings) != 2 || r.Findings[0].Entries < 1000 || !strings.Contains(r.Findings[0].Detail, "its tags are not shown. So it is, or alike, with ") {
		t.Errorf("found %v", r.Findings)
	}

	w.custodians(2, 0, 0)
	w.approve(w.request(proofs.Erasure, 1), 2)
	w.publish()
	r = w.remade(w.files, instead(audit.ErrDisabled))
	counted(t, r, 1, 0, 1)
	if !r.OK() || !slices.ContainsFunc(r.Summary.NotJudged, func(s string) bool {
		return strings.Contains(s, "the directory of segment 1: the ledger does not show it")
	}) {
		t.Errorf("found %v; not judged: %v", r.Findings, r.Summary.NotJudged)
	}
}

// TestWhatIsErasedWhileDirectoriesAreMadeAgain is judged by the newest
// checkpoint.
func TestWhatIsErasedWhileDirectoriesAreMadeAgain(t *testing.T) {
	w := newTagged(t)
	w.grow(proofs.DirectoryPlace(0) + 1)
	w.publish()
	before := maps.Clone(w.files)
	bucket := w.leaf(w.judgedTags()[0]).Bucket
	entries := slices.DeleteFunc(w.judgedTags(), func(i uint64) bool { return w.leaf(i).Bucket != bucket || i%4 > 0 })
	a := w.erasing(entries...)
	w.hide(entries...)
	w.heed = []uint64{a}
	w.amend(small(0))
	w.done(a)
	w.publish()
	old := w.remade(before, audit.Recomputing{})
	counted(t, old, 0, 1, 0)
	r := w.remade(before, audit.Recomputing{}, func(o *audit.Options) { o.Newest = proofs.FS(w.files) })
	counted(t, r, 1, 0, 0)
	head := w.made[small(0)[0]].Head
	if !r.OK() || r.Summary.ReadOn == 0 || r.Directories[0].Hash != check(head.Hash()) {
		t.Errorf("found %v, with\n%v", r.Findings, r.Summary)
	}
}
