package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// times are a span of time in microseconds since 1970: since is in it, and
// until not.
type times struct{ since, until uint64 }

// timesOf reads the flags --since and --until.
func (p *program) timesOf(since, until string) (t times, err error) {
	t.until = math.MaxUint64
	if since != "" {
		if t.since, err = p.parseTime("--since", since); err != nil {
			return t, err
		}
	}
	if until != "" {
		if t.until, err = p.parseTime("--until", until); err != nil {
			return t, err
		}
	}
	if t.since >= t.until {
		return t, command.Usage("--since must be before --until")
	}
	return t, nil
}

// parseTime reads a date, which is its first moment in UTC, a time as in
// RFC 3339, or how long ago it was, also as queries have it: -24h.
func (p *program) parseTime(flag, text string) (micros uint64, err error) {
	bad := command.Usage("%s: %q is no time: give a date such as 2026-11-23, a time such as 2026-11-23T12:00:00Z, or how long ago, such as 36h or 7d", flag, text)
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		at, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		ago, err := parseAgo(strings.TrimPrefix(text, "-"))
		if err != nil || ago < 0 {
			return 0, bad
		}
		at = p.clock().Add(-ago)
	}
	if at.Before(time.UnixMicro(0)) {
		return 0, bad
	}
	return uint64(at.UnixMicro()), nil
}

// parseAgo reads a duration, also one in days.
func parseAgo(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * 24 * time.Hour, err
}

// firstAt returns the index of the first entry that the ledger took at a time or
// later; size if there is none. Times never decrease with the index. Of what is
// pruned nobody knows the time: it counts as earlier.
func firstAt(ctx context.Context, r *proofs.Reader, size, micros uint64) (uint64, error) {
	var failed error
	timeOf := func(index uint64) uint64 {
		b, err := r.Leaf(ctx, index)
		if errors.Is(err, errPruned) {
			return 0
		}
		if err != nil {
			failed = err
			return 0
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			failed = fmt.Errorf("entry %d: %w", index, err)
		}
		return leaf.Time
	}
	bundles := int((size + proofs.TileWidth - 1) / proofs.TileWidth)
	later := sort.Search(bundles, func(i int) bool { // the first that begins then or later
		return failed == nil && timeOf(uint64(i)*proofs.TileWidth) >= micros
	})
	if failed != nil || later == 0 {
		return 0, failed
	}
	index := uint64(later-1) * proofs.TileWidth
	for b, err := range r.Leaves(ctx, index, min(index+proofs.TileWidth, size)) {
		if errors.Is(err, errPruned) {
			return index + proofs.TileWidth, nil
		}
		if err != nil {
			return 0, err
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return 0, fmt.Errorf("entry %d: %w", index, err)
		}
		if leaf.Time >= micros {
			break
		}
		index++
	}
	return index, nil
}
