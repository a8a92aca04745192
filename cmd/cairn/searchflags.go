package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

type searchFlags struct {
	stream       string
	first, end   uint64
	since, until string
	json         bool
	out          string

	// Of events.
	limit      int
	oldest     bool
	cursor     uint64
	goesOn     bool // the cursor was given
	table, csv bool
	columns    []string
	proofs     bool
	receipts   bool

	// Of counting.
	count  bool
	facets []string
	top    int
	every  string

	// Of proofs.
	complete  bool
	now       bool
	payload   bool
	recompute bool
	vouchFlags

	// Of saved queries.
	save, forget string
	saved        bool
}

// declare declares the flags of search.
func (o *searchFlags) declare(f *pflag.FlagSet) {
	f.StringVar(&o.stream, "stream", "", "search in the stream `NAME`; default, with --complete, if the query names none either")
	f.Uint64Var(&o.first, "first", 0, "search from the entry `INDEX` on")
	f.Uint64Var(&o.end, "end", 0, "search below the entry `INDEX`; 0: there is no bound")
	f.StringVar(&o.since, "since", "", "search what was recorded at `TIME` or later: a date, a time, or how long ago")
	f.StringVar(&o.until, "until", "", "search what was recorded before `TIME`")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each event")
	f.StringVarP(&o.out, "output", "o", "", "`FILE` to write; with --complete, to keep the proof in")

	f.IntVar(&o.limit, "limit", 50, "print at most `N` events; 0: all")
	f.BoolVar(&o.oldest, "oldest", false, "print the oldest first")
	f.Uint64Var(&o.cursor, "cursor", 0, "go on from an earlier page, at the `INDEX` that it said")
	f.BoolVar(&o.table, "table", false, "print aligned columns, as on a terminal")
	f.BoolVar(&o.csv, "csv", false, "print comma-separated values, which no spreadsheet takes for formulas")
	f.StringSliceVar(&o.columns, "columns", nil, "`NAME,...` of the columns: fields, JSON paths, index, time, stream, source, appender or payload")
	f.BoolVar(&o.proofs, "proofs", true, "read and verify the events; --proofs=false: print their indices alone")
	f.BoolVar(&o.receipts, "receipts", false, "with --json: add the receipts, for cairn verify")

	f.BoolVar(&o.count, "count", false, "print how many events there are, with --complete without them")
	f.StringArrayVar(&o.facets, "facet", nil, "count the values of the field `NAME`; may be repeated")
	f.IntVar(&o.top, "top", 10, "with --facet: print at most `N` values, those that most events have")
	f.StringVar(&o.every, "histogram", "", "count the events of each `STEP` of the ledger's time: minute, hour, day, week, month or year")

	f.BoolVar(&o.complete, "complete", false, "prove that the answer is complete")
	f.BoolVar(&o.now, "now", false, "with --complete: look through the entries behind the last directory too, one by one")
	f.BoolVar(&o.payload, "payload", false, "with --complete: read the events, verify them, and print their payloads too")

	f.BoolVar(&o.recompute, "recompute", false, "with --complete: make the directories again here, of the tags of all entries in them")

	o.vouchFlags.declare(f)

	f.StringVar(&o.save, "save", "", "save the query as `NAME`; @NAME stands for it from then on")
	f.BoolVar(&o.saved, "saved", false, "list the saved queries")
	f.StringVar(&o.forget, "forget", "", "forget the saved query `NAME`")
}

// A searchMode is what search does.
type searchMode string

const (
	searchEvents   searchMode = "a search for events"
	searchCounts   searchMode = "--count, --facet or --histogram"
	searchComplete searchMode = "--complete"
	searchSaving   searchMode = "--save, --saved or --forget"
)

// takes returns the flags that a mode takes, beside those of every command.
func (m searchMode) takes() []string {
	where := []string{"stream", "first", "end", "since", "until", "reason", "json", "output"}
	switch m {
	case searchEvents:
		return append(where, "limit", "oldest", "cursor", "table", "csv", "columns", "proofs", "receipts")
	case searchCounts:
		return append(where, "count", "facet", "top", "histogram", "table")
	case searchComplete:
		return append(where, "complete", "count", "now", "payload", "recompute", "attestation", "auditor", "require-audited")
	}
	return []string{"save", "saved", "forget", "json"}
}

// mode returns what search shall do, and checks that the flags which were given go
// together.
func (o *searchFlags) mode(given *pflag.FlagSet) (searchMode, error) {
	mode := searchEvents
	changed := func(name string) bool { return given.Lookup(name).Changed }
	switch {
	case changed("save"), changed("saved"), changed("forget"):
		mode = searchSaving
	case o.complete:
		mode = searchComplete
	case o.count, len(o.facets) > 0, o.every != "":
		mode = searchCounts
	}
	var err error
	given.VisitAll(func(f *pflag.Flag) {
		off := f.Name != "proofs" && f.Value.String() == "false"
		if err == nil && f.Changed && !off && !slices.Contains(mode.takes(), f.Name) {
			err = o.misplaced(f.Name, mode)
		}
	})
	if err != nil {
		return mode, err
	}
	o.goesOn = changed("cursor")
	return mode, o.check(mode, changed)
}

// misplaced says where a flag belongs.
func (o *searchFlags) misplaced(flag string, mode searchMode) error {
	if mode == searchEvents {
		for _, other := range []searchMode{searchCounts, searchComplete} {
			if slices.Contains(other.takes(), flag) {
				return command.Usage("--%s goes with %s", flag, other)
			}
		}
	}
	return command.Usage("--%s does not go with %s", flag, mode)
}

// check checks the flags of a mode.
func (o *searchFlags) check(mode searchMode, changed func(string) bool) error {
	formats := 0
	for _, is := range []bool{o.table, o.csv, o.json} {
		if is {
			formats++
		}
	}
	switch {
	case formats > 1:
		return command.Usage("--table, --csv and --json are three ways to print: choose one")
	case changed("save") && !isSavedName(o.save), changed("forget") && !isSavedName(o.forget):
		return command.Usage("a saved query has a name of up to %d of the characters a-z, 0-9 and -", maxSavedName)
	case changed("save") && changed("forget"), o.saved && (changed("save") || changed("forget")):
		return command.Usage("--save, --saved and --forget are three commands: choose one")
	case strings.ContainsAny(o.out, ":<>") && !strings.ContainsAny(o.out, `/\`):
		return command.Hinted(command.Usage("-o %s would be a file", o.out),
			"to exclude what fits o%[1]s, write not o%[1]s, or -- before the query; for a file of that name write ./%[1]s", o.out)
	case o.limit < 0:
		return command.Usage("--limit is 1 or more, or 0 for all")
	case o.goesOn && o.cursor == 0 && !o.oldest:
		return command.Usage("before the entry 0 there is nothing to go on to")
	case o.receipts && !o.json:
		return command.Usage("--receipts goes with --json")
	case !o.proofs && (o.receipts || len(o.columns) > 0):
		return command.Usage("without --proofs no event is read: there are indices alone")
	case len(o.columns) > 0 && o.json:
		return command.Usage("--json prints whole events: --columns are for tables and --csv")
	case changed("top") && len(o.facets) == 0:
		return command.Usage("--top goes with --facet")
	case o.top < 1 || o.top > client.MaxTop:
		return command.Usage("--top is from 1 to %d", client.MaxTop)
	case len(o.facets) > client.MaxFacets:
		return command.Usage("at most %d fields are counted at once", client.MaxFacets)
	case o.every != "" && !slices.Contains([]string{"minute", "hour", "day", "week", "month", "year"}, o.every):
		return command.Usage("--histogram is of each minute, hour, day, week, month or year")
	case mode == searchComplete && o.count && o.payload:
		return command.Usage("--count prints no events, and --payload prints them: choose one")
	case mode == searchComplete && o.out == "-":
		return command.Usage("the standard output has the answer: give --output a file for the proof")
	}
	return nil
}
