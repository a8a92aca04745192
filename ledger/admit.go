package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

	// What the deduplication index says, see Ledger.find.
	indexed uint64 // it covered the entries below this index
	found   bool
	foundAt uint64

	// What the sequencer decides.
	index     uint64
	leafBytes []byte
	duplicate bool
	sequenced func(index uint64) // control entries: called once it is durable
	problem   *client.Problem
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
	subjects, err := l.subjectsOf(settings.Body.Stream, ev, values)
	if err != nil {
		return nil, err
	}
	a := &admission{since: settings.Since, keys: keys, named: slices.Clone(ev.Subjects)}
	a.leaf = proofs.Leaf{Kind: proofs.Event, Stream: settings.Body.Stream, Bucket: b.Number}
	if ev.Source != "" {
		a.leaf.Source = &proofs.LeafSource{Number: keys.sourceNumber(who, ev.Source), Sequence: ev.Sequence}
	}
	mediaType, err := client.NormalizeMediaType(ev.MediaType)
	if err != nil {
		return nil, err
	}
	part := proofs.Part{
		MediaType: mediaType, Appender: who, IdempotencyKey: ev.IdempotencyKey, Source: ev.Source,
		Subjects: subjectNames(subjects), Fields: ev.Fields, Signature: ev.Signature, Data: ev.Data,
	}
	if a.said, err = saidOf(part, ev.Sequence, b.Path.Class); err != nil {
		return nil, err
	}
	if ev.Class != "" {
		a.class = b.Path.Class
	}
	if err := l.seal(a, part, keys, subjects, values); err != nil {
		return nil, err
	}
	a.dedup = dedupKeys(who, ev)
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

const jsonMediaType = "application/json"

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

// subjectsOf returns the subjects of an event: those that the caller names
// and the values of the fields that name subjects.
func (l *Ledger) subjectsOf(streamNumber uint32, ev *client.Event, values []proofs.FieldValue) ([]subject, error) {
	var subjects []subject
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
			return nil, err
		}
	}
	for _, v := range values {
		if v.Subject && len(v.Value) > 0 {
			if err := add(string(v.Value)); err != nil {
				return nil, err
			}
		}
	}
	return subjects, nil
}

func subjectNames(subjects []subject) []string {
	var names []string
	for _, s := range subjects {
		names = append(names, s.name)
	}
	return names
}

// seal seals a part and its tags, and sets the admission's record, its
// commitments and what its writer is shown.
func (l *Ledger) seal(a *admission, part proofs.Part, keys *bucketKeys, subjects []subject, values []proofs.FieldValue) error {
	id, err := proofs.NewEntryID(l.cfg.Rand)
	if err != nil {
		return fmt.Errorf("entry id: %w", err)
	}
	var opening proofs.Key256
	if _, err := io.ReadFull(l.cfg.Rand, opening[:]); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	whole, err := proofs.FormatPart(part)
	if err != nil {
		return client.NewProblem(client.Invalid, err.Error(), "")
	}
	head := bytes.Clone(whole[:len(whole)-4-len(part.Data)])
	sealKeys := make([]proofs.SubjectKey, len(subjects))
	for i, s := range subjects {
		sealKeys[i] = proofs.SubjectKey{Ref: s.keys.ref, Key: s.keys.seal}
		a.refs = append(a.refs, s.keys.ref)
	}
	sealed, err := proofs.SealPart(whole, 0, id, &keys.seal, sealKeys, &opening)
	if err != nil {
		return err
	}
	record := proofs.Record{ID: id}
	record.Parts = append(record.Parts, proofs.RecordPart{
		Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, id, 0, whole),
	})
	a.disclosure = &proofs.Disclosure{ID: id[:], Parts: []proofs.DisclosedPart{{
		SealedHash: record.Parts[0].Hash, Binding: record.Parts[0].Binding, Opening: opening[:], Head: head,
	}}}
	if a.leaf.T, err = sealTags(&record, a.disclosure, keys, subjects, values); err != nil {
		return err
	}
	a.leaf.C = record.Commitment()
	a.record, err = proofs.FormatRecord(record)
	return err
}

// sealTags adds the tags to a record and to what its writer is shown: first
// the list of those about nobody, then a list for each subject. It returns T.
func sealTags(r *proofs.Record, d *proofs.Disclosure, keys *bucketKeys, subjects []subject, values []proofs.FieldValue) (proofs.Hash, error) {
	lists := make([][]proofs.Tag, 1+len(subjects))
	for _, v := range values {
		at := 0
		for i, s := range subjects {
			if v.Subject && s.name == string(v.Value) {
				at = 1 + i
			}
		}
		key := keys.field(v.Number)
		lists[at] = append(lists[at], proofs.MakeTag(v.Number, &key, v.Value))
	}
	var commitments []proofs.Hash
	for i, tags := range lists {
		if len(tags) == 0 {
			continue
		}
		var about []proofs.SubjectKey
		if i > 0 {
			about = append(about, proofs.SubjectKey{Ref: subjects[i-1].keys.ref, Key: subjects[i-1].keys.tags})
		}
		sealed, err := proofs.SealTags(tags, len(r.Tags), r.ID, &keys.tags, about)
		if err != nil {
			return proofs.Hash{}, err
		}
		seed := proofs.TagSeed(&keys.tags, r.ID, about)
		for _, tag := range tags {
			commitments = append(commitments, proofs.TagCommitment(&seed, len(commitments), tag))
		}
		r.Tags = append(r.Tags, proofs.RecordTags{Sealed: sealed, Hash: sha256.Sum256(sealed)})
		d.Tags = append(d.Tags, proofs.DisclosedTags{
			SealedHash: r.Tags[len(r.Tags)-1].Hash, Seed: seed[:], Tags: proofs.AppendTags(nil, tags),
		})
	}
	return proofs.TagsRoot(commitments), nil
}

// A said is what an event says. A repeat says the same: what is acknowledged
// under a key must be recorded with it.
type said struct {
	content        [32]byte // digest of all but what follows
	idempotencyKey string
	source         string
	sequence       uint64
	subjects       []string // those that the settings of then make of the data included
	class          uint16   // the stream's of then, unless the caller named one
}

func saidOf(p proofs.Part, sequence uint64, class uint16) (said, error) {
	s := said{idempotencyKey: p.IdempotencyKey, source: p.Source, sequence: sequence, subjects: p.Subjects, class: class}
	data := p.Data
	p.IdempotencyKey, p.Source, p.Subjects, p.Data = "", "", nil, nil
	head, err := proofs.FormatPartHead(p)
	if err != nil {
		return s, client.NewProblem(client.Invalid, err.Error(), "")
	}
	h := sha256.New()
	h.Write(head) // ends where it says, and all that follows is the data
	h.Write(data)
	s.content = [32]byte(h.Sum(nil))
	return s, nil
}

// repeats reports whether the event is the same as an earlier one. The stream
// may have had another class then, and may have declared other fields, whose
// values name subjects, so only those that the caller names now count.
func (a *admission) repeats(was said) bool {
	now := a.said
	missing := slices.ContainsFunc(a.named, func(s string) bool { return !slices.Contains(was.subjects, s) })
	return !missing && (a.class == 0 || a.class == was.class) && now.content == was.content && now.idempotencyKey == was.idempotencyKey &&
		now.source == was.source && now.sequence == was.sequence
}

// A dedupKey identifies an event to be recorded once: half of a SHA-256 of its scope and key. At
// rest it is encrypted under a key of the bucket (see bucketKeys.row).
type dedupKey [16]byte

// dedupKeys returns the keys under which an event is recorded once.
func dedupKeys(who string, ev *client.Event) []dedupKey {
	var keys []dedupKey
	if ev.IdempotencyKey != "" {
		keys = append(keys, scopedKey("idempotency key", who, []byte(ev.IdempotencyKey)))
	}
	if ev.Source != "" {
		sequence := binary.BigEndian.AppendUint64(append([]byte(ev.Source), 0), ev.Sequence)
		keys = append(keys, scopedKey("source", who, sequence))
	}
	return keys
}

func scopedKey(what, who string, key []byte) dedupKey {
	var b bytes.Buffer
	fmt.Fprintf(&b, "cairn/v1 %s\n%d\n%s\n", what, len(who), who)
	b.Write(key)
	sum := sha256.Sum256(b.Bytes())
	return dedupKey(sum[:16])
}
