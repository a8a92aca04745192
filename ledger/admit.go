package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// An admission is an event on its way from the caller to the batch: checked,
// sealed and committed to, without index and time.
type admission struct {
	since uint64   // the settings entry of its stream that it was admitted under
	said  said     // what makes two events the same
	named []string // the subjects that the caller named
	class uint16   // the retention class that the caller named; 0: none

	leaf       proofs.Leaf // Time is set by the sequencer
	record     []byte
	disclosure *proofs.Disclosure
	dedup      []dedupKey
	keys       *bucketKeys         // of the bucket it is sealed in
	refs       []proofs.SubjectRef // of the subjects whose keys close it
	tags       []seededTags

	// What the deduplication index says, see Ledger.find.
	indexed uint64 // it covered the entries below this index
	found   bool
	foundAt uint64

	// What the sequencer decides.
	index     uint64
	leafBytes []byte
	duplicate bool
	// It is a repeat of an entry that is erased, in whole or in part.
	uncompared bool
	sequenced  func(index uint64) // control entries: called once it is durable
	problem    *client.Problem
}

// maxSubjects is how many data subjects one event can concern.
const maxSubjects = 31

// admitAll admits the events of one append, on all processors.
func (l *Ledger) admitAll(ctx context.Context, who, streamName string, events []client.Event) ([]*admission, error) {
	settings, ok := l.state.streamNamed(streamName)
	if !ok {
		return nil, client.NewProblem(client.NoSuchStream, fmt.Sprintf("there is no stream %q", streamName), "an operator adds one with: cairnd stream add "+streamName)
	}
	if settings.Body.Closed {
		return nil, client.NewProblem(client.Invalid, fmt.Sprintf("stream %q is closed", streamName), "")
	}
	admissions := make([]*admission, len(events))
	errs := make([]error, len(events))
	workers := min(runtime.GOMAXPROCS(0), (len(events)+31)/32)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(events); i += workers {
				admissions[i], errs[i] = l.admit(ctx, who, settings, &events[i])
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		var problem *client.Problem
		switch {
		case err == nil:
		case errors.As(err, &problem):
			admissions[i] = &admission{problem: problem}
		default:
			return nil, err
		}
	}
	return admissions, nil
}

// admit checks one event and seals it under the keys of its bucket and its
// subjects.
func (l *Ledger) admit(ctx context.Context, who string, settings *streamSettings, ev *client.Event) (*admission, error) {
	values, err := l.checkEvent(settings, ev)
	if err != nil {
		return nil, err
	}
	b, keys, err := l.bucketFor(ctx, settings, ev.Class)
	if err != nil {
		return nil, err
	}
	subjects, named, err := l.subjectsOf(settings.Body.Stream, ev, values)
	if err != nil {
		return nil, err
	}
	a := &admission{since: settings.Since, keys: keys, named: slices.Clone(ev.Subjects), dedup: dedupKeys(who, ev)}
	for _, s := range subjects {
		a.refs = append(a.refs, s.keys.ref)
	}
	a.leaf = proofs.Leaf{Kind: proofs.Event, Stream: settings.Body.Stream, Bucket: b.Number}
	if ev.Source != "" {
		a.leaf.Source = &proofs.LeafSource{Number: keys.sourceNumber(who, ev.Source), Sequence: ev.Sequence}
	}
	if ev.Class != "" {
		a.class = b.Path.Class
	}
	mediaType, err := client.NormalizeMediaType(ev.MediaType)
	if err != nil {
		return nil, err
	}
	whole := proofs.Part{
		MediaType: mediaType, Appender: who, IdempotencyKey: ev.IdempotencyKey, Source: ev.Source,
		Subjects: subjectNames(subjects), Fields: ev.Fields, Signature: ev.Signature, Data: ev.Data,
	}
	parts, everyone := []proofs.Part{whole}, len(subjects)
	if settings.Body.Split && client.IsJSON(mediaType) { // what is no JSON concerns as a whole all whom it concerns
		whole.Subjects, everyone = whole.Subjects[:named], named
		if parts, err = l.divide(settings, whole); err != nil {
			return nil, err
		}
	}
	if a.said, err = saidOf(whole, ev.Sequence, b.Path.Class); err != nil {
		return nil, err
	}
	lists, err := settings.tagLists(keys, subjects, everyone, values)
	if err != nil {
		return nil, err
	}
	if err := l.seal(a, parts, keys, subjects, lists); err != nil {
		return nil, err
	}
	return a, l.find(ctx, a)
}

// checkEvent checks what an event says of itself and returns the values of
// its stream's declared fields.
func (l *Ledger) checkEvent(settings *streamSettings, ev *client.Event) ([]proofs.FieldValue, error) {
	invalid := func(format string, args ...any) error {
		return client.NewProblem(client.Invalid, fmt.Sprintf(format, args...), "")
	}
	if len(ev.Data) > l.cfg.Limits.Payload {
		return nil, client.NewProblem(client.TooLarge, fmt.Sprintf("the event has %d bytes, and at most %d are taken", len(ev.Data), l.cfg.Limits.Payload),
			"keep large attachments elsewhere and record their SHA-256")
	}
	if ev.Source == "" && ev.Sequence != 0 {
		return nil, invalid("a sequence number without a source")
	}
	if len(ev.Fields) > proofs.MaxTags {
		return nil, invalid("%d given fields are more than %d", len(ev.Fields), proofs.MaxTags)
	}
	var values []proofs.FieldValue
	if client.IsJSON(ev.MediaType) {
		var err error
		if values, err = settings.extractor.Extract(ev.Data); err != nil {
			return nil, invalid("%v", err)
		}
	}
	for _, given := range ev.Fields {
		field, ok := settings.field(given.Name)
		if !ok {
			return nil, invalid("stream %q declares no field %q", settings.Name, given.Name)
		}
		v := proofs.FieldValue{Number: field.Number, Subject: field.Subject, Value: given.Value}
		if !slices.ContainsFunc(values, func(o proofs.FieldValue) bool { return o.Number == v.Number && bytes.Equal(o.Value, v.Value) }) {
			values = append(values, v)
		}
	}
	if len(values) > proofs.MaxTags {
		return nil, invalid("the event has %d values of declared fields, and at most %d are taken", len(values), proofs.MaxTags)
	}
	return values, nil
}

func (s *streamSettings) field(name string) (proofs.Field, bool) {
	for _, f := range s.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return proofs.Field{}, false
}

// A subject is a data subject that an event concerns, with its keys.
type subject struct {
	name string
	keys subjectKeys
}

// subjectsOf returns the subjects of an event: those that the caller names, how
// many these are, and behind them those whom fields name.
func (l *Ledger) subjectsOf(streamNumber uint32, ev *client.Event, values []proofs.FieldValue) (subjects []subject, named int, err error) {
	add := func(name string) error {
		for _, s := range subjects {
			if s.name == name {
				return nil
			}
		}
		if name == "" || len(name) > 1024 || len(subjects) == maxSubjects {
			return client.NewProblem(client.Invalid, fmt.Sprintf("a data subject's name must have 1 to 1024 bytes, and an event can concern %d subjects at most", maxSubjects), "")
		}
		keys, err := l.keys.subject(streamNumber, name)
		if err != nil {
			return err
		}
		subjects = append(subjects, subject{name, keys})
		return nil
	}
	for _, name := range ev.Subjects {
		if err := add(name); err != nil {
			return nil, 0, err
		}
	}
	named = len(subjects)
	for _, v := range values {
		if v.Subject && len(v.Value) > 0 {
			if err := add(string(v.Value)); err != nil {
				return nil, 0, err
			}
		}
	}
	return subjects, named, nil
}

func subjectNames(subjects []subject) []string {
	var names []string
	for _, s := range subjects {
		names = append(names, s.name)
	}
	return names
}
