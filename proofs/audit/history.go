package audit

import (
	"context"
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
	sources *sources
	retention

	// cosigned returns the time of a kept checkpoint, or why it shows none.
	cosigned   func(context.Context, proofs.CheckpointRef) (unixTime uint64, why string, err error)
	afterClose bool // that something follows the end was reported
}

// take adds the facts of the next chunk. Its error means that a file could not
// be read.
func (h *history) take(ctx context.Context, c *chunk) error {
	f := &c.facts
	if c.withheld {
		h.withhold(c)
	}
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
	h.judgePlace(c)
	if err := h.takeControls(ctx, f, path); err != nil {
		return err
	}
	h.takeClose(c, path)
	for _, n := range f.numbered {
		if !h.sources.add(n.key, n.sequence, n.index) {
			h.report(SourceRepeat, n.index, path, "Entry %d has number %d of %v, which an entry before it has already.", n.index, n.sequence, n.key)
		}
	}
	return nil
}

// takeControls follows the control entries and the uses of buckets, in the
// order of the log.
func (h *history) takeControls(ctx context.Context, f *facts, path string) error {
	uses := f.uses
	for _, c := range f.controls {
		for len(uses) > 0 && uses[0].first < c.index {
			h.use(uses[0], path)
			uses = uses[1:]
		}
		err := h.control(ctx, c)
		if err != nil && !wrong(err) {
			return err
		}
		if err := h.last(c); err != nil {
			return err
		}
		if err != nil {
			h.report(EntryMalformed, c.index, path, "Control entry %d of kind %v was signed and can't be read: %v.", c.index, c.leaf.Kind, why(err))
		}
	}
	for _, u := range uses {
		h.use(u, path)
	}
	return nil
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

// control takes over what a control entry says. Its error says that the entry
// is malformed, or that a file could not be read.
func (h *history) control(ctx context.Context, c control) error {
	switch c.leaf.Kind {
	case proofs.Created:
		return h.create(c)
	case proofs.Settings:
		return h.set(ctx, c)
	case proofs.BucketOpened:
		return h.open(c)
	case proofs.Expiry:
		return h.expire(ctx, c)
	case proofs.Hold:
		return h.hold(c)
	case proofs.Release:
		return h.release(c)
	case proofs.Erasure:
		return h.erase(c)
	case proofs.Administration:
		return h.administer(c)
	case proofs.Directory:
		return h.direct(c)
	}
	return nil
}

func (h *history) create(c control) error {
	body, err := proofs.ParseCreated(c.leaf.Control)
	if err != nil {
		return err
	}
	if c.index > 0 {
		h.report(CreatedAgain, c.index, c.path, "Entry %d says that the ledger was created, again.", c.index)
	} else if body.Origin != h.origin {
		h.report(CreatedMissing, c.index, c.path, "Entry %d creates the ledger %q, and the checkpoint is of %q.", c.index, body.Origin, h.origin)
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

// object reports that an entry can't be as it is after what was before it. If
// not all of that could be read, nobody can tell.
func (h *history) object(kind FindingKind, c control, format string, args ...any) {
	if h.unread == 0 {
		h.report(kind, c.index, c.path, "Entry %d "+format+".", append([]any{c.index}, args...)...)
	}
}

// micros writes a time in microseconds since 1970.
func micros(t uint64) string {
	return time.UnixMicro(int64(t)).UTC().Format("2006-01-02 15:04:05.000000 UTC")
}
