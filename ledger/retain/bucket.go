package retain

import (
	"fmt"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A path says which entries share a bucket and its keys.
type path struct {
	stream uint32
	class  uint16
	period uint32
}

// A bucket is what the state keeps of one: as little as it can.
type bucket struct {
	path
	first  uint64 // index; while count > 0
	last   uint64
	count  uint64
	time   uint64 // of the last entry, microseconds since 1970
	expiry uint64 // index of the announcement; 0: none

	keys []proofs.FieldKeyBody // of its fields, rising; none once it expires
}

func (b *bucket) add(index, time uint64) {
	if b.count == 0 {
		b.first = index
	}
	b.last, b.time = index, time
	b.count++
}

// end returns when the bucket's period, a day or a month, is over, in seconds
// since 1970.
func (b *bucket) end(unit proofs.Period) uint64 {
	if unit == proofs.Month {
		return uint64(time.Date(1970, time.Month(uint64(b.period)+2), 1, 0, 0, 0, 0, time.UTC).Unix())
	}
	return (uint64(b.period) + 1) * secondsPerDay
}

// A Bucket is one (stream, retention class, period) and what is in it.
type Bucket struct {
	Number uint32
	Stream uint32
	Class  uint16
	Period uint32
	Unit   proofs.Period // what the period is the number of
	Count  uint64        // entries in it
	First  uint64        // index of the first, if there is one
	Last   uint64        // and of the last
	Expiry uint64        // index of the entry that announced its expiry; 0: it is not
}

// Bucket returns a bucket by its number; ok is false if no entry opened it.
func (s *State) Bucket(number uint32) (b Bucket, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	x, err := s.bucket(number)
	if err != nil {
		return Bucket{}, false
	}
	return Bucket{
		Number: number, Stream: x.stream, Class: x.class, Period: x.period, Unit: s.classNow(x.class).Body.Period,
		Count: x.count, First: x.first, Last: x.last, Expiry: x.expiry,
	}, true
}

// Takes reports whether a bucket takes entries: it was opened, and its expiry
// is not announced.
func (s *State) Takes(number uint32) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(number)
	return err == nil && b.expiry == 0
}

func (s *State) judgeBucket(leaf *proofs.Leaf) (change func(), err error) {
	body, err := proofs.ParseBucket(leaf.Control)
	if err != nil {
		return nil, err
	}
	p := path{body.Stream, body.Class, body.Period}
	if b, err := s.bucket(body.Bucket); err == nil { // more field keys
		switch {
		case b.path != p:
			return nil, fmt.Errorf("bucket %d was opened for another stream, class or period", body.Bucket)
		case b.expiry > 0:
			return nil, fmt.Errorf("bucket %d: entry %d announced its expiry: %w", body.Bucket, b.expiry, ErrClosed)
		}
		keys, other := proofs.JoinFieldKeys(b.keys, body.Keys)
		if other > 0 {
			return nil, fmt.Errorf("bucket %d has another key of field %d", body.Bucket, other)
		}
		return func() { b.keys = keys }, nil
	}
	if uint64(body.Bucket) != uint64(len(s.buckets))+1 {
		return nil, fmt.Errorf("bucket %d opens after bucket %d", body.Bucket, len(s.buckets))
	}
	if twin, ok := s.paths[p]; ok {
		return nil, fmt.Errorf("bucket %d has the stream, class and period of bucket %d, and so its keys", body.Bucket, twin)
	}
	set := len(s.classes[body.Class]) > 0
	if !set && body.Stream != 0 {
		return nil, fmt.Errorf("bucket %d is of class %d, which no entry has set", body.Bucket, body.Class)
	}
	return func() {
		if !set {
			s.setClass(ClassSetting{Body: proofs.ClassBody{Class: body.Class, Period: proofs.Month}})
		}
		s.addBucket(bucket{path: p, keys: body.Keys})
	}, nil
}

func (s *State) addBucket(b bucket) {
	if s.paths == nil {
		s.paths = map[path]uint32{}
	}
	s.buckets = append(s.buckets, b)
	s.paths[b.path] = uint32(len(s.buckets))
}
