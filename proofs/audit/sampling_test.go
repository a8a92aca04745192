package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A reader opens payloads, as far as he is let.
type reader struct {
	*aHistory
	mu     sync.Mutex
	asked  []uint64
	answer map[uint64]func(*proofs.Disclosure) error // nil: it opens
	stream map[uint32]error
}

func (r *reader) open(_ context.Context, index uint64) (*proofs.Disclosure, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, index)
	d := r.shown(index)
	if err := r.stream[check(proofs.ParseLeaf(r.leaves[index])).Stream]; err != nil {
		return nil, err
	}
	if f := r.answer[index]; f != nil {
		if err := f(d); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// sample audits a ledger and opens some payloads.
func (r *reader) sample(n int, seed string) *audit.Report {
	r.tb.Helper()
	report, err := audit.Run(context.Background(), r.files, audit.Options{Policy: r.policy, Sample: &audit.Sampling{Count: n, Seed: seed, Open: r.open, Workers: 3}})
	if err != nil {
		r.tb.Fatal(err)
	}
	slices.Sort(r.asked)
	return report
}

func newReader(t *testing.T) *reader {
	h := newHistory(t)
	r := &reader{aHistory: h, answer: map[uint64]func(*proofs.Disclosure) error{}, stream: map[uint32]error{}}
	return r
}

// events returns all events of a ledger.
func (w *writer) allEvents() (list []uint64) {
	for i, b := range w.leaves {
		if check(proofs.ParseLeaf(b)).Kind == proofs.Event {
			list = append(list, uint64(i))
		}
	}
	return list
}

// lowest returns the n entries of a list with the lowest hashes.
func (w *writer) lowest(list []uint64, n int, seed string) []uint64 {
	root := w.root(int(w.size()))
	hash := func(index uint64) []byte {
		h := sha256.Sum256(slices.Concat([]byte("cairn/v1 audit sample\n"), root[:], binary.BigEndian.AppendUint64(nil, index), []byte(seed)))
		return h[:]
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b uint64) int { return bytes.Compare(hash(a), hash(b)) })
	list = list[:min(n, len(list))]
	slices.Sort(list)
	return list
}

func TestASampleIsDrawnByTheCheckpointAndTheSeed(t *testing.T) {
	for n := range 12 {
		r := newReader(t)
		seed := fmt.Sprintf("seed %d", n)
		report := r.sample(n+1, seed)
		demand(t, report)
		want := r.lowest(r.allEvents(), n+1, seed)
		same(t, r.asked, want)
		s := report.Summary.Sample
		same(t, s.Entries, want)
		if s.ShouldOpen != 16 || s.Opened != uint64(n+1) || s.Sampled != s.Opened || s.Seed != seed || report.State == nil {
			t.Errorf("got %+v", s)
		}
	}
	r := newReader(t)
	demand(t, r.sample(0, ""))
	same(t, r.asked, r.allEvents())
}

// What was closed for a reason is not drawn, but for what is held; what is
// lost otherwise is found.
func TestWhatShouldOpen(t *testing.T) {
	gone := func(*proofs.Disclosure) error { return audit.ErrGone }
	for _, tt := range []struct {
		name string
		do   func(r *reader) (want []accused)
		open int // how many should, of 16
		says string
	}{
		{"everything", func(r *reader) []accused { return nil }, 16, "Opened: all 16 events that should open were asked for: all opened."},
		{"not what expired, but what is held of it", func(r *reader) []accused {
			r.hold(0, 0, runs(r.events[1:4]...)...)
			r.done(r.expire(r.one))
			r.drop(r.events[0], r.events[4])
			return nil
		}, 14, "all 14 events that should open were asked for: all opened."},
		{"not what is about to expire", func(r *reader) []accused {
			r.expire(r.one)
			return nil
		}, 11, "all 11 events"},
		{"not what is erased in part", func(r *reader) []accused {
			r.done(r.erase(proofs.ErasedBody{Stream: 1, Closes: runs(r.events[1], r.in(r.two)[0])}))
			r.scrub(r.events[1])
			a := r.size() - 2
			return []accused{of(audit.ErasureForeign, a)}
		}, 15, "all 15 events"},
		{"one that the ledger says is gone", func(r *reader) []accused {
			r.answer[r.events[2]] = gone
			return []accused{of(audit.PayloadMissing, r.events[2])}
		}, 16, "15 opened, 1 did not."},
		{"a held one that is gone", func(r *reader) []accused {
			r.hold(0, 0, runs(r.events[1:4]...)...)
			r.done(r.expire(r.one))
			r.drop(r.events[0], r.events[4])
			r.answer[r.events[2]] = gone
			return []accused{of(audit.PayloadMissing, r.events[2])}
		}, 14, "13 opened, 1 did not."},
		{"one of which a part is not shown", func(r *reader) []accused {
			r.answer[r.events[2]] = func(d *proofs.Disclosure) error {
				d.Parts[1].Opening, d.Parts[1].Head, d.Parts[1].Data = nil, nil, nil
				return nil
			}
			return []accused{of(audit.PayloadMissing, r.events[2])}
		}, 16, "1 did not"},
		{"one of which tags are not shown", func(r *reader) []accused {
			r.answer[r.events[2]] = func(d *proofs.Disclosure) error {
				d.Tags[0].Seed = nil
				return nil
			}
			return []accused{of(audit.PayloadMissing, r.events[2])}
		}, 16, "1 did not"},
		{"one that is another", func(r *reader) []accused {
			r.answer[r.events[2]] = func(d *proofs.Disclosure) error {
				*d = *r.shown(r.events[3])
				return nil
			}
			return []accused{of(audit.PayloadAltered, r.events[2])}
		}, 16, "1 did not"},
		{"one that was changed", func(r *reader) []accused {
			r.answer[r.events[2]] = func(d *proofs.Disclosure) error {
				d.Parts[0].Data = []byte("x")
				return nil
			}
			return []accused{of(audit.PayloadAltered, r.events[2])}
		}, 16, "1 did not"},
		{"one that can't be opened", func(r *reader) []accused {
			r.answer[r.events[2]] = func(*proofs.Disclosure) error { return fmt.Errorf("%w: the disk is gone", audit.ErrUnopened) }
			return []accused{of(audit.PayloadUnopened, r.events[2])}
		}, 16, "1 did not"},
		{"one that an approved erasure disables, says the ledger", func(r *reader) []accused {
			r.custodians(2, 3600, 0)
			r.approve(r.request(proofs.Erasure, 11), 12)
			r.answer[r.events[2]] = func(*proofs.Disclosure) error { return audit.ErrDisabled }
			return nil
		}, 16, "15 opened, 1 are disabled, says the ledger, by an erasure that is approved and not done."},
		{"one that no approved erasure disables", func(r *reader) []accused {
			r.custodians(2, 3600, 0)
			r.request(proofs.Erasure, 11)
			r.approve(r.request(proofs.Release, 11), 12)
			withdrawn := r.request(proofs.Erasure, 11)
			r.approve(withdrawn, 12)
			r.withdraw(withdrawn, 12)
			r.answer[r.events[2]] = func(*proofs.Disclosure) error { return audit.ErrDisabled }
			return []accused{of(audit.PayloadUnopened, r.events[2])}
		}, 16, "15 opened, 1 did not."},
		{"one that was disabled a moment ago", func(r *reader) []accused {
			asked := 0
			r.answer[r.events[2]] = func(*proofs.Disclosure) error {
				if asked++; asked == 1 {
					return audit.ErrDisabled
				}
				return nil
			}
			return nil
		}, 16, "all opened."},
		{"one that may not be read, though others of its stream may", func(r *reader) []accused {
			r.answer[r.events[4]] = func(*proofs.Disclosure) error { return audit.ErrForbidden }
			return []accused{of(audit.PayloadUnopened, r.events[4])}
		}, 16, "15 opened, 1 did not."},
		{"one that nobody shows", func(r *reader) []accused {
			r.answer[r.events[2]] = func(*proofs.Disclosure) error { return audit.ErrNotShown }
			return nil
		}, 16, "15 opened, 1 were shown by nobody."},
		{"no stream that may not be read", func(r *reader) []accused {
			r.stream[2] = audit.ErrForbidden
			return nil
		}, 11, "Another 5 events that should open are of 1 streams that may not be read."},
		{"nothing at all", func(r *reader) []accused {
			r.stream[1], r.stream[2] = audit.ErrForbidden, audit.ErrForbidden
			return nil
		}, 0, "Opened: nothing. Another 16 events that should open are of 2 streams"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newReader(t)
			want := tt.do(r)
			r.publish()
			report := r.sample(0, "")
			same(t, accusations(report), want)
			s := report.Summary.Sample
			if s.ShouldOpen != uint64(tt.open) || s.Sampled != s.ShouldOpen {
				t.Errorf("got %+v, want that %d should open", s, tt.open)
			}
			if !strings.Contains(report.Summary.String(), tt.says) {
				t.Errorf("it does not say %q:\n%s", tt.says, report.Summary)
			}
		})
	}
}

// Where a stream may not be read, the sample is that of the others.
func TestASampleOfTheStreamsThatMayBeRead(t *testing.T) {
	r := newReader(t)
	r.stream[1] = audit.ErrForbidden
	report := r.sample(3, "x")
	demand(t, report)
	s := report.Summary.Sample
	same(t, s.Entries, r.lowest(r.in(r.two), 3, "x"))
	if s.ShouldOpen != 5 || s.Opened != 3 || s.ForbiddenEntries != 11 || !slices.Equal(s.ForbiddenStreams, []uint32{1}) {
		t.Errorf("got %+v", s)
	}
}

// What is closed while payloads are opened is told from what is lost.
func TestASampleOfALedgerThatGoesOn(t *testing.T) {
	r := newReader(t)
	lost := r.in(r.two)[1]
	for _, i := range append(r.events, lost) {
		r.answer[i] = func(*proofs.Disclosure) error { return audit.ErrGone }
	}
	var once sync.Once
	r.answer[r.events[0]] = func(*proofs.Disclosure) error {
		once.Do(func() {
			r.done(r.expire(r.one))
			r.drop(r.events...)
			r.publish()
		})
		return audit.ErrGone
	}
	size := r.size()
	report, err := audit.Run(t.Context(), r.files, audit.Options{Policy: r.policy, Workers: 1, Sample: &audit.Sampling{Open: r.open}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, accusations(report), []accused{of(audit.PayloadMissing, lost)})
	if s := report.Summary; s.Sample.Closed != 5 || s.Sample.Opened != 10 || s.Sample.WouldShow != 0 || s.To != size || s.ReadOn != r.size()-size {
		t.Errorf("got %+v", s)
	}
}

func TestAnErrorEndsTheOpening(t *testing.T) {
	r := newReader(t)
	broken := errors.New("the network is gone")
	r.answer[r.events[2]] = func(*proofs.Disclosure) error { return broken }
	_, err := audit.Run(t.Context(), r.files, audit.Options{Policy: r.policy, Sample: &audit.Sampling{Open: r.open}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), fmt.Sprintf("entry %d", r.events[2])) {
		t.Errorf("got %v", err)
	}
}

// The number of lost events that a sample would have shown is that of the
// hypergeometric distribution.
func TestWhatASampleWouldShow(t *testing.T) {
	r := newReader(t)
	for n := 1; n <= 16; n++ {
		got := r.sample(n, "s").Summary.Sample.WouldShow
		want := uint64(0)
		for lost := int64(1); want == 0; lost++ {
			// Of all samples, those in which nothing is lost.
			missed := new(big.Rat).SetFrac(new(big.Int).Binomial(16-lost, int64(n)), new(big.Int).Binomial(16, int64(n)))
			if 16-lost < int64(n) || missed.Cmp(big.NewRat(1, 20)) <= 0 {
				want = uint64(lost)
			}
		}
		if got != want {
			t.Errorf("%d of 16: got %d, want %d", n, got, want)
		}
	}
}

// Nothing that is pruned should open.
func TestASampleOfAPrunedLedger(t *testing.T) {
	p := newPruned(t)
	p.minimum(512)
	p.publish()
	r := &reader{aHistory: &aHistory{writer: p.writer}}
	r.files = p.withhold(512)
	report := r.sample(0, "")
	demand(t, report)
	if s := report.Summary.Sample; s.ShouldOpen != 1 || s.Opened != 1 || len(report.Summary.NotJudged) != 1 {
		t.Errorf("got %+v, and not judged: %q", s, report.Summary.NotJudged)
	}
}
