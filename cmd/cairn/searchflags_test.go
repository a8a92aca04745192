package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// modeOf returns what search does with flags and arguments.
func modeOf(t *testing.T, args string) (searchMode, error) {
	t.Helper()
	var o searchFlags
	f := pflag.NewFlagSet("search", pflag.ContinueOnError)
	o.declare(f)
	if err := f.Parse(strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	return o.mode(f)
}

func TestFlagsSayWhatSearchDoes(t *testing.T) {
	for args, want := range map[string]searchMode{
		"": searchEvents, "a": searchEvents, "--limit 0 --oldest --csv": searchEvents, "--count=false --complete=false a": searchEvents,
		"--proofs=false --json": searchEvents, "-o file a": searchEvents, "-o ./a:b": searchEvents, "--cursor 0 --oldest": searchEvents,
		"--count": searchCounts, "--facet a --top 3": searchCounts, "--histogram day --json": searchCounts,
		"--complete --now a": searchComplete, "--complete --table=false": searchComplete,
		"--saved": searchSaving, "--save a b": searchSaving, "--forget a": searchSaving,
	} {
		if got, err := modeOf(t, args); err != nil || got != want {
			t.Errorf("%s: got %q and error %v, want %q", args, got, err, want)
		}
	}
}

func TestFlagsThatDoNotGoTogetherAreRefused(t *testing.T) {
	for args, want := range map[string]string{
		"--now":                          "--now goes with --complete",
		"--top 5":                        "--top goes with --count, --facet or --histogram",
		"--complete --csv":               "--csv does not go with --complete",
		"--complete --limit 5":           "--limit does not go with --complete",
		"--complete --facet a":           "--facet does not go with --complete",
		"--complete --count --payload":   "--count prints no events, and --payload prints them: choose one",
		"--complete --oldest":            "--oldest does not go with --complete",
		"--count --limit 5":              "--limit does not go with --count, --facet or --histogram",
		"--count --proofs=false":         "--proofs does not go with --count, --facet or --histogram",
		"--count --top 5":                "--top goes with --facet",
		"--saved --stream a":             "--stream does not go with --save, --saved or --forget",
		"--saved --save a":               "--save, --saved and --forget are three commands: choose one",
		"--save a --forget b":            "--save, --saved and --forget are three commands: choose one",
		"--save A":                       "a saved query has a name of up to 64 of the characters a-z, 0-9 and -",
		"--forget=":                      "a saved query has a name of up to 64 of the characters a-z, 0-9 and -",
		"--csv --json":                   "--table, --csv and --json are three ways to print: choose one",
		"--receipts":                     "--receipts goes with --json",
		"--proofs=false --columns=a":     "without --proofs no event is read: there are indices alone",
		"--json --columns=a":             "--json prints whole events: --columns are for tables and --csv",
		"-outcome:denied":                "-o utcome:denied would be a file",
		"--limit=-1":                     "--limit is 1 or more, or 0 for all",
		"--cursor 0":                     "before the entry 0 there is nothing to go on to",
		"--facet a --top 0":              "--top is from 1 to 10000",
		"--facet a --top 10001":          "--top is from 1 to 10000",
		"--histogram second":             "--histogram is of each minute, hour, day, week, month or year",
		"--complete -o -":                "the standard output has the answer: give --output a file for the proof",
		strings.Repeat("--facet a ", 17): "at most 16 fields are counted at once",
	} {
		if _, err := modeOf(t, args); !command.IsUsage(err) || err.Error() != want {
			t.Errorf("%s: got %v, want %q", args, err, want)
		}
	}
}
