package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
)

// Entry reads an entry and opens its payload.
func (s *session) Entry(ctx context.Context, index uint64) (*client.Entry, error) {
	return s.l.entry(ctx, index)
}

func (l *Ledger) entry(ctx context.Context, index uint64) (*client.Entry, error) {
	sizes, _ := l.progress.snapshot()
	if index >= sizes.Sequenced {
		return nil, client.NewProblem(client.NoSuchEntry, fmt.Sprintf("there is no entry %d, the ledger has %d", index, sizes.Sequenced), "")
	}
	leafBytes, disclosure, err := l.disclose(ctx, index)
	if errors.Is(err, errDestroyed) {
		return nil, client.NewProblem(client.Gone, fmt.Sprintf("the payload of entry %d is gone", index), "")
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	leaf, err := proofs.ParseLeaf(leafBytes)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	e := &client.Entry{Index: index, Leaf: leafBytes, Disclosure: disclosure}
	if err := l.describe(e, leaf); err != nil {
		return nil, err
	}
	return e, nil
}

// describe adds the name of the stream and the keys of its fields.
func (l *Ledger) describe(e *client.Entry, leaf proofs.Leaf) error {
	s, ok := l.state.stream(leaf.Stream)
	if !ok {
		return nil // the ledger's own stream has no name
	}
	e.Stream = s.now().Name
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return fmt.Errorf("entry %d: there is no bucket %d", e.Index, leaf.Bucket)
	}
	keys, err := l.keys.bucket(b.Path)
	if err != nil {
		return err
	}
	for _, f := range s.at(e.Index).Fields {
		if e.FieldKeys == nil {
			e.FieldKeys = make(map[uint16][]byte)
		}
		key := keys.field(f.Number)
		e.FieldKeys[f.Number] = key[:]
	}
	return nil
}

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

// openRecord opens the parts and tags of a record.
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
	for i, p := range record.Parts {
		shown, err := l.openRecordPart(p, i, record.ID, keys, leaf.Stream)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", i, err)
		}
		d.Parts = append(d.Parts, shown)
	}
	for i, t := range record.Tags {
		shown, err := l.openRecordTags(t, i, record.ID, keys, leaf.Stream)
		if err != nil {
			return nil, fmt.Errorf("tags %d: %w", i, err)
		}
		d.Tags = append(d.Tags, shown)
	}
	return d, nil
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

// Receipt returns the tlog-proof of an entry under the latest published
// checkpoint.
func (s *session) Receipt(ctx context.Context, index uint64) ([]byte, error) {
	leaves, err := s.l.published(ctx, index)
	if err != nil {
		return nil, err
	}
	return s.l.newReceipts().receipt(ctx, index, leaves)
}

// published returns the leaf of a published entry.
func (l *Ledger) published(ctx context.Context, index uint64) ([]byte, error) {
	sizes, _ := l.progress.snapshot()
	switch {
	case index >= sizes.Sequenced:
		return nil, client.NewProblem(client.NoSuchEntry, fmt.Sprintf("there is no entry %d, the ledger has %d", index, sizes.Sequenced), "")
	case index >= sizes.Published:
		p := client.NewProblem(client.NotYetPublished, fmt.Sprintf("no published checkpoint covers entry %d yet, the last covers %d", index, sizes.Published), "ask again in a moment; if it stays so the witnesses do not answer, see: cairnd status")
		p.RetryAfter = minRetry
		return nil, p
	}
	leaves, err := l.cfg.Tree.Leaves(ctx, index, 1)
	if err != nil || len(leaves) != 1 {
		return nil, fmt.Errorf("tree: entry %d: %d leaves, %w", index, len(leaves), err)
	}
	return leaves[0], nil
}

// receipts makes receipts under one published checkpoint.
type receipts struct {
	l          *Ledger
	checkpoint []byte
	size       uint64
}

func (l *Ledger) newReceipts() *receipts {
	r := &receipts{l: l}
	if signed, c, ok := l.progress.publishedCheckpoint(); ok {
		r.checkpoint, r.size = signed, c.Size
	}
	return r
}

func (r *receipts) receipt(ctx context.Context, index uint64, leaf []byte) ([]byte, error) {
	proof, err := proofs.ProveInclusion(ctx, index, r.size, r.l.cfg.Tree)
	if err != nil {
		return nil, fmt.Errorf("receipt of entry %d: %w", index, err)
	}
	return proofs.FormatReceipt(proofs.Receipt{Extra: leaf, Index: index, Proof: proof, Checkpoint: r.checkpoint})
}

// ProveInclusion returns the proof that the entry at an index is in the tree
// of a published size.
func (l *Ledger) ProveInclusion(ctx context.Context, index, size uint64) ([]proofs.Hash, error) {
	if err := l.publishedSize(size); err != nil {
		return nil, err
	}
	if index >= size {
		return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("entry %d is not in the tree of size %d", index, size), "")
	}
	return proofs.ProveInclusion(ctx, index, size, l.cfg.Tree)
}

// ProveConsistency returns the proof that the tree of a published size
// extends the one of a smaller size.
func (l *Ledger) ProveConsistency(ctx context.Context, from, to uint64) ([]proofs.Hash, error) {
	if err := l.publishedSize(to); err != nil {
		return nil, err
	}
	if from > to {
		return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("size %d is smaller than %d", to, from), "")
	}
	return proofs.ProveConsistency(ctx, from, to, l.cfg.Tree)
}

func (l *Ledger) publishedSize(size uint64) error {
	if sizes, _ := l.progress.snapshot(); size > sizes.Published {
		return client.NewProblem(client.NotYetPublished, fmt.Sprintf("size %d is not published yet, the last is %d", size, sizes.Published), "")
	}
	return nil
}

// Tail yields published entries as they are published.
func (s *session) Tail(ctx context.Context, q client.TailQuery) iter.Seq2[*client.Entry, error] {
	return func(yield func(*client.Entry, error) bool) {
		for index := q.From; ; index++ {
			if err := s.l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Published > index }); err != nil {
				if ctx.Err() == nil {
					yield(nil, s.l.asProblem(err))
				}
				return
			}
			e, err := s.l.entry(ctx, index)
			if gone := (*client.Problem)(nil); errors.As(err, &gone) && gone.Code() == client.Gone {
				continue
			}
			if err == nil && q.Stream != "" && e.Stream != q.Stream {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// ReadFile reads a file of the public face.
func (s *session) ReadFile(ctx context.Context, path string) ([]byte, error) {
	return s.l.ReadFile(ctx, path)
}

// ReadFile reads a file of the public face; see [client.Log]. Tiles and
// bundles are those of the published tree: what is not published is not
// shown.
func (l *Ledger) ReadFile(ctx context.Context, path string) ([]byte, error) {
	signed, checkpoint, ok := l.progress.publishedCheckpoint()
	switch {
	case path == "log":
		return l.info()
	case !ok:
		return nil, fmt.Errorf("%s: nothing is published yet: %w", path, fs.ErrNotExist)
	case path == "checkpoint":
		return signed, nil
	case strings.HasPrefix(path, "checkpoints/"):
		return l.keptCheckpoint(ctx, path)
	case strings.HasPrefix(path, "tile/entries/"):
		return l.bundle(ctx, path, checkpoint.Size)
	}
	return l.tile(ctx, path, checkpoint.Size)
}

func (l *Ledger) keptCheckpoint(ctx context.Context, path string) ([]byte, error) {
	data, err := l.cfg.Objects.Read(ctx, path)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrInvalid) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return data, err
}

// KeptCheckpoints yields the paths of the checkpoints that are kept for
// auditors.
func (l *Ledger) KeptCheckpoints(ctx context.Context) iter.Seq2[string, error] {
	return l.cfg.Objects.List(ctx, "checkpoints/")
}

func (l *Ledger) tile(ctx context.Context, path string, size uint64) ([]byte, error) {
	t, err := proofs.ParseTilePath(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if !t.In(size) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	ids := make([]proofs.NodeID, t.Width)
	for i := range ids {
		ids[i] = proofs.NodeID{Level: t.Level * proofs.TileHeight, Index: t.Index*256 + uint64(i)}
	}
	hashes, err := l.cfg.Tree.ReadNodes(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := make([]byte, 0, len(hashes)*proofs.HashSize)
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out, nil
}

func (l *Ledger) bundle(ctx context.Context, path string, size uint64) ([]byte, error) {
	b, err := proofs.ParseBundlePath(path)
	if err != nil || b.Index > size/256 || b.Index*256+uint64(b.Width) > size {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	leaves, err := l.cfg.Tree.Leaves(ctx, b.Index*256, uint64(b.Width))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return proofs.FormatBundle(leaves)
}

// VaultBundle returns the sealed records of a bundle's entries, each as its
// length in four bytes and the record; the length is 0 where an entry has
// none or it is gone.
func (l *Ledger) VaultBundle(ctx context.Context, b proofs.Bundle) ([]byte, error) {
	sizes, _ := l.progress.snapshot()
	if b.Width < 1 || b.Width > proofs.TileWidth || b.Index > sizes.Published/256 || b.Index*256+uint64(b.Width) > sizes.Published {
		return nil, fmt.Errorf("vault bundle %d: %w", b.Index, fs.ErrNotExist)
	}
	var records [][]byte
	for i := range uint64(b.Width) {
		_, record, _, err := l.stored(ctx, b.Index*256+i)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, fmt.Errorf("entry %d: %w", b.Index*256+i, err)
		}
		records = append(records, record)
	}
	return audit.FormatVault(records), nil
}

func (l *Ledger) info() ([]byte, error) {
	sizes, _ := l.progress.snapshot()
	info := client.Info{
		Origin: l.origin(), Policy: string(l.cfg.PolicyText), Sizes: sizes,
		MaxPayload: l.cfg.Limits.Payload, MaxBatch: l.cfg.Limits.Batch,
	}
	for _, k := range l.cfg.Keys {
		info.Keys = append(info.Keys, k.Key().String())
	}
	return json.Marshal(info)
}
