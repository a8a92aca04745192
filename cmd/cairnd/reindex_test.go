package main

import (
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

func TestTheSearchIndexIsBuiltAnew(t *testing.T) {
	a := newArchive(t)
	a.wants(a.run("", command.Yes, "reindex --reason 'ticket 42'"), `^the search index is built: 0 events at rest in 0 files, 0\.0 MB\n$`)
	a.wants(a.run("", command.Yes, "status"), `(?m)^search +the index has (all that is published|\d+ of \d+ entries); 0 events at rest`, "it was begun anew since the start: somebody had that done")
	a.wants(a.run("", command.Yes, "reindex --json"), `"next": \d+,\s+"missing": 0,\s+"documents": 0,\s+"files": 0,\s+"outlines": 0,\s+"bytes": 0,\s+"anew": "somebody had that done"`)
	a.wants(a.run("", command.Yes, "reindex --no-wait"), "see how far it is with: cairnd status")
	a.wants(a.run("", command.Yes, "status --json"), `"search": \{\s+"next": \d+`)
}

func TestALedgerWithoutIndexIsToldToGetOne(t *testing.T) {
	dir := t.TempDir() + "/ledger"
	serveConfig(t, dir, "[search]\noff = true\n[listen]\naddress = \"127.0.0.1:0\"\n")
	status, _, talk := cairnd(t, "reindex", "--dir", dir)
	if status != command.No || !strings.Contains(talk, "the ledger keeps no search index") || !strings.Contains(talk, "hint: have it keep one, by the table search of cairn.toml") {
		t.Errorf("got exit status %d, %s", status, talk)
	}
	if _, out, _ := cairnd(t, "status", "--dir", dir); !strings.Contains(out, "there is no index\n") {
		t.Errorf("got %s", out)
	}
}

func TestTheStatusSaysHowFarTheIndexHasCome(t *testing.T) {
	for want, i := range map[string]ledger.IndexInfo{
		"all that is published": {Next: 500},
		"499 of 500 entries":    {Next: 499},
		"all that is published, but for 1 part that is built again": {Next: 501, Missing: 1},
		"4 of 500 entries, but for 2 parts that are built again":    {Next: 4, Missing: 2},
	} {
		if got := describeIndex(i, 500); got != want {
			t.Errorf("%+v: got %q, want %q", i, got, want)
		}
	}
}
