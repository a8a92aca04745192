package retain_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// covering looks a checkpoint up among those that are kept.
func covering(kept ...retain.Checkpoint) func(uint64) (retain.Checkpoint, error) {
	return func(size uint64) (retain.Checkpoint, error) {
		for _, c := range kept {
			if c.Size >= size {
				return c, nil
			}
		}
		return retain.Checkpoint{}, nil
	}
}

func TestDueSaysAllThatIsAnnounced(t *testing.T) {
	l := newWorld(t)
	closed, now := checkpoint(6, 5000), checkpoint(10, 30*day+5000)
	due, err := l.state.Due(now, covering(checkpoint(5, 4000), closed, checkpoint(8, 6000), now))
	want := []proofs.ExpiredBody{{
		Bucket: 1, First: 3, Last: 5, Count: 3, Settings: 1, Closed: closed.CheckpointRef, Now: now.CheckpointRef,
	}}
	if err != nil || !reflect.DeepEqual(due, want) {
		t.Errorf("due is %+v, want %+v: %v", due, want, err)
	}
}

func TestDue(t *testing.T) {
	const age = 30 * day
	for _, row := range []struct {
		name  string
		setup func(l *log)
		now   retain.Checkpoint
		kept  []retain.Checkpoint
		want  []uint32
	}{
		{name: "a bucket that has reached its age to the second", now: checkpoint(10, 5000+age),
			kept: []retain.Checkpoint{checkpoint(6, 5000)}, want: []uint32{1}},
		{name: "a bucket that lacks a second", now: checkpoint(10, 4999+age),
			kept: []retain.Checkpoint{checkpoint(6, 5000)}},
		{name: "buckets in their order", now: checkpoint(10, 90*day),
			kept: []retain.Checkpoint{checkpoint(10, 5000)}, want: []uint32{1, 2}},
		{name: "a bucket whose last entry no checkpoint covers", now: checkpoint(9, 90*day),
			kept: []retain.Checkpoint{checkpoint(6, 5000), checkpoint(9, 6000)}, want: []uint32{1}},
		{name: "a checkpoint beyond the one of now", now: checkpoint(7, 90*day),
			kept: []retain.Checkpoint{checkpoint(8, 5000)}},
		{name: "a checkpoint that no quorum cosigned", now: checkpoint(10, 90*day),
			kept: []retain.Checkpoint{checkpoint(10, 0)}},
		{name: "a time that no quorum cosigned", now: checkpoint(10, 0),
			kept: []retain.Checkpoint{checkpoint(10, 5000)}},
		{name: "a checkpoint that is newer than now", now: checkpoint(10, 90*day),
			kept: []retain.Checkpoint{checkpoint(10, 91*day)}},
		{name: "a lookup that does not cover", now: checkpoint(10, 90*day),
			kept: nil},
		{name: "a class that was lengthened", now: checkpoint(11, 31*day), setup: func(l *log) { l.class(1, 31, proofs.Day) },
			kept: []retain.Checkpoint{checkpoint(6, 5000)}},
		{name: "a class that was shortened", now: checkpoint(11, 6*day), setup: func(l *log) { l.class(1, 5, proofs.Day) },
			kept: []retain.Checkpoint{checkpoint(6, 5000), checkpoint(11, 5*day)}, want: []uint32{1}},
		{name: "a class that is for ever", now: checkpoint(11, 90*day), setup: func(l *log) { l.class(1, 0, proofs.Day) },
			kept: []retain.Checkpoint{checkpoint(10, 5000)}},
		{name: "a bucket whose expiry is announced", now: checkpoint(11, 90*day), setup: func(l *log) { l.expire(1) },
			kept: []retain.Checkpoint{checkpoint(10, 5000)}, want: []uint32{2}},
		{name: "a stream that is held", now: checkpoint(11, 90*day), setup: func(l *log) { l.hold(1) },
			kept: []retain.Checkpoint{checkpoint(10, 5000)}},
		{name: "another stream that is held", now: checkpoint(11, 90*day), setup: func(l *log) { l.hold(2) },
			kept: []retain.Checkpoint{checkpoint(10, 5000)}, want: []uint32{1, 2}},
		{name: "entries that are held", now: checkpoint(11, 90*day), setup: func(l *log) { l.hold(0, proofs.Run{First: 0, Last: 99}) },
			kept: []retain.Checkpoint{checkpoint(10, 5000)}, want: []uint32{1, 2}},
		{name: "a stream whose hold is released", now: checkpoint(12, 90*day), setup: func(l *log) { l.release(l.hold(1)) },
			kept: []retain.Checkpoint{checkpoint(10, 5000)}, want: []uint32{1, 2}},
		{name: "a period that is not over", now: checkpoint(14, 90*day-1), kept: []retain.Checkpoint{checkpoint(14, 5000)},
			setup: func(l *log) {
				l.event(1, l.bucket(1, 1, 89))
			}, want: []uint32{1, 2}},
		{name: "a period that is over to the second", now: checkpoint(14, 90*day), kept: []retain.Checkpoint{checkpoint(14, 5000)},
			setup: func(l *log) {
				l.event(1, l.bucket(1, 1, 89))
			}, want: []uint32{1, 2, 3}},
		{name: "a month that is not over", now: checkpoint(14, (31+29+31+365*2)*day-1), kept: []retain.Checkpoint{checkpoint(14, 5000)},
			setup: march1972, want: []uint32{1, 2}},
		{name: "a month of a leap year that is over", now: checkpoint(14, (31+29+31+365*2)*day), kept: []retain.Checkpoint{checkpoint(14, 5000)},
			setup: march1972, want: []uint32{1, 2, 3}},
		{name: "a bucket without entries", now: checkpoint(14, 900*day), kept: []retain.Checkpoint{checkpoint(14, 5000)},
			setup: func(l *log) {
				l.bucket(1, 1, 5)
			}, want: []uint32{1, 2}},
		{name: "a bucket of the last day there can be", now: checkpoint(14, 900*day), kept: []retain.Checkpoint{checkpoint(14, 5000)},
			setup: func(l *log) {
				l.event(1, l.bucket(1, 1, 1<<32-1))
			}, want: []uint32{1, 2}},
		{name: "a bucket of the ledger's own whose class no entry has set", now: checkpoint(14, 900*day), kept: []retain.Checkpoint{checkpoint(14, 5000)},
			setup: func(l *log) {
				l.must(proofs.Leaf{Kind: proofs.Access, Bucket: l.bucket(0, 9, 0)})
			}, want: []uint32{1, 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newWorld(t)
			if row.setup != nil {
				row.setup(l)
			}
			for range 2 {
				due, err := l.state.Due(row.now, covering(row.kept...))
				var got []uint32
				for _, x := range due {
					got = append(got, x.Bucket)
				}
				if err != nil || !reflect.DeepEqual(got, row.want) {
					t.Errorf("buckets %v are due, want %v: %v", got, row.want, err)
				}
				l.state = reload(t, l.state)
			}
		})
	}
}

func march1972(l *log) {
	l.class(2, 1, proofs.Month)
	l.event(1, l.bucket(1, 2, 26))
}

// What cannot be due is not looked up: the lookup may read files.
func TestDueLooksUpWhatMayBeDue(t *testing.T) {
	l := newWorld(t)
	b := l.bucket(1, 1, 2)
	l.now = 3 * day * 1e6
	last := l.event(1, b)
	var asked []uint64
	look := func(size uint64) (retain.Checkpoint, error) {
		asked = append(asked, size)
		return checkpoint(size, 3*day), nil
	}
	for _, row := range []struct {
		now  retain.Checkpoint
		want []uint64
	}{
		{checkpoint(last+1, 29*day), nil},
		{checkpoint(last+1, 30*day), []uint64{6, 10}},
		{checkpoint(last+1, 33*day-61), []uint64{6, 10}},
		{checkpoint(last+1, 33*day-60), []uint64{6, 10, last + 1}}, // an entry may be a minute ahead of its checkpoint
		{checkpoint(last, 33*day), []uint64{6, 10}},
		{checkpoint(last+1, 0), nil},
	} {
		asked = nil
		if _, err := l.state.Due(row.now, look); err != nil || !reflect.DeepEqual(asked, row.want) {
			t.Errorf("at %+v the sizes %v were looked up, want %v: %v", row.now, asked, row.want, err)
		}
	}
	broken := errors.New("disk")
	_, err := l.state.Due(checkpoint(last+1, 90*day), func(uint64) (retain.Checkpoint, error) { return retain.Checkpoint{}, broken })
	if !errors.Is(err, broken) {
		t.Errorf("the error of the lookup became %v", err)
	}
}

func TestClassesHaveAHistory(t *testing.T) {
	l := newLog(t)
	first := l.class(1, 30, proofs.Day)
	l.class(2, 0, proofs.Month)
	second := l.class(1, 7, proofs.Day)
	own := l.bucket(0, 65535, 3)
	set := l.class(65535, 365, proofs.Month)
	for _, row := range []struct {
		class    uint16
		index    uint64
		settings uint64
		days     uint32
		ok       bool
	}{
		{class: 1, index: first},
		{class: 1, index: first + 1, settings: first, days: 30, ok: true},
		{class: 1, index: second, settings: first, days: 30, ok: true},
		{class: 1, index: second + 1, settings: second, days: 7, ok: true},
		{class: 1, index: 1 << 63, settings: second, days: 7, ok: true},
		{class: 2, index: second, settings: first + 1, ok: true},
		{class: 3, index: 1 << 63},
		{class: 65535, index: uint64(own), ok: true},
		{class: 65535, index: set + 1, settings: set, days: 365, ok: true},
	} {
		got, ok := l.state.ClassAt(row.class, row.index)
		if ok != row.ok || got.Settings != row.settings || got.Body.Days != row.days {
			t.Errorf("class %d at %d is %+v, %v; want settings %d and %d days, %v", row.class, row.index, got, ok, row.settings, row.days, row.ok)
		}
	}
}
