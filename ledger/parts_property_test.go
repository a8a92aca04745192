package ledger

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// people are whom random events are about.
var people = [...]string{"alice", "bob", "carol", "Zoë", "x"}

// A jsonMaker makes random JSON, spelled in every way that there is.
type jsonMaker struct {
	*rand.Rand
	b bytes.Buffer
}

func (m *jsonMaker) event() []byte {
	m.b.Reset()
	m.value(0)
	return bytes.Clone(m.b.Bytes())
}

func (m *jsonMaker) space() {
	for m.IntN(4) == 0 {
		m.b.WriteByte(" \t\r\n"[m.IntN(4)])
	}
}

func (m *jsonMaker) value(depth int) {
	m.space()
	defer m.space()
	kind := m.IntN(8)
	if depth == 0 {
		kind = 6 + kind%2
	}
	switch {
	case kind == 6 && depth < 4:
		m.list('{', '}', func(i int) {
			fmt.Fprintf(&m.b, `"%c"`, "abcd"[i])
			m.space()
			m.b.WriteByte(':')
			m.value(depth + 1)
		})
	case kind == 7 && depth < 4:
		m.list('[', ']', func(int) { m.value(depth + 1) })
	case kind < 4:
		m.text(people[m.IntN(len(people))])
	default:
		m.b.WriteString([]string{"null", "true", "0", "-1.50e+1", "17", `""`, `"\ud83d\ude00\n"`}[m.IntN(7)])
	}
}

func (m *jsonMaker) list(open, end byte, item func(i int)) {
	m.b.WriteByte(open)
	n := m.IntN(5)
	for i := range n {
		if i > 0 {
			m.b.WriteByte(',')
		}
		m.space()
		item(i)
		m.space()
	}
	m.b.WriteByte(end)
}

// text writes a string, some of it escaped.
func (m *jsonMaker) text(s string) {
	m.b.WriteByte('"')
	for _, r := range s {
		if m.IntN(3) == 0 {
			fmt.Fprintf(&m.b, `\u%04x`, r)
		} else {
			m.b.WriteRune(r)
		}
	}
	m.b.WriteByte('"')
}

// fields makes random fields: some name people, and some are about those.
func (m *jsonMaker) fields() (fields []FieldConfig) {
	paths := []string{"$.a", "$.b", "$.c[*]", "$.a.b", "$[*].a", "$.b[*].c", "$.d", "$", "$[*]", "$.a[0]", "$.c.d[*]", ""}
	m.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	for i, path := range paths[:2+m.IntN(8)] {
		f := FieldConfig{Name: fmt.Sprintf("f%d", i), Path: path, Subject: i == 0 || m.IntN(2) == 0}
		if i > 0 && m.IntN(2) == 0 {
			f.About = "f0"
		}
		fields = append(fields, f)
	}
	return fields
}

// given makes random values of a stream's fields that are not in an event.
func (m *jsonMaker) given(fields []FieldConfig) (given []proofs.GivenField) {
	for m.IntN(2) == 0 {
		given = append(given, proofs.GivenField{Name: fields[m.IntN(len(fields))].Name, Value: []byte(people[m.IntN(len(people))])})
	}
	return given
}

// events makes random events of a stream.
func (m *jsonMaker) events(stream string, fields []FieldConfig) (events []client.Event) {
	for i := range 30 {
		e := client.Event{Data: m.event(), IdempotencyKey: fmt.Sprint(stream, i), Fields: m.given(fields)}
		if m.IntN(3) == 0 {
			e.Signature = []byte("a signature")
		}
		if m.IntN(4) == 0 {
			e.Subjects = []string{people[m.IntN(len(people))]}
		}
		events = append(events, e)
	}
	return events
}

// TestWhatArrivesIsWhatIsKeptInParts is law 9 where events are sealed in parts:
// whatever the fields of a stream, every byte of an event can be read again and
// was checked by its writer; and when somebody is erased, all is left but what
// is about them.
func TestWhatArrivesIsWhatIsKeptInParts(t *testing.T) {
	m := &jsonMaker{Rand: rand.New(rand.NewPCG(20, 26))}
	w := newWorld(t)
	l := w.started()
	divided := 0
	for round := range 12 {
		stream := fmt.Sprintf("s%d", round)
		fields := m.fields()
		if _, err := operator(l).AddStream(t.Context(), StreamConfig{Name: stream, Split: true, Fields: fields}); err != nil {
			t.Fatal(err)
		}
		events := m.events(stream, fields)
		answers := send(t, l, stream, events...)
		for i, a := range answers {
			if a.Err != nil {
				t.Fatalf("%s: %v", events[i].Data, a.Err)
			}
			if len(keptWhole(t, l, fields, events[i], a).Disclosure.Parts) > 1 {
				divided++
			}
		}
		erased := people[m.IntN(len(people))]
		w.puncture(l, stream, erased)
		for i, a := range answers {
			leftOf(t, l, a, events[i], erased)
		}
	}
	if divided < 100 {
		t.Errorf("only %d events were divided", divided)
	}
}

// keptWhole reads an event again and compares it with what was sent.
func keptWhole(t *testing.T, l *Ledger, fields []FieldConfig, sent client.Event, a client.Appended) *client.Entry {
	t.Helper()
	if err := client.CheckAppended(sent, a); err != nil {
		t.Errorf("%s: %v", sent.Data, err)
	}
	e, p := read(t, l, a.Index)
	same := func(x, y proofs.GivenField) bool { return x.Name == y.Name && bytes.Equal(x.Value, y.Value) }
	if !bytes.Equal(p.Data, sent.Data) || len(p.Gaps) != 0 || !bytes.Equal(p.Signature, sent.Signature) || p.IdempotencyKey != sent.IdempotencyKey || !slices.EqualFunc(p.Fields, sent.Fields, same) {
		t.Errorf("got %+v, want %+v", p, sent)
	}
	if err := checkTags(l, e, p); err != nil {
		t.Errorf("%s with fields %+v: %v", sent.Data, fields, err)
	}
	return e
}

// checkTags computes the tags of an entry again from its payload.
func checkTags(l *Ledger, e *client.Entry, p proofs.Part) error {
	settings, _ := l.state.streamNamed(e.Stream)
	values, err := proofs.ExtractFields(p.Data, settings.Fields)
	if err != nil {
		return err
	}
	for _, g := range p.Fields {
		f, _ := settings.field(g.Name)
		values = append(values, proofs.FieldValue{Number: f.Number, Value: g.Value})
	}
	keys := make(map[uint16]proofs.Key256)
	for number, key := range e.FieldKeys {
		keys[number] = proofs.Key256(key)
	}
	return e.Disclosure.CheckFields(values, keys)
}

// leftOf reads what is left of an event when somebody is erased: the parts
// that are about them are closed, and no other, and what their fields name is
// nowhere.
func leftOf(t *testing.T, l *Ledger, a client.Appended, sent client.Event, erased string) {
	t.Helper()
	var concerned []bool
	all := true
	for i := range a.Disclosure.Parts {
		p, err := a.Disclosure.Parts[i].Part()
		if err != nil {
			t.Fatal(err)
		}
		concerned = append(concerned, slices.Contains(p.Subjects, erased))
		all = all && concerned[i]
	}
	e, err := l.As(Caller{Name: "reader"}).Entry(context.Background(), a.Index)
	if all {
		if err == nil {
			t.Errorf("%s: all is about %s, and can be read", sent.Data, erased)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", sent.Data, err)
	}
	_, p := read(t, l, a.Index)
	for i, part := range e.Disclosure.Parts {
		if part.Shown() == concerned[i] {
			t.Errorf("%s: part %d is shown: %v; it is about %s: %v", sent.Data, i, part.Shown(), erased, concerned[i])
		}
	}
	settings, _ := l.state.streamNamed(e.Stream)
	values, err := proofs.ExtractFields(p.Data, settings.Fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if v.Subject && string(v.Value) == erased {
			t.Errorf("%s: what is left names %s: %s", sent.Data, erased, p.Data)
		}
	}
	if !slices.Contains(concerned, true) && !bytes.Equal(p.Data, sent.Data) {
		t.Errorf("%s: it does not concern %s, and is %s", sent.Data, erased, p.Data)
	}
}

// FuzzEventInParts appends any event to a stream that seals it in parts: it is
// kept to the byte, or refused.
func FuzzEventInParts(f *testing.F) {
	f.Add(meeting("").Data, "$.guests[*]", "$.host")
	f.Add([]byte(`[[null,"","a"],{"a":["b",{"b":"c"}]}]`), "$[*]", "$[1].a")
	f.Add([]byte(strings.Repeat(`[`, 40)+strings.Repeat(`]`, 40)), "$", "$[0]")
	l := newWorld(f).started()
	streams := 0
	f.Fuzz(func(t *testing.T, data []byte, subject, about string) {
		streams++
		stream := fmt.Sprintf("s%d", streams)
		fields := []FieldConfig{{Name: "subject", Path: subject, Subject: true}, {Name: "about", Path: about, About: "subject"}}
		if _, err := operator(l).AddStream(context.Background(), StreamConfig{Name: stream, Split: true, Fields: fields}); err != nil {
			return // a path that is none
		}
		sent := client.Event{Data: data}
		a := send(t, l, stream, sent)[0]
		if a.Err == nil {
			keptWhole(t, l, fields, sent, a)
		} else if a.Err.Code() != client.Invalid && a.Err.Code() != client.TooLarge {
			t.Errorf("%q: %v", data, a.Err)
		}
	})
}
