package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// newCustody returns an archive with the stream "people", of which all that can
// be taken is there, and where two custodians are needed.
func newCustody(t *testing.T, grace uint32) (*archive, StreamConfig) {
	a := newArchive(t)
	a.short("people", 7)
	a.short("day", 1)
	people := a.stream("people")
	people.Reason, people.Split = true, true
	a.set(people)
	if _, _, err := a.as("operator").SetCustody(t.Context(), CustodyConfig{Custodians: 2, Grace: grace}); err != nil {
		t.Fatal(err)
	}
	return a, people
}

func (a *archive) stream(name string) StreamConfig {
	a.t.Helper()
	for _, c := range a.l.Streams() {
		if c.Name == name {
			return c
		}
	}
	a.t.Fatalf("there is no stream %q", name)
	return StreamConfig{}
}

// set sets a stream, which takes nothing from it.
func (a *archive) set(c StreamConfig) {
	a.t.Helper()
	if index, requested, err := a.as("operator").SetStream(a.t.Context(), c); err != nil || requested || index == 0 {
		a.t.Fatalf("got %d, %v, %v, want that it is set", index, requested, err)
	}
}

// TestNobodyTakesFromAStreamAlone: where two custodians are needed, it is asked
// for and approved.
func TestNobodyTakesFromAStreamAlone(t *testing.T) {
	a, people := newCustody(t, 0)
	for name, take := range map[string]func(*StreamConfig){
		"a shorter class":       func(c *StreamConfig) { c.Class = "day" },
		"no reason":             func(c *StreamConfig) { c.Reason = false },
		"no parts":              func(c *StreamConfig) { c.Split = false },
		"a subject":             func(c *StreamConfig) { c.Fields, c.Split = c.Fields[1:], false },
		"a subject elsewhere":   func(c *StreamConfig) { c.Fields[0].Path = "nobody" },
		"a subject that is not": func(c *StreamConfig) { c.Fields[0].Subject, c.Split = false, false },
		"a field":               func(c *StreamConfig) { c.Fields = c.Fields[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			less := a.stream("people")
			take(&less)
			if taken, err := a.l.Weakens(less); err != nil || taken == "" {
				t.Errorf("it takes nothing, or cannot be: %v", err)
			}
			request, requested, err := a.as("carla").SetStream(t.Context(), less)
			if err != nil || !requested {
				t.Fatalf("got %d, %v, %v, want that it is requested", request, requested, err)
			}
			if got, want := fmt.Sprint(a.stream("people")), fmt.Sprint(people); got != want {
				t.Fatalf("the stream is %s before anybody approved, want %s", got, want)
			}
			if _, err := a.as("carla").Approve(t.Context(), request); err == nil {
				t.Error("who asked approved it")
			}
			if _, err := a.as("cato").Approve(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			if err := a.as("carla").AwaitDone(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			if got, want := a.stream("people").Fields, less.Fields; len(got) != len(want) || a.stream("people").Class != less.Class {
				t.Errorf("the stream is %+v, want %+v", a.stream("people"), less)
			}
			body := a.settingsOf(request)
			if body.Request != request || body.Stream == nil {
				t.Errorf("the settings entry says %+v, want the request %d", body, request)
			}
			a.give(people)
		})
	}
}

// give sets a stream, which may take something from it as well.
func (a *archive) give(c StreamConfig) {
	a.t.Helper()
	request, requested, err := a.as("carla").SetStream(a.t.Context(), c)
	if err == nil && requested {
		if _, err = a.as("cato").Approve(a.t.Context(), request); err == nil {
			err = a.as("cato").AwaitDone(a.t.Context(), request)
		}
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// settingsOf returns the settings entry that a request allowed.
func (a *archive) settingsOf(request uint64) proofs.SettingsBody {
	a.t.Helper()
	r, ok := a.l.retain.Request(request)
	if !ok || r.Used == 0 {
		a.t.Fatalf("request %d is %+v, want it used", request, r)
	}
	leaves, err := a.l.leaves(a.t.Context(), r.Used, r.Used+1)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := proofs.ParseLeaf(leaves[0])
	if err != nil {
		a.t.Fatal(err)
	}
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		a.t.Fatal(err)
	}
	return body
}

// TestWhatWasChangedSinceIsNotTakenBack: a request says all settings of a
// stream, and would undo what was set after it was made.
func TestWhatWasChangedSinceIsNotTakenBack(t *testing.T) {
	a, people := newCustody(t, 0)
	less := people
	less.Class = "day"
	request, _, err := a.as("carla").SetStream(t.Context(), less)
	if err != nil {
		t.Fatal(err)
	}
	people.Fields = append(people.Fields, FieldConfig{Name: "more", Path: "more"})
	a.set(people)
	if _, err := a.as("cato").Approve(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	var p *client.Problem
	r, _ := a.l.retain.Request(request)
	if err := a.l.doRequest(t.Context(), r); !errors.As(err, &p) || p.Code() != client.Invalid {
		t.Errorf("got %v, want that the stream was changed", err)
	}
	if got := a.stream("people"); got.Class != "people" || len(got.Fields) != 3 {
		t.Errorf("the stream is %+v", got)
	}
	if _, err := a.as("carla").Withdraw(t.Context(), request); err != nil {
		t.Error(err)
	}
}

// TestWhatIsAskedOfAStreamSurvivesARestart, and waits for its grace.
func TestWordsOfTheQueryLanguageAreNoNamesOfFields(t *testing.T) {
	l := newWorld(t).started()
	var p *client.Problem
	for _, name := range []string{"after", "before", "stream", "source", "time", "Or"} {
		_, err := operator(l).AddStream(t.Context(), StreamConfig{Name: "audit", Fields: []FieldConfig{{Name: "actor"}, {Name: name, Path: "$.at"}}})
		if !errors.As(err, &p) || p.Code() != client.BadRequest || p.Hint != "choose another name" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	old := []streamSettings{{Fields: []proofs.Field{{Number: 3, Name: "time", Path: "$.at"}}}}
	fields, err := numberFields([]FieldConfig{{Name: "time", Path: "$.at"}, {Name: "time", Path: "$.time"}}, old)
	if err != nil || len(fields) != 2 || fields[0].Number != 3 || fields[1].Number != 4 {
		t.Errorf("a stream that has such a field: got %v, %v", fields, err)
	}
}

func TestWhatIsAskedOfAStreamSurvivesARestart(t *testing.T) {
	a, people := newCustody(t, 3600)
	people.Class = "day"
	request, _, err := a.as("carla").SetStream(t.Context(), people)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.as("cato").Approve(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	a.restart()
	if got := a.stream("people").Class; got != "people" {
		t.Fatalf("the class is %q within the grace", got)
	}
	a.elapse(time.Hour)
	a.record(DefaultStream, "")
	a.l.closer.nudge()
	if err := a.as("carla").AwaitDone(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if got := a.stream("people").Class; got != "day" {
		t.Errorf("the class is %q, want what was asked for", got)
	}
}
