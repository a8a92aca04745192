package audit_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A pruned ledger has 700 events and acts of a day, which have expired for 40
// days, and prunes after 30.
type pruned struct {
	*writer
	bucket uint32
}

func newPruned(t *testing.T) *pruned {
	w := newWriter(t)
	p := &pruned{writer: w, bucket: w.events(2, 1, shortClass)}
	source := &proofs.LeafSource{Number: 7}
	for range 350 {
		source = &proofs.LeafSource{Number: 7, Sequence: source.Sequence + 1}
		w.put(proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: p.bucket, Source: source})
		w.access()
		if w.size() == 300 || w.size() == 301 { // within a bundle that is pruned later
			w.publish()
		}
	}
	w.publish()
	w.pass(2 * day)
	w.pruning(30, 0)
	w.publish()
	announced := w.expire(p.bucket)
	w.drop(w.in(p.bucket)...)
	w.done(announced)
	w.publish()
	w.pass(40 * day)
	w.event(1, eternalClass)
	w.publish()
	return p
}

func (w *writer) pruning(days uint32, request uint64) uint64 {
	return w.control(proofs.Settings, check(proofs.FormatSettings(proofs.SettingsBody{Request: request, Pruning: &proofs.PruningBody{Days: days}})))
}

// minimum announces a minimum index as an honest ledger does, changed in some
// way.
func (w *writer) minimum(index uint64, change ...func(*proofs.MinimumBody)) uint64 {
	m := proofs.MinimumBody{Index: index, Aged: w.kept[len(w.kept)-2], Now: w.kept[len(w.kept)-1]}
	for i, b := range w.leaves {
		leaf := check(proofs.ParseLeaf(b))
		if leaf.Lasts() {
			m.Controls = check(proofs.NextControls(m.Controls, uint64(i), &leaf))
		}
	}
	for _, f := range change {
		f(&m)
	}
	return w.control(proofs.Settings, check(proofs.FormatSettings(proofs.SettingsBody{Minimum: &m})))
}

// withhold returns the files without the bundles that an honest ledger does not
// serve at a minimum index.
func (w *writer) withhold(minimum uint64) fstest.MapFS {
	files := w.copy()
	for b := (proofs.Bundle{Width: proofs.TileWidth}); b.PrunedAt(minimum); b.Index++ {
		entries := w.leaves[b.Index*proofs.TileWidth : (b.Index+1)*proofs.TileWidth]
		if !slices.ContainsFunc(entries, func(b []byte) bool { return new(check(proofs.ParseLeaf(b))).Lasts() }) {
			delete(files, b.Path())
			delete(files, audit.VaultPath(b))
		}
	}
	files[audit.InfoFile] = &fstest.MapFile{Data: fmt.Appendf(nil, `{"minimum_index":%d}`, minimum)}
	return files
}

// clean demands that nothing is wrong, and that the state can be read back.
func (w *writer) clean(files fstest.MapFS, state *audit.State) *audit.Report {
	w.tb.Helper()
	r := w.audit(files, state)
	for _, f := range r.Findings {
		w.tb.Errorf("found: %v", f)
	}
	if r.State == nil {
		w.tb.Fatal("there is no state")
	}
	if again, err := audit.ParseState(audit.FormatState(r.State)); err != nil || !bytes.Equal(audit.FormatState(again), audit.FormatState(r.State)) {
		w.tb.Fatalf("the state is not read back: %v", err)
	}
	return r
}

// TestWhatIsPrunedIsNotMissing: whoever judges a pruned ledger from the
// beginning, with a state from before, or another copy that has everything,
// finds nothing wrong, now and later.
func TestWhatIsPrunedIsNotMissing(t *testing.T) {
	p := newPruned(t)
	before := p.clean(p.files, nil).State
	export := p.copy()
	entry := p.minimum(512)
	p.publish()
	whole, rest := p.clean(p.files, nil), p.clean(p.withhold(512), nil)
	if whole.Summary.Withheld != 0 || len(whole.Summary.NotJudged) > 0 {
		t.Errorf("of all files %d entries are withheld, and not judged: %q", whole.Summary.Withheld, whole.Summary.NotJudged)
	}
	want := fmt.Sprintf("256 entries that are pruned, below the minimum index 512 that entry %d announced: whether they were closed and not held, how many there were in a bucket, the numbers of their sources, and their sealed records.", entry)
	if s := rest.Summary; s.Withheld != 256 || s.Unread != 0 || len(s.NotJudged) != 1 || s.NotJudged[0] != want {
		t.Errorf("%d entries are withheld, %d unread, and not judged: %q", s.Withheld, s.Unread, s.NotJudged)
	}
	if s := p.clean(p.withhold(512), before).Summary; s.Withheld != 0 || len(s.NotJudged) > 0 {
		t.Errorf("with a state from before %d entries are withheld, and not judged: %q", s.Withheld, s.NotJudged)
	}
	p.clean(export, nil)

	// The acts that are pruned in part expire too, and a later minimum follows.
	p.class(actClass, 1, proofs.Month, 0)
	p.pass(60 * day)
	p.access()
	p.publish()
	acts := uint32(2)
	announced := p.expire(acts)
	p.drop(p.in(acts)...)
	p.done(announced)
	p.publish()
	p.pass(31 * day)
	p.event(1, eternalClass)
	p.publish()
	for _, state := range []*audit.State{nil, before, whole.State, rest.State} {
		p.clean(p.withhold(512), state)
	}
}

func TestPruningThatIsNotAllowed(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(p *pruned) (accused uint64)
		kind audit.FindingKind
		why  string
	}{
		{"no entry lets anything be pruned", func(p *pruned) uint64 { p.pruning(0, 0); return p.minimum(512) }, audit.PruneEarly, "no entry before it lets anything be pruned"},
		{"it is too early", func(p *pruned) uint64 { p.pruning(41, 0); return p.minimum(512) }, audit.PruneEarly, "must have been closed for 41 days"},
		{"a bucket had not expired for so long", func(p *pruned) uint64 {
			return p.minimum(512, func(m *proofs.MinimumBody) { m.Aged = p.kept[1] })
		}, audit.PruneEarly, "had not expired at size"},
		{"a bucket has not expired", func(p *pruned) uint64 {
			for p.size() < 800 {
				p.event(1, eternalClass)
			}
			p.publish()
			p.pass(40 * day)
			p.event(1, eternalClass)
			p.publish()
			return p.minimum(768)
		}, audit.PruneEarly, "which had not expired"},
		{"an entry is held", func(p *pruned) uint64 { p.hold(0, 0, proofs.Run{First: 300, Last: 300}); return p.minimum(512) }, audit.PruneEarly, "entry 300 is held"},
		{"a stream is held", func(p *pruned) uint64 { p.hold(0, 1); return p.minimum(512) }, audit.PruneEarly, "is of a stream that the hold"},
		{"something is being closed", func(p *pruned) uint64 {
			p.erase(proofs.ErasedBody{Stream: 1, Closes: []proofs.Run{{First: p.size() - 1, Last: p.size() - 1}}})
			return p.minimum(512)
		}, audit.PruneEarly, "is not done"},
		{"it does not rise", func(p *pruned) uint64 { p.minimum(512); p.publish(); return p.minimum(256) }, audit.PruneFalse, "announced 512 before"},
		{"the one before was not in force", func(p *pruned) uint64 { p.minimum(256); return p.minimum(512) }, audit.PruneFalse, "was in force"},
		{"the checkpoint is yet to come", func(p *pruned) uint64 {
			return p.minimum(512, func(m *proofs.MinimumBody) { m.Now.Size = p.size() + 1 })
		}, audit.PruneFalse, "after a checkpoint of"},
		{"nobody knows the checkpoint", func(p *pruned) uint64 {
			return p.minimum(512, func(m *proofs.MinimumBody) { m.Now.Note[0] ^= 1 })
		}, audit.PruneEarly, "holds another one"},
		{"an entry that lasts is not among those it commits to", func(p *pruned) uint64 {
			return p.minimum(512, func(m *proofs.MinimumBody) { m.Controls[0] ^= 1 })
		}, audit.PruneFalse, "commits to other entries"},
		{"one custodian does what takes two", func(p *pruned) uint64 { p.custodians(2, 0, 0); return p.pruning(29, 0) }, audit.RequestMissing, "for which two custodians are needed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPruned(t)
			index := row.do(p)
			p.publish()
			r := p.audit(p.files, nil)
			if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool {
				return f.Kind == row.kind && f.Index == int64(index) && strings.Contains(f.Detail, row.why)
			}) {
				t.Errorf("found %+v, want %s at entry %d: %s", r.Findings, row.kind, index, row.why)
			}
		})
	}
}

func TestEntriesThatAreWithheldWithoutReason(t *testing.T) {
	p := newPruned(t)
	files := p.withhold(512)
	r := p.audit(files, nil)
	if len(r.Findings) != 1 || r.Findings[0].Kind != audit.PruneUnannounced || r.State != nil {
		t.Errorf("without an announcement: %+v", r.Findings)
	}
	delete(files, audit.InfoFile)
	if r := p.audit(files, nil); len(r.Findings) == 0 || r.Findings[0].Kind != audit.BundleMissing {
		t.Errorf("where the ledger does not say so: %+v", r.Findings)
	}
	p.minimum(256)
	p.publish()
	if r := p.audit(p.withhold(512), nil); len(r.Findings) != 1 || r.Findings[0].Kind != audit.PruneUnannounced || r.Findings[0].Index != 256 {
		t.Errorf("of more than was announced: %+v", r.Findings)
	}
}

// TestAHoldAmongPrunedEntriesIsNotHidden: what withholds entries that last is
// convicted by the announcement.
func TestAHoldAmongPrunedEntriesIsNotHidden(t *testing.T) {
	w := newWriter(t)
	bucket := w.events(300, 1, shortClass)
	hidden := w.hold(0, 9)
	w.events(300, 1, shortClass)
	w.publish()
	w.pass(2 * day)
	w.pruning(30, 0)
	w.publish()
	announced := w.expire(bucket)
	w.drop(w.in(bucket)...)
	w.done(announced)
	w.publish()
	w.pass(40 * day)
	w.event(1, eternalClass)
	w.publish()
	w.minimum(512)
	w.publish()
	w.clean(w.withhold(512), nil)
	files := w.withhold(512)
	delete(files, proofs.Bundle{Index: hidden / proofs.TileWidth, Width: proofs.TileWidth}.Path())
	if r := w.audit(files, nil); len(r.Findings) != 1 || r.Findings[0].Kind != audit.PruneFalse {
		t.Errorf("found %+v, want that the announcement commits to other entries", r.Findings)
	}
}

// TestWhatOnlyThoseSawWhoReadItInTime: what a ledger hides by a false
// announcement is seen by whoever judges while the entries are there, or goes on
// from a state of before. Whoever comes later sees nothing wrong, and is told that
// this was not judged.
func TestWhatOnlyThoseSawWhoReadItInTime(t *testing.T) {
	for name, hidden := range map[string]func(w *writer) uint64{
		"a hold":                       func(w *writer) uint64 { return w.hold(0, 1) },
		"an event that did not expire": func(w *writer) uint64 { return w.event(1, eternalClass) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(t)
			w.bucket(1, eternalClass)
			bucket := w.events(300, 1, shortClass)
			w.publish()
			before := w.clean(w.files, nil).State
			index := hidden(w)
			w.events(300, 1, shortClass)
			w.publish()
			w.pass(2 * day)
			w.pruning(30, 0)
			w.publish()
			announced := w.expire(bucket)
			w.drop(w.in(bucket)...)
			w.done(announced)
			w.publish()
			w.pass(40 * day)
			w.event(2, eternalClass)
			w.publish()
			w.minimum(512, func(m *proofs.MinimumBody) {
				m.Controls = proofs.Hash{}
				for i, b := range w.leaves {
					if leaf := check(proofs.ParseLeaf(b)); leaf.Lasts() && uint64(i) != index {
						m.Controls = check(proofs.NextControls(m.Controls, uint64(i), &leaf))
					}
				}
			})
			w.publish()
			for _, state := range []*audit.State{nil, before} {
				if r := w.audit(w.files, state); len(r.Findings) == 0 {
					t.Error("found nothing")
				}
			}
			files := w.withhold(512)
			b := proofs.Bundle{Index: index / proofs.TileWidth, Width: proofs.TileWidth}
			delete(files, b.Path())
			delete(files, audit.VaultPath(b))
			s := w.clean(files, nil).Summary
			if want := "whether they were closed and not held"; len(s.NotJudged) != 1 || !strings.Contains(s.NotJudged[0], want) {
				t.Errorf("not judged: %q, want %q", s.NotJudged, want)
			}
		})
	}
}
