package audit_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A liveFS is a ledger that goes on while it is judged: just before a file of
// its vault is read for the first time, something happens.
type liveFS struct {
	*aHistory
	mu      sync.Mutex
	happens func()
	after   func() // once that is published
	stale   int    // how often the old checkpoint is still read after that
	old     []byte // checkpoint
}

func newLive(h *aHistory, happens func()) *liveFS {
	h.publish()
	l := &liveFS{aHistory: h, happens: happens, old: h.files[audit.CheckpointFile].Data}
	return l
}

// Open implements fs.FS.
func (l *liveFS) Open(name string) (fs.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.happens != nil && strings.HasPrefix(name, audit.VaultDir+"/") {
		size := int(l.size())
		l.happens()
		l.happens = nil
		l.publish()
		b, _ := proofs.BundleIn(uint64(size), 0) // the vault of a server is of now, at any width
		l.write(audit.VaultPath(b), audit.FormatVault(l.records[:size]))
		if l.after != nil {
			l.after()
		}
	}
	if name == audit.CheckpointFile && l.happens == nil && l.stale > 0 {
		l.stale--
		now := l.files[name].Data
		defer l.write(name, now)
		l.write(name, l.old)
	}
	return l.files.Open(name)
}

// judge audits the ledger, and asks for the newest checkpoint again as often
// as it may.
func (l *liveFS) judge(waits int) *audit.Report {
	l.tb.Helper()
	r, err := audit.Run(context.Background(), l, audit.Options{Policy: l.policy, Workers: 1, Wait: func(context.Context) bool {
		waits--
		return waits >= 0
	}})
	if err != nil {
		l.tb.Fatal(err)
	}
	return r
}

// What a ledger closes for a reason while it is judged is no finding; what it
// loses meanwhile is one.
func TestALedgerThatClosesWhileItIsJudged(t *testing.T) {
	at := func(list ...accused) []accused { return list }
	for _, tt := range []struct {
		name         string
		before       func(h *aHistory)
		meanwhile    func(h *aHistory) []accused
		then         func(h *aHistory)
		stale, waits int
	}{
		{name: "an expiry is announced, and half done", meanwhile: func(h *aHistory) []accused {
			h.expire(h.one)
			h.drop(h.events[:3]...)
			return nil
		}},
		{name: "an expiry is announced and done", meanwhile: func(h *aHistory) []accused {
			a := h.expire(h.one)
			h.drop(h.events...)
			h.done(a)
			return nil
		}},
		{name: "an erasure is announced and done", meanwhile: func(h *aHistory) []accused {
			a := h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events[1], h.events[3])})
			h.scrub(h.events[1], h.events[3])
			h.done(a)
			return nil
		}},
		{name: "what was scrubbed by an erasure expires as well", meanwhile: func(h *aHistory) []accused {
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events[1])}))
			h.scrub(h.events[1])
			h.done(h.expire(h.one)) // of which the auditor reads before it sees it
			return nil
		}, then: func(h *aHistory) {
			h.drop(h.events...)
			h.publish()
		}},
		{name: "a hold is released, and what it kept is gone", before: func(h *aHistory) {
			h.hold(0, 0, runs(h.events[1:4]...)...)
			a := h.expire(h.one)
			h.drop(h.events[0], h.events[4])
			h.done(a)
		}, meanwhile: func(h *aHistory) []accused {
			a := h.release(h.releasable(), 0)
			h.drop(h.events...)
			h.done(a)
			return nil
		}},
		{name: "the newest checkpoint comes late", stale: 3, waits: 3, meanwhile: func(h *aHistory) []accused {
			h.done(h.expire(h.one))
			h.drop(h.events...)
			return nil
		}},
		{name: "it comes too late", stale: 3, waits: 2, meanwhile: func(h *aHistory) []accused {
			h.done(h.expire(h.one))
			h.drop(h.events...)
			return at(accused{audit.RecordMissing, int64(h.events[0]), int64(h.events[4]), 0})
		}},
		{name: "records vanish", waits: 1, meanwhile: func(h *aHistory) []accused {
			h.event(1, longClass)
			h.drop(h.events[1])
			return at(of(audit.RecordMissing, h.events[1]))
		}},
		{name: "more vanishes than expires", meanwhile: func(h *aHistory) []accused {
			h.done(h.expire(h.one))
			h.drop(append(h.events, h.in(h.two)[2])...)
			return at(of(audit.RecordMissing, h.in(h.two)[2]))
		}},
		{name: "what is held vanishes with what expires", before: func(h *aHistory) {
			h.hold(0, 0, runs(h.events[2])...)
		}, meanwhile: func(h *aHistory) []accused {
			h.done(h.expire(h.one))
			h.drop(h.events...)
			return at(of(audit.RecordHeld, h.events[2]))
		}},
		{name: "it expires before its time", meanwhile: func(h *aHistory) []accused {
			a := h.expire(h.long)
			h.drop(h.in(h.long)...)
			h.done(a)
			return at(of(audit.ExpiryEarly, a))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t)
			if tt.before != nil {
				tt.before(h)
			}
			var want []accused
			l := newLive(h, func() { want = tt.meanwhile(h) })
			size := h.size()
			l.stale = tt.stale
			r := l.judge(tt.waits)
			same(t, accusations(r), want)
			if r.Summary.To != size || r.Summary.ReadOn != h.size()-size && tt.name != "it comes too late" {
				t.Errorf("judged %d entries of %d and read on to %d more of %d", r.Summary.To, size, r.Summary.ReadOn, h.size()-size)
			}
			if want != nil {
				return
			}
			if tt.then != nil {
				tt.then(h)
			}
			again := h.audit(h.files, r.State)
			demand(t, again)
		})
	}
}

func same[T comparable](t *testing.T, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// releasable returns the last hold.
func (h *aHistory) releasable() uint64 {
	for i := h.size() - 1; ; i-- {
		if h.kindOf(i) == proofs.Hold {
			return i
		}
	}
}

// A newer checkpoint explains nothing if it is of another history, or nobody
// has cosigned it.
func TestANewerCheckpointThatProvesNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		sign func(h *aHistory) []byte
		want []audit.FindingKind
	}{
		{"of another history", func(h *aHistory) []byte {
			other := newHistory(t)
			other.leaves[4] = other.leaves[5]
			other.rehash()
			for other.size() < h.size() {
				other.access()
			}
			other.publish()
			for path, f := range other.files {
				if strings.HasPrefix(path, "tile/") {
					h.files[path] = f
				}
			}
			return other.files[audit.CheckpointFile].Data
		}, []audit.FindingKind{audit.CheckpointFork, audit.RecordMissing}},
		{"that too few have cosigned", func(h *aHistory) []byte {
			return h.sign(int(h.size()), h.root(int(h.size())), 1)
		}, []audit.FindingKind{audit.RecordMissing}},
		{"whose entries are damaged", func(h *aHistory) []byte {
			b, _ := proofs.BundleIn(h.size(), 0)
			h.files = h.flipped(b.Path(), 8*len(h.files[b.Path()].Data)-1)
			return h.files[audit.CheckpointFile].Data
		}, []audit.FindingKind{audit.RecordMissing}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t)
			l := newLive(h, func() {
				h.done(h.expire(h.one))
				h.drop(h.events...)
			})
			l.after = func() { h.write(audit.CheckpointFile, tt.sign(h)) }
			var got []audit.FindingKind
			for _, f := range l.judge(0).Findings {
				got = append(got, f.Kind)
			}
			same(t, got, tt.want)
		})
	}
}
