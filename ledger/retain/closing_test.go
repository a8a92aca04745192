package retain_test

import (
	"reflect"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

func run(first, last uint64) proofs.Run { return proofs.Run{First: first, Last: last} }

func runs(list ...proofs.Run) []proofs.Run { return list }

// open demands what is open, and that each is found by its index.
func (l *log) open(want ...retain.Closing) {
	l.t.Helper()
	for range 2 {
		got := l.state.Open()
		if !reflect.DeepEqual(got, want) {
			l.t.Fatalf("open is\n%+v\nwant\n%+v", got, want)
		}
		for _, c := range want {
			if got, ok := l.state.Closing(c.Index); !ok || !reflect.DeepEqual(got, c) {
				l.t.Fatalf("closing %d is %+v, want %+v", c.Index, got, c)
			}
		}
		l.state = reload(l.t, l.state)
	}
}

func (l *log) gone(want ...retain.Share) {
	l.t.Helper()
	if got := l.state.Open()[0].Gone(); !reflect.DeepEqual(got, want) {
		l.t.Fatalf("gone is\n%+v\nwant\n%+v", got, want)
	}
}

func (l *log) rings(index uint64, want ...retain.RingName) {
	l.t.Helper()
	if got := l.state.Rings(1, 1, index); !reflect.DeepEqual(got, want) {
		l.t.Fatalf("entry %d may be in the rings %v, want %v", index, got, want)
	}
}

func TestExpiryLeavesWhatIsHeld(t *testing.T) {
	l := newWorld(t)
	hold := l.hold(0, run(1, 1), run(4, 4), run(8, 20))
	x := l.expire(1)
	all := retain.Share{Closing: x, Stream: 1, Bucket: 1, Runs: runs(run(3, 5))}
	held := retain.Share{Closing: x, Stream: 1, Bucket: 1, Runs: runs(run(4, 4))}
	l.open(retain.Closing{Index: x, Kind: proofs.Expiry, Closes: []retain.Share{all}, Rings: []retain.Ring{{Hold: hold, Share: held}}})
	l.gone(retain.Share{Closing: x, Stream: 1, Bucket: 1, Runs: runs(run(3, 3), run(5, 5))})
	l.rings(4, retain.RingName{Hold: hold, Closing: x})
	l.done()
	l.open()
	l.rings(3)
	l.rings(4, retain.RingName{Hold: hold, Closing: x})

	r := l.release(hold)
	l.open(retain.Closing{Index: r, Kind: proofs.Release, Hold: hold, Closes: []retain.Share{held}})
	l.gone(held)
	l.done()
	l.open()
	l.rings(4)
	if holds := l.state.Holds(); holds != nil {
		t.Errorf("there are holds: %+v", holds)
	}
}

// The last of two holds closes, whichever was made first.
func TestReleaseHandsOverToOtherHolds(t *testing.T) {
	l := newWorld(t)
	before := l.hold(0, run(3, 4))
	x := l.expire(1)
	l.done()
	after := l.hold(0, run(4, 5)) // 5 is gone already
	l.rings(4, retain.RingName{Hold: before, Closing: x})

	r := l.release(before)
	share := func(list ...proofs.Run) retain.Share {
		return retain.Share{Closing: x, Stream: 1, Bucket: 1, Runs: list}
	}
	l.open(retain.Closing{Index: r, Kind: proofs.Release, Hold: before,
		Closes: []retain.Share{share(run(3, 4))}, Rings: []retain.Ring{{Hold: after, Share: share(run(4, 4))}}})
	l.gone(share(run(3, 3)))
	l.rings(4, retain.RingName{Hold: before, Closing: x}, retain.RingName{Hold: after, Closing: r})
	l.done()
	l.rings(4, retain.RingName{Hold: after, Closing: r})

	r = l.release(after)
	l.open(retain.Closing{Index: r, Kind: proofs.Release, Hold: after, Closes: []retain.Share{share(run(4, 5))}})
	l.done()
	l.rings(4)
}

// What comes behind an announcement does not change what it closes, however
// often it is repeated.
func TestClosingsDoNotDependOnWhatFollows(t *testing.T) {
	l := newWorld(t)
	hold := l.hold(0, run(4, 4))
	x := l.expire(1)
	expiry, _ := l.state.Closing(x)
	l.addHold(hold, 0, run(3, 5))
	l.hold(1)
	r := l.release(hold)
	release, _ := l.state.Closing(r)
	l.open(expiry, release)
	e := l.erase(1, run(3, 9))
	erasure, _ := l.state.Closing(e)
	l.release(l.hold(0, run(7, 9)))
	last := l.state.Open()[3]
	l.open(expiry, release, erasure, last)
	l.done()
	l.done()
	l.open(erasure, last)
}

func TestErasureOfAHeldStream(t *testing.T) {
	l := newWorld(t)
	hold := l.hold(1)
	other := l.hold(0, run(4, 8))
	e := l.erase(1, run(3, 3), run(5, 5), run(8, 9))
	share := func(list ...proofs.Run) retain.Share {
		return retain.Share{Closing: e, Stream: 1, Runs: list}
	}
	all := share(run(3, 3), run(5, 5), run(8, 9))
	kept := share(run(5, 5), run(8, 8))
	l.open(retain.Closing{Index: e, Kind: proofs.Erasure, Closes: []retain.Share{all},
		Rings: []retain.Ring{{Hold: hold, Share: all}, {Hold: other, Share: kept}}})
	l.gone()
	l.done()
	r := l.release(hold)
	l.open(retain.Closing{Index: r, Kind: proofs.Release, Hold: hold, Closes: []retain.Share{all}, Rings: []retain.Ring{{Hold: other, Share: kept}}})
	l.gone(share(run(3, 3), run(9, 9)))
	l.done()
	r = l.release(other)
	l.open(retain.Closing{Index: r, Kind: proofs.Release, Hold: other, Closes: []retain.Share{kept}})
}

// Closings after one another close what is kept of each.
func TestReleaseOfWhatWasErasedAndExpired(t *testing.T) {
	l := newWorld(t)
	hold := l.hold(0, run(4, 4))
	e := l.erase(1, run(3, 4))
	x := l.expire(1)
	l.done()
	l.done()
	r := l.release(hold)
	l.open(retain.Closing{Index: r, Kind: proofs.Release, Hold: hold, Closes: []retain.Share{
		{Closing: e, Stream: 1, Runs: runs(run(4, 4))},
		{Closing: x, Stream: 1, Bucket: 1, Runs: runs(run(4, 4))},
	}})
}

func TestErasureInSeveralParts(t *testing.T) {
	l := newWorld(t)
	part := func(n, of uint32, list ...proofs.Run) uint64 {
		return l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Part: n, Parts: of, Closes: list}))
	}
	part(1, 3, run(3, 3)) // and then the ledger stopped
	l.open()
	first := part(1, 2, run(3, 4), run(7, 7))
	l.event(1, 2)
	l.hold(0, run(4, 7))
	l.open()
	second := part(2, 2, run(8, 8))
	share := func(list ...proofs.Run) retain.Share {
		return retain.Share{Closing: second, Stream: 1, Runs: list}
	}
	l.open(retain.Closing{Index: second, Kind: proofs.Erasure, Closes: []retain.Share{share(run(3, 4), run(7, 8))},
		Rings: []retain.Ring{{Hold: second - 1, Share: share(run(4, 4), run(7, 7))}}})
	for index, want := range map[uint64][]uint64{3: {first}, 5: {first}, 7: {first}, 8: {second}, 9: nil} {
		if got := l.state.Reasons(1, 1, index); !reflect.DeepEqual(got, want) {
			t.Errorf("entry %d may be gone because of %v, want %v", index, got, want)
		}
	}
	l.done()
	x := l.expire(1)
	later := l.erase(1, run(5, 9))
	if got, want := l.state.Reasons(1, 1, 5), []uint64{first, x, later}; !reflect.DeepEqual(got, want) {
		t.Errorf("entry 5 may be gone because of %v, want %v", got, want)
	}
	if got := l.state.Reasons(2, 2, 5); got != nil {
		t.Errorf("an entry of another stream and bucket may be gone because of %v", got)
	}
}

func TestHoldsInSeveralEntries(t *testing.T) {
	l := newWorld(t)
	hold := l.hold(3, run(4, 4), run(9, 12))
	l.addHold(hold, 2, run(5, 5))
	l.addHold(hold, 0, run(0, 2), run(11, 1<<64-1))
	want := []retain.Hold{{Index: hold, Streams: []uint32{2, 3}, Runs: runs(run(0, 2), run(4, 5), run(9, 1<<64-1))}}
	if got := l.state.Holds(); !reflect.DeepEqual(got, want) {
		t.Errorf("holds are %+v, want %+v", got, want)
	}
	other := l.hold(1)
	want = append(want, retain.Hold{Index: other, Streams: []uint32{1}, Released: l.release(other)})
	if got := l.state.Holds(); !reflect.DeepEqual(got, want) {
		t.Errorf("holds are %+v, want %+v", got, want)
	}
	if got, want := l.state.Held(1, runs(run(5, 9))), []retain.Ring{{Hold: hold, Share: retain.Share{Stream: 1, Runs: runs(run(5, 5), run(9, 9))}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v would be held, want %+v", got, want)
	}
}

// Holds that are added to all the time stay small.
func TestAdditionsThatNoClosingTellsApartBecomeOne(t *testing.T) {
	l := newWorld(t)
	hold := l.hold(0, run(3, 3))
	for i := range uint64(50) {
		l.addHold(hold, 0, run(100+2*i, 100+2*i))
	}
	small := len(must(l.state.Save()))
	l.expire(1)
	for i := range uint64(50) {
		l.addHold(hold, 0, run(101+2*i, 101+2*i))
	}
	large := len(must(l.state.Save()))
	if large > small+500 {
		t.Errorf("a snapshot of %d bytes has grown to %d", small, large)
	}
	l.done()
	l.addHold(hold, 0, run(201, 201))
	if again := len(must(l.state.Save())); again > large-200 {
		t.Errorf("a snapshot of %d bytes has become one of %d", large, again)
	}
}

func TestKeyState(t *testing.T) {
	l := newWorld(t)
	if k, ok := l.state.KeyState(); ok {
		t.Errorf("before any destruction there is a key state %+v", k)
	}
	l.expire(1)
	x := l.expire(2)
	for range 2 { // both at once
		l.epoch = 6
		l.done()
	}
	want := proofs.KeysDestroyed{Announced: x, Epoch: 7, State: proofs.Hash{7}}
	if k, ok := l.state.KeyState(); !ok || k != want {
		t.Errorf("the key state is %+v, want %+v", k, want)
	}
}
