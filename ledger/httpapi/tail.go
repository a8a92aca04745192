package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
)

// tail follows the published entries by server-sent events (WHATWG HTML,
// 9.2): id is the index, data the entry. Last-Event-ID resumes behind an
// entry.
func (a *API) tail(c *call) error {
	q, err := c.tailQuery()
	if err != nil {
		return err
	}
	if err := c.session().MayTail(c.Context(), q); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // or a proxy keeps entries until there are many
	c.w.rate = 0
	c.w.WriteHeader(http.StatusOK)
	if c.Method == http.MethodHead {
		return nil
	}
	ctx, cancel := context.WithCancel(c.Context())
	t := &tail{c: c, entries: make(chan tailed)}
	t.next.Store(q.From)
	var reader sync.WaitGroup
	reader.Go(func() { t.read(ctx, c.session(), q) })
	defer reader.Wait()
	defer cancel() // first
	return t.write()
}

// tailQuery reads what is asked for: from the URL, or from the body of a POST.
func (c *call) tailQuery() (q client.TailQuery, err error) {
	if c.Method == http.MethodPost {
		if err := c.readJSON(&q); err != nil {
			return q, err
		}
	}
	if c.query.Has("stream") {
		q.Stream = c.query.Get("stream")
	}
	if c.query.Has("from") {
		if q.From, err = c.number("from"); err != nil {
			return q, err
		}
	}
	last, err := c.header("Last-Event-ID")
	if err != nil {
		return q, err
	}
	if last != "" {
		if q.From, err = parseNumber("Last-Event-ID", last); err != nil {
			return q, err
		}
		q.From++
	}
	return q, nil
}

// A tail is one connection that follows the ledger.
type tail struct {
	c       *call
	next    atomic.Uint64 // entries before it were handed over, or are not for this reader
	entries chan tailed
}

type tailed struct {
	entry *client.Entry
	err   error
}

// read hands entries over until the context ends or the ledger does.
func (t *tail) read(ctx context.Context, s *ledger.Session, q client.TailQuery) {
	defer close(t.entries)
	for e, err := range s.Follow(ctx, q, t.next.Store) {
		select {
		case t.entries <- tailed{e, err}:
			if err == nil {
				t.next.Store(e.Index + 1) // it is sent before any comment
			}
		case <-ctx.Done():
			return
		}
	}
}

// write sends entries, and comments in between, until the client is gone or
// the server ends.
func (t *tail) write() error {
	ticker := time.NewTicker(t.c.api.limits.KeepAlive)
	defer ticker.Stop()
	for {
		select {
		case got, ok := <-t.entries:
			if more := t.take(got, ok); !more {
				return nil
			}
			continue
		case <-t.c.api.closing:
			return nil
		default: // nothing more to send now: let the client have what waits in buffers
			if err := t.c.w.flush(); err != nil {
				return nil // the client is gone
			}
		}
		select {
		case got, ok := <-t.entries:
			if more := t.take(got, ok); !more {
				return nil
			}
		case <-ticker.C:
			if err := t.c.still(); err != nil {
				t.end(err)
				return nil
			}
			if _, err := t.c.w.Write(t.comment()); err != nil {
				return nil
			}
		case <-t.c.api.closing:
			return nil
		}
	}
}

// take sends what was read, and reports whether more shall follow.
func (t *tail) take(got tailed, ok bool) bool {
	switch {
	case !ok:
		return false
	case got.err != nil:
		t.end(got.err)
		return false
	}
	// The token may have expired or been revoked since the tail began. Rights
	// that are others end the tail, so that what wants judges by stays true.
	if err := t.c.still(); err != nil {
		t.end(err)
		return false
	}
	return t.send(got.entry) == nil
}

// comment moves the place to resume from over entries that are not for this
// reader, if there were any.
func (t *tail) comment() []byte {
	next := t.next.Load()
	if next == 0 {
		return []byte(": keep-alive\n\n")
	}
	return []byte("id: " + strconv.FormatUint(next-1, 10) + "\n\n")
}

func (t *tail) send(e *client.Entry) error {
	var b bytes.Buffer
	b.WriteString("id: " + strconv.FormatUint(e.Index, 10) + "\nevent: entry\ndata: ")
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil { // which ends the line
		return err
	}
	b.WriteByte('\n')
	_, err := t.c.w.Write(b.Bytes())
	return err
}

// end tells the client why there is nothing more.
func (t *tail) end(err error) {
	p, err := json.Marshal(t.c.api.problem(t.c.w.id, err))
	if err != nil {
		panic("httpapi: a problem cannot be written: " + err.Error())
	}
	_, _ = t.c.w.Write([]byte("event: problem\ndata: " + string(p) + "\n\n")) // the client may be gone
}
