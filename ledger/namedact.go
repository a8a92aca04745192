package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"crypto/sha256"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// actAbout returns the control entry of an act that may name a subject of a
// stream. The name is a part of its own, closed with keys of the subject, and
// with it are the references to what the act destroys. The entry's bucket is
// opened first if it is the first of its period.
func (l *Ledger) actAbout(ctx context.Context, kind proofs.Kind, control []byte, act proofs.Act, t erasedSubject) (*admission, error) {
	b, keys, err := l.accessBucket(ctx)
	if err != nil {
		return nil, err
	}
	name := act.Subject
	act.Subject = ""
	a, err := l.sealedAct(b, kind, control, act)
	if err != nil || name == "" {
		return a, err
	}
	about, err := l.keys.subject(controlStream, actSubject(t.stream, name))
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(namedSubject{Stream: t.stream, Subject: name, Refs: t.refs, Acts: t.acts})
	if err != nil {
		return nil, err
	}
	record, err := proofs.ParseRecord(a.record)
	if err != nil {
		return nil, err
	}
	whole, err := proofs.FormatPart(proofs.Part{MediaType: subjectMediaType, Data: data})
	if err != nil {
		return nil, err
	}
	var opening proofs.Key256
	if _, err := io.ReadFull(l.cfg.Rand, opening[:]); err != nil {
		return nil, err
	}
	sealed, err := proofs.SealPart(whole, 1, record.ID, &keys.seal, []proofs.SubjectKey{{Ref: about.ref, Key: about.seal}}, &opening)
	if err != nil {
		return nil, err
	}
	record.Parts = append(record.Parts, proofs.RecordPart{
		Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, record.ID, 1, whole),
	})
	a.leaf.C, a.refs = record.Commitment(), []proofs.SubjectRef{about.ref}
	a.record, err = proofs.FormatRecord(record)
	return a, err
}

// subjectMediaType is the media type of the part that names a subject.
const subjectMediaType = "application/vnd.cairn.subject+json"

// A namedSubject is what that part holds.
type namedSubject struct {
	Stream  uint32              `json:"stream"`
	Subject string              `json:"subject"`
	Refs    []proofs.SubjectRef `json:"refs,omitempty"` // whose keys an erasure destroys: of events
	Acts    []proofs.SubjectRef `json:"acts,omitempty"` // and of acts
}

// erasedBy finds out whom an announced erasure concerns. Where its keys are
// destroyed already nobody can, and nothing is left to be destroyed.
func (l *Ledger) erasedBy(ctx context.Context, closing retain.Closing) (*erasedSubject, error) {
	_, named, err := l.openAct(ctx, closing.Index)
	switch {
	case err != nil:
		return nil, err
	case named == nil:
		return &erasedSubject{}, nil
	}
	return &erasedSubject{stream: named.Stream, refs: named.Refs, acts: named.Acts}, nil
}

// openAct opens the act that an entry records, and what it names a subject by:
// nil where it names none, or its keys are destroyed. The error is errDestroyed
// where the act has expired.
func (l *Ledger) openAct(ctx context.Context, index uint64) (act proofs.Act, named *namedSubject, err error) {
	e, err := l.stored(ctx, index)
	if err != nil {
		return act, nil, err
	}
	record, err := proofs.ParseRecord(e.record)
	if err == nil {
		err = proofs.CheckRecord(record, e.leaf)
	}
	if err != nil {
		return act, nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	b, ok := l.state.bucketNumbered(e.leaf.Bucket)
	if !ok {
		return act, nil, fmt.Errorf("there is no bucket %d", e.leaf.Bucket)
	}
	keys, err := l.keys.bucket(b.Path)
	if err != nil {
		return act, nil, err
	}
	part, err := l.openActPart(record, 0, keys)
	if err != nil || part.MediaType != proofs.ActMediaType {
		return act, nil, err
	}
	if act, err = proofs.ParseAct(part.Data); err != nil || len(record.Parts) < 2 {
		return act, nil, err
	}
	part, err = l.openActPart(record, 1, keys)
	if errors.Is(err, errDestroyed) {
		return act, nil, nil
	}
	if err != nil {
		return act, nil, err
	}
	named = new(namedSubject)
	if err := json.Unmarshal(part.Data, named); err != nil || part.MediaType != subjectMediaType {
		return act, nil, fmt.Errorf("its second part names no subject: %w", err)
	}
	act.Subject = named.Subject
	return act, named, nil
}

func (l *Ledger) openActPart(record proofs.Record, number int, keys *bucketKeys) (proofs.Part, error) {
	if number >= len(record.Parts) {
		return proofs.Part{}, nil
	}
	p := record.Parts[number]
	if p.Sealed == nil {
		return proofs.Part{}, errDestroyed
	}
	whole, opening, err := proofs.OpenPart(p.Sealed, number, record.ID, &keys.seal, l.keys.sealKeys(controlStream))
	if err != nil {
		return proofs.Part{}, err
	}
	if proofs.Binding(&opening, record.ID, number, whole) != p.Binding {
		return proofs.Part{}, fmt.Errorf("vault: %w", storage.ErrCorrupt)
	}
	return proofs.ParsePart(whole)
}
