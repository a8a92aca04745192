package retain_test

import (
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// What readers were given does not change while the writer goes on. The race
// detector judges.
func TestReadersBesideTheWriter(t *testing.T) {
	l := newWorld(t)
	hold := l.hold(0, run(4, 4))
	state := l.state
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					read(t, state)
				}
			}
		})
	}
	for i := range uint64(60) {
		l.addHold(hold, uint32(i%3+2), run(100+2*i, 100+2*i))
		b := l.bucket(1, 1, uint32(i+9))
		index := l.event(1, b)
		l.erase(1, run(3, 4), run(index, index))
		l.expire(b)
		if i%2 == 1 {
			for range 4 {
				l.done()
			}
			l.release(l.hold(0, run(2, index)))
			l.done()
		}
	}
	close(stop)
	readers.Wait()
}

func read(t *testing.T, s *retain.State) {
	for _, h := range s.Holds() {
		for i, r := range h.Runs {
			if i > 0 && r.First <= h.Runs[i-1].Last {
				t.Errorf("the runs of hold %d do not rise: %v", h.Index, h.Runs)
			}
		}
	}
	for _, c := range s.Open() {
		c.Gone()
	}
	if _, err := s.Save(); err != nil {
		t.Error(err)
	}
	s.Rings(1, 1, 4)
	s.Reasons(1, 1, 4)
	s.Covering(1, 4)
	s.Held(1, runs(run(3, 200)))
	s.Requests()
	s.ClassAt(1, s.Size())
	if err := s.Check(proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 2}); err != nil {
		t.Error(err)
	}
	if s.Takes(2) {
		s.Bucket(2)
	}
	if _, err := s.Due(checkpoint(1<<40, 1), covering()); err != nil {
		t.Error(err)
	}
}

// A snapshot that is made beside the writer commits to the lasting entries below
// its size, and to no other: a start goes on from it.
func TestASnapshotBesideTheWriter(t *testing.T) {
	l := newWorld(t)
	for i := range uint64(300) {
		l.hold(0, run(2*i, 2*i))
	}
	state := l.state
	controls := map[uint64]proofs.Hash{state.Size(): state.Controls()}
	var saved [][]byte
	stop := make(chan struct{})
	var saver sync.WaitGroup
	saver.Go(func() {
		for {
			saved = append(saved, must(state.Save()))
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for i := range uint64(300) {
		l.hold(0, run(2*i, 2*i))
		controls[state.Size()] = state.Controls()
	}
	close(stop)
	saver.Wait()
	for _, b := range saved {
		s := must(retain.Load(b))
		if s.Controls() != controls[s.Size()] {
			t.Fatalf("a snapshot of size %d commits to %v, want %v", s.Size(), s.Controls(), controls[s.Size()])
		}
	}
}
