package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// stored returns the leaf and the record of an entry, wherever they are now.
func (l *Ledger) stored(ctx context.Context, index uint64) (leafBytes, record []byte, leaf proofs.Leaf, err error) {
	if e, ok := l.pending.entry(index); ok {
		leaf, err = proofs.ParseLeaf(e.leaf)
		return e.leaf, e.record, leaf, err
	}
	leaves, err := l.cfg.Tree.Leaves(ctx, index, 1)
	if err != nil {
		return nil, nil, leaf, fmt.Errorf("tree: %w", err)
	}
	if len(leaves) != 1 {
		return nil, nil, leaf, fmt.Errorf("tree: %d leaves at index %d", len(leaves), index)
	}
	if leaf, err = proofs.ParseLeaf(leaves[0]); err != nil || leaf.Bucket == 0 {
		return leaves[0], nil, leaf, err
	}
	record, err = l.cfg.Vault.Read(ctx, leaf.Bucket, index)
	if err != nil {
		return leaves[0], nil, leaf, fmt.Errorf("vault: %w", err)
	}
	return leaves[0], record, leaf, nil
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

// disclose opens an entry and returns its leaf and all that it hides. The
// disclosure is checked against the leaf: what the storage changed is not
// handed out.
func (l *Ledger) disclose(ctx context.Context, index uint64) ([]byte, *proofs.Disclosure, error) {
	leafBytes, raw, leaf, err := l.stored(ctx, index)
	if err != nil {
		return leafBytes, nil, err
	}
	if leaf.Bucket == 0 {
		return leafBytes, &proofs.Disclosure{ID: make([]byte, len(proofs.EntryID{}))}, nil
	}
	d, err := l.openRecord(leaf, raw)
	if err != nil {
		return leafBytes, nil, err
	}
	if err := d.Check(leaf); err != nil {
		return leafBytes, nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	return leafBytes, d, nil
}

// openRecord opens the parts and tags of a record. What is erased, or whose key
// is destroyed, is given as its commitment; errDestroyed means that no part of
// the payload opens.
func (l *Ledger) openRecord(leaf proofs.Leaf, raw []byte) (*proofs.Disclosure, error) {
	record, err := proofs.ParseRecord(raw)
	if err != nil {
		return nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return nil, fmt.Errorf("there is no bucket %d", leaf.Bucket)
	}
	keys, err := l.keys.bucket(b.Path)
	if err != nil {
		return nil, err
	}
	d := &proofs.Disclosure{ID: record.ID[:]}
	gone := len(record.Parts) > 0
	for i, p := range record.Parts {
		shown, err := l.openRecordPart(p, i, record.ID, keys, leaf.Stream)
		if err != nil && !errors.Is(err, errDestroyed) {
			return nil, fmt.Errorf("part %d: %w", i, err)
		}
		gone = gone && !shown.Shown()
		d.Parts = append(d.Parts, shown)
	}
	if gone { // which damage must not look like
		if err := proofs.CheckRecord(record, leaf); err != nil {
			return nil, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
		}
		return nil, errDestroyed
	}
	d.Tags, err = l.openAllTags(record, keys, leaf.Stream)
	return d, err
}

// openAllTags opens the lists of tags of a record. Where the commitments to one
// of them cannot be had any more, none can be held to T, and none is shown.
func (l *Ledger) openAllTags(record proofs.Record, keys *bucketKeys, stream uint32) ([]proofs.DisclosedTags, error) {
	var lists []proofs.DisclosedTags
	for i, t := range record.Tags {
		shown, err := l.openRecordTags(t, i, record.ID, keys, stream)
		if err != nil && !errors.Is(err, errDestroyed) {
			return nil, fmt.Errorf("tags %d: %w", i, err)
		}
		lists = append(lists, shown)
	}
	unknown := func(t proofs.DisclosedTags) bool { return !t.Shown() && len(t.Commitments) == 0 }
	if slices.ContainsFunc(lists, unknown) {
		for i, t := range lists {
			lists[i] = proofs.DisclosedTags{SealedHash: t.SealedHash}
		}
	}
	return lists, nil
}

func (l *Ledger) openRecordPart(p proofs.RecordPart, number int, id proofs.EntryID, keys *bucketKeys, stream uint32) (proofs.DisclosedPart, error) {
	shown := proofs.DisclosedPart{SealedHash: p.Hash, Binding: p.Binding}
	if p.Sealed == nil {
		return shown, nil
	}
	whole, opening, err := proofs.OpenPart(p.Sealed, number, id, &keys.seal, l.keys.sealKeys(stream))
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

func (l *Ledger) openRecordTags(t proofs.RecordTags, number int, id proofs.EntryID, keys *bucketKeys, stream uint32) (proofs.DisclosedTags, error) {
	shown := proofs.DisclosedTags{SealedHash: t.Hash, Commitments: t.Commitments}
	if t.Sealed == nil {
		return shown, nil
	}
	tags, seed, err := proofs.OpenTags(t.Sealed, number, id, &keys.tags, l.keys.tagKeys(stream))
	if err != nil {
		return shown, err
	}
	return proofs.DisclosedTags{SealedHash: t.Hash, Seed: seed[:], Tags: proofs.AppendTags(nil, tags)}, nil
}

// openPart opens the one part of a control entry's record.
func (l *Ledger) openPart(leaf proofs.Leaf, raw []byte) (proofs.Part, error) {
	d, err := l.openRecord(leaf, raw)
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
