package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// newDirected returns a ledger with directories of two segments, which has
// published.
func newDirected(t *testing.T) *writer {
	w := newWriter(t, proofs.Ed25519Cosignature)
	w.vault = false
	w.fill(proofs.DirectoryPlace(1) + 300)
	w.publish()
	return w
}

// erasing announces the erasure of some entries, and does not do it.
func (w *writer) erasing(entries ...uint64) uint64 {
	return w.erase(proofs.ErasedBody{Stream: 1, Closes: runs(entries...)})
}

// TestDirectories: an honest ledger is right from its beginning to a large
// segment's directory and beyond, whatever is made anew, in one run and in many.
func TestDirectories(t *testing.T) {
	w := newWriter(t, proofs.Ed25519Cosignature)
	w.vault = false
	var states []*audit.State
	take := func(size uint64) *audit.Report {
		w.fill(size)
		w.publish()
		r := w.clean(w.files, nil)
		for _, s := range states {
			compareReports(t, w.audit(w.files, s), r)
		}
		states = append(states, check(audit.ParseState(audit.FormatState(r.State))))
		return r
	}
	if s := take(proofs.DirectoryPlace(0) - 1).Summary; s.Directories != 0 || strings.Contains(s.String(), "Directories") {
		t.Errorf("a ledger of two segments: %v", s)
	}
	take(proofs.DirectoryPlace(0))
	take(proofs.DirectoryPlace(2) + 5)
	a := w.erasing(10, 5000)
	b := w.erasing(9000)
	w.amend(small(0))
	w.amend(small(1, 2))
	take(0)
	w.done(a)
	w.amend(small(2))
	w.done(b)
	take(0)
	take(proofs.DirectoryPlace(15) - 1)
	large := proofs.SegmentID{Large: true}
	a = w.erasing(65_535)
	w.amend(append(small(15), large)) // in the same breath as it is there
	w.done(a)
	s := take(proofs.DirectoryPlace(16) + 1).Summary
	if s.Directories != 17 || s.Amended != 6 || s.Kinds["directory"] != 17+4 {
		t.Errorf("got %d directories, %d made anew, by %d entries", s.Directories, s.Amended, s.Kinds["directory"])
	}
	if want := "Directories of 17 segments; after erasures 6 were made anew.\n"; !strings.Contains(s.String(), want) {
		t.Errorf("got\n%v\nwant %q", s, want)
	}
	if state := string(audit.FormatState(states[len(states)-1])); strings.Count(state, "\nsegment ") != 17 || strings.Count(state, "\nlarge ") != 1 {
		t.Errorf("the state is\n%s", state)
	}
	bad := strings.Replace(string(audit.FormatState(states[2])), "\nsegment ", "\nsegment AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nsegment ", 1)
	if _, err := audit.ParseState([]byte(bad)); err == nil {
		t.Error("a state with more directories than there are is one")
	}
}

// Whoever commits to directories in another way than the one that there is, is
// found out, and for that alone.
func TestForgedDirectories(t *testing.T) {
	honest := newDirected(t)
	place := proofs.DirectoryPlace(2)
	at := func(kind audit.FindingKind, index uint64, why string) []forgery { return []forgery{{kind, index, why}} }
	// instead puts something else at the next place.
	instead := func(w *writer, change func(*proofs.DirectoryBody)) []forgery {
		for w.size() < place {
			w.event(1, eternalClass)
		}
		body := check(proofs.ParseDirectory(w.directories.next()))
		change(&body)
		w.control(proofs.Directory, check(proofs.FormatDirectory(body)))
		return nil
	}
	for _, tt := range []struct {
		name string
		do   func(w *writer) []forgery
	}{
		{"it is missing", func(w *writer) []forgery {
			w.fill(place - 1)
			w.directories.next()
			w.event(1, eternalClass)
			w.event(1, eternalClass)
			return at(audit.DirectoryMissing, place, "has to be the directory of segment 2, and is none")
		}},
		{"it is an entry late", func(w *writer) []forgery {
			w.fill(place - 1)
			body := w.directories.next()
			w.event(1, eternalClass)
			w.event(1, eternalClass)
			w.control(proofs.Directory, body)
			return append(at(audit.DirectoryMissing, place, "is none"),
				forgery{audit.DirectoryReplaced, place + 1, "makes the directory of segment 2 anew"})
		}},
		{"it is an entry early", func(w *writer) []forgery {
			w.fill(place - 1)
			w.control(proofs.Directory, w.directories.next())
			w.event(1, eternalClass)
			return append(at(audit.DirectoryFalse, place-1, "commits to the directories of 3 segments, and by then 2 have one"),
				forgery{audit.DirectoryMissing, place, "is none"})
		}},
		{"it is there twice", func(w *writer) []forgery {
			w.fill(place)
			body := w.directories.make()
			body.Made = []proofs.MadeDirectory{{Segment: small(2)[0], Hash: w.directories.small[2]}}
			w.control(proofs.Directory, check(proofs.FormatDirectory(body)))
			return at(audit.DirectoryFalse, place+1, "makes the directory of segment 2 anew, and that is as it was")
		}},
		{"it is of another segment", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) { b.Made[0].Segment.Number = 1 })
			return at(audit.DirectoryFalse, place, "stands at the place of the directory of segment 2, and does not make just what is new there")
		}},
		{"it counts one segment too many", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) { b.Segments++ })
			return at(audit.DirectoryFalse, place, "commits to the directories of 4 segments, and by then 3 have one")
		}},
		{"it makes another one anew too", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) {
				b.Made = append([]proofs.MadeDirectory{{Segment: small(0)[0]}}, b.Made...)
			})
			return at(audit.DirectoryFalse, place, "does not make just what is new there")
		}},
		{"it makes none", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) { b.Made = nil })
			return at(audit.DirectoryFalse, place, "does not make just what is new there")
		}},
		{"its root is another one", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) { b.Small[0] ^= 1 })
			w.fill(proofs.DirectoryPlace(3))
			return at(audit.DirectoryFalse, place, "commits to other directories than those that it and the entries before it made")
		}},
		{"its root over large segments is another one", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) { b.Large[0] ^= 1 })
			return at(audit.DirectoryFalse, place, "commits to other directories")
		}},
		{"an older one is another by its root alone", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) {
				w.directories.small[0][0] ^= 1
				b.Small = proofs.DirectoriesRoot(w.directories.small)
			})
			return at(audit.DirectoryFalse, place, "commits to other directories")
		}},
		{"it names an entry that made none anew", func(w *writer) []forgery {
			instead(w, func(b *proofs.DirectoryBody) { b.Amended = 5 })
			return at(audit.DirectoryFalse, place, "says that entry 5 was the last one before it that made directories anew, and that was entry 0")
		}},
		{"it hides the one that made directories anew", func(w *writer) []forgery {
			a := w.erasing(10)
			w.amend(small(0))
			w.done(a)
			instead(w, func(b *proofs.DirectoryBody) { b.Amended = 0 })
			return at(audit.DirectoryFalse, place, "says that entry 0 was the last one")
		}},
		{"it is no body", func(w *writer) []forgery {
			w.fill(place - 1)
			w.directories.next()
			w.event(1, eternalClass)
			w.control(proofs.Directory, []byte("a directory"))
			w.fill(proofs.DirectoryPlace(3))
			return at(audit.EntryMalformed, place, "can't be read")
		}},
		{"one is made anew without an erasure", func(w *writer) []forgery {
			return at(audit.DirectoryReplaced, w.amend(small(1)), "makes the directory of segment 1 anew, and no erasure that is announced and not done names an entry of it")
		}},
		{"one is made anew after the erasure is done", func(w *writer) []forgery {
			w.done(w.erasing(10))
			return at(audit.DirectoryReplaced, w.amend(small(0)), "no erasure that is announced and not done")
		}},
		{"one is made anew before the erasure is announced in full", func(w *writer) []forgery {
			w.erase(proofs.ErasedBody{Stream: 1, Closes: runs(10), Part: 1, Parts: 2})
			return at(audit.DirectoryReplaced, w.amend(small(0)), "no erasure that is announced and not done")
		}},
		{"an erasure makes a directory anew of which it names no entry", func(w *writer) []forgery {
			a := w.erasing(10, 8192, 8193)
			x := w.amend(small(0, 1))
			w.done(a)
			return at(audit.DirectoryReplaced, x, "makes the directory of segment 1 anew")
		}},
		{"an expiry makes one anew", func(w *writer) []forgery {
			w.pass(2 * day)
			bucket := w.events(3, 2, shortClass)
			w.publish()
			w.pass(2 * day)
			w.event(1, eternalClass)
			w.publish()
			a := w.expire(bucket)
			x := w.amend(small(1))
			w.done(a)
			return at(audit.DirectoryReplaced, x, "makes the directory of segment 1 anew")
		}},
		{"an entry at no place makes none", func(w *writer) []forgery {
			w.erasing(10)
			return at(audit.DirectoryFalse, w.amend(nil), "makes no directory, and stands at the place of none")
		}},
		{"one that is made anew is another in the root", func(w *writer) []forgery {
			w.erasing(10)
			return at(audit.DirectoryFalse, w.amend(small(0), func(b *proofs.DirectoryBody) { b.Made[0].Hash[0] ^= 1 }), "commits to other directories")
		}},
		{"the second of two that make directories anew hides the first", func(w *writer) []forgery {
			w.erasing(10)
			w.amend(small(0))
			return at(audit.DirectoryFalse, w.amend(small(0), func(b *proofs.DirectoryBody) { b.Amended = 0 }), "says that entry 0 was the last one")
		}},
		{"an entry at no place commits to too few", func(w *writer) []forgery {
			w.erasing(10)
			return at(audit.DirectoryFalse, w.amend(small(0), func(b *proofs.DirectoryBody) { b.Segments-- }), "commits to the directories of 1 segments, and by then 2 have one")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := honest.clone(t)
			want := tt.do(w)
			w.event(1, eternalClass)
			w.publish()
			for _, state := range []*audit.State{nil, w.stateOf(honest)} {
				r := w.audit(w.files, state)
				got := r.Findings
				for _, f := range want {
					if len(got) == 0 || got[0].Kind != f.kind || got[0].Index != int64(f.index) || !strings.Contains(got[0].Detail, f.why) {
						t.Fatalf("found %+v, want %+v", r.Findings, want)
					}
					got = got[1:]
				}
				if len(got) > 0 || r.State != nil {
					t.Errorf("found also %+v, and the state %v", got, r.State)
				}
			}
		})
	}
}

// A forgery is what shall be found.
type forgery struct {
	kind  audit.FindingKind
	index uint64
	why   string
}

// stateOf returns the state of an audit of another writer's ledger.
func (w *writer) stateOf(other *writer) *audit.State { return w.audit(other.files, nil).State }

// TestALedgerWithoutDirectories is told so once.
func TestALedgerWithoutDirectories(t *testing.T) {
	w := newWriter(t, proofs.Ed25519Cosignature)
	w.vault = false
	for w.size() < proofs.DirectoryPlace(3) {
		w.directories.small = nil
		if w.directories.place(w.size()) {
			w.directories.small = make([]proofs.Hash, 100)
		}
		w.event(1, eternalClass)
	}
	w.publish()
	r := w.audit(w.files, nil)
	if len(r.Findings) != 1 || r.Findings[0].Kind != audit.DirectoryMissing || r.Findings[0].More != 2 || r.Total != 3 {
		t.Errorf("found %+v", r.Findings)
	}
}

// TestDirectoriesAmongDamage: where entries can't be read nobody is accused of
// what they may have said, and only of what the others say.
func TestDirectoriesAmongDamage(t *testing.T) {
	w := newDirected(t)
	w.erasing(10)
	w.amend(small(0))
	w.fill(proofs.DirectoryPlace(3) + 1)
	w.publish()
	for _, at := range []uint64{proofs.DirectoryPlace(1), proofs.DirectoryPlace(1) + 302, proofs.DirectoryPlace(2)} {
		path := bundleOf(w, at).Path()
		files := w.copy()
		delete(files, path)
		r := w.audit(files, nil)
		if len(r.Findings) != 1 || r.Findings[0].Kind != audit.BundleMissing {
			t.Errorf("without entry %d: found %v", at, r.Findings)
		}
	}
}

func bundleOf(w *writer, index uint64) proofs.Bundle {
	b, ok := proofs.BundleIn(w.size(), index/proofs.TileWidth)
	if !ok {
		panic("beyond the ledger")
	}
	return b
}

// TestDirectoriesLast: bundles with directories are never pruned, and one that
// is withheld is missed.
func TestDirectoriesLast(t *testing.T) {
	w := newWriter(t, proofs.Ed25519Cosignature)
	w.vault = false
	for w.size() < proofs.DirectoryPlace(1)+300 {
		w.event(1, shortClass)
	}
	bucket := w.bucket(1, shortClass)
	w.publish()
	w.pass(2 * day)
	w.pruning(30, 0)
	w.publish()
	w.done(w.expire(bucket))
	w.publish()
	w.pass(40 * day)
	w.event(1, eternalClass)
	w.publish()
	minimum := proofs.DirectoryPlace(1)
	w.minimum(minimum)
	w.publish()
	r := w.clean(w.withhold(minimum), nil)
	if s := r.Summary; s.Directories != 2 || s.Withheld != minimum-2*proofs.TileWidth {
		t.Errorf("%d directories, and %d entries are withheld", s.Directories, s.Withheld)
	}
	files := w.withhold(minimum)
	delete(files, bundleOf(w, proofs.DirectoryPlace(0)).Path())
	r = w.audit(files, nil)
	if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool {
		return f.Kind == audit.DirectoryMissing && f.Index == int64(proofs.DirectoryPlace(0)) && strings.Contains(f.Detail, "is withheld")
	}) {
		t.Errorf("found %v", r.Findings)
	}
}
