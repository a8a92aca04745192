package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/storage"
)

const problemType = "application/problem+json"

func overloaded() error {
	p := client.NewProblem(client.Overloaded, "too many requests are under way", "try again after the time in Retry-After")
	p.RetryAfter = time.Second
	return p
}

// refuse answers a request with a problem document. Where the answer has
// begun already the connection is cut, so that nobody takes a part for the
// whole.
func (a *API) refuse(w *response, err error) {
	if w.status != 0 {
		a.cut(w, err)
	}
	p := a.problem(w.id, err)
	body, err := json.Marshal(p)
	if err != nil {
		panic("httpapi: a problem cannot be written: " + err.Error())
	}
	h := w.Header()
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store") // what is not there now may be there soon
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Del("ETag")
	h.Del("Content-Disposition")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatUint(uint64(p.RetrySeconds()), 10))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // whoever asked is gone: there is nobody to tell
}

// cut cuts the connection of an answer that has begun and cannot be ended. It
// does not return.
func (a *API) cut(w *response, err error) {
	if w.gone || errors.Is(err, context.Canceled) {
		a.log.Warn("a client did not take its answer", slog.String("request", w.id), slog.String("error", err.Error()))
	} else {
		w.cut = true
		a.countDamage(err)
		a.log.Error("an answer was cut off", slog.String("request", w.id), slog.String("error", err.Error()))
	}
	panic(http.ErrAbortHandler)
}

func (a *API) countDamage(err error) {
	if errors.Is(err, storage.ErrCorrupt) {
		a.metrics.damage.Inc()
	}
}

// problem returns what to tell of an error, and logs what is not told.
func (a *API) problem(id string, err error) *client.Problem {
	a.countDamage(err)
	p := publicProblem(err)
	if p.Code() == client.Internal {
		a.log.Error("request failed", slog.String("request", id), slog.String("error", err.Error()))
	}
	if p.Code() == client.Unavailable && a.ledger.Stopped() != nil {
		// Why it stopped speaks of storage and is for the operator alone.
		p.Detail = "the ledger has stopped by itself"
	}
	p.Instance = "urn:cairn:request:" + id
	return p
}

func publicProblem(err error) *client.Problem {
	var p *client.Problem
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p) && p.Code() != client.Internal: // whose detail is for the operator alone
		own := *p // which others may be given too
		return &own
	case errors.As(err, &large):
		return client.NewProblem(client.TooLarge, fmt.Sprintf("the body has more than %d bytes", large.Limit), "send fewer events at once")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return client.NewProblem(client.TimedOut, "the body came too slowly", "")
	case errors.Is(err, fs.ErrNotExist):
		return client.NewProblem(client.NotFound, "there is no such file", "")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p := client.NewProblem(client.Undecided, "the time was up before the ledger said whether the events are recorded", "send them again with the same idempotency keys")
		p.RetryAfter = time.Second
		return p
	}
	return client.NewProblem(client.Internal, "the operator finds the reason in the server's log, under the instance of this problem", "")
}
