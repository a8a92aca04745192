package httpapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cairnlog/cairn/client"
)

const (
	chunkTime = 10 * time.Second // for the next piece of a body to come
	bodyTime  = 30 * time.Second // for the whole of it, and
	bodyRate  = 32 << 10         // bytes a second for what it has beyond
)

// firstRoom is how many bytes are reserved for a body at first, whatever it
// says of its length. As it comes more is.
const firstRoom = 16 << 10

// eventRoom is how many bytes are reserved for what an event takes beside its
// own, until its answer is taken: above all the evidence in that.
const eventRoom = 2 << 10

// readBody reads the request's body, unpacked, within the bounds of one body
// and of all together.
func (c *call) readBody() ([]byte, error) {
	limit := c.api.limits.Body
	packed, err := c.isPacked()
	if err != nil {
		return nil, err
	}
	if c.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	var r io.Reader = http.MaxBytesReader(c.w.ResponseWriter, &pacedBody{c: c, start: time.Now()}, limit)
	most := limit // that it grows to
	if !packed && c.ContentLength >= 0 {
		most = c.ContentLength
	}
	size := min(firstRoom, most)
	if err := c.reserve(size); err != nil {
		return nil, err
	}
	if packed {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, bodyError(err)
		}
	}
	body, err := c.readAll(r, make([]byte, 0, size), most)
	if err != nil {
		return nil, err
	}
	if len(body) < cap(body)/2 {
		body = bytes.Clone(body)
	}
	c.release(c.held - int64(cap(body)))
	return body, nil
}

// readAll reads to the end into b, whose capacity is reserved, and reserves
// more before it takes more. What counts for the limit is what comes out of r.
func (c *call) readAll(r io.Reader, b []byte, limit int64) ([]byte, error) {
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == nil && len(b) == cap(b) {
			// It may be all: that is seen before more is reserved.
			var next [1]byte
			if _, err = io.ReadFull(r, next[:]); err == nil {
				if b, err = c.enlarge(b, limit); err != nil {
					return nil, err
				}
				b = append(b, next[0])
			}
		}
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, bodyError(err)
		}
	}
}

// enlarge returns the bytes with room for more, at most for limit in all.
func (c *call) enlarge(b []byte, limit int64) ([]byte, error) {
	more := min(max(int64(cap(b)), firstRoom), limit-int64(cap(b)))
	if more <= 0 {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	if err := c.reserve(more); err != nil {
		return nil, err
	}
	return append(make([]byte, 0, int64(cap(b))+more), b...), nil
}

// reserveEvents takes room for what n events take beside their bytes. One
// request has it, however many they are, if no other has any.
func (c *call) reserveEvents(n int) error {
	return c.reserve(min(int64(n)*eventRoom, c.api.limits.Bodies-c.held))
}

// reserve takes room for bytes of bodies, which the call has until it is
// answered.
func (c *call) reserve(n int64) error {
	if !c.api.bodies.TryAcquire(n) {
		return overloaded()
	}
	c.held += n
	return nil
}

// release gives room back.
func (c *call) release(n int64) {
	if n > 0 {
		c.held -= n
		c.api.bodies.Release(n)
	}
}

// isPacked reports whether the body is in gzip. Another coding is refused.
func (c *call) isPacked() (bool, error) {
	coding := strings.ToLower(strings.Join(c.Header.Values("Content-Encoding"), ","))
	switch coding {
	case "", "identity":
		return false, nil
	case "gzip":
		return true, nil
	}
	c.w.Header().Set("Accept-Encoding", "gzip, identity") // RFC 7694
	return false, client.NewProblem(client.UnsupportedType, fmt.Sprintf("the content coding %.40q is not taken", coding), "send the body as it is, or in gzip")
}

// bodyError is what to tell of a body that could not be read.
func bodyError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return badRequest("the body is cut off or not in its content coding")
}

// A pacedBody is a request's body that must keep coming.
type pacedBody struct {
	c     *call
	start time.Time
	bytes int64
}

func (p *pacedBody) Read(b []byte) (int, error) {
	now := time.Now()
	whole := p.start.Add(bodyTime + time.Duration(p.bytes/bodyRate)*time.Second)
	deadline := now.Add(chunkTime)
	if whole.Before(deadline) {
		deadline = whole
	}
	// A reader without deadlines, as tests have, needs none.
	_ = p.c.w.control.SetReadDeadline(deadline)
	n, err := p.c.Body.Read(b)
	p.bytes += int64(n)
	if errors.Is(err, io.EOF) {
		// From here on the server reads to learn whether the client is still there.
		_ = p.c.w.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (p *pacedBody) Close() error { return p.c.Body.Close() }
