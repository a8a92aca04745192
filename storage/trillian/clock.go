package trillian

import (
	"sync"
	"time"

	"github.com/google/trillian/util/clock"
)

// risingClock is a Trillian time source that never shows a time twice and
// never goes back: Trillian refuses a root that is not newer than the last
// one, and the time of its roots means nothing to the ledger.
type risingClock struct {
	now func() time.Time

	mu   sync.Mutex
	last time.Time // guarded by mu
}

// Now implements Trillian's clock.TimeSource.
func (c *risingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if !now.After(c.last) {
		now = c.last.Add(time.Nanosecond)
	}
	c.last = now
	return now
}

// NewTimer implements Trillian's clock.TimeSource, whose sequencer uses none.
func (c *risingClock) NewTimer(d time.Duration) clock.Timer { return clock.System.NewTimer(d) }

// passed makes every later time come after t.
func (c *risingClock) passed(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.last) {
		c.last = t
	}
}
