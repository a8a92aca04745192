package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A tagContext is what says how the tags of a stream's entries are made.
type tagContext struct {
	isGiven  bool                    // settings in JSON, also a list of none
	given    []proofs.StreamSettings // those, which are believed
	settings *proofs.StreamSettings  // in their entry, and verified
	body     *proofs.StreamBody      // the clear side of those
	stream   uint32                  // of the settings
	set      *uint64                 // the entry that set them
	keys     map[bucketField]proofs.Hash
}

// A bucketField names the key of a field in a bucket.
type bucketField struct {
	bucket uint32
	field  uint16
}

// addSettings takes a file of --settings: settings in JSON, which are then
// believed, or entries, which are verified.
func (j *judge) addSettings(name string, b []byte) error {
	if kindOf(name, b) == kindSettings {
		streams, err := parseStreams(b)
		j.context.isGiven, j.context.given = true, append(j.context.given, streams...)
		return err
	}
	entries, err := parseEntryFiles(b)
	if err != nil {
		return err
	}
	for i := range entries {
		if err := j.addContext(&j.context, &entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// addContext verifies an entry that sets a stream or opens a bucket, and
// takes what it says.
func (j *judge) addContext(c *tagContext, e *entryFile) error {
	alone := &judge{policy: j.policy, receipts: j.receipts}
	var f finding
	if err := alone.entry(&f, e); err != nil {
		return err
	}
	if f.Root == "" {
		return fmt.Errorf("entry %d: its receipt is needed", e.Index)
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return err
	}
	switch leaf.Kind {
	case proofs.Settings:
		return c.addSettings(e, leaf)
	case proofs.BucketOpened:
		return c.addBucket(leaf)
	}
	return command.Usage("entry %d is of kind %v: only entries that set a stream or open a bucket say how tags are made", e.Index, leaf.Kind)
}

func (c *tagContext) addSettings(e *entryFile, leaf proofs.Leaf) error {
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		return err
	}
	parts, err := e.parts()
	if err != nil {
		return err
	}
	part, ok := parts[0]
	if body.Stream == nil || !ok {
		return command.Usage("entry %d does not show the settings of a stream", e.Index)
	}
	s, err := proofs.CheckStreamSettings(part.Data, *body.Stream)
	if err != nil {
		return err
	}
	c.settings, c.body, c.stream, c.set = &s, body.Stream, body.Stream.Stream, &e.Index
	return nil
}

func (c *tagContext) addBucket(leaf proofs.Leaf) error {
	body, err := proofs.ParseBucket(leaf.Control)
	if err != nil {
		return err
	}
	if c.keys == nil {
		c.keys = make(map[bucketField]proofs.Hash)
	}
	for _, k := range body.Keys {
		c.keys[bucketField{body.Bucket, k.Field}] = k.Hash
	}
	return nil
}

// tags computes the tags of an entry again from its payload, where it is
// known how.
func (j *judge) tags(f *finding, e *entryFile, leaf proofs.Leaf) error {
	c := j.context
	for i := range e.Context {
		if err := j.addContext(&c, &e.Context[i]); err != nil {
			return fmt.Errorf("context: %w", err)
		}
	}
	if leaf.Kind != proofs.Event {
		return nil
	}
	used, err := c.settingsFor(e, leaf)
	if err != nil {
		return err
	}
	if used == nil {
		f.NotChecked = append(f.NotChecked, "that the tags are those of the payload: give the stream's settings with --settings")
		return nil
	}
	if !allShown(e.Disclosure) {
		f.NotChecked = append(f.NotChecked, "that the tags are those of the payload: not all of both is shown")
		return nil
	}
	keys, compared, err := c.fieldKeys(e, leaf)
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	values, err := computeTags(e, used.fields, keys)
	switch {
	case used.ofNow && errors.Is(err, proofs.ErrNotVerified):
		return command.Hinted(fmt.Errorf("entry %d: the tags are not those of the payload by the list of streams, which may be of another time", e.Index), hintSettings, e.Index)
	case err != nil:
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	f.Checked = append(f.Checked, fmt.Sprintf("T, computed again: %d values by %s", len(values), used.name))
	if err := checkParts(f, e, used, values); err != nil {
		return err
	}
	if compared {
		f.Checked = append(f.Checked, "the field keys are those that the log committed to")
	} else if len(keys) > 0 {
		f.NotChecked = append(f.NotChecked, fmt.Sprintf("that the field keys are right: give the entry that opened bucket %d with --settings", leaf.Bucket))
	}
	return nil
}

// checkParts checks that an event is in the parts that its stream's settings
// demand, where they are known.
func checkParts(f *finding, e *entryFile, used *usedSettings, values []proofs.FieldValue) error {
	if used.stream == nil {
		return nil
	}
	payload, err := e.Disclosure.Payload()
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	if !used.stream.Split || !client.IsJSON(payload.MediaType) {
		if err := e.Disclosure.CheckWhole(values); err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		return nil
	}
	x, err := proofs.NewExtractor(used.fields)
	if err != nil {
		return err
	}
	if err := e.Disclosure.CheckSplit(x); err != nil {
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	f.Checked = append(f.Checked, fmt.Sprintf("the event is in the parts that %s demand", used.name))
	return nil
}

// computeTags checks that the tags of an entry are those of its payload, and
// returns the values that have one.
func computeTags(e *entryFile, fields []proofs.Field, keys map[uint16]proofs.Key256) ([]proofs.FieldValue, error) {
	values, err := valuesOf(e, fields)
	if err != nil {
		return nil, err
	}
	return values, e.Disclosure.CheckFields(values, keys)
}

func allShown(d *proofs.Disclosure) bool {
	return !slices.ContainsFunc(d.Parts, func(p proofs.DisclosedPart) bool { return !p.Shown() }) &&
		!slices.ContainsFunc(d.Tags, func(t proofs.DisclosedTags) bool { return !t.Shown() })
}

// valuesOf returns the values of declared fields in the payload of an entry,
// all of which is shown.
func valuesOf(e *entryFile, fields []proofs.Field) (values []proofs.FieldValue, err error) {
	if len(e.Disclosure.Parts) == 0 {
		return nil, nil
	}
	payload, err := e.Disclosure.Payload()
	if err != nil {
		return nil, err
	}
	if client.IsJSON(payload.MediaType) {
		if values, err = proofs.ExtractFields(payload.Data, fields); err != nil {
			return nil, err
		}
	}
	given, err := givenValues(payload, fields)
	return append(values, given...), err
}

// givenValues returns the values of declared fields that came beside the data of an event.
func givenValues(payload proofs.Part, fields []proofs.Field) (values []proofs.FieldValue, err error) {
	for _, given := range payload.Fields {
		i := slices.IndexFunc(fields, func(f proofs.Field) bool { return f.Name == given.Name })
		if i < 0 {
			return nil, fmt.Errorf("%w: the settings declare no field %q", proofs.ErrNotVerified, given.Name)
		}
		values = append(values, proofs.FieldValue{Number: fields[i].Number, Subject: fields[i].Subject, Value: given.Value})
	}
	return values, nil
}

// fieldKeys returns the keys of the entry's file, and whether the log commits
// to all of them.
func (c *tagContext) fieldKeys(e *entryFile, leaf proofs.Leaf) (keys map[uint16]proofs.Key256, compared bool, err error) {
	keys = make(map[uint16]proofs.Key256)
	compared = len(e.FieldKeys) > 0
	for number, b := range e.FieldKeys {
		if len(b) != len(proofs.Key256{}) {
			return nil, false, fmt.Errorf("%w: the key of field %d does not have 32 bytes", proofs.ErrMalformed, number)
		}
		key := proofs.Key256(b)
		keys[number] = key
		want, ok := c.keys[bucketField{leaf.Bucket, number}]
		if ok && proofs.FieldKeyHash(&key) != want {
			return nil, false, fmt.Errorf("%w: the key of field %d is not the one that the log committed to", proofs.ErrNotVerified, number)
		}
		compared = compared && ok
	}
	return keys, compared, nil
}
