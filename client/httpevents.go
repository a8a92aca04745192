package client

import (
	"encoding/binary"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// EventsMediaType is the media type of the body in which [HTTP] sends events.
// It carries all that an [Event] can have, in the presentation language of
// RFC 8446 §3:
//
//	struct {
//	    uint8  version = 1;
//	    opaque media_type<0..255>;
//	    opaque idempotency_key<0..1024>;
//	    opaque source<0..255>;
//	    uint64 sequence;                /* 0 where there is no source */
//	    opaque class<0..255>;
//	    opaque subjects<0..65535>;      /* each: opaque subject<1..1024> */
//	    opaque fields<0..65535>;        /* each: opaque name<1..255>; opaque value<0..4096> */
//	    opaque signature<0..65535>;
//	    opaque data<0..2^24-1-2^20>;    /* length in four bytes */
//	} Event;
//
// and a body is one Event after the other.
const EventsMediaType = "application/vnd.cairn.events"

const eventVersion = 1

// eventBounds are the largest sizes of an event's parts in bytes.
const (
	maxEventName   = 255 // media type, source, class, name of a field
	maxEventKey    = 1024
	maxSubject     = 1024
	maxFieldValue  = 4096
	maxEventVector = 65535 // all subjects, all fields, the signature
)

// AppendEvent appends an event as [EventsMediaType] has it. An event that
// cannot be written so is [Invalid] or [TooLarge].
func AppendEvent(b []byte, ev *Event) ([]byte, *Problem) {
	w := eventWriter{b: append(b, eventVersion)}
	w.vector("media type", 1, maxEventName, []byte(ev.MediaType))
	w.vector("idempotency key", 2, maxEventKey, []byte(ev.IdempotencyKey))
	w.vector("source", 1, maxEventName, []byte(ev.Source))
	sequence := ev.Sequence
	if ev.Source == "" {
		sequence = 0 // it is nobody's count
	}
	w.b = binary.BigEndian.AppendUint64(w.b, sequence)
	w.vector("class", 1, maxEventName, []byte(ev.Class))
	w.list("subjects", func() {
		for _, s := range ev.Subjects {
			w.nonempty("subject", len(s))
			w.vector("subject", 2, maxSubject, []byte(s))
		}
	})
	w.list("fields", func() {
		for _, f := range ev.Fields {
			w.nonempty("field name", len(f.Name))
			w.vector("field name", 1, maxEventName, []byte(f.Name))
			w.vector("field value", 2, maxFieldValue, f.Value)
		}
	})
	w.vector("signature", 2, maxEventVector, ev.Signature)
	if len(ev.Data) > proofs.MaxPartData {
		return b, NewProblem(TooLarge, fmt.Sprintf("the event has %d bytes, and no ledger takes more than %d", len(ev.Data), proofs.MaxPartData), "")
	}
	w.vector("data", 4, proofs.MaxPartData, ev.Data)
	if w.err != nil {
		return b, w.err
	}
	return w.b, nil
}

// An eventWriter appends to b; the first error sticks.
type eventWriter struct {
	b   []byte
	err *Problem
}

func (w *eventWriter) fail(format string, args ...any) {
	if w.err == nil {
		w.err = NewProblem(Invalid, fmt.Sprintf(format, args...), "")
	}
}

// vector appends the length of v in width bytes, and v.
func (w *eventWriter) vector(name string, width, most int, v []byte) {
	if len(v) > most {
		w.fail("%s of %d bytes is longer than %d", name, len(v), most)
		return
	}
	w.b = appendLength(w.b, width, len(v))
	w.b = append(w.b, v...)
}

func (w *eventWriter) nonempty(name string, n int) {
	if n == 0 {
		w.fail("a %s is empty", name)
	}
}

// list appends the length of what items appends in two bytes, and that.
func (w *eventWriter) list(name string, items func()) {
	at := len(w.b)
	w.b = append(w.b, 0, 0)
	items()
	n := len(w.b) - at - 2
	if n > maxEventVector {
		w.fail("%s of %d bytes are more than %d", name, n, maxEventVector)
		return
	}
	binary.BigEndian.PutUint16(w.b[at:], uint16(n))
}

func appendLength(b []byte, width, n int) []byte {
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// CutEvent reads the first event of a body and returns the rest. It reads
// what [AppendEvent] writes and nothing else; its errors match
// [proofs.ErrMalformed]. The event's bytes alias b.
func CutEvent(b []byte) (ev Event, rest []byte, err error) {
	r := eventReader{rest: b}
	if v := r.take("version", 1); r.err == nil && v[0] != eventVersion {
		r.fail("version %d is not %d", v[0], eventVersion)
	}
	ev.MediaType = string(r.vector("media type", 1, maxEventName))
	ev.IdempotencyKey = string(r.vector("idempotency key", 2, maxEventKey))
	ev.Source = string(r.vector("source", 1, maxEventName))
	if n := r.take("sequence", 8); r.err == nil {
		ev.Sequence = binary.BigEndian.Uint64(n)
	}
	if ev.Source == "" && ev.Sequence != 0 {
		r.fail("a sequence number without a source")
	}
	ev.Class = string(r.vector("class", 1, maxEventName))
	r.list("subjects", func(in *eventReader) {
		ev.Subjects = append(ev.Subjects, string(in.nonempty("subject", 2, maxSubject)))
	})
	r.list("fields", func(in *eventReader) {
		name := string(in.nonempty("field name", 1, maxEventName))
		ev.Fields = append(ev.Fields, proofs.GivenField{Name: name, Value: in.vector("field value", 2, maxFieldValue)})
	})
	ev.Signature = r.vector("signature", 2, maxEventVector)
	ev.Data = r.vector("data", 4, proofs.MaxPartData)
	return ev, r.rest, r.err
}

// An eventReader consumes bytes from the front; the first error sticks.
type eventReader struct {
	rest []byte
	err  error
}

func (r *eventReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: event: %s", proofs.ErrMalformed, fmt.Sprintf(format, args...))
	}
}

func (r *eventReader) take(name string, n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.fail("%s is cut off", name)
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *eventReader) vector(name string, width, most int) []byte {
	var n uint64
	for _, c := range r.take(name, width) {
		n = n<<8 | uint64(c)
	}
	if n > uint64(most) {
		r.fail("%s of %d bytes is longer than %d", name, n, most)
	}
	if n == 0 || r.err != nil {
		return nil
	}
	return r.take(name, int(n))
}

func (r *eventReader) nonempty(name string, width, most int) []byte {
	b := r.vector(name, width, most)
	if len(b) == 0 {
		r.fail("a %s is empty", name)
	}
	return b
}

// list reads items until the vector that holds them is empty.
func (r *eventReader) list(name string, item func(*eventReader)) {
	in := eventReader{rest: r.vector(name, 2, maxEventVector)}
	for len(in.rest) > 0 && in.err == nil {
		item(&in)
	}
	if in.err != nil && r.err == nil {
		r.err = in.err
	}
}
