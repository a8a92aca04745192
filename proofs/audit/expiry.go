package audit

import (
	"context"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// expire takes over that a bucket expires, or that this is done.
func (h *history) expire(ctx context.Context, c control) error {
	body, err := proofs.ParseExpiry(c.leaf.Control)
	if err != nil {
		return err
	}
	if body.Done != nil {
		h.finish(c, body.Done)
		return nil
	}
	x, announced := body.Expired, h.announce(c)
	b := h.buckets[x.Bucket]
	switch {
	case b == nil:
		h.object(ExpiryFalse, c, "announces the expiry of bucket %d, which no entry before it opened", x.Bucket)
		return nil
	case b.expiry != nil:
		h.object(ExpiryFalse, c, "announces the expiry of bucket %d, as entry %d did before", x.Bucket, b.expiry.announced)
		return nil
	}
	b.expiry, b.keys = announced, nil
	h.judgeDescription(c, x, b)
	return h.judgeAge(ctx, c, x, b)
}

// judgeDescription compares what an announcement says with its bucket.
func (h *history) judgeDescription(c control, x *proofs.ExpiredBody, b *bucket) {
	partly := h.pruning.withheld > x.First // some of its entries are pruned
	if partly && !b.mayDescribe(x) || !partly && (x.First != b.first || x.Last != b.last || x.Count != b.count) {
		h.object(ExpiryFalse, c, "says that bucket %d has %d entries from %d to %d, and there are %d from %d to %d",
			x.Bucket, x.Count, x.First, x.Last, b.count, b.first, b.last)
	}
	class, expires := h.kept(b.class)
	if expires && x.Settings != class.settings {
		h.object(ExpiryFalse, c, "says that entry %d set class %d as it is in force, and that is entry %d", x.Settings, b.class, class.settings)
	}
	if x.Now.Size > c.index {
		h.object(ExpiryFalse, c, "says that it was written after a checkpoint of %d entries", x.Now.Size)
	}
}

// judgeAge demands that a bucket has reached its age, by the cosigned times of
// the checkpoints that the announcement names.
func (h *history) judgeAge(ctx context.Context, c control, x *proofs.ExpiredBody, b *bucket) error {
	class, expires := h.kept(b.class)
	if !expires {
		h.object(ExpiryEarly, c, "announces the expiry of bucket %d, whose class %d is kept for ever", x.Bucket, b.class)
		return nil
	}
	var times [2]uint64
	for i, ref := range []proofs.CheckpointRef{x.Closed, x.Now} {
		t, why, err := h.cosigned(ctx, ref)
		if err != nil {
			return err
		}
		if why != "" {
			h.object(ExpiryUnproved, c, "names the checkpoint of %d entries for the age of bucket %d, and %s", ref.Size, x.Bucket, why)
			return nil
		}
		times[i] = t
	}
	closed, now := times[0], times[1]
	age := uint64(class.days) * secondsPerDay
	switch {
	case closed == 0 || now == 0:
		h.unaged++
	case now < b.end(class.period):
		h.object(ExpiryEarly, c, "announces the expiry of bucket %d as of %s, and its %v lasts until %s",
			x.Bucket, seconds(now), class.period, seconds(b.end(class.period)))
	case now < closed || now-closed < age:
		h.object(ExpiryEarly, c, "announces the expiry of bucket %d as of %s; it was closed at %s, and its class %d is kept for %s",
			x.Bucket, seconds(now), seconds(closed), b.class, days(class.days))
	}
	return nil
}

// seconds writes a time in seconds since 1970.
func seconds(t uint64) string { return utc(time.Unix(int64(t), 0)) }
