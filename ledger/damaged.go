package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/storage"
)

// A bucketRange is the entries [start, end) of a bucket, of which the medium may
// have lost some: what is damaged keeps nobody from what lies behind it.
type bucketRange struct {
	l          *Ledger
	bucket     uint32
	start, end uint64
	leaves     risingLeaves
}

// each calls do with the record of each entry that there is, and lost with the
// index of each that is damaged, rising.
func (r *bucketRange) each(ctx context.Context, do func(storage.VaultRecord) error, lost func(index uint64) error) error {
	if b, ok := r.l.retain.Bucket(r.bucket); ok && b.Count > 0 {
		r.end = min(r.end, b.Last+1)
	}
	for r.start < r.end {
		damaged, err := r.scan(ctx, do)
		if err != nil || !damaged {
			return err
		}
		index, ok, err := r.next(ctx)
		if err != nil || !ok {
			return err
		}
		r.start = index + 1
		data, err := r.l.cfg.Vault.Read(ctx, r.bucket, index)
		switch {
		case err == nil:
			err = do(storage.VaultRecord{Bucket: r.bucket, Index: index, Data: data})
		case errors.Is(err, storage.ErrNotFound):
			err = nil // as a scan passes over it
		case errors.Is(err, storage.ErrCorrupt):
			err = lost(index)
		default:
			err = fmt.Errorf("bucket %d: entry %d: %w", r.bucket, index, unreadable(err))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scan goes on as far as the vault can be read in one go, and reports whether
// something damaged lies there.
func (r *bucketRange) scan(ctx context.Context, do func(storage.VaultRecord) error) (damaged bool, err error) {
	for record, err := range r.l.cfg.Vault.Scan(ctx, r.bucket, r.start) {
		switch {
		case errors.Is(err, storage.ErrCorrupt):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("bucket %d: from entry %d on: %w", r.bucket, r.start, unreadable(err))
		case record.Index >= r.end:
			return false, nil
		}
		if err := do(record); err != nil {
			return false, err
		}
		r.start = record.Index + 1
	}
	return false, nil
}

// next returns the next entry of the bucket, which the leaves tell; ok is false
// if there is none.
func (r *bucketRange) next(ctx context.Context) (index uint64, ok bool, err error) {
	for index := r.start; index < r.end; index++ {
		leaf, err := r.leaves.leaf(ctx, index, r.end)
		if err != nil {
			return 0, false, fmt.Errorf("entry %d: %w", index, err)
		}
		if leaf.Bucket == r.bucket {
			return index, true, nil
		}
	}
	return 0, false, nil
}

// errUnread returns the error of what has to be known of an entry whose record is
// damaged.
func errUnread(index uint64) error {
	return fmt.Errorf("entry %d: the record is damaged, and has to be restored: %w", index, storage.ErrCorrupt)
}
