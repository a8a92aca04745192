package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A serverEvent is one block of a stream of server-sent events (WHATWG HTML,
// 9.2). A block that only has an ID moves the place to resume from.
type serverEvent struct {
	id    string
	hasID bool
	name  string // empty: "message"
	data  []byte // lines joined by line feeds
}

// maxServerEvent bounds one event of a stream in bytes: the largest entry in
// base64, with room for what surrounds it.
const maxServerEvent = 32 << 20

var errServerEvent = errors.New("server-sent events: the stream is malformed")

// An eventStream reads server-sent events. It is stricter than browsers are:
// lines end in LF or CR LF, and an unfinished block at the end is dropped.
type eventStream struct {
	r     *bufio.Reader
	limit int    // bytes of one block
	alive func() // called after every line
}

func newEventStream(r io.Reader, alive func()) *eventStream {
	return &eventStream{r: bufio.NewReaderSize(r, 64<<10), limit: maxServerEvent, alive: alive}
}

// next returns the next block that holds more than comments. At the end of
// the stream it returns io.EOF.
func (s *eventStream) next() (ev serverEvent, err error) {
	left, some := s.limit, false
	for {
		line, err := s.line(left)
		if err != nil {
			return ev, err
		}
		left -= len(line)
		switch {
		case len(line) > 0:
			some = ev.take(line) || some
		case some:
			return ev, nil
		default:
			left = s.limit
		}
	}
}

// take adds a line to the event and reports whether it was a field of it.
func (ev *serverEvent) take(line []byte) bool {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if ev.data != nil {
			ev.data = append(ev.data, '\n')
		}
		ev.data = append(ev.data, value...)
		if ev.data == nil {
			ev.data = []byte{}
		}
	case "id":
		if bytes.IndexByte(value, 0) >= 0 {
			return false // as the specification has it
		}
		ev.id, ev.hasID = string(value), true
	case "event":
		ev.name = string(value)
	default:
		return false // a comment, or a field of another version
	}
	return true
}

// line returns the next line without its end. It is valid until the next call.
func (s *eventStream) line(left int) ([]byte, error) {
	var long []byte
	for {
		part, err := s.r.ReadSlice('\n')
		if len(long)+len(part) > left+2 {
			return nil, fmt.Errorf("%w: an event is larger than %d bytes", errServerEvent, s.limit)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if err != nil {
			return nil, err
		}
		s.alive()
		if long != nil {
			part = append(long, part...)
		}
		part = bytes.TrimSuffix(part[:len(part)-1], []byte("\r"))
		if bytes.IndexByte(part, '\r') >= 0 {
			return nil, fmt.Errorf("%w: a carriage return within a line", errServerEvent)
		}
		return part, nil
	}
}
