package main

import (
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

func TestPruningIsSetAndShown(t *testing.T) {
	a := newArchive(t)
	a.wants(a.run("", command.Yes, "prune"), `(?m)^pruned +never$`, `(?m)^minimum index +0$`, `(?m)^closed +nothing; the rest is behind what is kept of stream people$`)
	a.wants(a.run("", command.Misuse, "prune set"), "hint|--days")
	a.wants(a.run("", command.Misuse, "prune set --days 30"), "nobody can be asked here")
	a.wants(a.run("", command.Yes, "prune set --days 30 --yes --reason 'data protection'"), "public entries are pruned when all before has been closed for 30 days")
	a.wants(a.run("", command.Yes, "prune --json"), `"days": 30,\s+"minimum": 0,\s+"closed": 0,\s+"stream": "people"`)
	a.wants(a.run("", command.Yes, "prune set --days 31 --json"), `"index": \d+`)
	a.run("", command.Yes, "custody set --custodians 2")
	asked := a.index(a.run("", command.Yes, "prune set --days 1 --yes"), `requested in entry (\d+)`)
	a.wants(a.run("", command.Yes, "request list"), asked+" +prune public entries when all before has been closed for 1 day ")
	a.wants(a.run("", command.Yes, "prune set --days 0"), "nothing more is pruned")
}

func TestWhatKeepsPruningFromGoingFurther(t *testing.T) {
	for want, info := range map[string]ledger.PruningInfo{
		"nothing":               {},
		"all entries below 512": {Closed: 512},
		"all entries below 512; the rest is behind what hold 9 keeps":             {Closed: 512, Hold: 9},
		"nothing, while what entry 7 announced is under way":                      {Closing: 7},
		"all entries below 256; the rest is behind what is kept of stream people": {Closed: 256, Stream: "people"},
	} {
		if got := describeClosed(info); got != want {
			t.Errorf("%+v: got %q, want %q", info, got, want)
		}
	}
}
