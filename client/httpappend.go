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
		method: http.MethodPost, path: "/v1/streams/" + stream + "/entries",
		query:  url.Values{"wait": {string(wait)}, "timeout": {waitTime(ctx).String()}},
		header: http.Header{"Content-Type": {EventsMediaType}, "Accept": {linesType + ", " + problemType}},
		body:   []byte{}, again: true,
		limit: answerBase + answerPerEvent*int64(len(events)),
	}
	var err error
	for i := range events {
		if r.body, err = AppendEvent(r.body, &events[i]); err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		r.again = r.again && (events[i].IdempotencyKey != "" || events[i].Source != "")
	}
	if r.again {
		// Not sent, but then net/http too may repeat the request on another connection.
		r.header["Idempotency-Key"] = nil
	}
	a, err := h.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return parseAppended(a.body, len(events))
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

// parseAppended reads the lines of an answer, one for each of n events.
func parseAppended(body []byte, n int) ([]Appended, error) {
	results := make([]Appended, 0, n)
	for line := range bytes.Lines(body) {
		var a Appended
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("append: result %d: %w", len(results), err)
		}
		if a.Err == nil && !a.State.Reached(Sequenced) {
			return nil, fmt.Errorf("append: result %d says neither a state nor a problem", len(results))
		}
		results = append(results, a)
	}
	if len(results) != n {
		return nil, fmt.Errorf("append: the server gives %d results for %d events", len(results), n)
	}
	return results, nil
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
