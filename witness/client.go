package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/cairnlog/cairn/proofs"
)

const (
	maxAnswer   = 256 << 10 // bytes of cosignatures
	maxProblem  = 4 << 10   // bytes of any other answer
	maxReason   = 200       // bytes of an answer's body that are kept as the reason
	idleTimeout = 5 * time.Minute
	idleConns   = 4 // kept alive to one witness
)

// A Client asks a witness by HTTP. It may be used from several goroutines, and
// keeps connections alive. How long it waits is up to each call's context.
type Client struct {
	url  string
	http *http.Client
}

// NewClient returns a client of the witness whose submission prefix, and
// monitoring prefix if it has one, is the URL, with or without a slash at its end. It uses the transport of hc, or of
// its own where hc is nil. It follows no redirects.
func NewClient(url string, hc *http.Client) *Client {
	if hc == nil {
		hc = &http.Client{Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: idleConns,
			IdleConnTimeout:     idleTimeout,
		}}
	}
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{strings.TrimSuffix(url, "/"), &own}
}

// AddCheckpoint implements [Cosigner]. Of an answer only its form is checked:
// whose signatures it holds, and whether they are right, is for the caller to
// find out.
func (c *Client) AddCheckpoint(ctx context.Context, r Request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/add-checkpoint", bytes.NewReader(FormatRequest(r)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("User-Agent", "cairn")
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return parseCosignatures(answer)
	case statusConflict:
		return nil, parseConflict(answer)
	}
	return nil, parseRefusal(answer)
}

// Checkpoint implements [Monitor]. The witness's monitoring prefix is taken
// to be its submission prefix.
func (c *Client) Checkpoint(ctx context.Context, origin string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/"+OriginHash(origin)+"/checkpoint", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "cairn")
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, parseRefusal(answer)
	}
	return readBody(answer, maxAnswer)
}

func parseCosignatures(answer *http.Response) ([]byte, error) {
	body, err := readBody(answer, maxAnswer)
	if err != nil {
		return nil, err
	}
	if _, err := proofs.ParseSignatures(body); err != nil {
		return nil, fmt.Errorf("answer of the witness: %w", err)
	}
	return body, nil
}

// parseConflict reads the size that the witness cosigned last. An answer
// without it is no conflict of C2SP tlog-witness.
func parseConflict(answer *http.Response) error {
	body, err := readBody(answer, maxProblem)
	if err != nil {
		return err
	}
	if t, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err != nil || t != sizeType {
		return fmt.Errorf("%w: answer of the witness: status %d without a body of type %s", proofs.ErrMalformed, statusConflict, sizeType)
	}
	line, ok := strings.CutSuffix(string(body), "\n")
	size, err := parseSize(line)
	if !ok || err != nil {
		return fmt.Errorf("%w: answer of the witness: status %d without a size", proofs.ErrMalformed, statusConflict)
	}
	return &Error{Status: statusConflict, Size: size, Reason: fmt.Sprintf("it has cosigned size %d", size)}
}

// parseRefusal reads any other answer.
func parseRefusal(answer *http.Response) error {
	body, err := readBody(answer, maxProblem)
	if err != nil && !errors.Is(err, errLarge) {
		return err
	}
	return &Error{Status: answer.StatusCode, RetryAfter: retryAfter(answer.Header), Reason: printable(body)}
}

var errLarge = errors.New("answer of the witness is too large")

// readBody reads an answer to its end, so that the connection can be used
// again, or up to limit bytes.
func readBody(answer *http.Response, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("answer of the witness: %w", err)
	}
	if int64(len(body)) > limit {
		return body[:limit], fmt.Errorf("%w: more than %d bytes", errLarge, limit)
	}
	return body, nil
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

// printable returns the beginning of a hostile text as one line that does
// nothing to a terminal.
func printable(b []byte) string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(b[:min(len(b), maxReason)]), "?"))
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return '?'
		}
		return r
	}, text)
}
