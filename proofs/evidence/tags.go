package evidence

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// tags computes the tags of an event again from its payload, with the settings
// and the keys that the log committed to before, and checks that it is in the
// parts that the settings demand.
func (v *verifier) tags(r *EntryReport, e *Entry) error {
	if r.Leaf.Kind != proofs.Event {
		return nil
	}
	set := v.facts.settingsAt(r.Leaf.Stream, e.Index)
	if set != nil && set.extractor != nil {
		r.Stream, r.Settings = set.name, set.index
	}
	b := v.facts.buckets[r.Leaf.Bucket]
	switch {
	case b != nil && b.stream != r.Leaf.Stream:
		return fmt.Errorf("%w: its bucket was opened for another stream", proofs.ErrNotVerified)
	case !e.complete():
		r.NotTagged = "not all of the payload and the tags is shown"
	case set == nil:
		r.NotTagged = "the file does not have the settings of its stream"
	case set.extractor == nil:
		r.NotTagged = fmt.Sprintf("the file does not show the settings of its stream, in entry %d", set.index)
	}
	if r.NotTagged != "" {
		return nil
	}
	keys, missing, err := b.fieldKeys(e, set.fields)
	if err != nil {
		return err
	}
	values, err := valuesOf(r.Part, set)
	if err != nil {
		return err
	}
	for _, value := range values {
		if why, ok := missing[value.Number]; ok {
			r.NotTagged = why
			return nil
		}
	}
	if err := e.Disclosure.CheckFields(values, keys); err != nil {
		return err
	}
	if err := set.checkParts(e.Disclosure, r.Part, values); err != nil {
		return err
	}
	r.Tagged, r.values = true, values
	return nil
}

// checkParts checks that an event is in the parts that its stream demands: else
// an erasure would close too little of it, or too much.
func (s *streamSettings) checkParts(d *proofs.Disclosure, payload proofs.Part, values []proofs.FieldValue) error {
	if s.split && isJSON(payload.MediaType) {
		return d.CheckSplit(s.extractor)
	}
	return d.CheckWhole(values)
}

// fieldKeys returns the keys that an entry comes with, each of which must be
// the one that the log committed to; and why there is none of a declared field.
func (b *bucket) fieldKeys(e *Entry, fields []proofs.Field) (keys map[uint16]proofs.Key256, missing map[uint16]string, err error) {
	keys, missing = make(map[uint16]proofs.Key256), make(map[uint16]string)
	for _, f := range fields {
		missing[f.Number] = fmt.Sprintf("the file does not have the key of the field %s", f.Name)
	}
	for _, k := range e.FieldKeys {
		key := proofs.Key256(k.Key)
		var want committedKey
		if b != nil {
			want = b.keys[k.Field]
		}
		switch {
		case want == committedKey{} || want.index >= e.Index:
			missing[k.Field] = "the file does not have the entry that opened its bucket"
			continue
		case proofs.FieldKeyHash(&key) != want.hash:
			return nil, nil, fmt.Errorf("%w: the key of field %d is not the one that the log committed to", proofs.ErrNotVerified, k.Field)
		}
		keys[k.Field] = key
		delete(missing, k.Field)
	}
	return keys, missing, nil
}

// valuesOf returns the values of the declared fields in a payload, and those
// that came beside it.
func valuesOf(part proofs.Part, set *streamSettings) (values []proofs.FieldValue, err error) {
	if isJSON(part.MediaType) {
		if values, err = set.extractor.Extract(part.Data); err != nil {
			return nil, err
		}
	}
	for _, given := range part.Fields {
		i := slices.IndexFunc(set.fields, func(f proofs.Field) bool { return f.Name == given.Name })
		if i < 0 {
			return nil, fmt.Errorf("%w: its stream declares no field %q", proofs.ErrNotVerified, given.Name)
		}
		values = append(values, proofs.FieldValue{Number: set.fields[i].Number, Value: given.Value})
	}
	return values, nil
}

// isJSON reports whether the declared fields of a payload are read from it:
// application/json and what ends in +json (RFC 6839 §3.1), with any
// parameters. Empty stands for application/json.
func isJSON(mediaType string) bool {
	base, _, err := mime.ParseMediaType(mediaType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) { // of which the rest is still known
		return mediaType == ""
	}
	kind, ok := strings.CutSuffix(base, "+json")
	typ, subtype, slash := strings.Cut(kind, "/")
	return base == "application/json" || ok && slash && typ != "" && subtype != ""
}
