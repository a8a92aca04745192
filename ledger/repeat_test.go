package ledger

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func TestRepeatOfAnEventInPartsIsComparedByteForByte(t *testing.T) {
	_, l := splitWorld(t)
	first := send(t, l, "meetings", meeting("k"))[0]
	again := send(t, l, "meetings", meeting("k"), meeting("k"))
	for _, a := range again {
		if a.Err != nil || !a.Duplicate || a.Uncompared || a.Index != first.Index {
			t.Fatalf("got %+v, want entry %d again, compared", a, first.Index)
		}
		if err := client.CheckAppended(meeting("k"), a); err != nil {
			t.Error(err)
		}
	}
	for i := range meeting("k").Data {
		changed := meeting("k")
		changed.Data = bytes.Clone(changed.Data)
		changed.Data[i] ^= 1
		if a := send(t, l, "meetings", changed)[0]; a.Err == nil || a.Err.Code() != client.Conflict && a.Err.Code() != client.Invalid {
			t.Errorf("with byte %d changed: got %+v, want a conflict", i, a)
		}
	}
	for name, change := range map[string]func(*client.Event){
		"another subject": func(e *client.Event) { e.Subjects = []string{"alice"} }, // whom not all of it concerns
		"another badge":   func(e *client.Event) { e.Fields = []proofs.GivenField{{Name: "badge", Value: []byte("B8")}} },
		"no signature":    func(e *client.Event) { e.Signature = nil },
	} {
		changed := meeting("k")
		change(&changed)
		if a := send(t, l, "meetings", changed)[0]; a.Err == nil || a.Err.Code() != client.Conflict {
			t.Errorf("%s: got %+v, want a conflict", name, a)
		}
	}
}

// A stream may have sealed whole events then, and not now, or the other way.
func TestRepeatIsRecognisedHoweverItIsSealed(t *testing.T) {
	_, l := splitWorld(t)
	settings := meetings()
	for _, split := range []bool{true, false, true} {
		settings.Split = split
		if _, _, err := operator(l).SetStream(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
		if a := send(t, l, "meetings", meeting("in parts"), meeting("whole")); !split && (!a[0].Duplicate || a[1].Err != nil) {
			t.Errorf("got %+v and %+v, want entries again", a[0], a[1])
		}
	}
	for _, key := range []string{"in parts", "whole"} {
		if a := send(t, l, "meetings", meeting(key))[0]; a.Err != nil || !a.Duplicate || a.Uncompared {
			t.Errorf("%s: got %+v, want a repeat", key, a)
		}
	}
}

// What is left of an erased event is still compared, and for the rest the
// ledger says that it cannot tell: it never acknowledges another event in
// silence (law 9).
func TestRepeatOfAnErasedEventIsRecognisedAndSaidNotToBeCompared(t *testing.T) {
	w, l := splitWorld(t)
	sent := meeting("k")
	sent.Source, sent.Sequence = "door", 3
	sent.Fields = append([]proofs.GivenField{{Name: "room", Value: []byte("cellar")}}, sent.Fields...)
	first := send(t, l, "meetings", sent)[0]
	w.puncture(l, "meetings", "alice")
	replace := func(old, new string) func(*client.Event) {
		return func(e *client.Event) { e.Data = bytes.Replace(e.Data, []byte(old), []byte(new), 1) }
	}
	tests := []struct {
		name   string
		change func(*client.Event)
		same   bool
	}{
		{"the same", func(*client.Event) {}, true},
		{"another value in place of what is erased", replace("ali\\u0063e", "mallory"), true},
		{"another kind of value there", replace(`"a@example.com"`, `{"of": ["a","b"]}`), true},
		{"another signature, which is erased", func(e *client.Event) { e.Signature = []byte("other") }, true},
		{"another value of another person", replace("bob", "rob"), false},
		{"another value that concerns nobody", replace("17.50", "17.5"), false},
		{"a byte more", func(e *client.Event) { e.Data = append(bytes.Clone(e.Data), ' ') }, false},
		{"space before what is erased", replace(`"ali`, ` "ali`), false},
		{"given fields in another order", func(e *client.Event) { e.Fields = []proofs.GivenField{sent.Fields[1], sent.Fields[0]} }, false},
		{"a given field more, which may be erased", func(e *client.Event) {
			e.Fields = append(slices.Clone(sent.Fields), proofs.GivenField{Name: "host", Value: []byte("alice")})
		}, true},
		{"no given field", func(e *client.Event) { e.Fields = nil }, false},
		{"another media type", func(e *client.Event) { e.MediaType = "application/problem+json" }, false},
		{"another sequence number", func(e *client.Event) { e.Sequence = 4 }, false},
		{"without its number", func(e *client.Event) { e.Source, e.Sequence = "", 0 }, false},
		{"another key, which is erased, and was not recorded", func(e *client.Event) { e.IdempotencyKey = "other" }, false},
		{"a subject more", func(e *client.Event) { e.Subjects = []string{"dave"} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			again := sent
			tt.change(&again)
			a := send(t, l, "meetings", again)[0]
			switch {
			case !tt.same && (a.Err == nil || a.Err.Code() != client.Conflict):
				t.Errorf("got %+v, want a conflict", a)
			case tt.same && (a.Err != nil || !a.Duplicate || !a.Uncompared || a.Index != first.Index):
				t.Errorf("got %+v, want a repeat that is not compared", a)
			case tt.same:
				if err := client.CheckAppended(again, a); err == nil || !strings.Contains(err.Error(), "part 1 of 6") {
					t.Errorf("its writer got %v, want that a part is not shown", err)
				}
			}
		})
	}
}

func TestRepeatOfAnEventThatIsGone(t *testing.T) {
	w, l := splitWorld(t)
	sent := meeting("k")
	sent.Subjects, sent.Source, sent.Sequence = []string{"dave"}, "door", 3
	first := send(t, l, "meetings", sent)[0]
	w.puncture(l, "meetings", "dave")
	eventually(t, "it is in the index", func() bool { return l.indexed.Load() > first.Index })
	for name, change := range map[string]func(*client.Event){
		"the same":                func(*client.Event) {},
		"other bytes":             func(e *client.Event) { e.Data = []byte("1") },
		"without its key":         func(e *client.Event) { e.IdempotencyKey = "" },
		"another key":             func(e *client.Event) { e.IdempotencyKey = "other" },
		"another sequence number": func(e *client.Event) { e.Sequence = 4 },
		"no source":               func(e *client.Event) { e.Source, e.Sequence = "", 0 },
	} {
		again := sent
		change(&again)
		same := name == "the same" || name == "other bytes" || name == "without its key" // the rest is in the leaf or the index
		a := send(t, l, "meetings", again)[0]
		if got := a.Err == nil && a.Duplicate && a.Uncompared && a.Index == first.Index && a.Disclosure == nil; got != same {
			t.Errorf("%s: got %+v, want a repeat: %v", name, a, same)
		}
	}
	if _, err := l.As(Caller{Name: "reader"}).Entry(context.Background(), first.Index); err == nil {
		t.Error("the payload is there")
	}
}
