package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/cairnlog/cairn/client"
)

// A submission is what a body holds: events, in their order. An event that
// is refused before the ledger sees it has its problem in its place.
type submission struct {
	events  []client.Event
	refused []*client.Problem // nil, or for each event nil or why
	single  bool              // one event that is no batch: the answer is its result
}

const (
	jsonType       = "application/json"
	linesType      = "application/x-ndjson"
	cloudType      = "application/cloudevents+json"
	cloudBatchType = "application/cloudevents-batch+json"
)

// parseEvents reads the events of a body as its media type has them.
func (a *API) parseEvents(mediaType string, body []byte) (*submission, error) {
	base, full, err := parseMediaType(mediaType)
	if err != nil {
		return nil, err
	}
	switch base {
	case linesType, "application/ndjson":
		return a.several(splitLines(body, a.batch), jsonType)
	case cloudBatchType:
		items, err := splitArray(body, a.batch)
		if err != nil {
			return nil, err
		}
		return a.several(items, cloudType)
	case cloudType:
		full = cloudType
	case client.EventsMediaType:
		return a.packed(body)
	case "application/x-www-form-urlencoded", "multipart/form-data":
		// What clients say who were told nothing. Kept as such it would help nobody.
		return nil, client.NewProblem(client.UnsupportedType, fmt.Sprintf("%s does not say what the event is", base), "send it with its Content-Type, such as application/json")
	}
	return &submission{events: []client.Event{{Data: body, MediaType: full}}, single: true}, nil
}

// parseMediaType returns the media type without and with its parameters, as
// events carry it.
func parseMediaType(value string) (base, full string, err error) {
	if full, err = client.NormalizeMediaType(value); err != nil {
		return "", "", err
	}
	base, _, _ = strings.Cut(full, ";")
	return base, full, nil
}

// several makes a batch of the raw bytes of events.
func (a *API) several(items [][]byte, mediaType string) (*submission, error) {
	if len(items) > a.batch {
		return nil, a.tooMany()
	}
	s := &submission{events: make([]client.Event, len(items))}
	for i, data := range items {
		s.events[i] = client.Event{Data: data, MediaType: mediaType}
	}
	return s, nil
}

func (a *API) tooMany() error {
	return client.NewProblem(client.TooLarge, fmt.Sprintf("there are more than %d events", a.batch), "send them in smaller batches")
}

// splitLines returns the lines of a body, without their ends. Empty lines are
// nothing. It stops after most lines and one more.
func splitLines(body []byte, most int) (lines [][]byte) {
	for line := range bytes.Lines(body) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) > 0 {
			lines = append(lines, line)
		}
		if len(lines) > most {
			break
		}
	}
	return lines
}

// splitArray returns the raw bytes of the elements of a JSON array. It stops
// after most elements and one more.
func splitArray(body []byte, most int) (items [][]byte, err error) {
	malformed := badRequest("the body is not a JSON array of events")
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, malformed
	}
	for d.More() {
		var item json.RawMessage
		if err := d.Decode(&item); err != nil {
			return nil, malformed
		}
		if items = append(items, item); len(items) > most {
			return items, nil
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed
	}
	return items, nil
}

// packed reads a body of [client.EventsMediaType].
func (a *API) packed(body []byte) (*submission, error) {
	s := &submission{}
	for len(body) > 0 {
		if len(s.events) == a.batch {
			return nil, a.tooMany()
		}
		ev, rest, err := client.CutEvent(body)
		if err != nil {
			return nil, badRequest("%v", err)
		}
		s.events = append(s.events, ev)
		body = rest
	}
	for i := range s.events {
		ev := &s.events[i]
		mediaType, err := client.NormalizeMediaType(ev.MediaType)
		if err != nil {
			s.refuse(i, err)
		}
		ev.MediaType = mediaType
	}
	return s, nil
}

// refuse puts a problem in the place of an event.
func (s *submission) refuse(i int, err error) {
	p := publicProblem(err)
	if s.refused == nil {
		s.refused = make([]*client.Problem, len(s.events))
	}
	s.refused[i] = p
}

// identify gives every event without one the idempotency key that fields of
// it make.
func (s *submission) identify(fields *client.KeyFields) {
	for i := range s.events {
		if s.refused != nil && s.refused[i] != nil {
			continue
		}
		key, err := fields.Key(s.events[i].Data)
		if err != nil {
			s.refuse(i, client.NewProblem(client.Invalid, err.Error(), ""))
			continue
		}
		s.events[i].IdempotencyKey = key
	}
}

// takesHeaders reports whether headers can speak for the events: not where
// each carries its own.
func takesHeaders(contentType string) bool {
	base, _, err := parseMediaType(contentType)
	return err == nil && base != client.EventsMediaType
}

// isBinaryCloudEvent reports whether headers carry the attributes of a
// CloudEvent in binary mode, which we would lose.
func isBinaryCloudEvent(h http.Header) bool { return h.Get("Ce-Specversion") != "" }
