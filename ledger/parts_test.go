package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/proofs"
)

// meetings are the settings of a stream whose events are about several people.
func meetings() StreamConfig {
	return StreamConfig{Name: "meetings", Split: true, Fields: []FieldConfig{
		{Name: "host", Path: "$.host.id", Subject: true},
		{Name: "guest", Path: "$.guests[*]", Subject: true},
		{Name: "mail", Path: "$.host.mail", About: "host"},
		{Name: "badge", About: "guest"},
		{Name: "room", Path: "$.room"},
	}}
}

// meeting is an event about alice, bob and carol.
func meeting(key string) client.Event {
	return client.Event{
		Data:           []byte("{ \"host\": {\"id\":\"ali\\u0063e\", \"mail\":\"a@example.com\"},\t\"guests\":[\"bob\",\"carol\"], \"room\":17.50 }\n"),
		IdempotencyKey: key, Signature: []byte("signed"), Fields: []proofs.GivenField{{Name: "badge", Value: []byte("B7")}},
	}
}

// splitWorld returns a ledger with the stream of meetings.
func splitWorld(t testing.TB) (*world, *Ledger) {
	t.Helper()
	w := newWorld(t)
	l := w.started()
	if _, err := operator(l).AddStream(context.Background(), meetings()); err != nil {
		t.Fatal(err)
	}
	return w, l
}

// puncture destroys the keys of a subject, and does nothing else of what
// belongs to an erasure.
func (w *world) puncture(l *Ledger, stream, subject string) {
	w.t.Helper()
	settings, _ := l.state.streamNamed(stream)
	keys, err := l.keys.subject(settings.Body.Stream, subject)
	if err == nil {
		path := keytree.Subject(settings.Body.Stream, keytree.Handle(keys.ref))
		err = w.secrets.Tree.Puncture(func([]byte) error { return nil }, path)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	l.keys.forget()
}

// send appends events to a stream, and returns what is answered.
func send(t testing.TB, l *Ledger, stream string, events ...client.Event) []client.Appended {
	t.Helper()
	got, err := l.As(Caller{Name: "app"}).Append(context.Background(), stream, events, client.Integrated)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// read returns an entry, checked against its leaf.
func read(t testing.TB, l *Ledger, index uint64) (*client.Entry, proofs.Part) {
	t.Helper()
	e, err := l.As(Caller{Name: "reader"}).Entry(context.Background(), index)
	if err != nil {
		t.Fatalf("entry %d: %v", index, err)
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err == nil {
		err = e.Disclosure.Check(leaf)
	}
	p, errPayload := e.Disclosure.Payload()
	if err != nil || errPayload != nil {
		t.Fatalf("entry %d: %v, %v", index, err, errPayload)
	}
	return e, p
}

// subjectsOfParts returns whom each part that is shown concerns; "-" stands for one
// that is not.
func subjectsOfParts(t testing.TB, d *proofs.Disclosure) (all []string) {
	t.Helper()
	for _, p := range d.Parts {
		if !p.Shown() {
			all = append(all, "-")
			continue
		}
		part, err := p.Part()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Join(part.Subjects, "+"))
	}
	return all
}

func TestEventIsSealedInPartsByWhomItConcerns(t *testing.T) {
	_, l := splitWorld(t)
	ev := meeting("k")
	a := send(t, l, "meetings", ev)[0]
	if err := client.CheckAppended(ev, a); err != nil {
		t.Error(err)
	}
	e, p := read(t, l, a.Index)
	want := []string{"", "alice", "bob", "carol", "bob+carol", "alice+bob+carol"}
	if got := subjectsOfParts(t, e.Disclosure); !slices.Equal(got, want) {
		t.Errorf("got parts about %q, want %q", got, want)
	}
	if !bytes.Equal(p.Data, ev.Data) || p.IdempotencyKey != "k" || string(p.Signature) != "signed" || !reflect.DeepEqual(p.Fields, ev.Fields) || p.Appender != "app" {
		t.Errorf("got %+v, want the event as it was sent", p)
	}
	if len(e.Disclosure.Tags) != 5 || len(e.Reasons) != 0 { // room; alice with her mail; bob; carol; the badge of both
		t.Errorf("got %d lists of tags and reasons %v, want 5 and none", len(e.Disclosure.Tags), e.Reasons)
	}
	// Nothing of what a subject's key closes is in what no key of a subject closes.
	if first := e.Disclosure.Parts[0].Data; !bytes.Equal(first, []byte("{ \"host\": {\"id\":null, \"mail\":null},\t\"guests\":[null,null], \"room\":17.50 }\n")) {
		t.Errorf("the first part is %q", first)
	}
}

func TestWhoIsErasedTakesOnlyTheirPartsAlong(t *testing.T) {
	w, l := splitWorld(t)
	all := send(t, l, "meetings", meeting("k"), client.Event{Data: []byte(`{"host":{"id":"bob"},"room":1}`)})
	w.puncture(l, "meetings", "alice")
	e, p := read(t, l, all[0].Index)
	if want := []string{"", "-", "bob", "carol", "bob+carol", "-"}; !slices.Equal(subjectsOfParts(t, e.Disclosure), want) {
		t.Errorf("got parts about %q, want %q", subjectsOfParts(t, e.Disclosure), want)
	}
	want := "{ \"host\": {\"id\":null, \"mail\":null},\t\"guests\":[\"bob\",\"carol\"], \"room\":17.50 }\n"
	if string(p.Data) != want || len(p.Gaps) != 2 || p.IdempotencyKey != "" || len(p.Signature) > 0 || len(p.Fields) != 1 {
		t.Errorf("got %+v, want %q with two gaps and the badge, without key and signature", p, want)
	}
	if e.Disclosure.CoversT() { // her tags are sealed, the record is not scrubbed, and nobody can open them
		t.Error("tags are shown that nobody can hold to T")
	}
	if e, p := read(t, l, all[1].Index); !e.Disclosure.CoversT() || len(p.Gaps) != 0 {
		t.Errorf("an event that she is not in: got %+v, want all of it", p)
	}
	for _, name := range []string{"bob", "carol"} {
		w.puncture(l, "meetings", name)
	}
	_, p = read(t, l, all[0].Index)
	if want := "{ \"host\": {\"id\":null, \"mail\":null},\t\"guests\":[null,null], \"room\":17.50 }\n"; string(p.Data) != want || len(p.Gaps) != 4 {
		t.Errorf("when all are erased: got %q, want %q", p.Data, want)
	}
	if got := send(t, l, "meetings", meeting("later"))[0]; got.Err != nil {
		t.Fatal(got.Err)
	} else if _, p := read(t, l, got.Index); len(p.Gaps) != 0 {
		t.Error("what comes later is closed too")
	}
}

func TestEventOfWhichNoPartIsLeftIsGone(t *testing.T) {
	w, l := splitWorld(t)
	named := meeting("k")
	named.Subjects = []string{"dave"}
	text := client.Event{Data: []byte("bob let alice in"), MediaType: "text/plain", Fields: []proofs.GivenField{{Name: "host", Value: []byte("bob")}, {Name: "guest", Value: []byte("alice")}}}
	all := send(t, l, "meetings", named, text)
	if e, _ := read(t, l, all[1].Index); !slices.Equal(subjectsOfParts(t, e.Disclosure), []string{"bob+alice"}) {
		t.Errorf("a text is sealed in parts about %q, want one", subjectsOfParts(t, e.Disclosure))
	}
	if e, _ := read(t, l, all[0].Index); subjectsOfParts(t, e.Disclosure)[0] != "dave" {
		t.Errorf("got parts about %q, want all about dave", subjectsOfParts(t, e.Disclosure))
	}
	w.puncture(l, "meetings", "dave")
	w.puncture(l, "meetings", "bob")
	for i, a := range all {
		_, err := l.As(Caller{Name: "reader"}).Entry(t.Context(), a.Index)
		var p *client.Problem
		if !errors.As(err, &p) || p.Code() != client.Gone {
			t.Errorf("entry %d: got %v, want that it is gone", i, err)
		}
	}
}

func TestTagsAboutSomebodyAreClosedInAStreamOfWholeEventsToo(t *testing.T) {
	w, l := splitWorld(t)
	whole := meetings()
	whole.Split = false
	if _, _, err := operator(l).SetStream(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	a := send(t, l, "meetings", meeting("k"))[0]
	e, _ := read(t, l, a.Index)
	if got := subjectsOfParts(t, e.Disclosure); !slices.Equal(got, []string{"alice+bob+carol"}) {
		t.Errorf("got parts about %q, want one about all", got)
	}
	stored, err := l.stored(t.Context(), a.Index)
	if err != nil {
		t.Fatal(err)
	}
	record, err := proofs.ParseRecord(stored.record)
	if err != nil {
		t.Fatal(err)
	}
	w.puncture(l, "meetings", "alice")
	b, _ := l.state.bucketNumbered(stored.leaf.Bucket)
	keys, err := l.keys.bucket(b.Path)
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for i, list := range record.Tags {
		if _, _, err := proofs.OpenTags(list.Sealed, i, record.ID, &keys.tags, l.keys.tagKeys(stored.leaf.Stream)); err == nil {
			open++
		} else if !errors.Is(err, errDestroyed) {
			t.Errorf("list %d: %v", i, err)
		}
	}
	if open != len(record.Tags)-1 {
		t.Errorf("%d of %d lists of tags open, want all but alice's, with her mail", open, len(record.Tags))
	}
}

func TestEventThatIsTooLargeInPartsIsRefused(t *testing.T) {
	w := newWorld(t)
	w.create()
	c := w.config()
	c.Limits.Payload = 40 << 10
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// What is about the many is in a part with each of the others, under all names again.
	if _, err := operator(l).AddStream(t.Context(), StreamConfig{Name: "crowd", Split: true, Fields: []FieldConfig{
		{Name: "many", Path: "$.many[*]", Subject: true}, {Name: "one", Path: "$.one[*].id", Subject: true}, {Name: "about", Path: "$.one[*]", About: "many"},
	}}); err != nil {
		t.Fatal(err)
	}
	crowd := func(size int) client.Event {
		var many, one []string
		for i := range 15 {
			many = append(many, fmt.Sprintf("%q", fmt.Sprint(i, strings.Repeat("x", size))))
			one = append(one, fmt.Sprintf(`{"id":%q}`, fmt.Sprint("one", i)))
		}
		return client.Event{Data: fmt.Appendf(nil, `{"many":[%s],"one":[%s]}`, strings.Join(many, ","), strings.Join(one, ","))}
	}
	got := send(t, l, "crowd", crowd(100), crowd(1000))
	if got[0].Err != nil || got[1].Err == nil || got[1].Err.Code() != client.TooLarge || got[1].Err.Hint == "" {
		t.Errorf("got %v and %v, want only the second refused as too large", got[0].Err, got[1].Err)
	}
}

func TestErasureLeavesWhatOthersArePartOf(t *testing.T) {
	a := newArchive(t)
	if _, err := a.as("operator").AddStream(t.Context(), meetings()); err != nil {
		t.Fatal(err)
	}
	index := a.appendAll("meetings", []client.Event{meeting("k")})[0].Index
	plan, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "meetings", Subject: "alice", Reason: "she asked"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the erasure is done", func() bool { return len(a.l.retain.Open()) == 0 })
	for range 2 {
		e, p := read(t, a.l, index)
		if len(p.Gaps) != 2 || !slices.Equal(e.Reasons, []uint64{plan.Announced}) {
			t.Errorf("got %d gaps for the reasons %v, want 2 for entry %d", len(p.Gaps), e.Reasons, plan.Announced)
		}
		hidden := 0
		for _, list := range e.Disclosure.Tags {
			if !list.Shown() {
				hidden++
			}
		}
		if hidden != 1 || !e.Disclosure.CoversT() {
			t.Errorf("%d lists of tags are hidden, want alice's, and the others held to T with her commitments", hidden)
		}
		a.restart()
	}
}
