package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A storedEntry is an entry as it lies in the tree and the vault.
type storedEntry struct {
	index     uint64
	leaf      proofs.Leaf
	leafBytes []byte
	record    []byte // nil where nothing is sealed
}

// stored returns an entry, wherever it is now. The error is errDestroyed where
// its bucket has expired and nothing is left of its record; the leaf comes with
// it.
func (l *Ledger) stored(ctx context.Context, index uint64) (e storedEntry, err error) {
	e.index = index
	if pending, ok := l.pending.entry(index); ok {
		e.leafBytes, e.record = pending.leaf, pending.record
		e.leaf, err = proofs.ParseLeaf(e.leafBytes)
		return e, err
	}
	leaves, err := l.cfg.Tree.Leaves(ctx, index, 1)
	if err != nil {
		return e, fmt.Errorf("tree: %w", err)
	}
	if len(leaves) != 1 {
		return e, fmt.Errorf("tree: %d leaves at index %d", len(leaves), index)
	}
	e.leafBytes = leaves[0]
	if e.leaf, err = proofs.ParseLeaf(e.leafBytes); err != nil || e.leaf.Bucket == 0 {
		return e, err
	}
	e.record, err = l.cfg.Vault.Read(ctx, e.leaf.Bucket, index)
	switch {
	case errors.Is(err, storage.ErrNotFound) && !l.retain.Takes(e.leaf.Bucket):
		return e, errDestroyed
	case err != nil:
		return e, fmt.Errorf("vault: %w", err)
	}
	return e, nil
}

// sealedRecords yields the sealed records of the entries [start, end); see
// [Session.SealedRecords].
func (l *Ledger) sealedRecords(ctx context.Context, start, end uint64, yield func([]byte, error) bool) {
	leaves, err := l.leaves(ctx, start, end)
	if err != nil {
		yield(nil, fmt.Errorf("entries from %d on: %v", start, err)) // no damage of one record
		return
	}
	for i, leaf := range leaves {
		record, err := l.sealedRecord(ctx, start+uint64(i), leaf)
		if err != nil {
			err = fmt.Errorf("entry %d: %w", start+uint64(i), err)
		}
		if !yield(record, err) || err != nil && !errors.Is(err, storage.ErrCorrupt) {
			return
		}
	}
}

// disclose opens an entry and returns its leaf and all that it hides.
func (l *Ledger) disclose(ctx context.Context, index uint64) ([]byte, *proofs.Disclosure, error) {
	e, err := l.stored(ctx, index)
	if err != nil {
		return e.leafBytes, nil, err
	}
	d, err := l.open(ctx, e)
	return e.leafBytes, d, err
}

// open returns all that an entry hides. It is checked against the leaf: what
// the storage changed is not handed out.
func (l *Ledger) open(ctx context.Context, e storedEntry) (*proofs.Disclosure, error) {
	if e.leaf.Bucket == 0 {
		return &proofs.Disclosure{ID: make([]byte, len(proofs.EntryID{}))}, nil
	}
	held, err := l.heldOf(ctx, e.leaf, e.index)
	if err != nil {
		return nil, err
	}
	d, err := l.openRecord(e.leaf, e.record, held)
	return e.checked(d, err)
}

// openPayload returns what an entry hides but its tags, which take longer than
// all the rest. It is checked as by open.
func (l *Ledger) openPayload(ctx context.Context, e storedEntry) (*proofs.Disclosure, error) {
	held, err := l.heldOf(ctx, e.leaf, e.index)
	if err != nil {
		return nil, err
	}
	_, record, d, err := l.openParts(e.leaf, e.record, held)
	if err == nil {
		d.Tags = hideTags(record)
	}
	return e.checked(d, err)
}

// checked holds what was opened to the leaf.
func (e storedEntry) checked(d *proofs.Disclosure, err error) (*proofs.Disclosure, error) {
	if err != nil {
		return nil, err
	}
	if err := d.Check(e.leaf); err != nil {
		return nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	return d, nil
}

// openRecord opens the parts and tags of a record. What is erased, or whose key
// is destroyed and that no hold keeps, is given as its commitment; errDestroyed
// means that no part of the payload opens.
func (l *Ledger) openRecord(leaf proofs.Leaf, raw []byte, held ringKeys) (*proofs.Disclosure, error) {
	o, record, d, err := l.openParts(leaf, raw, held)
	if err == nil {
		d.Tags, err = o.allTags(record)
	}
	return d, err
}

// openParts opens the parts of a record; see openRecord.
func (l *Ledger) openParts(leaf proofs.Leaf, raw []byte, held ringKeys) (o opener, record proofs.Record, d *proofs.Disclosure, err error) {
	if record, err = proofs.ParseRecord(raw); err != nil {
		return o, record, nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return o, record, nil, fmt.Errorf("there is no bucket %d", leaf.Bucket)
	}
	keys, err := l.keys.bucket(b.Path)
	if err != nil && !errors.Is(err, errDestroyed) {
		return o, record, nil, err
	}
	o = opener{l: l, id: record.ID, keys: keys, stream: leaf.Stream, held: held}
	d = &proofs.Disclosure{ID: record.ID[:]}
	gone := len(record.Parts) > 0
	for i, p := range record.Parts {
		shown, err := o.part(p, i)
		if err != nil && !errors.Is(err, errDestroyed) {
			return o, record, nil, fmt.Errorf("part %d: %w", i, err)
		}
		gone = gone && !shown.Shown()
		d.Parts = append(d.Parts, shown)
	}
	if gone { // which damage must not look like
		if err := proofs.CheckRecord(record, leaf); err != nil {
			return o, record, nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
		}
		return o, record, nil, errDestroyed
	}
	return o, record, d, nil
}

// allTags opens the lists of tags of a record. Where the commitments to one
// of them cannot be had any more, none can be held to T, and none is shown.
func (o opener) allTags(record proofs.Record) ([]proofs.DisclosedTags, error) {
	var lists []proofs.DisclosedTags
	for i, t := range record.Tags {
		shown, err := o.tags(t, i)
		if err != nil && !errors.Is(err, errDestroyed) {
			return nil, fmt.Errorf("tags %d: %w", i, err)
		}
		lists = append(lists, shown)
	}
	unknown := func(t proofs.DisclosedTags) bool { return !t.Shown() && len(t.Commitments) == 0 }
	if slices.ContainsFunc(lists, unknown) {
		return hideTags(record), nil
	}
	return lists, nil
}

// hideTags returns lists of tags of which nothing is shown.
func hideTags(record proofs.Record) (lists []proofs.DisclosedTags) {
	for _, t := range record.Tags {
		lists = append(lists, proofs.DisclosedTags{SealedHash: t.Hash})
	}
	return lists
}

// An opener opens the parts and tags of one record, with the keys that the
// tree derives and those that holds keep.
type opener struct {
	l      *Ledger
	id     proofs.EntryID
	keys   *bucketKeys // nil: destroyed
	stream uint32
	held   ringKeys
}

func (o opener) part(p proofs.RecordPart, number int) (proofs.DisclosedPart, error) {
	shown := proofs.DisclosedPart{SealedHash: p.Hash, Binding: p.Binding}
	if p.Sealed == nil {
		return shown, nil
	}
	key, err := o.partKey(p, number)
	if err != nil {
		return shown, err
	}
	whole, opening, err := proofs.OpenPartWithKey(p.Sealed, number, o.id, key)
	if err != nil {
		return shown, err
	}
	part, err := proofs.ParsePart(whole)
	if err != nil {
		return shown, err
	}
	if shown.Head, err = proofs.FormatPartHead(part); err != nil {
		return shown, err
	}
	shown.Opening, shown.Data = opening[:], part.Data
	return shown, nil
}

func (o opener) partKey(p proofs.RecordPart, number int) (*proofs.Key256, error) {
	if key := o.held.part(number); key != nil {
		return key, nil
	}
	if o.keys == nil {
		return nil, errDestroyed
	}
	key, err := proofs.SealedPartKey(p.Sealed, number, o.id, &o.keys.seal, o.l.keys.sealKeys(o.stream))
	return &key, err
}

func (o opener) tagsKey(t proofs.RecordTags, number int) (*proofs.TagsKey, error) {
	if key := o.held.list(number); key != nil {
		return key, nil
	}
	if o.keys == nil {
		return nil, errDestroyed
	}
	key, err := proofs.SealedTagsKey(t.Sealed, number, o.id, &o.keys.tags, o.l.keys.tagKeys(o.stream))
	return &key, err
}

func (o opener) tags(t proofs.RecordTags, number int) (proofs.DisclosedTags, error) {
	shown := proofs.DisclosedTags{SealedHash: t.Hash, Commitments: t.Commitments}
	if t.Sealed == nil {
		return shown, nil
	}
	key, err := o.tagsKey(t, number)
	if err != nil {
		return shown, err
	}
	tags, err := proofs.OpenTagsWithKey(t.Sealed, number, o.id, &key.Key)
	if err != nil {
		return shown, err
	}
	return proofs.DisclosedTags{SealedHash: t.Hash, Seed: key.Seed[:], Tags: proofs.AppendTags(nil, tags)}, nil
}

// openPart opens the one part of a control entry's record.
func (l *Ledger) openPart(leaf proofs.Leaf, raw []byte) (proofs.Part, error) {
	d, err := l.openRecord(leaf, raw, ringKeys{})
	if err != nil {
		return proofs.Part{}, err
	}
	if err := d.Check(leaf); err != nil {
		return proofs.Part{}, err
	}
	if len(d.Parts) != 1 || !d.Parts[0].Shown() {
		return proofs.Part{}, errors.New("the payload is not one part")
	}
	return d.Parts[0].Part()
}
