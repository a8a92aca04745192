package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"crypto/cipher"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// rescue writes what a hold keeps of a closing into its ring. A ring that is
// there is whole: each object is written once.
func (l *Ledger) rescue(ctx context.Context, closing uint64, kept retain.Ring) error {
	w := ringWriter{l: l, name: retain.RingName{Hold: kept.Hold, Closing: closing}, share: kept.Closing}
	lost := func(index uint64) error { return l.cannotRescue(index, kept.Hold) }
	err := l.eachRecord(ctx, kept.Share, lost, func(b *bucket, index uint64, raw []byte) error {
		keys, err := l.entryKeys(ctx, b, index, raw)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		return w.add(ctx, index, keys)
	})
	if err != nil {
		return err
	}
	return w.flush(ctx)
}

// cannotRescue returns the error that a hold keeps what cannot be read. That is
// waited for, unless the hold is over: then nothing is to be kept any more.
func (l *Ledger) cannotRescue(index, hold uint64) error {
	sizes, _ := l.progress.snapshot()
	for _, h := range l.retain.Holds() {
		if h.Index == hold && h.Released > 0 && h.Released < sizes.Published {
			return nil
		}
	}
	return fmt.Errorf("%w; or release hold %d, which keeps it", errUnread(index), hold)
}

// entryKeys returns the keys of an entry's parts and lists of tags, as far as
// anything derives them.
func (l *Ledger) entryKeys(ctx context.Context, b *bucket, index uint64, raw []byte) (keys ringKeys, err error) {
	record, err := proofs.ParseRecord(raw)
	if err != nil {
		return keys, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	held, err := l.heldKeys(ctx, b, index)
	if err != nil {
		return keys, err
	}
	bk, err := l.keys.bucket(b.Path)
	if err != nil && !errors.Is(err, errDestroyed) {
		return keys, err
	}
	for i, p := range record.Parts {
		key := held.part(i)
		if key == nil && bk != nil && p.Sealed != nil {
			k, err := proofs.SealedPartKey(p.Sealed, i, record.ID, &bk.seal, l.keys.sealKeys(b.Path.Stream))
			if err == nil {
				key = &k
			} else if !errors.Is(err, errDestroyed) {
				return keys, err
			}
		}
		keys.parts = append(keys.parts, key)
	}
	keys.tags, err = l.listKeys(b, record, held, bk)
	return keys, err
}

// listKeys returns the keys of a record's lists of tags, as far as a ring has
// them or those of the bucket derive them; nil: these are destroyed.
func (l *Ledger) listKeys(b *bucket, record proofs.Record, held ringKeys, bk *bucketKeys) (list []*proofs.TagsKey, err error) {
	for i, t := range record.Tags {
		key := held.list(i)
		if key == nil && bk != nil && t.Sealed != nil {
			k, err := proofs.SealedTagsKey(t.Sealed, i, record.ID, &bk.tags, l.keys.tagKeys(b.Path.Stream))
			if err == nil {
				key = &k
			} else if !errors.Is(err, errDestroyed) {
				return nil, err
			}
		}
		list = append(list, key)
	}
	return list, nil
}

// A ringWriter writes the objects of one share of a ring.
type ringWriter struct {
	l       *Ledger
	name    retain.RingName
	share   uint64 // a release has several
	objects int
	entries int
	plain   []byte
}

func (w *ringWriter) add(ctx context.Context, index uint64, keys ringKeys) error {
	w.plain = appendRingEntry(w.plain, index, keys)
	if w.entries++; w.entries < ringEntries {
		return nil
	}
	return w.flush(ctx)
}

// flush writes an object. One that is there holds the same entries: what a
// closing keeps does not change.
func (w *ringWriter) flush(ctx context.Context) error {
	if w.entries == 0 {
		return nil
	}
	aead, err := w.l.ringAEAD(w.name.Hold)
	if err != nil {
		return err
	}
	object := fmt.Sprintf("%s%d-%d", ringPrefix(w.name), w.share, w.objects)
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(w.l.cfg.Rand, nonce); err != nil {
		return err
	}
	err = w.l.cfg.Objects.Put(ctx, object, aead.Seal(nonce, nonce, w.plain, w.l.ringData(object)))
	if errors.Is(err, storage.ErrExists) {
		err = w.checkThere(ctx, aead, object)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", object, err)
	}
	clear(w.plain)
	w.plain, w.entries = w.plain[:0], 0
	w.objects++
	return nil
}

// checkThere makes durable what an earlier attempt wrote, if it opens and has
// every key that this one has.
func (w *ringWriter) checkThere(ctx context.Context, aead cipher.AEAD, object string) error {
	sealed, err := w.l.cfg.Objects.Read(ctx, object)
	if err != nil {
		return err
	}
	there, ours := make(ring), make(ring)
	if err := there.open(aead, sealed, w.l.ringData(object)); err != nil {
		return err
	}
	if err := ours.parse(w.plain); err != nil {
		return err
	}
	for index, keys := range ours {
		for i, key := range keys.parts {
			if key != nil && there[index].part(i) == nil {
				return fmt.Errorf("%w: it lacks a key of entry %d", storage.ErrCorrupt, index)
			}
		}
	}
	return w.l.cfg.Objects.Put(ctx, object, sealed) // it may not be durable yet
}

// eachRecord calls do with every record of the vault that is of a share, and lost
// with the index of each that is damaged.
func (l *Ledger) eachRecord(ctx context.Context, share retain.Share, lost func(index uint64) error, do func(b *bucket, index uint64, raw []byte) error) error {
	for _, b := range l.bucketsWith(share) {
		look := func(r storage.VaultRecord) error {
			if !proofs.InRuns(share.Runs, r.Index) {
				return nil
			}
			return do(b, r.Index, r.Data)
		}
		miss := func(index uint64) error {
			if !proofs.InRuns(share.Runs, index) {
				return nil
			}
			return lost(index)
		}
		records := bucketRange{l: l, bucket: b.Number, start: share.Runs[0].First, end: share.Runs[len(share.Runs)-1].Last + 1, leaves: risingLeaves{l: l}}
		if err := records.each(ctx, look, miss); err != nil {
			return err
		}
	}
	return nil
}

// bucketsWith returns the buckets that may have entries of a share, which is
// not empty, by their numbers.
func (l *Ledger) bucketsWith(share retain.Share) []*bucket {
	if share.Bucket > 0 {
		b, ok := l.state.bucketNumbered(share.Bucket)
		if !ok {
			return nil
		}
		return []*bucket{b}
	}
	var list []*bucket
	for _, b := range l.state.bucketsOf(share.Stream) {
		known, ok := l.retain.Bucket(b.Number)
		if ok && known.Count > 0 && known.First <= share.Runs[len(share.Runs)-1].Last && share.Runs[0].First <= known.Last {
			list = append(list, b)
		}
	}
	slices.Reverse(list)
	return list
}
