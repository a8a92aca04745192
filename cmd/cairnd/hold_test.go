package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func TestAHoldKeepsWhatItsFlagsSay(t *testing.T) {
	a := newArchive(t)
	of := func(i int) string { return fmt.Sprint(a.indices[i]) }
	a.wants(a.run("", command.Yes, "hold add --stream people --subject alice --reason r"), `hold \d+ keeps 2 entries: `+of(0)+`.*`+of(1))
	a.wants(a.run("alice\n", command.Yes, "hold add --stream people --subject-file - --field n=1 --reason r"), `keeps 1 entry: `+of(1)+`\n`)
	a.wants(a.run("", command.Yes, "hold add --stream people --field n=2 --entries 1,3-4 --reason r"), `keeps 4 entries: 1, 3-4, `+of(2)+`\n`)
	a.wants(a.run("", command.Yes, "hold add --stream people --reason r"), `keeps all of stream people\n`)
	a.wants(a.run("", command.Yes, "hold add --stream people --subject nobody --reason r"), `keeps nothing\n`, `hint: .*cairnd hold release \d+`)
	a.wants(a.run("", command.Yes, "status --json"), `"holds": \[(\s+\d+,){4}\s+\d+\s+\]`)
	for line, want := range map[string]string{
		"hold add --stream people":                                         "--reason",
		"hold add --reason r":                                              "--stream or --entries",
		"hold add --subject alice --reason r":                              "--stream or --entries",
		"hold add --stream people --field n --reason r":                    `"n" is not NAME=VALUE`,
		"hold add --stream people --field colour=r --reason r":             `declares no field "colour"`,
		"hold add --entries 5-4 --reason r":                                "is not an index or two",
		"hold add --entries 4000000 --reason r":                            "there are no entries 4000000",
		"hold add --stream people --entries 1 --reason r":                  "a stream alone is held whole",
		"hold release x --reason r --yes":                                  "not the index of an entry",
		"hold release 1 --reason r":                                        "nobody can be asked here",
		"hold add --stream people --reason r --subject a --subject-file b": "one of them",
		"hold add --stream people --reason r --subject-file -":             "names nobody",
	} {
		a.wants(a.run("", command.Misuse, line), want)
	}
	a.wants(a.run("", command.No, "hold add --stream nowhere --reason r"), `there is no stream "nowhere"`, "hint: .*cairnd stream list")
	a.wants(a.run("", command.No, "hold release 1 --reason r --yes"), "there is no hold 1\n", "hint: .*cairnd hold list")
	a.wants(a.run("", command.No, "request approve 1 --yes"), "entry 1 asks for nothing\n", "hint: .*cairnd request list")
}

func TestEntriesAreGivenAndShownAsRuns(t *testing.T) {
	for text, want := range map[string]string{"7": "7", "1-3,5,9-9": "1-3, 5, 9", "3-1": "", "5,5": "5", "5,4": "4-5", "7-9,1,3-8": "1, 3-9", "2-9,4": "2-9", "x": "", "": "", "1-": "", "-1": ""} {
		runs, err := parseRuns([]string{text})
		if got := describeRuns(runs); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	runs, err := parseRuns(strings.Fields("1 3 5 7 9 11 13 15 17-20 30"))
	if got := describeRuns(runs); err != nil || got != "1, 3, 5, 7, 9, 11, 13, 15 and 5 more" {
		t.Errorf("got %q, %v", got, err)
	}
}
