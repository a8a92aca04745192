package client

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestEventsAreReadAsTheyWereWritten(t *testing.T) {
	events := []Event{
		{},
		{Data: []byte(`{"a":1}`)},
		{Data: []byte{0, 255}, MediaType: "text/plain", IdempotencyKey: "k\xff", Class: "long", Signature: []byte{1}},
		{Data: []byte("x"), Source: "s", Sequence: 1<<64 - 1, Subjects: []string{"a", strings.Repeat("b", 1024)}},
		{Data: []byte("x"), Fields: []proofs.GivenField{{Name: "f", Value: []byte("v")}, {Name: "g"}}},
	}
	var body []byte
	for i := range events {
		var p *Problem
		if body, p = AppendEvent(body, &events[i]); p != nil {
			t.Fatal(p)
		}
	}
	for i := range events {
		var got Event
		var err error
		if got, body, err = CutEvent(body); err != nil || !reflect.DeepEqual(got, events[i]) {
			t.Errorf("got %+v and error %v, want %+v", got, err, events[i])
		}
	}
	if len(body) > 0 {
		t.Errorf("%d bytes are left", len(body))
	}
}

func TestEventsThatCannotBeWrittenAreRefused(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	many := make([]string, 100)
	for i := range many {
		many[i] = long(1000)
	}
	tests := []struct {
		name  string
		event Event
		want  ProblemCode
	}{
		{"media type", Event{MediaType: long(256)}, Invalid},
		{"idempotency key", Event{IdempotencyKey: long(1025)}, Invalid},
		{"source", Event{Source: long(256)}, Invalid},
		{"class", Event{Class: long(256)}, Invalid},
		{"empty subject", Event{Subjects: []string{""}}, Invalid},
		{"subject", Event{Subjects: []string{long(1025)}}, Invalid},
		{"all subjects", Event{Subjects: many}, Invalid},
		{"empty field name", Event{Fields: []proofs.GivenField{{}}}, Invalid},
		{"field value", Event{Fields: []proofs.GivenField{{Name: "f", Value: make([]byte, 4097)}}}, Invalid},
		{"signature", Event{Signature: make([]byte, 65536)}, Invalid},
		{"data", Event{Data: make([]byte, proofs.MaxPartData+1)}, TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := []byte("before")
			b, p := AppendEvent(before, &tt.event)
			if p == nil || p.Code() != tt.want || !bytes.Equal(b, before) {
				t.Errorf("got %d bytes and problem %v, want %q and nothing written", len(b), p, tt.want)
			}
		})
	}
}

func TestCutEventReadsNothingElse(t *testing.T) {
	good, p := AppendEvent(nil, &Event{Data: []byte("data"), Subjects: []string{"s"}})
	if p != nil {
		t.Fatal(p)
	}
	for n := range good {
		if ev, _, err := CutEvent(good[:n]); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("cut off after %d bytes: got %+v and error %v, want ErrMalformed", n, ev, err)
		}
	}
	for name, change := range map[string]func([]byte){
		"another version":           func(b []byte) { b[0] = 2 },
		"a number without a source": func(b []byte) { b[12] = 1 },
		"a huge length":             func(b []byte) { copy(b[len(b)-8:], "\xff\xff\xff\xff") },
	} {
		b := bytes.Clone(good)
		change(b)
		if ev, _, err := CutEvent(b); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %+v and error %v, want ErrMalformed", name, ev, err)
		}
	}
}

func FuzzCutEvent(f *testing.F) {
	for _, ev := range []Event{{}, {Data: []byte("{}"), Source: "s", Sequence: 1, Subjects: []string{"a"}}, {Fields: []proofs.GivenField{{Name: "f"}}, Signature: []byte{1}}} {
		b, p := AppendEvent(nil, &ev)
		if p != nil {
			f.Fatal(p)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ev, rest, err := CutEvent(b)
		if err != nil {
			return
		}
		again, p := AppendEvent(nil, &ev)
		if p != nil || !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("%x is written again as %x, problem %v", b, again, p)
		}
	})
}
