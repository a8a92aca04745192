package client

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func readStream(text string, limit int) (events []serverEvent, err error) {
	s := newEventStream(strings.NewReader(text), func() {})
	s.limit = limit
	for {
		ev, err := s.next()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, ev)
	}
}

func TestEventStreamReadsBlocks(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []serverEvent
	}{
		{"an event with all its fields", "id: 7\nevent: entry\ndata: {}\n\n", []serverEvent{{id: "7", hasID: true, name: "entry", data: []byte("{}")}}},
		{"lines may end in CR LF", "id: 7\r\ndata: x\r\n\r\n", []serverEvent{{id: "7", hasID: true, data: []byte("x")}}},
		{"lines of data are joined", "data: a\ndata: b\n\n", []serverEvent{{data: []byte("a\nb")}}},
		{"only one space belongs to the syntax", "data:  a\ndata:b\n\n", []serverEvent{{data: []byte(" a\nb")}}},
		{"empty data is data", "data\n\n", []serverEvent{{data: []byte{}}}},
		{"comments alone are no event", ": keep-alive\n\n: keep-alive\n\ndata: x\n\n", []serverEvent{{data: []byte("x")}}},
		{"an ID alone moves the place", "id: 9\n\n", []serverEvent{{id: "9", hasID: true}}},
		{"an ID with a null byte is ignored", "id: 9\x00\ndata: x\n\n", []serverEvent{{data: []byte("x")}}},
		{"unknown fields are ignored", "retry: 100\nfoo: bar\ndata: x\n\n", []serverEvent{{data: []byte("x")}}},
		{"a block that was cut off is dropped", "data: x\n\nid: 8\ndata: y\n", []serverEvent{{data: []byte("x")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readStream(tt.stream, 1000)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v and error %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestEventStreamIsBounded(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	if _, err := readStream("data: "+long+"\n\n", 100<<10); !errors.Is(err, errServerEvent) {
		t.Errorf("a long line: got error %v, want %v", err, errServerEvent)
	}
	if _, err := readStream(strings.Repeat("data: "+long[:1000]+"\n", 200), 100<<10); !errors.Is(err, errServerEvent) {
		t.Errorf("many lines: got error %v, want %v", err, errServerEvent)
	}
	if got, err := readStream("data: "+long+"\n\n", 300<<10); err != nil || len(got) != 1 || string(got[0].data) != long {
		t.Errorf("a line within the bound: got %d events and error %v", len(got), err)
	}
	if _, err := readStream("data: a\rid: 1\n\n", 1000); !errors.Is(err, errServerEvent) {
		t.Errorf("a carriage return within a line: got error %v, want %v", err, errServerEvent)
	}
}

func FuzzEventStream(f *testing.F) {
	f.Add("id: 7\nevent: entry\ndata: {}\n\n: c\n\nid: 8\n\n")
	f.Add("data: a\r\ndata: b\r\n\r\n")
	f.Fuzz(func(t *testing.T, stream string) {
		events, err := readStream(stream, 4096)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, ev := range events {
			if ev.hasID {
				again.WriteString("id: " + ev.id + "\n")
			}
			if ev.name != "" {
				again.WriteString("event: " + ev.name + "\n")
			}
			if ev.data != nil {
				again.WriteString("data: " + strings.ReplaceAll(string(ev.data), "\n", "\ndata: ") + "\n")
			}
			if !ev.hasID && ev.name == "" && ev.data == nil {
				again.WriteString("event:\n")
			}
			again.WriteString("\n")
		}
		got, err := readStream(again.String(), 1<<20)
		if err != nil || !reflect.DeepEqual(got, events) {
			t.Errorf("stream %q: events %+v read again as %+v with error %v", stream, events, got, err)
		}
	})
}
