package retain_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

const (
	alice = 11
	bob   = 12
	carol = 13
)

const grace = 3600 // seconds

// newCustodians returns the world where two custodians are needed.
func newCustodians(t testing.TB) *log {
	l := newWorld(t)
	l.must(settingsLeaf(proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: 1, Class: 1, Reason: true}}))
	l.must(ledgerLeaf(2, grace, 0))
	return l
}

func TestWhatNeedsARequest(t *testing.T) {
	class := func(days uint32) *proofs.ClassBody {
		return &proofs.ClassBody{Class: 1, Days: days, Period: proofs.Day}
	}
	kept := proofs.StreamBody{Stream: 1, Class: 1, Reason: true, Split: true, Fields: []proofs.FieldBody{{Number: 3, Subject: true}}}
	stream := func(s proofs.StreamBody) proofs.SettingsBody { return proofs.SettingsBody{Stream: &s} }
	with := func(s proofs.StreamBody, change func(*proofs.StreamBody)) proofs.StreamBody {
		change(&s)
		return s
	}
	for _, row := range []struct {
		name string
		kind proofs.Kind
		body proofs.SettingsBody
		want bool
	}{
		{"an erasure", proofs.Erasure, proofs.SettingsBody{}, true},
		{"a release", proofs.Release, proofs.SettingsBody{}, true},
		{"a hold", proofs.Hold, proofs.SettingsBody{}, false},
		{"an expiry", proofs.Expiry, proofs.SettingsBody{}, false},
		{"a class that becomes shorter", proofs.Settings, proofs.SettingsBody{Class: class(29)}, true},
		{"a class that stays", proofs.Settings, proofs.SettingsBody{Class: class(30)}, false},
		{"a class that becomes longer", proofs.Settings, proofs.SettingsBody{Class: class(31)}, false},
		{"a class that becomes for ever", proofs.Settings, proofs.SettingsBody{Class: class(0)}, false},
		{"a new class", proofs.Settings, proofs.SettingsBody{Class: &proofs.ClassBody{Class: 2, Days: 1, Period: proofs.Day}}, false},
		{"a class of the ledger's own, of which was never said how long it is kept", proofs.Settings,
			proofs.SettingsBody{Class: &proofs.ClassBody{Class: 9, Days: 365, Period: proofs.Month}}, true},
		{"a new stream", proofs.Settings, stream(proofs.StreamBody{Stream: 2, Class: 1}), false},
		{"a stream as it is", proofs.Settings, stream(kept), false},
		{"a stream that is closed", proofs.Settings, stream(with(kept, func(s *proofs.StreamBody) { s.Closed = true })), false},
		{"a stream with a shorter class", proofs.Settings, stream(with(kept, func(s *proofs.StreamBody) { s.Class = 3 })), true},
		{"a stream with a longer class", proofs.Settings, stream(with(kept, func(s *proofs.StreamBody) { s.Class = 4 })), false},
		{"a stream that is read without a reason", proofs.Settings, stream(with(kept, func(s *proofs.StreamBody) { s.Reason = false })), true},
		{"a stream that is not split", proofs.Settings, stream(with(kept, func(s *proofs.StreamBody) { s.Split = false })), true},
		{"a stream that declares less", proofs.Settings, stream(with(kept, func(s *proofs.StreamBody) { s.Fields = nil })), true},
		{"one custodian", proofs.Settings, proofs.SettingsBody{Ledger: &proofs.LedgerBody{Custodians: 1, Grace: grace}}, true},
		{"a shorter grace", proofs.Settings, proofs.SettingsBody{Ledger: &proofs.LedgerBody{Custodians: 2, Grace: grace - 1}}, true},
		{"a longer grace", proofs.Settings, proofs.SettingsBody{Ledger: &proofs.LedgerBody{Custodians: 2, Grace: grace + 1}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newWorld(t)
			l.bucket(0, 9, 0)
			l.class(3, 29, proofs.Day)
			l.class(4, 0, proofs.Day)
			l.must(settingsLeaf(stream(kept)))
			if l.state.NeedsRequest(row.kind, row.body) {
				t.Error("it needs a request where nobody asked for custodians")
			}
			l.must(ledgerLeaf(1, grace, 0))
			if l.state.NeedsRequest(row.kind, row.body) {
				t.Error("it needs a request of one custodian")
			}
			l.must(ledgerLeaf(2, grace, 0))
			l.state = reload(t, l.state)
			if got := l.state.NeedsRequest(row.kind, row.body); got != row.want {
				t.Errorf("it needs a request: %v, want %v", got, row.want)
			}
			if want := (proofs.LedgerBody{Custodians: 2, Grace: grace}); l.state.Ledger() != want {
				t.Errorf("the ledger is %+v, want %+v", l.state.Ledger(), want)
			}
		})
	}
}

// acts are one entry of each that needs a request.
func acts(l *log, hold uint64) map[proofs.Kind][]func(request uint64) proofs.Leaf {
	return map[proofs.Kind][]func(request uint64) proofs.Leaf{
		proofs.Erasure: {func(r uint64) proofs.Leaf {
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Request: r, Part: 1, Parts: 1, Closes: runs(run(4, 4))})
		}},
		proofs.Release: {func(r uint64) proofs.Leaf { return releaseLeaf(hold, r) }},
		proofs.Settings: {
			func(r uint64) proofs.Leaf { return classLeaf(1, 3, proofs.Day, r) },
			func(r uint64) proofs.Leaf {
				return settingsLeaf(proofs.SettingsBody{Request: r, Stream: &proofs.StreamBody{Stream: 1, Class: 1}})
			},
			func(r uint64) proofs.Leaf { return ledgerLeaf(2, 0, r) },
			func(r uint64) proofs.Leaf { return ledgerLeaf(1, grace, r) },
		},
	}
}

func TestARequestAllowsOneAct(t *testing.T) {
	for kind := range acts(nil, 0) {
		for i := range acts(nil, 0)[kind] {
			t.Run(fmt.Sprint(kind, i), func(t *testing.T) {
				l := newCustodians(t)
				l.restarts = true
				act := acts(l, l.hold(0, run(3, 3)))[kind][i]
				refused := func(request uint64, is error, why string) {
					t.Helper()
					if _, err := l.write(act(request)); !errors.Is(err, is) || !strings.Contains(err.Error(), why) {
						t.Fatalf("the act with request %d: %v, want %q", request, err, why)
					}
				}
				refused(0, retain.ErrNeedsRequest, "")
				refused(5, retain.ErrRequest, "no entry asked")
				wrong := l.request(other(kind), alice)
				l.must(approvalLeaf(wrong, bob))
				request := l.request(kind, alice)
				refused(request, retain.ErrRequest, "nobody else has approved it")
				l.now = 7e6
				approval := l.must(approvalLeaf(request, bob))
				if r, ok := l.state.Request(request); !ok || r != (retain.Request{Index: request, Kind: kind, By: alice, Approval: approval, ApprovedBy: bob, From: (7 + grace) * 1e6}) {
					t.Fatalf("the request is %+v, %v", r, ok)
				}
				l.now = (7+grace)*1e6 - 1
				refused(request, retain.ErrRequest, "the grace is not over before 1970-01-01 01:00:07.000000 UTC")
				l.now++
				refused(wrong, retain.ErrRequest, "it asks for something else")
				if err := l.state.Allowed(request, kind, l.now); err != nil {
					t.Fatal(err)
				}
				index := l.must(act(request))
				if r, _ := l.state.Request(request); r.Used != index {
					t.Fatalf("the request is %+v, want it used by %d", r, index)
				}
				if err := l.state.Allowed(request, kind, l.now); !errors.Is(err, retain.ErrRequest) || !strings.Contains(err.Error(), fmt.Sprintf("entry %d has used it", index)) {
					t.Fatalf("it is allowed again: %v", err)
				}
				if open := l.state.Open(); kind != proofs.Settings && open[0].Request != request {
					t.Errorf("the closing is %+v, want request %d", open[0], request)
				}
				if got := l.state.Requests(); len(got) != 1 || got[0].Index != wrong {
					t.Errorf("the requests left are %+v", got)
				}
			})
		}
	}
}

func other(k proofs.Kind) proofs.Kind {
	if k == proofs.Erasure {
		return proofs.Release
	}
	return proofs.Erasure
}

// A request that is named is used also where none is needed.
func TestARequestThatIsNotNeeded(t *testing.T) {
	l := newWorld(t)
	request := l.request(proofs.Settings, alice)
	if _, err := l.write(classLeaf(1, 31, proofs.Day, request)); !errors.Is(err, retain.ErrRequest) {
		t.Errorf("a request that nobody approved: %v", err)
	}
	l.must(approvalLeaf(request, bob))
	l.must(classLeaf(1, 31, proofs.Day, request))
	if _, err := l.write(settingsLeaf(proofs.SettingsBody{Request: request, Stream: &proofs.StreamBody{Stream: 1, Class: 1}})); !errors.Is(err, retain.ErrRequest) {
		t.Errorf("a request that is used: %v", err)
	}
}

// No pseudonym is special, nor that of nobody.
func TestPseudonymZero(t *testing.T) {
	l := newCustodians(t)
	request := l.request(proofs.Erasure, alice)
	if _, err := l.write(withdrawalLeaf(request, 0)); !errors.Is(err, retain.ErrRequest) {
		t.Errorf("an approval that nobody gave is withdrawn: %v", err)
	}
	l.restarts = true
	l.must(approvalLeaf(request, 0))
	l.must(withdrawalLeaf(request, 0))
	if r, _ := l.state.Request(request); r.Approval != 0 || r.Withdrawn != 0 {
		t.Errorf("the request is %+v", r)
	}
}

// The grace is that of the approval.
func TestGraceThatChanges(t *testing.T) {
	l := newCustodians(t)
	request := l.request(proofs.Erasure, alice)
	l.must(approvalLeaf(request, bob))
	l.must(ledgerLeaf(2, 9*grace, 0))
	if r, _ := l.state.Request(request); r.From != grace*1e6 {
		t.Errorf("the grace ends at %d", r.From)
	}
}

// An erasure in several parts uses its request with the last, and a part that
// the request does not allow is none.
func TestRequestOfAnErasureInSeveralParts(t *testing.T) {
	l := newCustodians(t)
	request := l.request(proofs.Erasure, alice)
	l.must(approvalLeaf(request, bob))
	l.now = grace * 1e6
	part := func(n uint32) proofs.Leaf {
		return erasureLeaf(proofs.ErasedBody{Stream: 1, Request: request, Part: n, Parts: 2})
	}
	l.must(part(1))
	l.must(part(1)) // again, after a crash
	if r, _ := l.state.Request(request); r.Used != 0 {
		t.Errorf("the first part has used the request: %+v", r)
	}
	l.must(withdrawalLeaf(request, bob))
	if _, err := l.write(part(2)); !errors.Is(err, retain.ErrRequest) {
		t.Errorf("the second part after the approval was withdrawn: %v", err)
	}
	l.must(approvalLeaf(request, carol))
	l.now *= 2
	last := l.must(part(2))
	if r, _ := l.state.Request(request); r.Used != last {
		t.Errorf("the request is %+v, want it used by %d", r, last)
	}
}

// TestRandomRequests compares with a model that keeps all that was said about
// a request and reads it again for each answer.
func TestRandomRequests(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	l := newCustodians(t)
	l.restarts = true
	type said struct {
		what  string
		by    uint64
		index uint64
		time  uint64
	}
	about := map[uint64][]said{}
	var all []uint64
	// standing returns who approves a request now, and whether it is over.
	standing := func(request uint64) (approval *said, over bool) {
		for _, s := range about[request][1:] {
			switch {
			case s.what == "use", s.what == "withdraw" && s.by == about[request][0].by:
				over = true
			case s.what == "withdraw":
				approval = nil
			case s.what == "approve":
				approval = &s
			}
		}
		return approval, over
	}
	for range 800 {
		l.now += rnd.Uint64N(grace * 1e6 / 2)
		by := alice + rnd.Uint64N(3)
		if len(all) == 0 || rnd.IntN(6) == 0 {
			index := l.request(proofs.Erasure, by)
			about[index], all = []said{{"ask", by, index, l.now}}, append(all, index)
			continue
		}
		request := all[max(0, len(all)-1-rnd.IntN(6))]
		approval, over := standing(request)
		next, allowed, leaf := said{by: by, time: l.now}, !over, proofs.Leaf{}
		switch rnd.IntN(3) {
		case 0:
			next.what, leaf = "approve", approvalLeaf(request, by)
			allowed = allowed && approval == nil && by != about[request][0].by
		case 1:
			next.what, leaf = "withdraw", withdrawalLeaf(request, by)
			allowed = allowed && (by == about[request][0].by || approval != nil && by == approval.by)
		case 2:
			next.what = "use"
			leaf = erasureLeaf(proofs.ErasedBody{Stream: 1, Request: request, Part: 1, Parts: 1})
			allowed = allowed && approval != nil && l.now >= approval.time+grace*1e6
		}
		index, err := l.write(leaf)
		if (err == nil) != allowed || err != nil && !errors.Is(err, retain.ErrRequest) {
			t.Fatalf("%s by %d of %+v: %v, want it allowed: %v", next.what, by, about[request], err, allowed)
		}
		if next.index = index; err == nil {
			about[request] = append(about[request], next)
		}
	}
	var want []uint64
	for _, index := range all {
		if _, over := standing(index); !over {
			want = append(want, index)
		}
	}
	var got []uint64
	for _, r := range l.state.Requests() {
		got = append(got, r.Index)
	}
	if !reflect.DeepEqual(got, want) || !slices.IsSorted(got) {
		t.Errorf("requests %v are left, want %v", got, want)
	}
}

func namedLeaf(request uint64, named ...uint64) proofs.Leaf {
	return settingsLeaf(proofs.SettingsBody{Request: request, Custodians: &proofs.CustodiansBody{Named: named}})
}

// TestOnlyWhoIsNamedIsACustodian: neither who asks nor who approves can be
// another, and who they are takes two.
func TestOnlyWhoIsNamedIsACustodian(t *testing.T) {
	l := newWorld(t)
	l.restarts = true
	early := l.request(proofs.Erasure, 99)
	l.must(namedLeaf(0, alice, bob, carol)) // as long as one is enough, it is free
	l.must(ledgerLeaf(2, 0, 0))
	refused := func(leaf proofs.Leaf, is error, why string) {
		t.Helper()
		if _, err := l.write(leaf); !errors.Is(err, is) || !strings.Contains(err.Error(), why) {
			t.Fatalf("got %v, want %q", err, why)
		}
	}
	refused(requestLeaf(proofs.Erasure, 99), retain.ErrNotNamed, "")
	refused(approvalLeaf(early, alice), retain.ErrRequest, "who asked is not one of the custodians")
	request := l.request(proofs.Erasure, alice)
	refused(approvalLeaf(request, 99), retain.ErrNotNamed, "")
	l.must(approvalLeaf(request, carol))

	refused(namedLeaf(0, alice, 99), retain.ErrNeedsRequest, "")
	refused(namedLeaf(0), retain.ErrNeedsRequest, "")
	l.must(namedLeaf(0, alice, bob, carol)) // as they are
	others := l.request(proofs.Settings, alice)
	l.must(approvalLeaf(others, bob))
	l.must(namedLeaf(others, alice, bob))
	for by, want := range map[uint64]bool{alice: true, bob: true, carol: false, 99: false} {
		if got := l.state.IsCustodian(by); got != want {
			t.Errorf("%d is a custodian: %v", by, got)
		}
	}
	refused(erasureLeaf(proofs.ErasedBody{Stream: 1, Request: request, Part: 1, Parts: 1}), retain.ErrRequest, "not one of the custodians any more")
	l.must(withdrawalLeaf(request, carol)) // her own word she may take back
	l.must(approvalLeaf(request, bob))
	l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Request: request, Part: 1, Parts: 1}))
	saved := string(must(l.state.Save()))
	for _, wrong := range []string{`"named":[11]`, `"named":[12,11]`, `"named":[11,11]`} {
		if _, err := retain.Load([]byte(strings.Replace(saved, `"named":[11,12]`, wrong, 1))); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: %v, want it malformed", wrong, err)
		}
	}
}
