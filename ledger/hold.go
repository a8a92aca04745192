package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A HoldConfig says what is to be held. With a stream and nothing else it is
// all of the stream, also what comes later; with a subject, or with fields, it
// is the entries of the stream that concern it, or that have all these values;
// and in any case what Entries names.
type HoldConfig struct {
	Stream  string            `json:"stream,omitempty"`
	Subject string            `json:"subject,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"` // declared fields and their values
	Entries []proofs.Run      `json:"entries,omitempty"`
	Reason  string            `json:"reason"`
}

// A HoldInfo is a hold that was made.
type HoldInfo struct {
	Hold    uint64       `json:"hold"`              // index of the entry that made it
	Streams []string     `json:"streams,omitempty"` // all of which it covers
	Entries []proofs.Run `json:"entries,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Who     string       `json:"who,omitempty"`
	Over    bool         `json:"over,omitempty"` // its release is announced
}

// Hold keeps entries from being closed, from now on until it is released.
func (s *Session) Hold(ctx context.Context, c HoldConfig) (*HoldInfo, error) {
	if s.caller.Because == "" {
		s = s.l.As(s.caller.because(c.Reason))
	}
	act := s.caller.act(proofs.ActHold)
	act.Stream, act.Query = c.Stream, s.l.holdQuery(c)
	open := s.l.retain.Open()
	whole, runs, err := s.l.heldBy(ctx, c)
	if err == nil {
		runs, err = s.l.withoutDoomed(ctx, open, runs)
	}
	if err == nil && s.caller.Because == "" {
		err = client.NewProblem(client.BadRequest, "a hold needs a reason", "state it with --reason; it is recorded, for whoever audits")
	}
	if err != nil {
		return nil, s.answered(ctx, act, err)
	}
	if act.Results = proofs.CountEntries(runs); act.Results > 0 { // else nothing would ever close the name
		act.Subject = c.Subject
	}
	act.Entries = runs[:min(len(runs), proofs.MaxActRuns)]
	info := &HoldInfo{Entries: runs, Reason: s.caller.Because, Who: s.caller.Name}
	if whole > 0 {
		info.Streams = []string{c.Stream}
	}
	chunks := slices.Collect(slices.Chunk(runs, proofs.MaxRuns))
	if len(chunks) == 0 {
		chunks = [][]proofs.Run{nil}
	}
	for i, chunk := range chunks {
		body := proofs.HoldBody{Hold: info.Hold, Holds: chunk}
		if i == 0 {
			body.Stream = whole
		}
		control, err := proofs.FormatHold(body)
		if err != nil {
			return nil, err
		}
		index, err := s.l.announceAct(ctx, proofs.Hold, control, act)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			info.Hold = index
		}
	}
	// What was announced meanwhile the hold does not keep.
	open = slices.DeleteFunc(s.l.retain.Open(), func(c retain.Closing) bool { return c.Index > info.Hold })
	if info.Entries, err = s.l.withoutDoomed(ctx, open, runs); err != nil {
		return nil, err
	}
	return info, nil
}

// holdQuery says in one line what a hold is about, but for names of subjects:
// neither that of the hold nor values of fields that name any. Nothing would
// ever close them.
func (l *Ledger) holdQuery(c HoldConfig) string {
	var fields []client.FieldValue
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		fields = append(fields, client.FieldValue{Name: name, Value: c.Fields[name]})
	}
	said := l.fieldsQuery(c.Stream, fields)
	if c.Subject != "" {
		return strings.TrimSpace("a subject " + said)
	}
	return said
}

// fieldsQuery says in one line which values of fields are asked for, but for those
// that name subjects.
func (l *Ledger) fieldsQuery(stream string, fields []client.FieldValue) string {
	var words []string
	for _, f := range fields {
		if l.namesSubjects(stream, f.Name) {
			words = append(words, f.Name)
		} else {
			words = append(words, fmt.Sprintf("%s=%q", f.Name, f.Value))
		}
	}
	return strings.Join(words, " ")
}

// termsQuery is fieldsQuery of lists of values, of each of which an event has one.
func (l *Ledger) termsQuery(stream string, terms [][]client.FieldValue) string {
	var words []string
	for _, values := range terms {
		var either []string
		for _, f := range values {
			either = append(either, l.fieldsQuery(stream, []client.FieldValue{f}))
		}
		if word := strings.Join(either, " or "); len(values) > 1 {
			words = append(words, "("+word+")")
		} else {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// namesSubjects reports whether the values of a field of a stream name data
// subjects, or once did. What is not known may do so.
func (l *Ledger) namesSubjects(streamName, field string) bool {
	settings, ok := l.state.streamNamed(streamName)
	if !ok {
		return true
	}
	s, ok := l.state.stream(settings.Body.Stream)
	if !ok {
		return true
	}
	known := false
	for _, h := range s.History {
		f, ok := h.field(field)
		if ok && (f.Subject || f.About != "") {
			return true
		}
		known = known || ok
	}
	return !known
}

// heldBy finds what a hold is about: the number of a stream of which it is
// all, or entries.
func (l *Ledger) heldBy(ctx context.Context, c HoldConfig) (whole uint32, runs []proofs.Run, err error) {
	sizes, _ := l.progress.snapshot()
	for i, r := range c.Entries {
		if r.First > r.Last || r.Last >= sizes.Sequenced {
			return 0, nil, client.NewProblem(client.BadRequest, fmt.Sprintf("there are no entries %d to %d, the ledger has %d", r.First, r.Last, sizes.Sequenced), "")
		}
		if i > 0 && c.Entries[i-1].Last >= r.First {
			return 0, nil, client.NewProblem(client.BadRequest, "the entries do not rise", "")
		}
	}
	indices := c.Entries
	if c.Stream == "" {
		if c.Subject != "" || len(c.Fields) > 0 {
			return 0, nil, client.NewProblem(client.BadRequest, "a subject and fields are of a stream", "name it")
		}
		if len(indices) == 0 {
			return 0, nil, client.NewProblem(client.BadRequest, "the hold is about nothing", "name a stream, or entries")
		}
		return 0, proofs.JoinRuns(indices), nil
	}
	settings, ok := l.state.streamNamed(c.Stream)
	if !ok {
		return 0, nil, noStream(c.Stream)
	}
	if c.Subject == "" && len(c.Fields) == 0 {
		return settings.Body.Stream, proofs.JoinRuns(indices), nil
	}
	found, err := l.matching(ctx, settings, c, 0, sizes.Sequenced)
	if err != nil {
		return 0, nil, err
	}
	return 0, proofs.JoinRuns(append(slices.Clone(indices), found...)), nil
}

// Holds returns the holds that are not over, with their reasons.
func (s *Session) Holds(ctx context.Context) ([]HoldInfo, error) {
	list, err := s.holds(ctx)
	act := s.caller.act(proofs.ActHistory)
	act.Query, act.Results = "holds", uint64(len(list))
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return list, nil
}

func (s *Session) holds(ctx context.Context) ([]HoldInfo, error) {
	list := []HoldInfo{}
	for _, h := range s.l.retain.Holds() {
		info := HoldInfo{Hold: h.Index, Entries: h.Runs, Over: h.Released > 0}
		for _, number := range h.Streams {
			info.Streams = append(info.Streams, s.l.streamName(number))
		}
		leaves, err := s.l.leaves(ctx, h.Index, h.Index+1)
		if err != nil {
			return nil, err
		}
		r, ok, err := s.l.recordedAct(ctx, h.Index, leaves[0])
		if err != nil {
			return nil, err
		}
		if ok {
			info.Reason, info.Who = r.Act.Because, r.Act.Who
		}
		list = append(list, info)
	}
	return list, nil
}
