package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/cairnlog/cairn/client"
)

// append takes events into a stream and answers when they have reached the
// state that is waited for, or the time is up.
func (a *API) append(c *call) error {
	stream := c.PathValue("stream")
	if !c.may(stream) {
		return client.NewProblem(client.Forbidden, "the token is not for this stream", "")
	}
	wait, timeout, err := c.waiting()
	if err != nil {
		return err
	}
	s, err := c.submission()
	if err != nil {
		return err
	}
	if err := c.reserveEvents(len(s.events)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context(), timeout)
	defer cancel()
	results, err := c.submit(ctx, stream, s, wait)
	if err != nil {
		return err
	}
	if s.single {
		return c.one(results[0], wait)
	}
	return c.lines(results, wait)
}

// waiting reads what state is waited for and how long.
func (c *call) waiting() (wait client.State, timeout time.Duration, err error) {
	wait = client.Witnessed
	if given := c.query.Get("wait"); c.query.Has("wait") {
		if wait = client.State(given); !wait.Reached(client.Sequenced) {
			return "", 0, badRequest("there is no state %.40q to wait for: wait for sequenced, integrated or witnessed", given)
		}
	}
	timeout, err = c.timeout()
	return wait, timeout, err
}

// submission reads the events of a request with all that is said of them.
func (c *call) submission() (*submission, error) {
	if isBinaryCloudEvent(c.Header) {
		return nil, client.NewProblem(client.UnsupportedType, "CloudEvents in binary mode are not taken, because the event is kept as one text", "send it in structured mode, as application/cloudevents+json")
	}
	var fields *client.KeyFields
	if given := c.query.Get("idempotency-field"); c.query.Has("idempotency-field") {
		var err error
		if fields, err = client.ParseKeyFields(given); err != nil {
			return nil, badRequest("%v", err)
		}
		if c.hasKey() {
			return nil, badRequest("%s and ?idempotency-field= cannot both be", headerKey)
		}
	}
	contentType, err := c.header("Content-Type")
	if err != nil {
		return nil, err
	}
	body, err := c.readBody()
	if err != nil {
		return nil, err
	}
	if err := noAttributes(c.Trailer, "it stands behind the body"); err != nil {
		return nil, err
	}
	s, err := c.api.parseEvents(contentType, body)
	if err != nil {
		return nil, err
	}
	return s, c.describe(s, contentType, fields)
}

// describe sets on events what headers and query say of them.
func (c *call) describe(s *submission, contentType string, fields *client.KeyFields) error {
	if !takesHeaders(contentType) {
		if fields != nil {
			return badRequest("?idempotency-field= says nothing here: in %s each event carries its key", client.EventsMediaType)
		}
		return noAttributes(c.Header, "in "+client.EventsMediaType+" each event carries its own")
	}
	if err := attributes(c.Header, s); err != nil {
		return err
	}
	if len(s.events) > 0 && s.events[0].MediaType == cloudType {
		c.api.checkCloudEvents(s)
		if fields == nil && !c.hasKey() {
			fields = c.api.cloud.identity
		}
	}
	if fields != nil {
		s.identify(fields)
	}
	return nil
}

func (c *call) hasKey() bool { return len(c.Header.Values(headerKey)) > 0 }

// submit hands the events that are not refused to the ledger, and returns a
// result for each event.
func (c *call) submit(ctx context.Context, stream string, s *submission, wait client.State) ([]client.Appended, error) {
	log := c.session()
	if s.refused == nil {
		return log.Append(ctx, stream, s.events, wait)
	}
	results := make([]client.Appended, len(s.events))
	var events []client.Event
	var places []int
	for i, p := range s.refused {
		if p != nil {
			c.api.metrics.refused.WithLabelValues(string(p.Code())).Inc()
			results[i].Err = p
			continue
		}
		events, places = append(events, s.events[i]), append(places, i)
	}
	if len(events) == 0 {
		return results, nil
	}
	taken, err := log.Append(ctx, stream, events, wait)
	if err != nil {
		return nil, err
	}
	for i, at := range places {
		results[at] = taken[i]
	}
	return results, nil
}

// one answers about a single event.
func (c *call) one(r client.Appended, wait client.State) error {
	if r.Err != nil {
		return r.Err
	}
	status := http.StatusCreated
	switch {
	case !r.State.Reached(wait):
		status = http.StatusAccepted
	case r.Duplicate:
		status = http.StatusOK
	}
	c.w.Header().Set("Location", "/v1/entries/"+strconv.FormatUint(r.Index, 10))
	return c.json(status, resultOf(r, c.wantsLittle()))
}

// lines answers about a batch: one line for each event.
func (c *call) lines(results []client.Appended, wait client.State) error {
	h := c.w.Header()
	h.Set("Content-Type", linesType)
	h.Set("Cache-Control", "no-store")
	short := c.wantsLittle()
	c.w.WriteHeader(batchStatus(results, wait))
	out := bufio.NewWriterSize(c.w, writePiece)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for _, r := range results {
		if err := e.Encode(resultOf(r, short)); err != nil {
			return err
		}
	}
	return out.Flush()
}

// batchStatus sums a batch up: 207 where an event was refused, 202 where one
// has not reached the state that was waited for, else 200.
func batchStatus(results []client.Appended, wait client.State) int {
	status := http.StatusOK
	for _, r := range results {
		if r.Err != nil {
			return http.StatusMultiStatus
		}
		if !r.State.Reached(wait) {
			status = http.StatusAccepted
		}
	}
	return status
}

// wantsLittle reports whether the client prefers an answer without evidence
// (RFC 7240), and says that it gets it.
func (c *call) wantsLittle() bool {
	for item := range listItems(c.Header.Values("Prefer")) {
		if item == "return=minimal" {
			c.w.Header().Set("Preference-Applied", item)
			return true
		}
	}
	return false
}

// resultOf returns what the JSON of a result holds: nothing of an entry where
// there is none, and little where little is wanted.
func resultOf(r client.Appended, short bool) any {
	switch {
	case r.Err != nil:
		return struct {
			Problem *client.Problem `json:"problem"`
		}{r.Err}
	case short:
		return struct {
			Index      uint64       `json:"index"`
			State      client.State `json:"state"`
			Duplicate  bool         `json:"duplicate,omitempty"`
			Uncompared bool         `json:"uncompared,omitempty"`
		}{r.Index, r.State, r.Duplicate, r.Uncompared}
	}
	return r
}
