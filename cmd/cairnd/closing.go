package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/proofs"
)

// A waiting says whether somebody waits until something is done, and how long.
type waiting struct {
	wait    bool
	timeout time.Duration
}

func (w *waiting) define(c *cobra.Command) {
	c.Flags().BoolVar(&w.wait, "wait", false, "wait until it is done: the keys are destroyed")
	c.Flags().DurationVar(&w.timeout, "timeout", 5*time.Minute, "how long to wait at most")
}

// errNotDone means that the time was up before something was done.
var errNotDone = errors.New("it is not done yet")

// longPoll is how long the server is asked to wait at most before it answers.
const longPoll = 20 * time.Second

// closed waits until what an entry announced is done.
func (w waiting) closed(ctx context.Context, a *admin, index uint64) (c ledger.ClosingInfo, err error) {
	err = w.until(ctx, a, fmt.Sprintf("/v1/closings/%d", index), &c, func() bool { return c.Done })
	return c, err
}

// until asks for what is at a path until it is settled or the time is up.
func (w waiting) until(ctx context.Context, a *admin, path string, into any, settled func() bool) error {
	for end := time.Now().Add(w.timeout); ; {
		asked := time.Now()
		left := min(end.Sub(asked), longPoll)
		if left <= 0 {
			return errNotDone
		}
		if err := a.Call(ctx, http.MethodGet, path+"?wait=done&timeout="+left.String(), nil, into); err != nil {
			return err
		}
		if settled() {
			return nil
		}
		if time.Since(asked) < left/2 { // the server ends, or does not wait
			select {
			case <-time.After(min(time.Second, left)):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// An undoing is what became of something that cannot be undone: an entry
// announced it, or asks another custodian to approve it.
type undoing struct{ announced, requested uint64 }

// tell waits if that is wanted, and tells people what became of it. It reports
// whether it is done.
func (p *program) tell(ctx context.Context, a *admin, u undoing, w waiting) (done bool, err error) {
	if u.requested > 0 {
		p.sayRequested(u.requested)
		if !w.wait {
			return false, nil
		}
		r, err := p.awaitRequest(ctx, a, u.requested, w)
		return r.Done, err
	}
	if !w.wait {
		p.Say("announced in entry %d; it is done once that is published", u.announced)
		return false, nil
	}
	c, err := w.closed(ctx, a, u.announced)
	if err != nil {
		if c.Waits != "" {
			err = fmt.Errorf("%w: it %s", err, waitsFor(c))
		}
		return false, fmt.Errorf("announced in entry %d: %w", u.announced, err)
	}
	p.Say("done: what entry %d announced is destroyed", u.announced)
	return true, nil
}

// awaitRequest waits until what a request asks for is done, and tells people.
func (p *program) awaitRequest(ctx context.Context, a *admin, index uint64, w waiting) (r httpapi.Requested, err error) {
	err = w.until(ctx, a, fmt.Sprintf("/v1/requests/%d", index), &r, func() bool { return r.Done || r.Withdrawn > 0 || r.Moot != nil })
	switch {
	case err != nil:
		return r, fmt.Errorf("request %d: %w", index, err)
	case r.Withdrawn > 0:
		return r, fmt.Errorf("request %d was withdrawn in entry %d: %w", index, r.Withdrawn, errDeclined)
	case r.Moot != nil:
		return r, errMoot(r)
	}
	p.Say("done: entry %d used the request", r.Used)
	return r, nil
}

func (p *program) sayRequested(index uint64) {
	p.Say("requested in entry %d: another custodian has to approve it", index)
	p.Hint("another custodian approves with: cairnd request approve %d%s", index, p.remote.example())
}

// waitsFor says what an open closing waits for.
func waitsFor(c ledger.ClosingInfo) string {
	switch c.Waits {
	case ledger.WaitsForPublication:
		return "waits for the witnesses: its announcement is not published"
	case ledger.WaitsForKeys:
		return "waits, because keys cannot be destroyed: " + c.Trouble
	case ledger.WaitsForTurn:
		return "waits for what was announced before it"
	case ledger.WaitsForRetry:
		return "is tried again and again: " + c.Trouble
	}
	return "is under way; where it stays so the server's log says why"
}

// describeClosing says in one line what an open closing is about.
func describeClosing(c ledger.ClosingInfo) string {
	about := ""
	switch {
	case c.Hold > 0:
		about = fmt.Sprintf(" of hold %d", c.Hold)
	case c.Stream != "":
		about = " in stream " + c.Stream
	}
	if c.Unread > 0 {
		about += fmt.Sprintf(" (%s of it may be, or not: damaged)", count(c.Unread, "entry", "entries"))
	}
	return fmt.Sprintf("%s%s, announced in entry %d: %s", c.Kind, about, c.Closing, waitsFor(c))
}

// mostRuns is how many runs of entries are shown to people.
const mostRuns = 8

// describeRuns shows entries: "5, 7-9 and 3 more".
func describeRuns(runs []proofs.Run) string {
	var parts []string
	more := uint64(0)
	for i, r := range runs {
		switch {
		case i >= mostRuns:
			more += r.Last - r.First + 1
		case r.First == r.Last:
			parts = append(parts, fmt.Sprint(r.First))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	text := strings.Join(parts, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// count returns a number with what is counted: "1 entry", "2 entries".
func count(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
