package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A RetentionInfo is what the ledger keeps, and until when.
type RetentionInfo struct {
	// Now is the time that ages are counted to, of the cosignatures, in seconds
	// since 1970. 0: nobody attests one, and nothing expires.
	Now  uint64     `json:"now,omitempty"`
	Kept []KeptInfo `json:"kept"`
}

// A KeptInfo is what is kept of a stream in a retention class.
type KeptInfo struct {
	Stream  string   `json:"stream"`            // of the ledger itself empty
	Class   string   `json:"class"`             // of the ledger's settings empty
	Days    uint32   `json:"days"`              // how long; 0: for ever
	Buckets int      `json:"buckets"`           // with entries, whose expiry is not announced
	Entries uint64   `json:"entries"`           // in these
	Next    uint64   `json:"next,omitempty"`    // when the first of them expires, at the earliest; seconds since 1970; 0: never
	Overdue int      `json:"overdue,omitempty"` // of them have reached their age
	Holds   []uint64 `json:"holds,omitempty"`   // of the whole stream: nothing of it expires before they are over
}

// Retention returns what the ledger keeps, by stream and retention class.
func (s *Session) Retention(ctx context.Context) (*RetentionInfo, error) {
	now := s.l.publishedNow()
	due, err := s.l.due(ctx, now)
	if err != nil {
		return nil, err
	}
	info := &RetentionInfo{Now: now.Time, Kept: []KeptInfo{}}
	holds := s.l.retain.Holds()
	for _, group := range s.l.keptBuckets() {
		k := KeptInfo{Stream: s.l.streamName(group[0].Stream), Class: s.l.className(group[0].Class), Buckets: len(group)}
		if class, ok := s.l.state.class(group[0].Class); ok {
			k.Days = class.Body.Days
		}
		for _, b := range group {
			k.Entries += b.Count
			if slices.ContainsFunc(due, func(x proofs.ExpiredBody) bool { return x.Bucket == b.Number }) {
				k.Overdue++
			}
		}
		for _, h := range holds {
			if h.Released == 0 && slices.Contains(h.Streams, group[0].Stream) {
				k.Holds = append(k.Holds, h.Index)
			}
		}
		if k.Days > 0 && now.Time > 0 {
			if k.Next, err = s.l.expiresAt(ctx, group[0], k.Days, now); err != nil {
				return nil, err
			}
		}
		info.Kept = append(info.Kept, k)
	}
	return info, nil
}

// keptBuckets returns the buckets that have entries and whose expiry is not
// announced, by stream and class, the oldest first.
func (l *Ledger) keptBuckets() (groups [][]retain.Bucket) {
	var all []retain.Bucket
	for number := uint32(1); ; number++ {
		b, ok := l.retain.Bucket(number)
		if !ok {
			break
		}
		if b.Count > 0 && b.Expiry == 0 {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b retain.Bucket) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Period, b.Period))
	})
	for start := 0; start < len(all); {
		end := start
		for end < len(all) && all[end].Stream == all[start].Stream && all[end].Class == all[start].Class {
			end++
		}
		groups = append(groups, all[start:end])
		start = end
	}
	return groups
}

// expiresAt returns when a bucket expires at the earliest, in seconds since
// 1970: when its class's age has passed since the first checkpoint that covers
// its last entry, and its period is over.
func (l *Ledger) expiresAt(ctx context.Context, b retain.Bucket, days uint32, now retain.Checkpoint) (uint64, error) {
	covered, err := l.kept.covering(ctx, l, b.Last+1)
	if err != nil {
		return 0, fmt.Errorf("checkpoint that covers entry %d: %w", b.Last, err)
	}
	since := covered.Time
	if since == 0 {
		since = now.Time // none is kept yet
	}
	return max(since+uint64(days)*24*60*60, uint64(periodEnd(b).Unix())), nil
}

// periodEnd returns when the period of a bucket is over.
func periodEnd(b retain.Bucket) time.Time {
	if b.Unit == proofs.Month {
		return time.Date(1970, time.Month(uint64(b.Period)+2), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Unix((int64(b.Period)+1)*24*60*60, 0)
}
