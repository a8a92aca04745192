package main

import (
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func TestRetentionIsChangedAndShown(t *testing.T) {
	a := newArchive(t)
	a.wants(a.run("", command.Yes, "retention status"), `(?m)^people +month +30 +1 +3 +never$`, `\(the ledger's own\)`, "hint: nobody attests the time, so nothing expires")
	a.wants(a.run("", command.Yes, "retention status --json"), `"stream": "people",\s+"class": "month",\s+"days": 30`)
	a.wants(a.run("", command.Yes, "retention run"), "0 buckets have reached the age")
	a.wants(a.run("", command.Yes, "retention set month --days 60"), "class month keeps entries for 60 days")
	a.wants(a.run("", command.Misuse, "retention set month --days 1"), "nobody can be asked")
	a.wants(a.run("", command.Yes, "retention set month --days 1 --yes --json"), "keeps entries for 1 day", `"index": \d+`)
	a.wants(a.run("", command.Misuse, "retention set month"), "--days")
	a.wants(a.run("", command.No, "retention set nothing --days 1"), "there is no class")
	a.wants(a.run("", command.Yes, "retention list"), `(?m)^month +1 +day$`)
	a.run("", command.Yes, "hold add --stream people --reason r")
	a.wants(a.run("", command.Yes, "retention status"), `(?m)^people +month .* not before hold \d+ is over$`)
	operator := " --url " + a.url + " --token-file " + tokenOf(a, "operator")
	a.wants(a.run("", command.Yes, "retention status"+operator), `(?m)^people +month`)
	a.wants(a.run("", command.No, "hold list"+operator), "an operator may not read holds and erasures")
}
