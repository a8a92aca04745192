package ledger

import (
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client"
)

// maxSkew is how far the local clock may differ from the witnesses' before no
// entries are taken: their times could not be bracketed any more.
const maxSkew = time.Minute

// A clockReading is what a cosignature said of the local clock when it
// arrived. The zero reading says nothing.
type clockReading struct {
	clock time.Time     // the local clock then
	at    time.Time     // the same moment by the monotonic clock, which nobody can set
	ahead time.Duration // of the local clock against the cosignature's time
}

// readClock compares the local clock with a cosignature that has just come.
func (l *Ledger) readClock(cosigned uint64) clockReading {
	clock := l.cfg.Clock().Round(0) // without its monotonic reading
	return clockReading{clock: clock, at: time.Now(), ahead: clock.Sub(time.Unix(int64(cosigned), 0)).Truncate(time.Second)}
}

// agrees reports whether the local clock agreed with the cosignature's.
func (r clockReading) agrees() bool { return r.ahead.Abs() <= maxSkew }

// aheadNow returns how far the local clock is ahead now: as it was then, and
// by how much it was set since.
func (r clockReading) aheadNow(clock time.Time) time.Duration {
	if r.at.IsZero() {
		return 0
	}
	return (r.ahead + clock.Round(0).Sub(r.clock) - time.Since(r.at)).Truncate(time.Second)
}

// clockAhead returns how far the local clock is ahead of the witnesses'.
func (p *progress) clockAhead(clock time.Time) time.Duration { return p.clock.aheadNow(clock) }

// checkClock returns a problem where entries cannot be taken because of the
// local clock. Then the witnesses are asked again, because they may differ
// from what they said before it was set.
func (l *Ledger) checkClock(clock time.Time) error {
	var ahead time.Duration
	l.progress.read(func(p *progress) { ahead = p.clockAhead(clock) })
	if ahead.Abs() <= maxSkew {
		return nil
	}
	l.progress.update(func(p *progress) { p.recheck = p.recheck || p.clock.agrees() })
	p := client.NewProblem(client.Unavailable, fmt.Sprintf("the ledger's clock is %v ahead of its witnesses'", ahead), "set the clock right; the next checkpoint shows that it is")
	p.RetryAfter = time.Second
	return p
}
