package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// tailSilence is how long a tail may be silent before it counts as broken.
// Servers send a comment four times as often.
const tailSilence = time.Minute

// tailPatience is how many times as many attempts a tail has as a request: a
// server that starts again shall not end it.
const tailPatience = 4

// Tail implements [Log]: it reads server-sent events, and when the connection
// breaks it resumes where it was. It gives up after about a minute without
// any entry or answer.
func (h *HTTP) Tail(ctx context.Context, q TailQuery) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		t := &tail{h: h, q: q}
		for failures := 1; ; failures++ {
			before, start := t.q.From, time.Now()
			err := t.follow(ctx, yield)
			if err == nil || ctx.Err() != nil {
				return
			}
			if t.q.From > before || time.Since(start) > 2*tailSilence {
				failures = 1 // it went well for a while
			}
			wait, again := t.request().pause(err, failures)
			if !again || failures >= tailPatience*h.attempts || !sleep(ctx, wait) {
				if ctx.Err() == nil {
					yield(nil, fmt.Errorf("tail: %w", err))
				}
				return
			}
		}
	}
}

// A tail is a place in the log that moves on.
type tail struct {
	h *HTTP
	q TailQuery
}

func (t *tail) request() *request {
	if t.q.Query != "" {
		return t.asking()
	}
	r := get("/v1/entries:tail", url.Values{"from": {decimal(t.q.From)}}, "text/event-stream", 0)
	if t.q.Stream != "" {
		r.query.Set("stream", t.q.Stream)
	}
	return r
}

// asking returns the request with a query: a POST, so that no log of a proxy has it.
func (t *tail) asking() *request {
	body, err := json.Marshal(t.q)
	if err != nil {
		panic("client: a query of a tail cannot be written: " + err.Error())
	}
	r := &request{method: http.MethodPost, path: "/v1/entries:tail", body: body, again: true, header: http.Header{}}
	r.header.Set("Accept", "text/event-stream, "+problemType)
	r.header.Set("Content-Type", jsonType)
	return r
}

// follow yields entries over one connection. It returns nil when the caller
// wants no more, else why the connection ended.
func (t *tail) follow(ctx context.Context, yield func(*Entry, error) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(tailSilence, func() { cancel(errSilent) })
	defer silence.Stop()
	res, err := t.h.send(ctx, t.request())
	if err != nil {
		return cause(ctx, err)
	}
	defer res.Body.Close()
	stream := newEventStream(res.Body, func() { silence.Reset(tailSilence) })
	for {
		ev, err := stream.next()
		if err != nil {
			return cause(ctx, err)
		}
		e, err := t.take(ev)
		if err != nil {
			return err
		}
		// The caller may take its time with an entry: that is no silence.
		silence.Stop()
		if e != nil && !yield(e, nil) {
			return nil
		}
		silence.Reset(tailSilence)
	}
}

var errSilent = errors.New("the server is silent")

// cause returns why a read ended: a cancelled context hides it.
func cause(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// take moves the place on by an event, and returns its entry if it has one.
func (t *tail) take(ev serverEvent) (*Entry, error) {
	switch {
	case ev.name == "problem":
		p := new(Problem)
		if err := json.Unmarshal(ev.data, p); err != nil {
			return nil, fmt.Errorf("%w: %w", errServerEvent, err)
		}
		if p.Status < http.StatusBadRequest {
			p.Status = http.StatusInternalServerError
		}
		return nil, p
	case ev.hasID:
		index, err := strconv.ParseUint(ev.id, 10, 63)
		if err != nil || index < t.q.From && ev.data != nil {
			return nil, fmt.Errorf("%w: id %.40q does not follow", errServerEvent, ev.id)
		}
		t.q.From = max(t.q.From, index+1)
		if ev.data == nil {
			return nil, nil
		}
		return parseTailed(ev.data, index)
	case ev.data != nil:
		return nil, fmt.Errorf("%w: an event without an id", errServerEvent)
	}
	return nil, nil
}

func parseTailed(data []byte, index uint64) (*Entry, error) {
	e := new(Entry)
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("%w: %w", errServerEvent, err)
	}
	if e.Index != index {
		return nil, fmt.Errorf("%w: event %d holds entry %d", errServerEvent, index, e.Index)
	}
	return e, nil
}
