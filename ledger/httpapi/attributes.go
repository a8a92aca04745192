package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The headers that say of events what is not in them. Values of Cairn-Source
// and Cairn-Subject are percent-encoded (RFC 3986 §2.1) where they have
// another character than those that can stand in a header as they are, a
// comma or a percent sign.
const (
	headerKey      = "Idempotency-Key" // of a single event
	headerSource   = "Cairn-Source"
	headerSequence = "Cairn-Sequence" // of the first event; each further one has the next
	headerClass    = "Cairn-Class"
	headerSubject  = "Cairn-Subject" // one or more, separated by commas
)

// attributes sets on events what the headers of their request say.
func attributes(h http.Header, s *submission) error {
	if err := checkHeaders(h); err != nil {
		return err
	}
	key, err := idempotencyKey(h.Get(headerKey))
	if err != nil {
		return err
	}
	if key != "" && !s.single {
		return badRequest("%s names one event, and this is a batch: say which fields identify events with ?idempotency-field=", headerKey)
	}
	source, err := unescape(headerSource, h.Get(headerSource))
	if err != nil {
		return err
	}
	sequence, err := sequenceNumber(h.Get(headerSequence), source, len(s.events))
	if err != nil {
		return err
	}
	var subjects []string
	for item := range listItems(h.Values(headerSubject)) {
		subject, err := unescape(headerSubject, item)
		if err != nil {
			return err
		}
		subjects = append(subjects, subject)
	}
	if len(h.Values(headerSubject)) > 0 && len(subjects) == 0 {
		return badRequest("%s names nobody: leave it out to say nothing", headerSubject)
	}
	for i := range s.events {
		ev := &s.events[i]
		ev.IdempotencyKey, ev.Source, ev.Class, ev.Subjects = key, source, h.Get(headerClass), subjects
		if source != "" {
			ev.Sequence = sequence + uint64(i)
		}
	}
	return nil
}

// checkHeaders refuses headers of ours that there are not, and those that are
// empty or given twice: a misspelt one, or a value that somebody forgot, must not
// go unnoticed.
func checkHeaders(h http.Header) error {
	for name, values := range h {
		if !isOurs(name) {
			continue
		}
		if !slices.Contains([]string{headerKey, headerSource, headerSequence, headerClass, headerSubject}, name) {
			return badRequest("there is no header %.40q", name)
		}
		if len(values) > 1 && name != headerSubject {
			return badRequest("the header %s is given %d times", name, len(values))
		}
		if slices.Contains(values, "") {
			return badRequest("the header %s is empty: leave it out to say nothing", name)
		}
	}
	return nil
}

// isOurs reports whether a header is meant for us: also one with the strokes
// that variables have, as gateways write them.
func isOurs(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	return strings.HasPrefix(name, "cairn-") || name == strings.ToLower(headerKey)
}

// noAttributes refuses headers that speak of events where nobody would heed
// them. The one that says why somebody reads does not.
func noAttributes(h http.Header, why string) error {
	for name := range h {
		if isOurs(name) && name != headerReason {
			return badRequest("%.40s says nothing here: %s", name, why)
		}
	}
	return nil
}

// idempotencyKey reads the header of that name: a string in quotes as in the
// draft of the HTTP working group, or just the characters.
func idempotencyKey(value string) (string, error) {
	if !strings.HasPrefix(value, `"`) {
		return value, nil
	}
	var key strings.Builder
	for i := 1; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"' && i == len(value)-1:
			if key.Len() == 0 {
				return "", badRequest("%s is empty: leave it out for an event without a key", headerKey)
			}
			return key.String(), nil
		case c == '\\' && i+1 < len(value) && (value[i+1] == '"' || value[i+1] == '\\'):
			i++
			key.WriteByte(value[i])
		case c == '"' || c == '\\':
			return "", badRequest("%s is no string in quotes (RFC 9651 §3.3.3)", headerKey)
		default:
			key.WriteByte(c)
		}
	}
	return "", badRequest("%s has no quote at its end", headerKey)
}

func unescape(name, value string) (string, error) {
	s, err := url.PathUnescape(value)
	if err != nil {
		return "", badRequest("%s is not percent-encoded: write a percent sign as %%25", name)
	}
	return s, nil
}

// sequenceNumber reads the number of the first of n events of a source.
func sequenceNumber(value, source string, n int) (uint64, error) {
	switch {
	case value == "" && source == "":
		return 0, nil
	case value == "":
		return 0, badRequest("%s is needed beside %s", headerSequence, headerSource)
	case source == "":
		return 0, badRequest("%s is needed beside %s", headerSource, headerSequence)
	}
	first, err := parseNumber(headerSequence, value)
	if err == nil && first > 1<<63-1-uint64(n) {
		err = badRequest("%s is too large", headerSequence)
	}
	return first, err
}
