package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// An answer is what a server said with a status of 2xx.
type answer struct {
	status int
	body   []byte
}

const (
	maxProblem  = 64 << 10 // bytes of an answer that is no success
	problemType = "application/problem+json"
)

var errAnswerTooLarge = errors.New("the server's answer is too large")

func bodyReader(b []byte) io.Reader {
	if b == nil {
		return nil
	}
	return bytes.NewReader(b)
}

// readAnswer reads a whole body of at most limit bytes.
func readAnswer(res *http.Response, limit int64) (*answer, error) {
	defer res.Body.Close()
	body, err := readBounded(res.Body, limit)
	if err != nil {
		return nil, err
	}
	return &answer{status: res.StatusCode, body: body}, nil
}

func readBounded(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errAnswerTooLarge, limit)
	}
	return body, err
}

// A statusError is an answer that no ledger gave: of a proxy, or of a server
// that is none.
type statusError struct {
	status int
	after  time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answers %d %s, and not as a ledger does", e.status, http.StatusText(e.status))
}

// readRefusal makes an error of an answer that is no success: a *Problem
// where it holds one.
func readRefusal(res *http.Response) error {
	body, err := readBounded(res.Body, maxProblem)
	if err != nil && !errors.Is(err, errAnswerTooLarge) {
		return err
	}
	after := retryAfter(res.Header)
	p := new(Problem)
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || media != problemType || json.Unmarshal(body, p) != nil {
		return &statusError{res.StatusCode, after}
	}
	p.Status = res.StatusCode // not what the document claims
	if after > 0 {
		p.RetryAfter = after
	}
	return p
}

// retryAfter reads the header of that name (RFC 9110 §10.2.3): seconds, or a
// date, which is compared with the answer's own.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	then, err1 := http.ParseTime(value)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err1 != nil || err2 != nil {
		return 0
	}
	return max(then.Sub(now), 0)
}
