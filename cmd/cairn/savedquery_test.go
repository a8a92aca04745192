package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func TestSavedQueriesStandWhereTheyAreNamed(t *testing.T) {
	s := savedQueries{filepath.Join(t.TempDir(), "queries")}
	for name, text := range map[string]string{"wed": "a or b", "7-days": "after:-7d"} {
		if _, err := s.save(name, text); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		"":                     "",
		"@wed":                 "(a or b)",
		"x @wed y":             "x (a or b) y",
		"-@wed (@wed) @7-days": "-(a or b) ((a or b)) (after:-7d)",
		"not @wed\tor @wed":    "not (a or b)\tor (a or b)",
		"alice@wed x@wed":      "alice@wed x@wed",
		`"@wed" f:"a "" @wed"`: `"@wed" f:"a "" @wed"`,
		`"open @wed`:           `"open @wed`,
		"@ @wed: @wed* @WED":   "@ @wed: @wed* @WED",
		"f:@wed f:(@wed)":      "f:@wed f:((a or b))",
	} {
		if got, err := s.expand(text); err != nil || got != want {
			t.Errorf("%s: got %q and error %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"@nosuch", "x (@nosuch)"} {
		if got, err := s.expand(text); !command.IsUsage(err) || !strings.Contains(command.HintOf(err), "7-days, wed") {
			t.Errorf("%s: got %q and error %v with the hint %q", text, got, err, command.HintOf(err))
		}
	}
}

func TestNamesOfSavedQueriesLeadNowhereElse(t *testing.T) {
	s := savedQueries{filepath.Join(t.TempDir(), "queries")}
	long := strings.Repeat("a", maxSavedName)
	for name, want := range map[string]bool{"a": true, "0-9": true, long: true, long + "a": false, "": false, ".": false, "../a": false, "a/b": false, "A": false, "ä": false, "a b": false, ".cairn-x": false} {
		if isSavedName(name) != want {
			t.Errorf("%q: got %v, want %v", name, !want, want)
		}
		if _, err := s.load(name); !want && !command.IsUsage(err) {
			t.Errorf("%q: got %v, want wrong usage", name, err)
		}
	}
	if names, err := s.names(); err != nil || names != nil {
		t.Errorf("before any is saved: got %q and error %v", names, err)
	}
	if _, err := s.save("mine", "x"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, ".cairn-left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if names, err := s.names(); err != nil || len(names) != 1 || names[0] != "mine" {
		t.Errorf("got %q and error %v, want mine alone", names, err)
	}
}
