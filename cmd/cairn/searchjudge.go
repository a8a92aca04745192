package main

import (
	"bytes"
	"fmt"
	"slices"
	"sort"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

// A restJudge judges the rest of a query, of which nothing can be proven, on the events
// that an answer proves to have the values. It believes of these only what their
// entries commit to:
//
//   - the payload is the one that was recorded, and all of it is shown;
//   - the values of declared fields are read by the settings that the proof has last before
//     the event. If others were in force, which the proof leaves out, they show: all tags
//     of the event are made again of these values, and have to be those that T commits to;
//   - the ledger's word that something cannot be shown counts for nothing but that it
//     is said: the event may fit.
type restJudge struct {
	answer   *searchAnswer
	rest     query.Expr
	byFields bool                    // it asks for declared fields
	settings map[uint64]*declaration // by entry
}

// A judgedRest is what became of the rest of a query.
type judgedRest struct {
	query    string // all that was asked
	judged   int    // events, on their payloads
	fit      int
	unjudged []unjudged
}

// An unjudged is an event that has the values, and of which nobody here can tell
// whether it fits the rest.
type unjudged struct {
	Index uint64 `json:"index"`
	Why   string `json:"why"`
}

// judgeOf returns what judges the rest of a query, and keeps what becomes of it in the
// answer. Names of fields that the settings in the proof do not have are wrong usage.
func (a *searchAnswer) judgeOf(asked completeQuestion) (*restJudge, error) {
	var declared []string
	for _, names := range a.names {
		declared = append(declared, names...)
	}
	slices.Sort(declared)
	if err := query.CheckFields(asked.query, declared); err != nil {
		return nil, queryError(err)
	}
	a.rest = &judgedRest{query: query.Format(query.Conjunction(a.expr(), asked.rest))}
	j := &restJudge{answer: a, rest: asked.rest, settings: make(map[uint64]*declaration)}
	query.Map(asked.rest, func(e query.Expr) query.Expr {
		if f, ok := e.(query.Field); ok && f.Name != "" {
			j.byFields = true
		}
		return e
	})
	for index, s := range a.verdict.Names {
		x, err := proofs.NewExtractor(s.Fields)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		j.settings[index] = &declaration{index, a.proof.Query.Stream, s.Fields, x}
	}
	return j, nil
}

// take judges an event, and reports whether it fits. The error is that the ledger shows
// something else than the event commits to.
func (j *restJudge) take(e client.ReadEntry) (bool, error) {
	fits, why, err := j.judge(e)
	r := j.answer.rest
	switch {
	case err != nil:
		return false, err
	case why != "":
		r.unjudged = append(r.unjudged, unjudged{e.Index, why})
		return false, nil
	case fits:
		r.fit++
	}
	r.judged++
	return fits, nil
}

// judge reports whether an event fits the rest, or says why that cannot be told.
func (j *restJudge) judge(e client.ReadEntry) (fits bool, why string, err error) {
	if e.Problem != nil {
		return false, e.Problem.Error(), nil
	}
	leaf, err := j.answer.checkShown(e.Entry)
	if err != nil {
		return false, "", err
	}
	d := e.Entry.Disclosure
	if d == nil || len(d.Parts) == 0 {
		return false, "its payload is not shown", nil
	}
	if slices.ContainsFunc(d.Parts, func(p proofs.DisclosedPart) bool { return !p.Shown() }) {
		return false, "not all of its payload is shown" + seeReasons(e.Entry.Reasons), nil
	}
	payload, err := d.Payload()
	if err != nil {
		return false, "", fmt.Errorf("entry %d: %w", e.Index, err)
	}
	values, told, err := j.values(e.Entry, payload)
	if err != nil {
		return false, "", fmt.Errorf("entry %d: %w", e.Index, err)
	}
	if j.byFields && !told {
		return false, "its tags, or their keys, are not shown, which say what its fields are" + seeReasons(e.Entry.Reasons), nil
	}
	return query.Match(j.rest, j.document(e.Entry, leaf, payload, values)), "", nil
}

// checkShown checks that an entry that the ledger shows is that of the proof, and what
// of it is shown is what was recorded.
func (a *searchAnswer) checkShown(e *client.Entry) (proofs.Leaf, error) {
	proven, ok := a.leafOf(e.Index)
	if !ok || !bytes.Equal(proven, e.Leaf) {
		return proofs.Leaf{}, fmt.Errorf("%w: entry %d is not the one in the proof", proofs.ErrNotVerified, e.Index)
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err == nil && e.Disclosure != nil {
		err = e.Disclosure.Check(leaf)
	}
	if err != nil {
		return leaf, fmt.Errorf("entry %d: %w", e.Index, err)
	}
	return leaf, nil
}

// values returns the values of declared fields that an event has, all of which is
// shown. Told is false where its tags cannot be made again, for want of them or of
// keys: then nothing shows that the settings are those that it was recorded under.
func (j *restJudge) values(e *client.Entry, payload proofs.Part) (values []proofs.FieldValue, told bool, err error) {
	index, ok := j.settingsAt(e.Index)
	if !ok || e.Settings != index {
		return nil, false, fmt.Errorf("%w: the settings of its stream, as of entry %d, are not in the proof", proofs.ErrNotVerified, e.Settings)
	}
	s := j.settings[index]
	if client.IsJSON(payload.MediaType) {
		if values, err = s.extractor.Extract(payload.Data); err != nil {
			return nil, false, fmt.Errorf("%w: %w", proofs.ErrNotVerified, err)
		}
	}
	given, err := givenValues(payload, s.fields)
	if err != nil {
		return nil, false, err
	}
	values = append(values, given...)
	if !allShown(e.Disclosure) {
		return values, false, nil
	}
	keys := make(map[uint16]proofs.Key256)
	for number, b := range e.FieldKeys {
		if len(b) == len(proofs.Key256{}) { // any other is none
			keys[number] = proofs.Key256(b)
		}
	}
	if slices.ContainsFunc(values, func(v proofs.FieldValue) bool { _, ok := keys[v.Number]; return !ok }) {
		return values, false, nil
	}
	if err := e.Disclosure.CheckFields(values, keys); err != nil {
		return nil, false, fmt.Errorf("the tags are not those of the payload by the settings of entry %d: %w", index, err)
	}
	return values, true, nil
}

// settingsAt returns the last settings entry in the proof before an entry.
func (j *restJudge) settingsAt(index uint64) (uint64, bool) {
	list := j.answer.proof.Names
	n := sort.Search(len(list), func(i int) bool { return list[i].Index >= index })
	if n == 0 {
		return 0, false
	}
	return list[n-1].Index, true
}

// document returns an event as queries see it: each value under all names that its field
// has had.
func (j *restJudge) document(e *client.Entry, leaf proofs.Leaf, payload proofs.Part, values []proofs.FieldValue) *query.Document {
	d := &query.Document{
		Index: e.Index, Time: leaf.Time, Stream: j.answer.stream, Source: payload.Source,
		Fields: make(map[string][]string), Payload: payload.Data,
	}
	for _, v := range values {
		for _, name := range j.answer.names[v.Number] {
			d.Fields[name] = append(d.Fields[name], string(v.Value))
		}
	}
	return d
}

// leftUnjudged says which events could not be judged, if there are any.
func (r *judgedRest) leftUnjudged() error {
	if r == nil || len(r.unjudged) == 0 {
		return nil
	}
	return fmt.Errorf("the answer is not complete: %s, which may fit too, could not be judged", r.unjudgedInWords())
}

func (r *judgedRest) unjudgedInWords() string {
	var indices []uint64
	for _, u := range r.unjudged {
		indices = append(indices, u.Index)
	}
	return entriesIn(indices)
}

// whyUnjudged says in words why events could not be judged, one line for each reason.
func (r *judgedRest) whyUnjudged() (said []string) {
	byReason := make(map[string][]uint64)
	for _, u := range r.unjudged {
		byReason[u.Why] = append(byReason[u.Why], u.Index)
	}
	for _, u := range r.unjudged {
		if indices := byReason[u.Why]; indices[0] == u.Index {
			said = append(said, fmt.Sprintf("%s: %s", entriesIn(indices), u.Why))
		}
	}
	return said
}
