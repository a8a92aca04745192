package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const (
	linesType      = "application/x-ndjson"
	answerBase     = 64 << 20 // bytes of the answer to an append, and
	answerPerEvent = 64 << 10 // for each event
)

// Append implements [Log]. Over the network the events of one append have the
// server's bound of a request's bytes beside that of their number.
func (h *HTTP) Append(ctx context.Context, stream string, events []Event, wait State) ([]Appended, error) {
	if !isSegment(stream) {
		return nil, NewProblem(NoSuchStream, fmt.Sprintf("there is no stream %q", stream), "")
	}
	r := &request{
		method: http.MethodPost, path: "/v1/streams/" + stream + "/entries", again: true,
		query:  url.Values{"wait": {string(wait)}, "timeout": {waitTime(ctx).String()}},
		header: http.Header{"Content-Type": {EventsMediaType}, "Accept": {linesType + ", " + problemType}},
		limit:  answerBase + answerPerEvent*int64(len(events)),
	}
	results := make([]Appended, len(events))
	sent := r.addEvents(events, results)
	if sent == 0 && len(events) > 0 {
		return results, nil
	}
	if r.again {
		// Not sent, but then net/http too may repeat the request on another connection.
		r.header["Idempotency-Key"] = nil
	}
	a, err := h.do(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := parseAppended(a.body, results, sent); err != nil {
		return nil, err
	}
	return results, nil
}

// addEvents makes the body of a request. An event that cannot be sent is
// refused in its result. It returns how many the body holds, and clears again
// if one of them can be recorded twice.
func (r *request) addEvents(events []Event, results []Appended) (sent int) {
	r.body = []byte{}
	for i := range events {
		body, err := AppendEvent(r.body, &events[i])
		if err != nil {
			results[i].Err = err
			continue
		}
		r.body = body
		r.again = r.again && (events[i].IdempotencyKey != "" || events[i].Source != "")
		sent++
	}
	return sent
}

// waitTime returns how long the server shall wait at most: a little less than
// the caller does, so that the answer still arrives.
func waitTime(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return MaxWait
	}
	left := time.Until(deadline)
	left -= min(left/10, time.Second)
	return min(max(left.Truncate(time.Millisecond), time.Millisecond), MaxWait)
}

// parseAppended reads the lines of an answer about n events, and fills in the
// results that have no problem yet.
func parseAppended(body []byte, results []Appended, n int) error {
	at, got := 0, 0
	for line := range bytes.Lines(body) {
		for at < len(results) && results[at].Err != nil {
			at++ // was not sent
		}
		if got++; got > n {
			break
		}
		a := &results[at]
		if err := json.Unmarshal(line, a); err != nil {
			return fmt.Errorf("append: result %d: %w", at, err)
		}
		if a.Err == nil && !a.State.Reached(Sequenced) {
			return fmt.Errorf("append: result %d says neither a state nor a problem", at)
		}
		at++
	}
	if got != n {
		return fmt.Errorf("append: the server gives another number of results than the %d events have", n)
	}
	return nil
}

// isSegment reports whether a name can stand in a URL's path as it is.
func isSegment(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return name != "" && name[0] != '.'
}
