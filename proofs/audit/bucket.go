package audit

import (
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A bucket is what the control entry that opened it says, and what was put
// into it.
type bucket struct {
	bucketPath
	first, last uint64 // indices of its entries, where there are any
	count       uint64
	expiry      *closing              // nil: its expiry is not announced
	keys        []proofs.FieldKeyBody // of its fields, rising; none once it expires
	late        bool                  // that something came into it after that was reported
	short       bool                  // that something should be kept for longer was
}

// A bucketPath says which entries share a bucket and its keys.
type bucketPath struct {
	stream uint32
	class  uint16
	period uint32
}

// open takes over that a bucket is opened, or gets more keys.
func (h *history) open(c control) error {
	body, err := proofs.ParseBucket(c.leaf.Control)
	if err != nil {
		return err
	}
	opened := bucketPath{body.Stream, body.Class, body.Period}
	was := h.buckets[body.Bucket]
	switch {
	case was == nil:
		h.addBucket(c, body.Bucket, opened)
	case was.bucketPath != opened:
		h.report(BucketConflict, c.index, c.path, "Entry %d opens bucket %d for stream %d, class %d, period %d, and before it was opened for stream %d, class %d, period %d.",
			c.index, body.Bucket, opened.stream, opened.class, opened.period, was.stream, was.class, was.period)
	case was.expiry != nil:
		h.report(BucketExpired, c.index, c.path, "Entry %d opens bucket %d again, whose expiry entry %d has announced.", c.index, body.Bucket, was.expiry.announced)
	}
	if b := h.buckets[body.Bucket]; b.expiry == nil {
		h.takeKeys(c, body.Bucket, b, body.Keys)
	}
	return nil
}

// takeKeys takes over keys of fields. With two of one field, searches could be
// proven to be complete that leave out the entries whose tags the other one made.
func (h *history) takeKeys(c control, number uint32, b *bucket, more []proofs.FieldKeyBody) {
	keys, other := proofs.JoinFieldKeys(b.keys, more)
	if other > 0 {
		h.report(FieldKeyConflict, c.index, c.path, "Entry %d commits to a key of field %d in bucket %d, and an entry before it to another one.", c.index, other, number)
	}
	b.keys = keys
}

// addBucket opens a bucket. No other one may have its path: what closes one of
// them would close both.
func (h *history) addBucket(c control, number uint32, path bucketPath) {
	if twin, ok := h.paths[path]; ok {
		h.report(BucketConflict, c.index, c.path, "Entry %d opens bucket %d for stream %d, class %d, period %d, as bucket %d was before: they have the same keys.",
			c.index, number, path.stream, path.class, path.period, twin)
	}
	h.buckets[number], h.paths[path] = &bucket{bucketPath: path}, number
	if _, set := h.classes[path.class]; !set && path.stream == 0 {
		h.classes[path.class] = class{period: proofs.Month} // the ledger's own, until somebody sets it
	}
}

// use takes over that entries are put into a bucket.
func (h *history) use(u bucketUse, path string) {
	b := h.buckets[u.bucket]
	if b == nil {
		if h.unread == 0 {
			h.report(BucketUnopened, u.first, path, "Entry %d is in bucket %d, which no entry before it opened.", u.first, u.bucket)
		}
		return
	}
	if b.stream != u.stream {
		h.report(BucketConflict, u.first, path, "Entry %d of stream %d is in bucket %d, which was opened for stream %d.", u.first, u.stream, u.bucket, b.stream)
	}
	h.judgeClass(u, b, path)
	if b.expiry != nil { // what was announced stays what it was
		if !b.late {
			h.report(BucketExpired, u.first, path, "Entry %d is in bucket %d, whose expiry entry %d has announced.", u.first, u.bucket, b.expiry.announced)
		}
		b.late = true
		return
	}
	if b.count == 0 {
		b.first = u.first
	}
	b.last = u.last
	b.count += u.count
}

// judgeClass demands that events are kept for as long as their stream wants.
// They may name a longer class, never a shorter one.
func (h *history) judgeClass(u bucketUse, b *bucket, path string) {
	s, set := h.streams[u.stream]
	if !set || b.short || h.unread > 0 {
		return
	}
	own, ok := h.class(s.Class)
	if in, known := h.class(b.class); ok && known && in.Shortens(own) {
		b.short = true
		h.report(ClassShorter, u.first, path, "Entry %d of stream %d is in bucket %d of class %d, which is kept for %s, and its stream wants class %d, for %s.",
			u.first, u.stream, u.bucket, b.class, days(in.Days), s.Class, days(own.Days))
	}
}

// end returns when the period of a bucket is over, in seconds since 1970.
func (b *bucket) end(unit proofs.Period) uint64 {
	if unit == proofs.Day {
		return (uint64(b.period) + 1) * secondsPerDay
	}
	// A month's number has 32 bits, so the year is below 2^29: no overflow.
	return uint64(time.Date(1970, time.January+time.Month(b.period)+1, 1, 0, 0, 0, 0, time.UTC).Unix())
}

const secondsPerDay = 24 * 60 * 60
