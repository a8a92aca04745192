package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A StreamConfig says how the entries of a stream are treated.
type StreamConfig struct {
	Name   string        `json:"name"`
	Class  string        `json:"class"`            // empty: [DefaultClass]
	Closed bool          `json:"closed,omitempty"` // takes no more entries
	Reason bool          `json:"reason,omitempty"` // whoever reads it must say why
	Split  bool          `json:"split,omitempty"`  // events are sealed in parts by whom they concern: [proofs.Extractor.Split]
	Fields []FieldConfig `json:"fields"`
}

// A FieldConfig declares a field of a stream's events: what is declared can
// be searched exactly and provably.
type FieldConfig struct {
	Name    string `json:"name"`
	Path    string `json:"path"`              // where the value is in an event, see [proofs.NormalizePath]; empty: beside it only
	Subject bool   `json:"subject,omitempty"` // its values name data subjects
	About   string `json:"about,omitempty"`   // its values concern those whom this field names; see Split
}

// A ClassConfig is a retention class.
type ClassConfig struct {
	Name   string `json:"name"`
	Days   uint32 `json:"days"`   // how long entries are kept; 0: for ever
	Period string `json:"period"` // how long one bucket takes entries: "day" or "month"
}

// Streams returns the settings of all streams.
func (l *Ledger) Streams() []StreamConfig {
	var out []StreamConfig
	for _, s := range l.state.streamList() {
		now := s.now()
		c := StreamConfig{Name: now.Name, Closed: now.Body.Closed, Reason: now.Body.Reason, Split: now.Body.Split, Fields: []FieldConfig{}}
		if class, ok := l.state.class(now.Body.Class); ok {
			c.Class = class.Name
		}
		for _, f := range now.Fields {
			c.Fields = append(c.Fields, FieldConfig{Name: f.Name, Path: f.Path, Subject: f.Subject, About: f.About})
		}
		out = append(out, c)
	}
	return out
}

// Classes returns all retention classes.
func (l *Ledger) Classes() []ClassConfig {
	var out []ClassConfig
	for _, c := range l.state.classList() {
		out = append(out, ClassConfig{Name: c.Name, Days: c.Body.Days, Period: c.Body.Period.String()})
	}
	return out
}

// AddClass adds a retention class and returns the index of its settings entry.
func (s *Session) AddClass(ctx context.Context, c ClassConfig) (uint64, error) {
	l := s.l
	l.settings.Lock()
	defer l.settings.Unlock()
	if err := checkName("class", c.Name); err != nil {
		return 0, err
	}
	if _, ok := l.state.classNamed(c.Name); ok {
		return 0, client.NewProblem(client.AlreadyExists, fmt.Sprintf("there is a class %q", c.Name), "")
	}
	period, ok := map[string]proofs.Period{"day": proofs.Day, "month": proofs.Month, "": proofs.Month}[c.Period]
	if !ok {
		return 0, client.NewProblem(client.BadRequest, fmt.Sprintf("there is no period %q", c.Period), "a period is day or month")
	}
	number, err := l.state.nextClass()
	if err != nil {
		return 0, err
	}
	c.Period = period.String()
	return s.l.setSettings(ctx, s.settingsAct(proofs.ActClassAdd, c.Name, c), func() (*admission, error) {
		return l.classEntry(proofs.ClassBody{Class: number, Days: c.Days, Period: period}, c.Name)
	})
}

// AddStream adds a stream and returns the index of its settings entry.
func (s *Session) AddStream(ctx context.Context, c StreamConfig) (uint64, error) {
	s.l.settings.Lock()
	defer s.l.settings.Unlock()
	if err := checkName("stream", c.Name); err != nil {
		return 0, err
	}
	if _, ok := s.l.state.streamNamed(c.Name); ok {
		return 0, client.NewProblem(client.AlreadyExists, fmt.Sprintf("there is a stream %q", c.Name), "change it with: cairnd stream set "+c.Name)
	}
	number, err := s.l.state.nextStream()
	if err != nil {
		return 0, err
	}
	return s.setStream(ctx, proofs.ActStreamAdd, number, c, nil)
}

// SetStream replaces the settings of a stream from here on and returns the
// index of its settings entry. Entries that are there keep theirs.
func (s *Session) SetStream(ctx context.Context, c StreamConfig) (uint64, error) {
	s.l.settings.Lock()
	defer s.l.settings.Unlock()
	old, ok := s.l.state.streamNamed(c.Name)
	if !ok {
		return 0, client.NewProblem(client.NoSuchStream, fmt.Sprintf("there is no stream %q", c.Name), "add it with: cairnd stream add "+c.Name)
	}
	stream, _ := s.l.state.stream(old.Body.Stream)
	return s.setStream(ctx, proofs.ActStreamSet, stream.Number, c, stream.History)
}

func (s *Session) setStream(ctx context.Context, what string, number uint32, c StreamConfig, history []streamSettings) (uint64, error) {
	if c.Class == "" {
		c.Class = DefaultClass
	}
	class, ok := s.l.state.classNamed(c.Class)
	if !ok || class.Body.Class == accessClass {
		return 0, client.NewProblem(client.BadRequest, fmt.Sprintf("there is no retention class %q for streams", c.Class), "add it with: cairnd retention add "+c.Class)
	}
	if err := c.checkSubjects(); err != nil {
		return 0, err
	}
	fields, err := numberFields(c.Fields, history)
	if err != nil {
		return 0, err
	}
	names := proofs.StreamSettings{Name: c.Name, Fields: fields}
	if _, err := proofs.NewExtractor(fields); err != nil {
		return 0, client.NewProblem(client.BadRequest, err.Error(), "")
	}
	body := proofs.StreamBody{
		Stream: number, Class: class.Body.Class, Closed: c.Closed, Reason: c.Reason, Split: c.Split, Fields: names.Body(),
	}
	return s.l.setSettings(ctx, s.settingsAct(what, c.Name, c), func() (*admission, error) { return s.l.streamEntry(body, names) })
}

// numberFields gives each field its number: the one it always had, if the
// stream ever declared it in the same way, or the next.
func numberFields(fields []FieldConfig, history []streamSettings) ([]proofs.Field, error) {
	known, last := make(map[FieldConfig]uint16), uint16(0)
	for _, h := range history {
		for _, f := range h.Fields {
			known[FieldConfig{Name: f.Name, Path: f.Path, Subject: f.Subject, About: f.About}] = f.Number
			last = max(last, f.Number)
		}
	}
	var out []proofs.Field
	for _, f := range fields {
		if f.Path != "" { // without a path its values come beside the data only
			path, err := proofs.NormalizePath(f.Path)
			if err != nil {
				return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("field %q: %v", f.Name, err), "a path looks like $.userIdentity.arn")
			}
			f.Path = path
		}
		number, ok := known[f]
		if !ok {
			if last == math.MaxUint16 {
				return nil, client.NewProblem(client.Invalid, fmt.Sprintf("the stream has declared %d fields, and can declare no more", last), "add another stream")
			}
			last++
			number, known[f] = last, last
		}
		out = append(out, proofs.Field{Number: number, Name: f.Name, Path: f.Path, Subject: f.Subject, About: f.About})
	}
	slices.SortFunc(out, func(a, b proofs.Field) int { return int(a.Number) - int(b.Number) })
	return out, nil
}

// checkName checks the name of a stream or class: 1 to 64 of a-z, 0-9, "-",
// "_" and ".", so that it can stand in a URL, a file name and a query.
func checkName(what, name string) error {
	ok := len(name) >= 1 && len(name) <= 64 && name[0] != '.' && name[0] != '-'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !ok {
		return client.NewProblem(client.BadRequest, fmt.Sprintf("%q cannot be the name of a %s", name, what), "a name has 1 to 64 of the characters a-z 0-9 - _ . and begins with a letter, digit or _")
	}
	return nil
}

// settingsAct returns the act of setting something.
func (s *Session) settingsAct(what, name string, settings any) proofs.Act {
	act := s.caller.act(what)
	act.Object = name
	if text, err := json.Marshal(settings); err == nil && len(text) <= proofs.MaxAct/2 {
		act.Settings = text
	}
	return act
}

// setSettings appends a settings entry and, right behind it and in the same batch, the
// act of whoever set it. It returns the index of the settings entry.
func (l *Ledger) setSettings(ctx context.Context, act proofs.Act, entry func() (*admission, error)) (uint64, error) {
	if err := l.ready(ctx); err != nil {
		return 0, err
	}
	for {
		if _, _, err := l.controlBucket(ctx); err != nil {
			return 0, err
		}
		done, err := l.actEntry(ctx, proofs.Administration, act)
		if err != nil {
			return 0, err
		}
		a, err := entry()
		if err != nil {
			return 0, err
		}
		err = l.announce(ctx, func(uint64) ([]*admission, error) { // of that there may be no two at a time
			if !l.retain.Takes(done.leaf.Bucket) {
				return nil, errStale
			}
			return []*admission{a, done}, nil
		})
		if !errors.Is(err, errStale) {
			return a.index, err
		}
	}
}

// SetClass changes how long a class keeps entries, from here on and also of
// those that are there. Where two custodians are needed to keep them for less
// it is only requested, and the index is that of the request.
func (s *Session) SetClass(ctx context.Context, c ClassConfig) (index uint64, requested bool, err error) {
	s.l.settings.Lock()
	defer s.l.settings.Unlock()
	body, err := s.l.classBody(c)
	if err != nil {
		return 0, false, err
	}
	act := s.settingsAct(proofs.ActClassSet, c.Name, c)
	if s.l.retain.NeedsRequest(proofs.Settings, proofs.SettingsBody{Class: &body}) {
		index, err = s.request(ctx, proofs.Settings, act)
		return index, true, err
	}
	index, err = s.l.setClass(ctx, c, act)
	return index, false, err
}

// classBody returns the clear body of a class that is set again.
func (l *Ledger) classBody(c ClassConfig) (proofs.ClassBody, error) {
	old, ok := l.state.classNamed(c.Name)
	if !ok {
		return proofs.ClassBody{}, client.NewProblem(client.NotFound, fmt.Sprintf("there is no class %q", c.Name), "add it with: cairnd retention add "+c.Name)
	}
	if c.Period != "" && c.Period != old.Body.Period.String() {
		return proofs.ClassBody{}, client.NewProblem(client.BadRequest, fmt.Sprintf("the class has buckets of a %v, which cannot be changed", old.Body.Period), "add another class")
	}
	return proofs.ClassBody{Class: old.Body.Class, Days: c.Days, Period: old.Body.Period}, nil
}

func (l *Ledger) setClass(ctx context.Context, c ClassConfig, act proofs.Act) (uint64, error) {
	body, err := l.classBody(c)
	if err != nil {
		return 0, err
	}
	index, err := l.setSettings(ctx, act, func() (*admission, error) {
		return l.settingsEntry(proofs.SettingsBody{Request: act.Request, Class: &body}, proofs.ClassSettings{Name: c.Name})
	})
	l.closer.nudge()
	return index, err
}

// A CustodyConfig says how many custodians have to want what cannot be undone.
type CustodyConfig struct {
	Custodians uint8  `json:"custodians"`      // 1 or 2
	Grace      uint32 `json:"grace,omitempty"` // seconds between the approval of the second and the act; at most 14 days
}

// Custody returns how many custodians are needed.
func (l *Ledger) Custody() CustodyConfig {
	b := l.retain.Ledger()
	return CustodyConfig{Custodians: b.Custodians, Grace: b.Grace}
}

// SetCustody says how many custodians have to want erasures, releases of holds,
// and shorter retention. Where two are needed already, to need one or a
// shorter grace is only requested.
func (s *Session) SetCustody(ctx context.Context, c CustodyConfig) (index uint64, requested bool, err error) {
	s.l.settings.Lock()
	defer s.l.settings.Unlock()
	if c.Custodians < 1 || c.Custodians > 2 {
		return 0, false, client.NewProblem(client.BadRequest, "one custodian or two can be needed", "")
	}
	if c.Grace > maxGrace {
		return 0, false, client.NewProblem(client.BadRequest, fmt.Sprintf("a grace of %d seconds is longer than %d days", c.Grace, maxGrace/secondsPerDay), "a longer one could not be taken back before it is over")
	}
	act := s.settingsAct(proofs.ActLedgerSet, "custody", c)
	body := proofs.SettingsBody{Ledger: &proofs.LedgerBody{Custodians: c.Custodians, Grace: c.Grace}}
	if s.l.retain.NeedsRequest(proofs.Settings, body) {
		index, err = s.request(ctx, proofs.Settings, act)
		return index, true, err
	}
	index, err = s.l.setCustody(ctx, c, act)
	return index, false, err
}

const secondsPerDay = 24 * 60 * 60

// maxGrace is the longest grace in seconds. Whoever sets it does so alone, and
// it holds for taking it back, too: it must not keep anybody from being erased
// within the time that laws give.
const maxGrace = 14 * secondsPerDay

func (l *Ledger) setCustody(ctx context.Context, c CustodyConfig, act proofs.Act) (uint64, error) {
	body := proofs.SettingsBody{Request: act.Request, Ledger: &proofs.LedgerBody{Custodians: c.Custodians, Grace: c.Grace}}
	return l.setSettings(ctx, act, func() (*admission, error) { return l.settingsEntry(body, proofs.LedgerSettings{}) })
}

func (l *Ledger) classEntry(body proofs.ClassBody, name string) (*admission, error) {
	return l.settingsEntry(proofs.SettingsBody{Class: &body}, proofs.ClassSettings{Name: name})
}

func (l *Ledger) streamEntry(body proofs.StreamBody, names proofs.StreamSettings) (*admission, error) {
	if names.Fields == nil {
		names.Fields = []proofs.Field{}
	}
	return l.settingsEntry(proofs.SettingsBody{Stream: &body}, names)
}

func (l *Ledger) settingsEntry(body proofs.SettingsBody, names any) (*admission, error) {
	control, err := proofs.FormatSettings(body)
	if err != nil {
		return nil, client.NewProblem(client.BadRequest, err.Error(), "")
	}
	data, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	b, ok := l.state.bucket(l.controlPath())
	if !ok {
		return nil, errors.New("the ledger's own stream has no bucket")
	}
	a, err := l.sealedControl(b, proofs.Settings, control, proofs.Part{MediaType: proofs.SettingsMediaType, Data: data})
	if err != nil {
		return nil, err
	}
	a.sequenced = func(index uint64) { l.mustApply(index, a.leaf, data) }
	return a, nil
}

// sealedControl returns a control entry with a payload, which is sealed under
// a bucket of the ledger's own stream.
func (l *Ledger) sealedControl(b *bucket, kind proofs.Kind, control []byte, part proofs.Part) (*admission, error) {
	keys, err := l.keys.bucket(b.Path)
	if err != nil {
		return nil, err
	}
	a := &admission{}
	a.leaf = proofs.Leaf{Kind: kind, Bucket: b.Number, Control: control}
	return a, l.seal(a, []proofs.Part{part}, keys, nil, nil)
}

// mustApply applies an entry that this process just made, and that is in the
// journal. That it cannot be applied means that our own checks are wrong.
func (l *Ledger) mustApply(index uint64, leaf proofs.Leaf, payload []byte) {
	if err := l.state.apply(index, leaf, payload); err != nil {
		panic(fmt.Sprintf("ledger: entry %d of our own cannot be applied: %v", index, err))
	}
}
