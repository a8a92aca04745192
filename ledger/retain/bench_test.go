package retain_test

import (
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

func BenchmarkApplyEvent(b *testing.B) {
	l := newLog(b)
	l.class(1, 30, proofs.Day)
	bucket := l.bucket(1, 1, 20000)
	leaf := proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: bucket, Time: 1}
	index := l.state.Size()
	b.ReportAllocs()
	for b.Loop() {
		if err := l.state.Apply(index, leaf); err != nil {
			b.Fatal(err)
		}
		index++
	}
}

func BenchmarkDue(b *testing.B) {
	l := newLog(b)
	l.class(1, 30, proofs.Day)
	const buckets = 10_000
	for i := range uint32(buckets) {
		l.event(1, l.bucket(1, 1, 10000+i))
	}
	l.hold(2, proofs.Run{First: 5, Last: 9})
	size := l.state.Size()
	for _, due := range []int{0, buckets / 2, buckets} {
		b.Run(fmt.Sprint(due), func(b *testing.B) {
			now := checkpoint(size, 0)
			now.Time = uint64(10000+due) * day
			b.ReportAllocs()
			for b.Loop() {
				list, err := l.state.Due(now, func(size uint64) (retain.Checkpoint, error) { return checkpoint(size, (10000-30)*day), nil })
				if err != nil || len(list) != due {
					b.Fatalf("%d are due, want %d: %v", len(list), due, err)
				}
			}
		})
	}
}

// Of a bucket with a million entries, every tenth is held.
func BenchmarkClosing(b *testing.B) {
	l := newLog(b)
	l.class(1, 30, proofs.Day)
	bucket := l.bucket(1, 1, 20000)
	for range 1_000_000 {
		l.event(1, bucket)
	}
	x, _ := l.state.Bucket(bucket)
	hold := uint64(0)
	for at := x.First; at <= x.Last; {
		var runs []proofs.Run
		for ; at <= x.Last && len(runs) < proofs.MaxRuns; at += 10 {
			runs = append(runs, proofs.Run{First: at, Last: at})
		}
		index := l.addHold(hold, 0, runs...)
		if hold == 0 {
			hold = index
		}
	}
	announced := l.expire(bucket)
	b.Run("describe", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if c, ok := l.state.Closing(announced); !ok || len(c.Rings) != 1 || len(c.Rings[0].Runs) != 100_000 {
				b.Fatal("the closing is not as it was announced")
			}
		}
	})
	b.Run("gone", func(b *testing.B) {
		c, _ := l.state.Closing(announced)
		for b.Loop() {
			if gone := c.Gone(); len(gone) != 1 || len(gone[0].Runs) != 100_000 {
				b.Fatal("something else is gone")
			}
		}
	})
	b.Run("contains", func(b *testing.B) {
		c, _ := l.state.Closing(announced)
		index := x.First
		for b.Loop() {
			if !proofs.InRuns(c.Rings[0].Runs, index) {
				b.Fatal(index)
			}
			if index += 10; index > x.Last {
				index = x.First
			}
		}
	})
}

func BenchmarkSaveLoad(b *testing.B) {
	l := newLog(b)
	l.class(1, 30, proofs.Day)
	for i := range uint32(10_000) {
		l.event(1, l.bucket(1, 1, 10000+i))
	}
	saved, err := l.state.Save()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(saved)))
	for b.Loop() {
		s, err := retain.Load(saved)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Save(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRings asks for the rings of an entry that is held, and of one that
// is not, where holds keep something of a thousand closings.
func BenchmarkRings(b *testing.B) {
	l := newWorld(b)
	l.hold(2)
	l.class(2, 1, proofs.Day)
	for i := range uint32(1000) {
		index := l.event(2, l.bucket(2, 2, i))
		l.erase(2, run(index, index))
		l.done()
	}
	for name, stream := range map[string]uint32{"held": 2, "free": 1} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				l.state.Rings(stream, 1, 4)
			}
		})
	}
}
