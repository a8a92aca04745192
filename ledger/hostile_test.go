package ledger

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoSettingsStopTheLedger sets streams, classes and custody as a hostile
// operator would: each is refused, or is there also after a start.
func TestNoSettingsStopTheLedger(t *testing.T) {
	a := newArchive(t)
	texts := []string{"", "a<b>&c", "a\xffb", "a\u2028b", "a\x00b", `a"b\c`, "é", strings.Repeat("x", 300), strings.Repeat("x", 70000), "$['a<b']", "$.a", "a.b", "$['a\u2028']"}
	n := 0
	for _, name := range texts {
		for _, path := range texts {
			for _, about := range []string{"", name, "other"} {
				n++
				c := StreamConfig{Name: fmt.Sprint("s", n), Fields: []FieldConfig{{Name: name, Path: path, Subject: about != "", About: ""}, {Name: "b", Path: path, About: about}}, Split: about != ""}
				_, err := a.as("operator").AddStream(t.Context(), c)
				if err == nil && n%3 == 0 {
					c.Name = fmt.Sprint("s", n)
					c.Closed = true
					if _, _, err := a.as("operator").SetStream(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
			}
		}
		_, _ = a.as("operator").AddStream(t.Context(), StreamConfig{Name: name})
		_, _ = a.as("operator").AddClass(t.Context(), ClassConfig{Name: name, Days: 1<<32 - 1, Period: "day"})
		_, _, _ = a.as("operator").SetClass(t.Context(), ClassConfig{Name: name, Days: 1, Period: "month"})
		_, _ = a.as(name).AddClass(t.Context(), ClassConfig{Name: fmt.Sprint("c", n), Days: 1})
		_, _ = a.as(name).Hold(t.Context(), HoldConfig{Stream: "default", Reason: name, Fields: map[string]string{name: name}})
		_, _ = a.as(name).Erase(t.Context(), Erasure{Stream: "default", Subject: name, Reason: name})
	}
	var fields []FieldConfig
	for i := range 3000 {
		fields = append(fields, FieldConfig{Name: fmt.Sprint("field-", i), Path: fmt.Sprint("$.f", i)})
	}
	for _, size := range []int{100, 1000, 3000} {
		if _, err := a.as("operator").AddStream(t.Context(), StreamConfig{Name: fmt.Sprint("wide", size), Fields: fields[:size]}); err == nil {
			t.Errorf("%d fields are taken", size)
		}
	}
	if err := a.l.Stopped(); err != nil {
		t.Fatal(err)
	}
	streams := len(a.l.Streams())
	a.restart()
	if len(a.l.Streams()) != streams {
		t.Error("streams were lost")
	}
}

// TestTheGraceIsBounded: a grace that one operator sets holds also for those who
// want to take it back.
func TestTheGraceIsBounded(t *testing.T) {
	a := newArchive(t)
	if _, _, err := a.as("operator").SetCustody(t.Context(), CustodyConfig{Custodians: 2, Grace: 1<<32 - 1}); err == nil {
		t.Error("nothing can be erased for 136 years")
	}
	if _, _, err := a.as("operator").SetCustody(t.Context(), CustodyConfig{Custodians: 2, Grace: MaxGrace}); err != nil {
		t.Error(err)
	}
}
