package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

// A searchAnswer is a search proof that was verified.
type searchAnswer struct {
	proof   proofs.SearchProof
	verdict proofs.SearchVerdict
	stream  string              // its name, as the settings in the proof say; empty: they do not
	names   map[uint16][]string // of the stream's fields, by their numbers
	hits    []entryLine         // without payloads
	vouched string              // who vouches for the directories; empty: nobody
	rest    *judgedRest         // of the query, on the hits; nil: there is none
}

// checkSearch parses and verifies a search proof.
func checkSearch(policy *proofs.Policy, b []byte) (*searchAnswer, error) {
	p, err := proofs.ParseSearchProof(b)
	if err != nil {
		return nil, err
	}
	v, err := p.Check(policy)
	if err != nil {
		return nil, err
	}
	a := &searchAnswer{proof: p, verdict: v, names: make(map[uint16][]string)}
	a.takeNames()
	return a, a.takeHits()
}

// takeNames takes the names that the settings in the proof give, which are of the
// stream, as the proof's check has it.
func (a *searchAnswer) takeNames() {
	for _, n := range a.proof.Names {
		s := a.verdict.Names[n.Index]
		if a.stream != "" && s.Name != a.stream {
			a.stream, a.names = "", make(map[uint16][]string) // no ledger renames a stream
			return
		}
		a.stream = s.Name
		for _, f := range s.Fields {
			if !slices.Contains(a.names[f.Number], f.Name) {
				a.names[f.Number] = append(a.names[f.Number], f.Name)
			}
		}
	}
}

// takeHits finds the times of the hits, whose leaves are all in the proof.
func (a *searchAnswer) takeHits() error {
	for _, index := range a.verdict.Hits {
		leaf, ok := a.leafOf(index)
		if !ok {
			return fmt.Errorf("%w: entry %d is not shown", proofs.ErrNotVerified, index)
		}
		hit, err := describeEntry(&client.Entry{Index: index, Leaf: leaf, Stream: a.stream})
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		a.hits = append(a.hits, hit)
	}
	return nil
}

// leafOf returns the leaf of an entry, as the proof shows it.
func (a *searchAnswer) leafOf(index uint64) ([]byte, bool) {
	entries := a.proof.Entries
	at, ok := slices.BinarySearchFunc(entries, index, func(e proofs.SearchEntry, index uint64) int {
		return cmp.Compare(e.Index, index)
	})
	if !ok {
		return nil, false
	}
	return entries[at].Leaf, true
}

// query returns the query that is proven as people write it.
func (a *searchAnswer) query() string { return query.Format(a.expr()) }

// expr returns the query that is proven, by the names in the proof.
func (a *searchAnswer) expr() query.Expr {
	q := a.proof.Query
	asked := query.Provable{Stream: a.stream, First: q.First, Last: q.End, From: q.From, Until: q.Until}
	if q.End < math.MaxUint64 { // it is a bound
		asked.Last = max(q.End, 1) - 1
	}
	for _, t := range q.Terms {
		var fields []query.Field
		for _, v := range t.Values {
			name, _ := a.fieldName(v.Numbers)
			fields = append(fields, query.Field{Name: name, Op: query.Equal, Value: string(v.Value)})
		}
		if len(fields) == 1 {
			asked.Fields = append(asked.Fields, fields[0])
		} else {
			asked.Any = append(asked.Any, fields)
		}
	}
	return asked.Expr()
}

// seesNothing reports whether the answer is about no entry at all, and there are
// some that it could be about.
func (a *searchAnswer) seesNothing() bool {
	return a.verdict.Start == a.verdict.Stop && a.verdict.More
}

// unread says which entries the ledger could not read, if there are any.
func (a *searchAnswer) unread() error {
	if list := a.verdict.Unread; len(list) > 0 {
		return fmt.Errorf("the answer is not complete: the ledger could not read %s, which may fit too", runsInWords(list))
	}
	return nil
}

// fieldName returns the name that all numbers of a value have had, and no other
// number, or else the numbers.
func (a *searchAnswer) fieldName(numbers []uint16) (name string, named bool) {
	if name, named := a.verdict.FieldName(numbers); named {
		return name, true
	}
	var words []string
	for _, n := range numbers {
		words = append(words, fmt.Sprintf("field-%d", n))
	}
	return strings.Join(words, "-or-"), false
}

// named reports whether the settings in the proof name the stream and all fields
// that are asked for.
func (a *searchAnswer) named() bool {
	return a.stream != "" && !slices.ContainsFunc(a.proof.Query.Terms, func(t proofs.SearchTerm) bool {
		return slices.ContainsFunc(t.Values, func(v proofs.SearchValue) bool {
			_, named := a.fieldName(v.Numbers)
			return !named
		})
	})
}

// complete says in words how far the answer is complete.
func (a *searchAnswer) complete() string {
	v, q := a.verdict, a.proof.Query
	switch {
	case v.Start == v.Stop && !v.More:
		return "yes: no entry of the checkpoint is in the range"
	case v.Start == v.Stop:
		return "no: " + errNothingSeen.Error()
	}
	said := fmt.Sprintf("up to entry %d", v.Stop-1)
	switch end := min(q.End, v.Checkpoint.Size); {
	case !v.More && v.Stop >= v.Checkpoint.Size:
		said += ", the last one of the checkpoint"
	case !v.More:
		said += ", behind which none is asked for"
	default:
		said += fmt.Sprintf("; not looked through, of the checkpoint: %s", formatRun(proofs.Run{First: v.Stop, Last: end - 1}))
	}
	if v.Start > 0 {
		said = fmt.Sprintf("from entry %d ", v.Start) + said
	}
	if len(v.Unread) > 0 {
		said += fmt.Sprintf("; save %s, which the ledger could not read", runsInWords(v.Unread))
	}
	if r := a.rest; r != nil && len(r.unjudged) > 0 {
		said += fmt.Sprintf("; save %s, which could not be judged", r.unjudgedInWords())
	}
	return said
}

// rests says in words what it rests on, beside the witnesses.
func (a *searchAnswer) rests() string {
	v := a.verdict
	switch {
	case v.Start == v.Stop:
		return "nothing"
	case len(v.Directories) == 0:
		return fmt.Sprintf("the log alone: every entry was looked through, %d one by one", v.Tail)
	}
	vouched := a.vouched
	if vouched == "" {
		vouched = "complete if they are honest"
	}
	said := fmt.Sprintf("%s, which entry %d commits to: %s", numberOf(len(v.Directories), "directory", "directories"), v.Directory, vouched)
	if v.Tail > 0 {
		said += fmt.Sprintf("; the last %s were looked through one by one", numberOfEntries(v.Tail))
	}
	return said
}

// closed says in words what nobody can look through.
func (a *searchAnswer) closed() (said []string) {
	if list := a.verdict.Expired; len(list) > 0 {
		said = append(said, fmt.Sprintf("what expired, as announced by %s: nobody can tell whether it would fit", entriesIn(list)))
	}
	if list := a.verdict.Erased; len(list) > 0 {
		said = append(said, fmt.Sprintf("what was erased, in this stream or others, as announced by %s: nobody can tell whether it would fit", entriesIn(list)))
	}
	return said
}

// entriesIn lists entries in words.
func entriesIn(indices []uint64) string { return runsInWords(proofs.RunsOf(indices)) }

// runsInWords lists runs of entries in words.
func runsInWords(runs []proofs.Run) string {
	var words []string
	for _, r := range runs[:min(len(runs), maxRunsTold)] {
		words = append(words, formatRun(r))
	}
	said := "entries " + strings.Join(words, ", ")
	if proofs.CountEntries(runs) == 1 {
		said = "entry " + words[0]
	}
	if len(runs) > maxRunsTold {
		said += fmt.Sprintf(" and %d more runs", len(runs)-maxRunsTold)
	}
	return said
}

// numberOf says how many there are of something.
func numberOf(n int, one, more string) string {
	switch n {
	case 0:
		return "no " + more
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
