package witness

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/cairnlog/cairn/storage"
)

// sizeType is the media type of a tree size, the body of an answer with status
// 409.
const sizeType = "text/x.tlog.size"

const (
	monitorMaxAge = 5  // seconds for which caches may keep a checkpoint
	retryNoSpace  = 60 // seconds until there may be room again
)

// Handler serves the witness by HTTP (C2SP tlog-witness), below whatever
// prefix the caller strips:
//
//	POST /add-checkpoint
//	GET  /<SHA-256 of the origin in hexadecimal>/checkpoint
//
// It bounds what it reads of a request, and no more: limits in time and in
// number are the server's.
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.serveAddCheckpoint)
	mux.HandleFunc("GET /{origin}/checkpoint", w.serveCheckpoint)
	return mux
}

func (w *Witness) serveAddCheckpoint(rw http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, req.Body, MaxRequest))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			err = refuse(http.StatusRequestEntityTooLarge, "more than %d bytes", MaxRequest)
		} else {
			err = refuse(statusMalformed, "the body could not be read")
		}
		w.answerError(rw, req, err)
		return
	}
	r, err := ParseRequest(body)
	if err != nil {
		w.answerError(rw, req, refuse(statusMalformed, "%v", err))
		return
	}
	cosignatures, err := w.AddCheckpoint(req.Context(), r)
	if err != nil {
		w.answerError(rw, req, err)
		return
	}
	answer(rw, cosignatures)
}

func (w *Witness) serveCheckpoint(rw http.ResponseWriter, req *http.Request) {
	hash := req.PathValue("origin")
	if !isOriginHash(hash) {
		w.answerError(rw, req, refuse(statusUnknown, "not the SHA-256 of an origin in hexadecimal"))
		return
	}
	note, err := w.checkpoint(req.Context(), hash)
	if err != nil {
		w.answerError(rw, req, err)
		return
	}
	rw.Header().Set("Cache-Control", "max-age="+strconv.Itoa(monitorMaxAge))
	answer(rw, note)
}

func answer(rw http.ResponseWriter, body []byte) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = rw.Write(body) // whoever asked is gone: nothing to tell them
}

// answerError answers a refusal as C2SP tlog-witness has it. Of trouble with
// the store only the log is told the details.
func (w *Witness) answerError(rw http.ResponseWriter, req *http.Request, err error) {
	var refused *Error
	switch {
	case errors.As(err, &refused) && refused.Status == statusConflict:
		rw.Header().Set("Content-Type", sizeType)
		rw.WriteHeader(statusConflict)
		_, _ = fmt.Fprintf(rw, "%d\n", refused.Size)
	case errors.As(err, &refused):
		if after := refused.RetryAfter; after > 0 {
			rw.Header().Set("Retry-After", strconv.Itoa(int(after.Seconds())))
		}
		w.log.Debug("refused", "path", req.URL.Path, "client", req.RemoteAddr, "status", refused.Status, "reason", refused.Reason)
		http.Error(rw, refused.Reason, refused.Status)
	case errors.Is(err, storage.ErrNoSpace):
		w.log.Error("no space left", "error", err)
		rw.Header().Set("Retry-After", strconv.Itoa(retryNoSpace))
		http.Error(rw, "no space left", http.StatusServiceUnavailable)
	case req.Context().Err() != nil:
		http.Error(rw, "the request was given up", http.StatusServiceUnavailable)
	default:
		w.log.Error("request failed", "path", req.URL.Path, "error", err)
		http.Error(rw, "internal error", http.StatusInternalServerError)
	}
}
