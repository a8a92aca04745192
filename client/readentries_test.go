package client

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestListsOfEntries(t *testing.T) {
	for s, want := range map[string][]proofs.Run{
		"0":                    {{}},
		"4102,4711-4713":       {{First: 4102, Last: 4102}, {First: 4711, Last: 4713}},
		"18446744073709551615": {{First: 1<<64 - 1, Last: 1<<64 - 1}},
	} {
		if got, err := ParseRuns(s); err != nil || !slices.Equal(got, want) || FormatRuns(want) != s {
			t.Errorf("%q: got %v, %v and %q", s, got, err, FormatRuns(want))
		}
	}
	for _, s := range []string{"", ",", "1,", "01", "+1", "1-", "-1", "1-1", "1--2", "1 ", "18446744073709551616", "1-2-3", "x"} {
		if got, err := ParseRuns(s); err == nil {
			t.Errorf("%q is read as %v", s, got)
		}
	}
}

func FuzzParseRuns(f *testing.F) {
	f.Add("4102,4711-4713")
	f.Fuzz(func(t *testing.T, s string) {
		if runs, err := ParseRuns(s); err == nil && FormatRuns(runs) != s {
			t.Errorf("%q is written as %q", s, FormatRuns(runs))
		}
	})
}
