package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
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

// withoutDoomed takes from entries those that are closed, whatever comes, by
// what is announced and not done: an entry of a bucket that expires, and one
// about a subject that is erased, of which no part will stay.
func (l *Ledger) withoutDoomed(ctx context.Context, open []retain.Closing, runs []proofs.Run) ([]proofs.Run, error) {
	for _, c := range open {
		for _, share := range c.Gone() {
			var doomed []uint64
			err := l.eachLeaf(ctx, retain.Intersect(runs, share.Runs), func(index uint64, leaf proofs.Leaf) {
				s, ok := l.state.stream(leaf.Stream)
				whole := share.Bucket == 0 && leaf.Stream == share.Stream && ok && !s.at(index).Body.Split
				if whole || share.Bucket > 0 && leaf.Bucket == share.Bucket {
					doomed = append(doomed, index)
				}
			})
			if err != nil {
				return nil, err
			}
			runs = retain.Subtract(runs, proofs.RunsOf(doomed))
		}
	}
	return runs, nil
}

// eachLeaf calls do with the leaf of every entry of runs.
func (l *Ledger) eachLeaf(ctx context.Context, runs []proofs.Run, do func(index uint64, leaf proofs.Leaf)) error {
	for _, r := range runs {
		for from := r.First; from <= r.Last; from += historyStep {
			leaves, err := l.leaves(ctx, from, min(from+historyStep, r.Last+1))
			if err != nil {
				return err
			}
			for i, b := range leaves {
				leaf, err := proofs.ParseLeaf(b)
				if err != nil {
					return fmt.Errorf("entry %d: %w", from+uint64(i), err)
				}
				do(from+uint64(i), leaf)
			}
		}
	}
	return nil
}

// holdQuery says in one line what a hold is about, but for names of subjects:
// neither that of the hold nor values of fields that name any. Nothing would
// ever close them.
func (l *Ledger) holdQuery(c HoldConfig) string {
	var b bytes.Buffer
	if c.Subject != "" {
		b.WriteString("a subject ")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		if l.namesSubjects(c.Stream, name) {
			fmt.Fprintf(&b, "%s ", name)
			continue
		}
		fmt.Fprintf(&b, "%s=%q ", name, c.Fields[name])
	}
	return string(bytes.TrimSpace(b.Bytes()))
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

// announceAct has one entry sequenced that a caller wanted: the clear body and
// the act. It returns its index.
func (l *Ledger) announceAct(ctx context.Context, kind proofs.Kind, control []byte, act proofs.Act) (uint64, error) {
	if err := l.ready(ctx); err != nil {
		return 0, err
	}
	for {
		b, keys, err := l.accessBucket(ctx)
		if err != nil {
			return 0, err
		}
		a, err := l.sealedActAbout(b, keys, kind, control, act, l.subjectStream(act))
		if err != nil {
			return 0, err
		}
		err = l.announce(ctx, func(uint64) ([]*admission, error) {
			if !l.retain.Takes(b.Number) {
				return nil, errStale
			}
			return []*admission{a}, nil
		})
		if !errors.Is(err, errStale) {
			return a.index, err
		}
	}
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

// matching returns the entries [from, size) of a stream that concern a subject
// and have all of the given values of declared fields, by their tags.
func (l *Ledger) matching(ctx context.Context, settings *streamSettings, c HoldConfig, from, size uint64) ([]proofs.Run, error) {
	if err := l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Integrated >= size }); err != nil {
		return nil, l.asProblem(err)
	}
	m := matcher{l: l, stream: settings.Body.Stream}
	if c.Subject != "" {
		refs, err := l.keys.generations(m.stream, c.Subject)
		if err != nil {
			return nil, err
		}
		m.subject = &erasedSubject{stream: m.stream, refs: refs}
	}
	for name, value := range c.Fields {
		numbers := l.fieldNumbers(m.stream, name)
		if len(numbers) == 0 {
			return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("stream %q declares no field %q, and never has", c.Stream, name), "")
		}
		m.fields = append(m.fields, wantedField{numbers, []byte(value)})
	}
	var indices []uint64
	for _, b := range l.state.bucketsOf(m.stream) {
		found, err := m.bucket(ctx, b, from, size)
		if err != nil {
			return nil, fmt.Errorf("bucket %d: %w", b.Number, err)
		}
		indices = append(indices, found...)
	}
	slices.Sort(indices)
	return proofs.RunsOf(indices), nil
}

// fieldNumbers returns the numbers that a field of that name has had.
func (l *Ledger) fieldNumbers(stream uint32, name string) (numbers []uint16) {
	s, ok := l.state.stream(stream)
	if !ok {
		return nil
	}
	for _, settings := range s.History {
		for _, f := range settings.Fields {
			if f.Name == name && !slices.Contains(numbers, f.Number) {
				numbers = append(numbers, f.Number)
			}
		}
	}
	return numbers
}

// A matcher finds entries by their tags.
type matcher struct {
	l       *Ledger
	stream  uint32
	subject *erasedSubject // nil: whoever it is about
	fields  []wantedField
}

type wantedField struct {
	numbers []uint16
	value   []byte
}

func (m *matcher) bucket(ctx context.Context, b *bucket, from, size uint64) (indices []uint64, err error) {
	keys, err := m.l.keys.bucket(b.Path)
	if errors.Is(err, errDestroyed) {
		return nil, nil // what is left of it is held already
	}
	if err != nil {
		return nil, err
	}
	wanted := make([]map[proofs.Tag]bool, len(m.fields)) // the tags of a field that fit
	for i, f := range m.fields {
		wanted[i] = make(map[proofs.Tag]bool)
		for _, n := range f.numbers {
			key := keys.field(n)
			wanted[i][proofs.MakeTag(n, &key, f.value)] = true
		}
	}
	for r, err := range m.l.cfg.Vault.Scan(ctx, b.Number, from) {
		if err != nil {
			return nil, err
		}
		if r.Index >= size {
			break
		}
		fits, err := m.fits(r, keys, wanted)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", r.Index, err)
		}
		if fits {
			indices = append(indices, r.Index)
		}
	}
	return indices, nil
}

func (m *matcher) fits(r storage.VaultRecord, keys *bucketKeys, wanted []map[proofs.Tag]bool) (bool, error) {
	if m.subject != nil {
		if concerned, err := m.subject.concerns(r, keys); err != nil || !concerned {
			return false, err
		}
	}
	if len(wanted) == 0 {
		return true, nil
	}
	record, err := proofs.ParseRecord(r.Data)
	if err != nil {
		return false, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	found := make([]bool, len(wanted))
	for i, t := range record.Tags {
		if t.Sealed == nil {
			continue
		}
		tags, _, err := proofs.OpenTags(t.Sealed, i, record.ID, &keys.tags, m.l.keys.tagKeys(m.stream))
		if errors.Is(err, errDestroyed) {
			continue
		}
		if err != nil {
			return false, err
		}
		for _, tag := range tags {
			for j := range wanted {
				found[j] = found[j] || wanted[j][tag]
			}
		}
	}
	return !slices.Contains(found, false), nil
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

// A Release says which hold is to end.
type Release struct {
	Hold   uint64 `json:"hold"`
	Reason string `json:"reason"`
}

// A Releasing is what became of a release: announced, or only requested.
type Releasing struct {
	Announced uint64 `json:"announced,omitempty"`
	Requested uint64 `json:"requested,omitempty"`
}

// Release ends a hold. What expired or was erased while it was held is closed
// then, unless another hold keeps it.
func (s *Session) Release(ctx context.Context, r Release) (*Releasing, error) {
	if s.caller.Because == "" {
		s = s.l.As(s.caller.because(r.Reason))
	}
	act := s.caller.act(proofs.ActRelease)
	act.Object = fmt.Sprint(r.Hold)
	err := s.l.canRelease(r.Hold)
	if err == nil && s.caller.Because == "" {
		err = client.NewProblem(client.BadRequest, "a release needs a reason", "state it with --reason; it is recorded, for whoever audits")
	}
	if err != nil {
		return nil, s.answered(ctx, act, err)
	}
	if err := s.l.ready(ctx); err != nil {
		return nil, err
	}
	if s.l.retain.NeedsRequest(proofs.Release, proofs.SettingsBody{}) {
		requested, err := s.request(ctx, proofs.Release, act)
		if err != nil {
			return nil, s.answered(ctx, act, err)
		}
		return &Releasing{Requested: requested}, nil
	}
	announced, err := s.l.release(ctx, r.Hold, act)
	return &Releasing{Announced: announced}, err
}

// noStream returns the problem that there is no stream of a name.
func noStream(name string) error {
	return client.NewProblem(client.NoSuchStream, fmt.Sprintf("there is no stream %q", name), "see which there are with: cairnd stream list")
}

func (l *Ledger) canRelease(hold uint64) error {
	at := slices.IndexFunc(l.retain.Holds(), func(h retain.Hold) bool { return h.Index == hold && h.Released == 0 })
	if at < 0 {
		return client.NewProblem(client.NotFound, fmt.Sprintf("there is no hold %d", hold), "see which there are with: cairnd hold list")
	}
	return l.canDestroy()
}

func (l *Ledger) release(ctx context.Context, hold uint64, act proofs.Act) (uint64, error) {
	control, err := proofs.FormatRelease(proofs.ReleaseBody{Released: &proofs.ReleasedBody{Hold: hold, Request: act.Request}})
	if err != nil {
		return 0, err
	}
	index, err := l.announceAct(ctx, proofs.Release, control, act)
	if err == nil {
		l.closer.nudge()
	}
	return index, err
}
