package ledger

import (
	"encoding/json"
	"errors"
	"fmt"

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
	Name    string `json:"name"`              // no word of the language of package query ([query.Reserved])
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

// settingsEntry returns a settings entry with the names that its clear body lacks.
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
