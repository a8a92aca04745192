package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// divide divides an event into parts, by the people whom what is in it
// concerns. The subjects of the event that comes in are those whom all of it
// concerns.
func (l *Ledger) divide(settings *streamSettings, whole proofs.Part) ([]proofs.Part, error) {
	parts, err := settings.extractor.Split(whole)
	if err != nil {
		return nil, client.NewProblem(client.Invalid, err.Error(), "")
	}
	// Each part names its people again, so that long names can take far more
	// room than the event.
	size, most := 0, l.cfg.Limits.Payload+splitRoom
	for _, p := range parts {
		head, err := proofs.FormatPartHead(p)
		if err != nil {
			return nil, client.NewProblem(client.Invalid, err.Error(), "")
		}
		size += len(head) + len(p.Data)
	}
	if len(parts) > 1 && size > most {
		return nil, client.NewProblem(client.TooLarge, fmt.Sprintf("in parts by the people that it concerns the event has %d bytes, and at most %d are taken", size, most),
			"name people by shorter names, or fewer of them in one event")
	}
	return parts, nil
}

// splitRoom is how many bytes the parts of an event may take beyond the bound of events.
const splitRoom = 64 << 10

// seal seals the parts of a payload, each under the keys of those of the
// subjects that it names, and the tags. It sets the admission's record, its
// commitments and what its writer is shown.
func (l *Ledger) seal(a *admission, parts []proofs.Part, keys *bucketKeys, subjects []subject, lists []tagList) error {
	id, err := proofs.NewEntryID(l.cfg.Rand)
	if err != nil {
		return fmt.Errorf("entry id: %w", err)
	}
	record := proofs.Record{ID: id}
	a.disclosure = &proofs.Disclosure{ID: id[:]}
	for _, p := range parts {
		if err := l.sealPart(&record, a.disclosure, p, keys, subjects); err != nil {
			return err
		}
	}
	if a.leaf.T, err = sealTags(&record, a, keys, lists); err != nil {
		return err
	}
	a.leaf.C = record.Commitment()
	a.record, err = proofs.FormatRecord(record)
	return err
}

// sealPart adds a part to a record and to what its writer is shown.
func (l *Ledger) sealPart(r *proofs.Record, d *proofs.Disclosure, part proofs.Part, keys *bucketKeys, subjects []subject) error {
	var opening proofs.Key256
	if _, err := io.ReadFull(l.cfg.Rand, opening[:]); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	whole, err := proofs.FormatPart(part)
	if err != nil {
		return client.NewProblem(client.Invalid, err.Error(), "")
	}
	sealKeys := make([]proofs.SubjectKey, len(part.Subjects))
	for i, name := range part.Subjects {
		s, err := subjectNamed(subjects, name)
		if err != nil {
			return err
		}
		sealKeys[i] = proofs.SubjectKey{Ref: s.keys.ref, Key: s.keys.seal}
	}
	number := len(r.Parts)
	sealed, err := proofs.SealPart(whole, number, r.ID, &keys.seal, sealKeys, &opening)
	if err != nil {
		return err
	}
	p := proofs.RecordPart{Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, r.ID, number, whole)}
	r.Parts = append(r.Parts, p)
	d.Parts = append(d.Parts, proofs.DisclosedPart{
		SealedHash: p.Hash, Binding: p.Binding, Opening: opening[:], Head: bytes.Clone(whole[:len(whole)-4-len(part.Data)]),
	})
	return nil
}

// subjectNamed returns a subject by its name. That it is not there means that
// our own arithmetic is wrong, and nothing may be sealed without its key.
func subjectNamed(subjects []subject, name string) (subject, error) {
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == name })
	if i < 0 {
		return subject{}, fmt.Errorf("seal: there is no key of a subject that it concerns")
	}
	return subjects[i], nil
}

// A tagList is tags that concern the same subjects, or nobody.
type tagList struct {
	about []proofs.SubjectKey
	tags  []proofs.Tag
}

// tagLists makes the tags of an event, each closed by what closes its value: by
// the keys of those whom the whole event concerns, the first of the subjects, and
// of those whom the value does. So nothing is left of what is erased: neither
// there nor in a copy of it. Lists can be empty.
func (s *streamSettings) tagLists(keys *bucketKeys, subjects []subject, whole int, values []proofs.FieldValue) ([]tagList, error) {
	if len(values) == 0 {
		return nil, nil
	}
	if whole < len(subjects) && slices.ContainsFunc(s.Fields, func(f proofs.Field) bool { return f.About != "" }) {
		return s.concernLists(keys, subjects, whole, values)
	}
	// Then a value concerns whom it names, or nobody: the same, in less time.
	lists := make([]tagList, 1+len(subjects)-whole)
	lists[0].about = tagKeysOf(subjects[:whole])
	for i, s := range subjects[whole:] {
		lists[1+i].about = append(slices.Clone(lists[0].about), tagKeysOf([]subject{s})...)
	}
	for _, v := range values {
		at := 0
		for i, s := range subjects[whole:] {
			if v.Subject && s.name == string(v.Value) {
				at = 1 + i
			}
		}
		lists[at].add(keys, v)
	}
	return lists, nil
}

func tagKeysOf(subjects []subject) (about []proofs.SubjectKey) {
	for _, s := range subjects {
		about = append(about, proofs.SubjectKey{Ref: s.keys.ref, Key: s.keys.tags})
	}
	return about
}

// concernLists does what tagLists does where fields are about other fields.
func (s *streamSettings) concernLists(keys *bucketKeys, subjects []subject, whole int, values []proofs.FieldValue) ([]tagList, error) {
	concerns, err := s.extractor.Concerns(values)
	if err != nil {
		return nil, client.NewProblem(client.Invalid, err.Error(), "")
	}
	var lists []tagList
	for _, c := range concerns {
		about := tagKeysOf(subjects[:whole])
		for _, name := range c.Subjects {
			s, err := subjectNamed(subjects, name)
			if err != nil {
				return nil, err
			}
			if key := tagKeysOf([]subject{s})[0]; !slices.Contains(about, key) {
				about = append(about, key)
			}
		}
		at := slices.IndexFunc(lists, func(l tagList) bool { return slices.Equal(l.about, about) })
		if at < 0 {
			at, lists = len(lists), append(lists, tagList{about: about})
		}
		for _, v := range c.Values {
			lists[at].add(keys, v)
		}
	}
	return lists, nil
}

func (t *tagList) add(keys *bucketKeys, v proofs.FieldValue) {
	key := keys.field(v.Number)
	t.tags = append(t.tags, proofs.MakeTag(v.Number, &key, v.Value))
}

// sealTags adds lists of tags to a record, to what its writer is shown and to
// what its directory will be made of, and returns T.
func sealTags(r *proofs.Record, a *admission, keys *bucketKeys, lists []tagList) (proofs.Hash, error) {
	d := a.disclosure
	var commitments []proofs.Hash
	for _, l := range lists {
		if len(l.tags) == 0 {
			continue
		}
		sealed, err := proofs.SealTags(l.tags, len(r.Tags), r.ID, &keys.tags, l.about)
		if err != nil {
			return proofs.Hash{}, err
		}
		seed := proofs.TagSeed(&keys.tags, r.ID, l.about)
		commitments = proofs.AppendTagCommitments(commitments, &seed, l.tags)
		r.Tags = append(r.Tags, proofs.RecordTags{Sealed: sealed, Hash: sha256.Sum256(sealed)})
		d.Tags = append(d.Tags, proofs.DisclosedTags{
			SealedHash: r.Tags[len(r.Tags)-1].Hash, Seed: seed[:], Tags: proofs.AppendTags(nil, l.tags),
		})
		a.tags = append(a.tags, seededTags{&seed, l.tags})
	}
	return proofs.TagsRoot(commitments), nil
}
