package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A ClosingInfo is how far it has come with what an entry announced to become
// unreadable: an expiry, an erasure, or what was held until a release.
type ClosingInfo struct {
	Closing uint64 `json:"closing"` // index of the entry that announced it
	Kind    string `json:"kind"`    // of that entry: "expiry", "erasure" or "release"
	Done    bool   `json:"done"`    // the keys are destroyed

	// Of one that is not done:

	Waits   string   `json:"waits,omitempty"`   // for what: one of the words below
	Trouble string   `json:"trouble,omitempty"` // why keys cannot be destroyed, or what failed
	Stream  string   `json:"stream,omitempty"`  // whose entries it closes; of the ledger itself none
	Class   string   `json:"class,omitempty"`   // that expires
	Hold    uint64   `json:"hold,omitempty"`    // that is released
	Request uint64   `json:"request,omitempty"` // that allowed it
	Holds   []uint64 `json:"holds,omitempty"`   // which keep something of it
	Unread  uint64   `json:"unread,omitempty"`  // entries that may concern the subject too: their records are damaged
}

// What a closing that is not done waits for.
const (
	WaitsForPublication = "publication" // a published checkpoint that covers the announcement
	WaitsForKeys        = "keys"        // that keys can be destroyed again
	WaitsForTurn        = "turn"        // one that was announced before it
	WaitsForRetry       = "retry"       // that what failed goes well: it is tried again and again
	WaitsForDestruction = "destruction" // nothing: it is under way
)

// Closings returns what is announced to become unreadable and is not done, in
// the order in which it will be.
func (s *Session) Closings(context.Context) ([]ClosingInfo, error) {
	return s.l.closings(), nil
}

// Closing returns how far it has come with what an entry announced.
func (s *Session) Closing(ctx context.Context, index uint64) (*ClosingInfo, error) {
	kind, last, err := s.l.announced(ctx, index)
	if err != nil {
		return nil, err
	}
	open := s.l.retain.Open()
	at := slices.IndexFunc(open, func(c retain.Closing) bool { return c.Index == last })
	if at < 0 {
		return &ClosingInfo{Closing: index, Kind: kind.String(), Done: true}, nil
	}
	info := s.l.closingInfo(open[at], at == 0, s.l.canDestroy())
	info.Closing = index
	return &info, nil
}

// announced returns what kind of closing an entry announces, and the index of
// the last entry that announces it: an erasure can have several.
func (l *Ledger) announced(ctx context.Context, index uint64) (kind proofs.Kind, last uint64, err error) {
	if err := l.sequencedIndex(index); err != nil {
		return 0, 0, err
	}
	leaf, err := l.leaf(ctx, index)
	if err != nil {
		return 0, 0, err
	}
	announces := false
	last = index
	switch leaf.Kind {
	case proofs.Expiry:
		body, err := proofs.ParseExpiry(leaf.Control)
		if err != nil {
			return 0, 0, fmt.Errorf("entry %d: %w", index, err)
		}
		announces = body.Expired != nil
	case proofs.Erasure:
		body, err := proofs.ParseErasure(leaf.Control)
		if err != nil {
			return 0, 0, fmt.Errorf("entry %d: %w", index, err)
		}
		if announces = body.Erased != nil; announces {
			if last, err = l.lastPart(ctx, index, body.Erased); err != nil {
				return 0, 0, err
			}
		}
	case proofs.Release:
		body, err := proofs.ParseRelease(leaf.Control)
		if err != nil {
			return 0, 0, fmt.Errorf("entry %d: %w", index, err)
		}
		announces = body.Released != nil
	}
	if !announces {
		return 0, 0, client.NewProblem(client.NotFound, fmt.Sprintf("entry %d announces no expiry, erasure or release", index), "")
	}
	return leaf.Kind, last, nil
}

// lastPart returns the index of the last entry that announces an erasure, of
// which one is at hand.
func (l *Ledger) lastPart(ctx context.Context, index uint64, body *proofs.ErasedBody) (uint64, error) {
	sizes, _ := l.progress.snapshot()
	for index++; body.Part < body.Parts; {
		leaves, err := l.leaves(ctx, index, min(index+historyStep, sizes.Sequenced))
		if err != nil {
			return 0, err
		}
		if len(leaves) == 0 {
			return 0, client.NewProblem(client.NotFound, "the announcement is not complete, and counts for nothing", "")
		}
		for _, b := range leaves {
			if body, err = nextPart(b, body); err != nil {
				return 0, fmt.Errorf("entry %d: %w", index, err)
			}
			if index++; body.Part == body.Parts {
				break
			}
		}
	}
	return index - 1, nil
}

// announcedUnread returns the entries that an erasure, of which the last
// announcement is at hand, names as unread.
func (l *Ledger) announcedUnread(ctx context.Context, last uint64) (unread []proofs.Run, err error) {
	var next uint32 // the part that is looked for
	for index := last; ; index-- {
		leaf, err := l.leaf(ctx, index)
		if err != nil {
			return nil, err
		}
		if leaf.Kind == proofs.Erasure {
			body, err := proofs.ParseErasure(leaf.Control)
			if err != nil {
				return nil, fmt.Errorf("entry %d: %w", index, err)
			}
			if x := body.Erased; x != nil && (index == last || x.Part == next) {
				unread, next = append(unread, x.Unread...), x.Part-1
			}
		}
		if next == 0 || index == 0 {
			return proofs.JoinRuns(unread), nil
		}
	}
}

// nextPart returns what a leaf says if it is the next part of an announcement,
// and else the part before.
func nextPart(leafBytes []byte, before *proofs.ErasedBody) (*proofs.ErasedBody, error) {
	leaf, err := proofs.ParseLeaf(leafBytes)
	if err != nil || leaf.Kind != proofs.Erasure {
		return before, err
	}
	body, err := proofs.ParseErasure(leaf.Control)
	if err != nil || body.Erased == nil || body.Erased.Part != before.Part+1 {
		return before, err
	}
	return body.Erased, nil
}

// closingInfo returns how far it has come with an open closing. The trouble is
// why keys cannot be destroyed now; nil: they can.
func (l *Ledger) closingInfo(c retain.Closing, first bool, trouble error) ClosingInfo {
	info := ClosingInfo{Closing: c.Index, Kind: c.Kind.String(), Hold: c.Hold, Request: c.Request}
	if c.Kind != proofs.Release {
		info.Stream = l.streamName(c.Closes[0].Stream)
	}
	if c.Kind == proofs.Expiry {
		if b, ok := l.state.bucketNumbered(c.Closes[0].Bucket); ok {
			info.Class = l.className(b.Path.Class)
		}
	}
	for _, ring := range c.Rings {
		if !slices.Contains(info.Holds, ring.Hold) {
			info.Holds = append(info.Holds, ring.Hold)
		}
	}
	if erased := l.closer.erased(c.Index); erased != nil {
		info.Unread = proofs.CountEntries(erased.unread)
	}
	failed := l.closer.trouble()
	sizes, _ := l.progress.snapshot()
	switch {
	case sizes.Published <= c.Index:
		info.Waits = WaitsForPublication
	case trouble != nil:
		info.Waits, info.Trouble = WaitsForKeys, trouble.Error()
	case !first:
		info.Waits = WaitsForTurn
	case failed != nil:
		info.Waits, info.Trouble = WaitsForRetry, failed.Error()
	default:
		info.Waits = WaitsForDestruction
	}
	return info
}

// className returns the name of a class, where it has one.
func (l *Ledger) className(number uint16) string {
	if c, ok := l.state.class(number); ok {
		return c.Name
	}
	return ""
}

// AwaitDone waits until what an entry announced is done. Of a request it waits
// until that is withdrawn, or what it asked for is done. The error is that of
// the context where its time is up before.
func (s *Session) AwaitDone(ctx context.Context, index uint64) error {
	err := s.l.progress.wait(ctx, func(p *progress) bool {
		last := index
		if r, ok := s.l.retain.Request(index); ok {
			if r.Used == 0 || r.Used >= p.sizes.Sequenced {
				return r.Withdrawn > 0
			}
			last = r.Used
		}
		_, open := s.l.retain.Closing(last)
		return !open
	})
	if err != nil {
		return s.l.asProblem(err)
	}
	return nil
}
