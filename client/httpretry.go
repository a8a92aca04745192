package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

const (
	firstPause = 100 * time.Millisecond
	longPause  = 5 * time.Second
	mostPause  = time.Minute // a server that asks for more is not waited for
)

// persist tries something with a request until it succeeds, or no attempt is
// left. After one that came onward before it failed they are counted anew.
func (h *HTTP) persist(ctx context.Context, r *request, try func() (onward bool, err error)) error {
	for attempt := 1; ; attempt++ {
		onward, err := try()
		if err == nil {
			return nil
		}
		if onward {
			attempt = 1
		}
		wait, again := r.pause(err, attempt)
		if !again || attempt >= h.attempts || !sleep(ctx, wait) {
			return fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
	}
}

// pause says whether to send a request again after an error, and how long to
// wait before.
func (r *request) pause(err error, attempt int) (wait time.Duration, again bool) {
	// Half of it is random, so that many clients do not come back together.
	wait = min(firstPause<<min(attempt-1, 10), longPause)
	wait = wait/2 + rand.N(wait/2)

	var problem *Problem
	var status *statusError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &problem):
		// What a ledger means it says: without a time, trying again does not
		// help, and only of an overload is it sure that nothing was taken.
		again = problem.RetryAfter > 0 && isPassing(problem.Status) && (r.again || problem.Code() == Overloaded)
		wait += problem.RetryAfter
	case errors.As(err, &status):
		again = r.again && isPassing(status.status)
		wait += status.after
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, errAnswerTooLarge), errors.Is(err, errServerEvent), errors.Is(err, proofs.ErrMalformed), errors.As(err, &untrusted):
		return 0, false
	default:
		again = r.again
	}
	return wait, again && wait <= mostPause
}

// isPassing reports whether a status may be another one later.
func isPassing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// sleep waits, and reports whether there is time left then. It does not wait
// at all where the context would end before.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
