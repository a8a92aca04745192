package proofs_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairnlog/cairn/proofs"
)

type actVector struct {
	formatVerdict
	Act string `json:"act"`
}

func TestActVectors(t *testing.T) {
	for _, v := range readFormatVectors[actVector](t, "act") {
		t.Run(v.Name, func(t *testing.T) {
			a, err := proofs.ParseAct([]byte(v.Act))
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			if again, err := proofs.FormatAct(a); err != nil || string(again) != v.Act {
				t.Errorf("format: got %s, %v, want %s", again, err, v.Act)
			}
		})
	}
}

func TestFormatActRefusesWhatDoesNotParse(t *testing.T) {
	for name, change := range map[string]func(*proofs.Act){
		"no word":                         func(a *proofs.Act) { a.What = "" },
		"no outcome":                      func(a *proofs.Act) { a.Outcome = "" },
		"a name of 256 bytes":             func(a *proofs.Act) { a.Who = strings.Repeat("x", 256) },
		"a text that is not UTF-8":        func(a *proofs.Act) { a.Because = "\xff" },
		"runs that do not rise":           func(a *proofs.Act) { a.Entries = []proofs.Run{{First: 3, Last: 3}, {First: 1, Last: 1}} },
		"a run that ends before it began": func(a *proofs.Act) { a.Entries = []proofs.Run{{First: 3, Last: 2}} },
		"settings that are no JSON":       func(a *proofs.Act) { a.Settings = []byte(`{`) },
		"settings that are no object":     func(a *proofs.Act) { a.Settings = []byte(`"x"`) },
		"settings that are too long":      func(a *proofs.Act) { a.Settings = []byte(`{"x":"` + strings.Repeat("x", 1<<16) + `"}`) },
	} {
		a := proofs.Act{What: proofs.ActRead, Outcome: proofs.OutcomeDone}
		change(&a)
		if b, err := proofs.FormatAct(a); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %s, %v, want %v", name, b, err, proofs.ErrMalformed)
		}
	}
}

func TestEveryWordOfAnActIsOne(t *testing.T) {
	for _, word := range []string{
		proofs.ActRead, proofs.ActTail, proofs.ActHistory, proofs.ActExport, proofs.ActSearch, proofs.ActAppendConflict,
		proofs.ActStreamAdd, proofs.ActStreamSet, proofs.ActClassAdd, proofs.ActClassSet, proofs.ActLedgerSet,
		proofs.ActTokenIssue, proofs.ActTokenRevoke, proofs.ActHold, proofs.ActRelease, proofs.ActErase, proofs.ActExpire,
		proofs.ActApprove, proofs.ActWithdraw, proofs.ActStart, proofs.ActStop, proofs.ActRefused,
		proofs.ActIndexRebuild,
	} {
		if _, err := proofs.FormatAct(proofs.Act{What: word, Outcome: proofs.OutcomeDone}); err != nil {
			t.Errorf("%q: %v", word, err)
		}
	}
}

// Whatever somebody sends who is then refused, the refusal can be recorded.
func TestWhatFitsCanBeFormatted(t *testing.T) {
	runs := make([]proofs.Run, proofs.MaxActRuns)
	for i := range runs {
		at := 1<<63 + uint64(2*i)
		runs[i] = proofs.Run{First: at, Last: at}
	}
	for name, text := range map[string]string{
		"nothing":                       "",
		"a short text":                  "because",
		"a long text":                   strings.Repeat("x", 1<<20),
		"control characters":            strings.Repeat("\x00", 1<<20),
		"characters of four bytes":      strings.Repeat("😀", 1<<18),
		"bytes that are no characters":  strings.Repeat("\xf0x", 1<<18),
		"one byte more than a name has": strings.Repeat("é", 127) + "xx",
	} {
		a := proofs.Act{
			What: proofs.ActRefused, Who: text, Role: text, From: text, Because: text, Stream: text, Entries: runs, Results: 1<<64 - 1,
			Query: text, Subject: text, Object: text, Request: 1<<64 - 1, Outcome: proofs.OutcomeRefused, Detail: text,
		}
		b, err := proofs.FormatAct(a.Fit())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := proofs.ParseAct(b)
		if err != nil || !utf8.ValidString(got.Who) || len(got.Who) > 255 || len(got.Query) > 2048 || len(text) > 255 != strings.HasSuffix(got.Who, "…") {
			t.Errorf("%s: got %.300q, %v", name, got.Who, err)
		}
		if len(text) < 255 && got.Because != text {
			t.Errorf("%s: got %q, want it as it was", name, got.Because)
		}
	}
}

func FuzzAct(f *testing.F) {
	for _, v := range readFormatVectors[actVector](f, "act") {
		f.Add([]byte(v.Act))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := proofs.ParseAct(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := proofs.FormatAct(a); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %s, %v, want %s", again, err, b)
		}
	})
}
