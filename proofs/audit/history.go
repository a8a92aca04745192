package audit

import (
	"fmt"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// clockTolerance is how many seconds the clock of a ledger may be ahead of its
// witnesses': beyond it the ledger takes no entries.
const clockTolerance = 60

// A history is what the entries so far say, in their order.
type history struct {
	found   *findings
	origin  string
	time    uint64 // of the last entry
	closed  uint64 // the index behind the entry that ended the ledger; 0: none did
	unread  uint64 // entries: what they said is not known
	buckets map[uint32]bucket
	sources *sources

	gone       *goneRun // the last that the vault lacks, if what follows may go on with it
	afterClose bool     // that something follows the end was reported
}

// take adds the facts of the next chunk.
func (h *history) take(c *chunk) {
	f := &c.facts
	path := bundlePlace(c.bundle).String()
	if c.first() == 0 && c.skip == 0 && (len(f.controls) == 0 || f.controls[0].index != 0 || f.controls[0].leaf.Kind != proofs.Created) && f.unread == 0 {
		h.report(CreatedMissing, 0, path, "Entry 0 does not say that the ledger was created.")
	}
	if f.timed && f.first < h.time {
		h.report(TimeBackwards, f.firstIndex, path, "Entry %d says it is from %s, and one before it from %s: time went back.",
			f.firstIndex, micros(f.first), micros(h.time))
	}
	h.time = max(h.time, f.last)
	h.unread += f.unread
	h.takeBuckets(f, path)
	h.takeClose(c, path)
	h.takeGone(f.gone)
	for _, n := range f.numbered {
		if !h.sources.add(n.key, n.sequence, n.index) {
			h.report(SourceRepeat, n.index, path, "Entry %d has number %d of %v, which an entry before it has already.", n.index, n.sequence, n.key)
		}
	}
}

// takeBuckets follows the control entries and the first uses of buckets, in
// the order of the log.
func (h *history) takeBuckets(f *facts, path string) {
	uses := f.uses
	for _, c := range f.controls {
		for len(uses) > 0 && uses[0].index < c.index {
			h.use(uses[0], path)
			uses = uses[1:]
		}
		if err := h.control(c, path); err != nil {
			h.report(EntryMalformed, c.index, path, "Control entry %d of kind %v was signed and can't be read: %v.", c.index, c.leaf.Kind, why(err))
		}
	}
	for _, u := range uses {
		h.use(u, path)
	}
}

// takeClose demands that nothing follows the ledger's end.
func (h *history) takeClose(c *chunk, path string) {
	end := c.first() + uint64(c.bundle.Width)
	after := c.first() + uint64(c.skip)
	for _, k := range c.facts.controls {
		if k.leaf.Kind == proofs.Closed && h.closed == 0 {
			h.closed = k.index + 1
			after = h.closed
		}
	}
	if h.closed > 0 && after < end && !h.afterClose {
		h.afterClose = true
		h.report(AfterClose, after, path, "Entry %d follows entry %d, which ended the ledger.", after, h.closed-1)
	}
}

func (h *history) use(u bucketUse, path string) {
	b, ok := h.buckets[u.bucket]
	switch {
	case !ok && h.unread == 0:
		h.report(BucketUnopened, u.index, path, "Entry %d is in bucket %d, which no entry before it opened.", u.index, u.bucket)
	case ok && b.stream != u.stream:
		h.report(BucketConflict, u.index, path, "Entry %d of stream %d is in bucket %d, which was opened for stream %d.", u.index, u.stream, u.bucket, b.stream)
	}
}

func (h *history) control(c control, path string) error {
	switch c.leaf.Kind {
	case proofs.Created:
		body, err := proofs.ParseCreated(c.leaf.Control)
		if err != nil {
			return err
		}
		if c.index > 0 {
			h.report(CreatedAgain, c.index, path, "Entry %d says that the ledger was created, again.", c.index)
		} else if body.Origin != h.origin {
			h.report(CreatedMissing, c.index, path, "Entry %d creates the ledger %q, and the checkpoint is of %q.", c.index, body.Origin, h.origin)
		}
	case proofs.Settings:
		_, err := proofs.ParseSettings(c.leaf.Control)
		return err
	case proofs.BucketOpened:
		body, err := proofs.ParseBucket(c.leaf.Control)
		if err != nil {
			return err
		}
		opened := bucket{body.Stream, body.Class, body.Period}
		if was, ok := h.buckets[body.Bucket]; ok && was != opened {
			h.report(BucketConflict, c.index, path, "Entry %d opens bucket %d for stream %d, class %d, period %d, and before it was opened for stream %d, class %d, period %d.",
				c.index, body.Bucket, opened.stream, opened.class, opened.period, was.stream, was.class, was.period)
			return nil
		}
		h.buckets[body.Bucket] = opened
	}
	return nil
}

// judgeTime demands that the entry before a checkpoint's size is not newer than
// the cosignatures on it.
func (h *history) judgeTime(size, entryTime, cosigned uint64, path string) {
	if size > 0 && cosigned > 0 && entryTime/1e6 > cosigned+clockTolerance {
		h.report(TimeAhead, size-1, path, "Entry %d says it is from %s, and witnesses had cosigned it by %s.",
			size-1, micros(entryTime), utc(time.Unix(int64(cosigned), 0)))
	}
}

func (h *history) report(kind FindingKind, index uint64, path, format string, args ...any) {
	h.found.add(Finding{Kind: kind, Index: int64(index), Path: path, Detail: fmt.Sprintf(format, args...)})
}

// micros writes a time in microseconds since 1970.
func micros(t uint64) string {
	return time.UnixMicro(int64(t)).UTC().Format("2006-01-02 15:04:05.000000 UTC")
}
