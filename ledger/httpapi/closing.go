package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/proofs"
)

// closings answers with what is announced to become unreadable and is not done.
func (a *API) closings(c *call) error {
	list, err := c.session().Closings(c.Context())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list)
}

// closingAt answers how far it has come with what an entry announced.
func (a *API) closingAt(c *call) error {
	index, timeout, err := c.awaited("index")
	if err != nil {
		return err
	}
	s := c.session()
	if _, err := s.Closing(c.Context(), index); err != nil {
		return err // there is nothing to wait for
	}
	if err := c.awaitDone(index, timeout); err != nil {
		return err
	}
	info, err := s.Closing(c.Context(), index)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, info)
}

// awaited reads what a path names by the index of its entry, and how long it is
// waited for.
func (c *call) awaited(name string) (index uint64, timeout time.Duration, err error) {
	if index, err = parseNumber(name, c.PathValue(name)); err != nil {
		return 0, 0, err
	}
	timeout, err = c.waitingForDone()
	return index, timeout, err
}

// waitingForDone reads how long it is waited until something is done; 0: not
// at all.
func (c *call) waitingForDone() (time.Duration, error) {
	switch given := c.query.Get("wait"); {
	case !c.query.Has("wait") && c.query.Has("timeout"):
		return 0, badRequest("timeout says how long to wait, and goes with wait=done")
	case !c.query.Has("wait"):
		return 0, nil
	case given != "done":
		return 0, badRequest("there is no %.40q to wait for here: wait for done", given)
	}
	return c.timeout()
}

// timeout reads how long somebody waits at most.
func (c *call) timeout() (time.Duration, error) {
	if !c.query.Has("timeout") {
		return c.api.limits.Wait, nil
	}
	given := c.query.Get("timeout")
	timeout, err := time.ParseDuration(given)
	if err != nil || timeout <= 0 || timeout > client.MaxWait {
		return 0, badRequest("timeout is %.40q, not a time such as 30s within 1ms and %v", given, client.MaxWait)
	}
	return timeout, nil
}

// awaitDone waits until what an entry announced or asked for is done, or the
// time is up, or the server ends.
func (c *call) awaitDone(index uint64, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(c.Context(), timeout)
	defer cancel()
	go func() {
		select {
		case <-c.api.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := c.session().AwaitDone(ctx, index)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return nil // the answer says how far it has come
	}
	return err
}

// An outcome is what became of what cannot be undone: an entry announced it, or
// asks another custodian to approve it.
type outcome struct{ announced, requested uint64 }

// settle waits for an outcome as whoever asks wants, and returns the status of
// the answer and whether it is done. What is not can be seen at the Location.
func (c *call) settle(o outcome, timeout time.Duration) (status int, done bool, err error) {
	if o.requested > 0 {
		if err := c.awaitDone(o.requested, timeout); err != nil {
			return 0, false, err
		}
		done, err = c.isUsed(o.requested)
		c.w.Header().Set("Location", "/v1/requests/"+strconv.FormatUint(o.requested, 10))
	} else {
		if err := c.awaitDone(o.announced, timeout); err != nil {
			return 0, false, err
		}
		done, err = c.isDone(o.announced)
		c.w.Header().Set("Location", "/v1/closings/"+strconv.FormatUint(o.announced, 10))
	}
	if done {
		return http.StatusOK, true, err
	}
	return http.StatusAccepted, false, err
}

// isDone reports whether what an entry announced is done. An entry that
// announces nothing, such as of settings, was enough.
func (c *call) isDone(announced uint64) (bool, error) {
	info, err := c.session().Closing(c.Context(), announced)
	var p *client.Problem
	if errors.As(err, &p) && p.Code() == client.NotFound {
		return true, nil
	}
	return err == nil && info.Done, err
}

// isUsed reports whether what was asked for is done.
func (c *call) isUsed(requested uint64) (bool, error) {
	r, ok := c.api.ledger.Requested(requested)
	if !ok || r.Used == 0 {
		return false, nil
	}
	return c.isDone(r.Used)
}

// because takes the reason that stands in the body, where it must.
func (c *call) because(reason string) error {
	switch {
	case c.reason != "" && c.reason != reason:
		return badRequest("the reason stands in the body, and %s says something else", headerReason)
	case len(reason) > maxReason:
		return badRequest("the reason has %d bytes, more than %d", len(reason), maxReason)
	}
	c.reason = reason
	return nil
}

// needing makes sure that whoever asks may do an action, which the request
// turned out to be. That somebody may not is recorded.
func (c *call) needing(action identity.Action, hint string) error {
	if _, ok := c.who.Role(action); ok {
		c.needs = action
		return nil
	}
	s := c.session()
	act := s.Act(proofs.ActRefused)
	act.Object = c.Pattern
	return s.Refused(c.Context(), act, client.NewProblem(client.Forbidden, c.who.Roles()+" may not "+action.String(), hint))
}

// hasNoBody refuses a body where none is taken.
func (c *call) hasNoBody() error {
	if c.ContentLength != 0 {
		return badRequest("this takes no body")
	}
	return nil
}
