package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// An actPrinter prints acts: as lines of JSON, or for people as a table whose
// columns are aligned over many rows.
type actPrinter struct {
	p     *program
	json  bool
	count int
	rows  int
	table command.Table
}

// maxRows is how many rows are aligned with each other.
const maxRows = 1000

func (o *actPrinter) print(r client.RecordedAct) error {
	o.count++
	if o.json {
		return o.p.printJSON(formatJSON(actLine{r.Index, formatMicros(r.Time), r.Kind, asksFor(r), r.Act}, ""))
	}
	if o.rows == 0 {
		o.table = command.NewTable(o.p.Stdout)
	}
	if o.count == 1 {
		o.table.Row("ENTRY", "TIME", "WHO", "ROLE", "FROM", "WHAT", "ABOUT", "OUTCOME", "REASON")
	}
	o.table.Row(actRow(r)...)
	if o.rows++; o.rows < maxRows {
		return nil
	}
	return o.flush()
}

// flush prints the rows that wait.
func (o *actPrinter) flush() error {
	if o.rows == 0 {
		return nil
	}
	o.rows = 0
	return o.table.Flush()
}

// An actLine is an act as JSON. All of it was verified.
type actLine struct {
	Index uint64 `json:"index"`
	Time  string `json:"time"`
	Kind  string `json:"kind"`

	// Requested says that the act is asked for and not done: it takes two custodians.
	Requested bool       `json:"requested,omitempty"`
	Act       proofs.Act `json:"act"`
}

// asksFor reports whether an act only asks for what another custodian has to
// approve, as the leaf of its entry says.
func asksFor(r client.RecordedAct) bool {
	leaf, err := proofs.ParseLeaf(r.Leaf)
	if err != nil || leaf.Kind != proofs.Administration {
		return false
	}
	body, err := proofs.ParseAdministration(leaf.Control)
	return err == nil && body.Request != nil
}

func actRow(r client.RecordedAct) []string {
	a := r.Act
	outcome := a.Outcome
	if asksFor(r) {
		outcome = "requested"
	}
	if a.Detail != "" {
		outcome += ": " + a.Detail
	}
	who := a.Who
	if who == "" {
		who = "the ledger"
	}
	cells := []string{fmt.Sprint(r.Index), time.UnixMicro(int64(r.Time)).UTC().Format(time.RFC3339), who, a.Role, a.From, a.What, aboutOf(a), outcome, a.Because}
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "-"
		}
	}
	return cells
}

// aboutOf says what an act was about.
func aboutOf(a proofs.Act) string {
	var words []string
	add := func(format string, value any, given bool) {
		if given {
			words = append(words, fmt.Sprintf(format, value))
		}
	}
	add("%s", entriesOf(a.Entries), len(a.Entries) > 0)
	if len(a.Entries) > 0 {
		add("of %s", a.Stream, a.Stream != "")
	} else {
		add("stream %s", a.Stream, a.Stream != "")
	}
	add("%s", a.Object, a.Object != "")
	add("subject %s", a.Subject, a.Subject != "")
	query := a.Query
	if a.Subject != "" { // which says whom
		query = strings.TrimSpace(strings.TrimPrefix(query, "a subject"))
	}
	add("where %s", query, query != "")
	add("as entry %d asks", a.Request, a.Request != 0)
	add("%d attempts", a.Results, a.What == proofs.ActRefused && a.Results > 0)
	return strings.Join(words, " ")
}

// maxRuns is how many runs of entries are named.
const maxRuns = 6

// entriesOf names entries: "entry 5", "entries 5-9, 12".
func entriesOf(runs []proofs.Run) string {
	if len(runs) == 1 && runs[0].First == runs[0].Last {
		return fmt.Sprintf("entry %d", runs[0].First)
	}
	var names []string
	count := uint64(0)
	for i, run := range runs {
		count += run.Last - run.First + 1
		switch {
		case i >= maxRuns:
		case run.First == run.Last:
			names = append(names, fmt.Sprint(run.First))
		default:
			names = append(names, fmt.Sprintf("%d-%d", run.First, run.Last))
		}
	}
	text := "entries " + strings.Join(names, ", ")
	if len(runs) > maxRuns {
		text += fmt.Sprintf(" and more, %d in all", count)
	}
	return text
}
