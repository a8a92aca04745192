package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
)

const (
	writePiece = 64 << 10         // bytes that are written under
	writeTime  = 30 * time.Second // one deadline
	answerRate = 32 << 10         // bytes a second that a client takes at least, of what an answer has beyond
	listRate   = 512 << 10        // and of a list that anybody can ask for and few at once
)

// A response is an http.ResponseWriter that knows what was answered, and
// gives each piece of an answer, and all of it, a time to be taken.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	id      string
	who     identity.Identity
	refusal *identity.Refusal // why it is nobody; nil: it is somebody, or need not be
	status  int               // 0: the answer has not begun
	bytes   int64
	gone    bool // the client did not take what was written
	cut     bool // we could not go on, and broke the answer off

	rate   int64         // bytes a second that are taken at least; 0: each piece has its time, and the answer no end
	waited time.Duration // for the client to take what was written
}

// Unwrap serves http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader begins the answer.
func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (n int, err error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	for {
		piece := b[:min(len(b), writePiece)]
		w.extend()
		start := time.Now()
		m, err := w.ResponseWriter.Write(piece)
		w.waited += time.Since(start)
		n += m
		w.bytes += int64(m)
		w.gone = w.gone || err != nil
		if b = b[len(piece):]; err != nil || len(b) == 0 {
			return n, err
		}
	}
}

// extend gives the next piece its time, and not more than is left for the
// answer. What the server itself takes to answer does not count.
func (w *response) extend() {
	left := writeTime
	if w.rate > 0 {
		left = min(left, writeTime+time.Duration(w.bytes/w.rate)*time.Second-w.waited)
	}
	// A writer without deadlines, as tests have, needs none.
	_ = w.control.SetWriteDeadline(time.Now().Add(left))
}

func (w *response) flush() error {
	w.extend()
	err := w.control.Flush()
	w.gone = w.gone || err != nil
	return err
}

// requestIDs names requests: a random number of this process, and a count.
type requestIDs struct {
	prefix string
	count  atomic.Uint64
}

func newRequestIDs() (*requestIDs, error) {
	var b [6]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, err
	}
	return &requestIDs{prefix: hex.EncodeToString(b[:]) + "-"}, nil
}

func (r *requestIDs) next() string { return r.prefix + strconv.FormatUint(r.count.Add(1), 10) }

// frame does for every request what does not depend on what it asks for.
func (a *API) frame(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := &response{ResponseWriter: rw, control: http.NewResponseController(rw), id: a.ids.next(), rate: answerRate}
		start := time.Now()
		a.metrics.under.Inc()
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				w.cut = true
				a.log.Error("a request panicked", slog.String("request", w.id), slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
			}
			a.metrics.under.Dec()
			a.record(w, r, time.Since(start))
			if p != nil {
				panic(p) // the server closes the connection
			}
		}()
		secure(w.Header())
		// A deadline of the request before would end this one.
		_ = w.control.SetWriteDeadline(time.Time{})
		if r.Body != nil && r.Body != http.NoBody {
			// Also for a body that nobody reads: the server does, to keep the connection.
			_ = w.control.SetReadDeadline(start.Add(chunkTime))
		}
		if !isCanonical(r) {
			a.refuse(w, client.NewProblem(client.NoSuchPath, "there is nothing at this path", ""))
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// secure sets headers that keep a browser from making anything else of an
// answer than what it is.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// allowCrossOrigin lets the scripts of any page read a public answer.
func allowCrossOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Retry-After")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// record logs and measures a request that was answered. What clients chose is
// escaped; the query and the token are left out.
func (a *API) record(w *response, r *http.Request, took time.Duration) {
	name := routeName(r.Pattern)
	if w.status == 0 && !w.cut {
		w.status = http.StatusOK // as net/http answers for us
	}
	a.metrics.observe(name, w.outcome(), took)
	level := slog.LevelInfo
	if isQuiet(name) {
		level = slog.LevelDebug
	}
	if !a.log.Enabled(r.Context(), level) {
		return
	}
	attributes := []slog.Attr{
		slog.String("request", w.id), slog.String("method", printable(r.Method, 16)), slog.String("path", printable(r.URL.EscapedPath(), 256)),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", took),
		slog.String("from", remoteHost(r)), slog.String("who", w.who.Name), slog.String("credential", w.who.Credential),
		slog.String("agent", printable(r.UserAgent(), 128)),
	}
	if w.refusal != nil {
		attributes = append(attributes, slog.String("credential_kind", string(w.refusal.Kind)), slog.String("outcome", string(w.refusal.Outcome)),
			slog.String("why", printable(w.refusal.Error(), 512)))
	}
	a.log.LogAttrs(r.Context(), level, "request", attributes...)
}

// outcome is the status that was answered, or "cut" where the answer has no end.
func (w *response) outcome() string {
	if w.cut {
		return "cut"
	}
	return strconv.Itoa(w.status)
}

// routeName is a route's pattern without its method.
func routeName(pattern string) string {
	_, path, ok := strings.Cut(pattern, " ")
	if !ok {
		return "none"
	}
	return path
}

// isQuiet reports whether requests of a route are too many, and too public, to
// be logged by default.
func isQuiet(name string) bool { return !strings.HasPrefix(name, "/v1/") }

// printable returns the beginning of a hostile text as one line that does
// nothing to a terminal.
func printable(s string, most int) string {
	s = strings.ToValidUTF8(s[:min(len(s), most)], "?")
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}
