package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// entry reads an entry and opens its payload.
func (l *Ledger) entry(ctx context.Context, index uint64) (*client.Entry, error) {
	if err := l.sequencedIndex(index); err != nil {
		return nil, err
	}
	wanted, err := l.wantedErasures(ctx) // before the entry is opened, or it could be approved meanwhile
	if err != nil {
		return nil, err
	}
	var disclosure *proofs.Disclosure
	stored, err := l.stored(ctx, index)
	if err == nil {
		if err := l.disabled(stored, wanted); err != nil {
			return nil, err
		}
		disclosure, err = l.open(ctx, stored)
	}
	if errors.Is(err, errDestroyed) {
		return nil, l.gone(ctx, index, stored.leafBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	e := &client.Entry{Index: index, Leaf: stored.leafBytes, Disclosure: disclosure}
	if hidesPart(disclosure) {
		if e.Reasons, err = l.reasons(ctx, index, stored.leaf); err != nil {
			return nil, err
		}
	}
	if err := l.describe(e, stored.leaf); err != nil {
		return nil, err
	}
	return e, nil
}

// sequencedIndex returns the problem that there is no entry at an index yet.
func (l *Ledger) sequencedIndex(index uint64) error {
	if sizes, _ := l.progress.snapshot(); index >= sizes.Sequenced {
		return client.NewProblem(client.NoSuchEntry, fmt.Sprintf("there is no entry %d, the ledger has %d", index, sizes.Sequenced), "")
	}
	return nil
}

// about returns the kind of an entry and the name of the stream that it is
// about, and opens nothing. An event is about its own stream. A settings entry
// of a stream is about that stream, and so is one that opens a bucket of it:
// they say how the tags of its events are made. Every other control entry is
// about the ledger itself, which has no name.
func (l *Ledger) about(ctx context.Context, index uint64) (proofs.Kind, string, error) {
	if err := l.sequencedIndex(index); err != nil {
		return 0, "", err
	}
	leaf, err := l.leaf(ctx, index)
	if err != nil {
		return 0, "", err
	}
	number, err := aboutStream(leaf)
	if err != nil {
		return 0, "", fmt.Errorf("entry %d: %w", index, err)
	}
	return leaf.Kind, l.streamName(number), nil
}

// aboutStream returns the number of the stream that an entry is about.
func aboutStream(leaf proofs.Leaf) (uint32, error) {
	switch leaf.Kind {
	case proofs.Settings:
		body, err := proofs.ParseSettings(leaf.Control)
		if err != nil || body.Stream == nil {
			return controlStream, err
		}
		return body.Stream.Stream, nil
	case proofs.BucketOpened:
		body, err := proofs.ParseBucket(leaf.Control)
		return body.Stream, err
	}
	return leaf.Stream, nil
}

// describe adds the name of the stream, where its settings are, and the keys of its
// fields.
func (l *Ledger) describe(e *client.Entry, leaf proofs.Leaf) error {
	s, ok := l.state.stream(leaf.Stream)
	if !ok {
		return nil // the ledger's own stream has no name
	}
	e.Stream, e.Settings = s.now().Name, s.at(e.Index).Since
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return fmt.Errorf("entry %d: there is no bucket %d", e.Index, leaf.Bucket)
	}
	keys, err := l.keys.bucket(b.Path)
	if errors.Is(err, errDestroyed) {
		return nil // a hold keeps the entry, and not what made its tags
	}
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

// Receipt returns the tlog-proof of an entry under the latest published
// checkpoint.
func (s *Session) Receipt(ctx context.Context, index uint64) ([]byte, error) {
	leaves, err := s.l.published(ctx, index)
	if err != nil {
		return nil, err
	}
	return s.l.newReceipts().receipt(ctx, index, leaves)
}

// published returns the leaf of a published entry.
func (l *Ledger) published(ctx context.Context, index uint64) ([]byte, error) {
	if err := l.sequencedIndex(index); err != nil {
		return nil, err
	}
	if sizes, _ := l.progress.snapshot(); index >= sizes.Published {
		p := client.NewProblem(client.NotYetPublished, fmt.Sprintf("no published checkpoint covers entry %d yet, the last covers %d", index, sizes.Published), "ask again in a moment; if it stays so the witnesses do not answer, see: cairnd status")
		p.RetryAfter = minRetry
		return nil, p
	}
	leaves, err := l.leaves(ctx, index, index+1)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	return leaves[0], nil
}

// receipts makes receipts under one published checkpoint.
type receipts struct {
	l     *Ledger
	under *publication
}

func (l *Ledger) newReceipts() *receipts {
	return &receipts{l: l, under: l.progress.publication()}
}

func (r *receipts) receipt(ctx context.Context, index uint64, leaf []byte) ([]byte, error) {
	proof, err := proofs.ProveInclusion(ctx, index, r.under.size(), r.l.cfg.Tree)
	if err != nil {
		return nil, fmt.Errorf("receipt of entry %d: %w", index, err)
	}
	return proofs.FormatReceipt(proofs.Receipt{Extra: leaf, Index: index, Proof: proof, Checkpoint: r.under.note})
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

// streamName returns the name that a stream has now; the ledger's own has none.
func (l *Ledger) streamName(number uint32) string {
	s, ok := l.state.stream(number)
	if !ok {
		return ""
	}
	return s.now().Name
}

// leaves returns the leaves of the sequenced entries [start, end), wherever they
// are now.
func (l *Ledger) leaves(ctx context.Context, start, end uint64) ([][]byte, error) {
	all := make([][]byte, 0, end-start)
	for start < end {
		if e, ok := l.pending.entry(start); ok {
			all = append(all, e.leaf)
			start++
			continue
		}
		next := start + 1
		for next < end && !l.isPending(next) {
			next++
		}
		run, err := l.cfg.Tree.Leaves(ctx, start, next-start)
		if err != nil {
			return nil, fmt.Errorf("tree: %w", err)
		}
		if uint64(len(run)) != next-start {
			return nil, fmt.Errorf("tree: %d leaves from index %d on, want %d", len(run), start, next-start)
		}
		all = append(all, run...)
		start = next
	}
	return all, nil
}

// leaf returns the leaf of a sequenced entry.
func (l *Ledger) leaf(ctx context.Context, index uint64) (proofs.Leaf, error) {
	leaves, err := l.leaves(ctx, index, index+1)
	if err != nil {
		return proofs.Leaf{}, err
	}
	leaf, err := proofs.ParseLeaf(leaves[0])
	if err != nil {
		return proofs.Leaf{}, fmt.Errorf("entry %d: %w", index, err)
	}
	return leaf, nil
}

func (l *Ledger) isPending(index uint64) bool {
	_, ok := l.pending.entry(index)
	return ok
}

// risingLeaves reads the leaves of rising entries, many in one go.
type risingLeaves struct {
	l     *Ledger
	first uint64 // of those at hand
	list  [][]byte
}

// leaf returns the leaf of an entry below end, below which it reads.
func (r *risingLeaves) leaf(ctx context.Context, index, end uint64) (leaf proofs.Leaf, err error) {
	if index < r.first || index >= r.first+uint64(len(r.list)) {
		if r.list, err = r.l.leaves(ctx, index, min(index+historyStep, end)); err != nil {
			return leaf, err
		}
		r.first = index
	}
	return proofs.ParseLeaf(r.list[index-r.first])
}
