package retain

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

const (
	secondsPerDay   = 24 * 60 * 60
	microsPerSecond = 1e6
)

// maxSkew is how many seconds the time of an entry can be ahead of that of
// cosignatures on it: a ledger takes no entries beyond it.
const maxSkew = 60

// A Checkpoint is one that the ledger keeps.
type Checkpoint struct {
	proofs.CheckpointRef
	// Time is by which cosignatures met the quorum, in seconds since 1970:
	// [proofs.Verdict.Time]. 0 counts for nothing.
	Time uint64
}

// Due returns what is to be announced at the time of a kept checkpoint: every
// bucket with entries whose period is over by then, whose class keeps entries
// for some days and not for ever, and that has reached that age since the
// first kept checkpoint that covers its last entry; but for those whose expiry
// is announced already or whose stream is held. They come in the order of
// their numbers.
//
// Covering returns the smallest kept checkpoint of at least a size, or the
// zero Checkpoint if there is none. It is only called for buckets that may be
// due, and not more than once each. The first error it returns ends Due.
func (s *State) Due(now Checkpoint, covering func(size uint64) (Checkpoint, error)) ([]proofs.ExpiredBody, error) {
	if now.Time == 0 {
		return nil, nil
	}
	var due []proofs.ExpiredBody
	for _, r := range s.ripe(now) { // without the lock: covering may take its time
		closed, err := covering(r.Last + 1)
		if err != nil {
			return nil, fmt.Errorf("checkpoint that covers entry %d: %w", r.Last, err)
		}
		if closed.Size <= r.Last || closed.Size > now.Size || closed.Time == 0 || closed.Time > now.Time || now.Time-closed.Time < r.age {
			continue
		}
		r.Closed, r.Now = closed.CheckpointRef, now.CheckpointRef
		due = append(due, r.ExpiredBody)
	}
	return due, nil
}

// ripe is a bucket that may be due.
type ripe struct {
	proofs.ExpiredBody
	age uint64 // seconds since the checkpoint, at which it is
}

func (s *State) ripe(now Checkpoint) (list []ripe) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	held := s.heldStreams()
	for i := range s.buckets {
		b := &s.buckets[i]
		if b.expiry > 0 || b.count == 0 || b.last >= now.Size || held[b.stream] {
			continue
		}
		class := s.classNow(b.class)
		age := uint64(class.Body.Days) * secondsPerDay
		if age == 0 || b.end(class.Body.Period) > now.Time || b.time/microsPerSecond+age > now.Time+maxSkew {
			continue
		}
		list = append(list, ripe{b.expired(uint32(i+1), class.Settings), age})
	}
	return list
}

// expired is the announcement, but for the checkpoints.
func (b *bucket) expired(number uint32, settings uint64) proofs.ExpiredBody {
	return proofs.ExpiredBody{Bucket: number, First: b.first, Last: b.last, Count: b.count, Settings: settings}
}

func (s *State) judgeExpiry(index uint64, leaf *proofs.Leaf) (change func(), err error) {
	body, err := proofs.ParseExpiry(leaf.Control)
	if err != nil {
		return nil, err
	}
	if body.Done != nil {
		return s.judgeDone(proofs.Expiry, body.Done)
	}
	x := body.Expired
	b, err := s.bucket(x.Bucket)
	if err != nil {
		return nil, err
	}
	class := s.classNow(b.class)
	described := b.expired(x.Bucket, class.Settings)
	described.Closed, described.Now = x.Closed, x.Now
	switch {
	case b.expiry > 0:
		return nil, fmt.Errorf("bucket %d: entry %d announced its expiry: %w", x.Bucket, b.expiry, ErrClosed)
	case class.Body.Days == 0:
		return nil, fmt.Errorf("bucket %d is of class %d, which is kept for ever", x.Bucket, b.class)
	case leaf.Bucket == x.Bucket:
		return nil, fmt.Errorf("bucket %d would hold the announcement of its own expiry", x.Bucket)
	case *x != described:
		return nil, fmt.Errorf("bucket %d has %d entries from %d to %d, and its class is set by entry %d: the announcement says something else",
			x.Bucket, b.count, b.first, b.last, class.Settings)
	case x.Now.Size > index:
		return nil, fmt.Errorf("a checkpoint of %d entries cannot be older than entry %d", x.Now.Size, index)
	case s.heldStreams()[b.stream]:
		return nil, fmt.Errorf("bucket %d is of stream %d, which is held", x.Bucket, b.stream)
	}
	return func() {
		b.expiry, b.keys = index, nil
		s.announce(&closing{index: index, kind: proofs.Expiry, bucket: x.Bucket, stream: b.stream})
	}, nil
}

// heldStreams returns the streams that an active hold covers.
func (s *State) heldStreams() map[uint32]bool {
	held := map[uint32]bool{}
	for _, h := range s.holds {
		for _, c := range h.claims {
			for _, stream := range c.streams {
				held[stream] = held[stream] || h.released == 0
			}
		}
	}
	return held
}
