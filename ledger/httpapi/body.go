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
	size := c.ContentLength
	if packed || size < 0 {
		size = limit // as it may become
	}
	if !c.api.bodies.TryAcquire(size) {
		return nil, overloaded()
	}
	c.held += size
	var r io.Reader = http.MaxBytesReader(c.w.ResponseWriter, &pacedBody{c: c, start: time.Now()}, limit)
	if packed {
		return unpack(r, limit)
	}
	var b bytes.Buffer
	b.Grow(int(max(c.ContentLength, 0)) + bytes.MinRead)
	if _, err := b.ReadFrom(r); err != nil {
		return nil, bodyError(err)
	}
	return b.Bytes(), nil
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

// unpack reads a body in gzip. What counts for the bound is what comes out.
func unpack(r io.Reader, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, bodyError(err)
	}
	b, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if int64(len(b)) > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	return b, nil
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
