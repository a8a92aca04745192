package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// scrub takes out of the vault what is closed for good: the records of a
// bucket that expired, the parts and tags about a subject that was erased.
func (l *Ledger) scrub(ctx context.Context, share retain.Share, erased *erasedSubject) error {
	if share.Bucket > 0 {
		return l.scrubBucket(ctx, share)
	}
	for _, b := range l.bucketsWith(share) {
		if !l.retain.Takes(b.Number) && l.isDestroyed(b) {
			continue // what of it is left, a hold keeps
		}
		s := scrubber{l: l, ctx: ctx, bucket: b, runs: share.Runs, erased: erased, leaves: risingLeaves{l: l}}
		if err := l.rewrite(ctx, b.Number, s.records); err != nil {
			return fmt.Errorf("vault: bucket %d: %w", b.Number, err)
		}
	}
	return nil
}

// rewrite rewrites a bucket of the vault. One that is too damaged for that stays
// as it is: what is closed goes with its keys, and the rest is hygiene.
func (l *Ledger) rewrite(ctx context.Context, bucket uint32, change func([]storage.VaultRecord) error) error {
	var refused error
	err := l.cfg.Vault.Rewrite(ctx, bucket, func(records []storage.VaultRecord) error {
		refused = change(records)
		return refused
	})
	if refused == nil && errors.Is(err, storage.ErrCorrupt) {
		l.log.Error("a bucket is damaged, and keeps the ciphertext of what is closed", slog.Uint64("bucket", uint64(bucket)), slog.String("error", err.Error()))
		return nil
	}
	full := errors.Is(err, storage.ErrNoSpace)
	if err != nil && refused == nil && !full && ctx.Err() == nil && l.cfg.Vault.Sync(ctx) == nil {
		return unreadable(err) // the vault goes on, so nothing is in doubt
	}
	return err
}

func (l *Ledger) isDestroyed(b *bucket) bool {
	_, err := l.keys.bucket(b.Path)
	return errors.Is(err, errDestroyed)
}

// scrubBucket takes records of an expired bucket out of the vault, and its
// rows out of the index.
func (l *Ledger) scrubBucket(ctx context.Context, share retain.Share) error {
	if err := l.scrubRecords(ctx, share); err != nil {
		return fmt.Errorf("vault: bucket %d: %w", share.Bucket, err)
	}
	if err := l.cfg.Index.Drop(ctx, share.Bucket); err != nil {
		return fmt.Errorf("index: bucket %d: %w", share.Bucket, err)
	}
	if err := l.cfg.Index.Sync(ctx); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return nil
}

// scrubRecords drops a bucket of which nothing is kept, without a look at it.
func (l *Ledger) scrubRecords(ctx context.Context, share retain.Share) error {
	b, ok := l.retain.Bucket(share.Bucket)
	if ok && len(share.Runs) == 1 && share.Runs[0].First <= b.First && share.Runs[0].Last >= b.Last {
		return l.cfg.Vault.Drop(ctx, share.Bucket)
	}
	return l.rewrite(ctx, share.Bucket, storage.EachRecord(func(r storage.VaultRecord) ([]byte, error) {
		if proofs.InRuns(share.Runs, r.Index) {
			return nil, nil
		}
		return r.Data, nil
	}))
}

// A scrubber takes what concerns a subject out of the records of a bucket.
type scrubber struct {
	l      *Ledger
	ctx    context.Context
	bucket *bucket
	runs   []proofs.Run   // the entries to look at
	erased *erasedSubject // nil, or without references: whoever's keys are destroyed
	leaves risingLeaves
}

// A scrubbed is a record with what is to go of it: nothing in the zero scrubbed.
type scrubbed struct {
	record proofs.Record
	what   proofs.Scrub
	damage error // why the record stays as it is
}

// records scrubs some records. To find out what is to go takes the most time,
// and all processors.
func (s *scrubber) records(records []storage.VaultRecord) error {
	found := make([]scrubbed, len(records))
	var group errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() (err error) {
			for i := w; i < len(records) && err == nil; i += workers {
				if !records[i].Damaged && proofs.InRuns(s.runs, records[i].Index) {
					found[i], err = s.look(records[i])
				}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	sizes, _ := s.l.progress.snapshot()
	for i, f := range found {
		if f.damage != nil {
			s.stays(records[i].Index, f.damage)
			continue
		}
		if len(f.what.Parts)+len(f.what.Tags) == 0 {
			continue
		}
		leaf, err := s.leaves.leaf(s.ctx, records[i].Index, sizes.Integrated)
		if err != nil {
			return err
		}
		left, err := proofs.ScrubRecord(f.record, leaf, f.what)
		if isDamage(err) { // it is another entry's, say
			s.stays(records[i].Index, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", records[i].Index, err)
		}
		if records[i].Data, err = proofs.FormatRecord(left); err != nil {
			return err
		}
	}
	return nil
}

// stays tells the operator of a record that stays as it is.
func (s *scrubber) stays(index uint64, why error) {
	s.l.log.Error("a record is damaged, and keeps the ciphertext of what is closed", slog.Uint64("entry", index), slog.String("error", why.Error()))
}

// look finds what is to go of a record.
func (s *scrubber) look(r storage.VaultRecord) (found scrubbed, err error) {
	record, err := proofs.ParseRecord(r.Data)
	if err != nil {
		return scrubbed{damage: err}, nil
	}
	keys, err := s.l.keys.bucket(s.bucket.Path)
	if err != nil {
		return found, err
	}
	found.record = record
	for x, err := range subjectsOf(record, keys) {
		switch {
		case err != nil:
			return scrubbed{damage: err}, nil
		case !s.concerned(x.refs):
		case x.tags:
			found.what.Tags = append(found.what.Tags, x.number)
		default:
			found.what.Parts = append(found.what.Parts, x.number)
		}
	}
	if len(found.what.Tags) > 0 {
		found.what.Commitments, err = s.commitments(r, record, keys)
	}
	if errors.Is(err, errDestroyed) { // it was restored: without the commitments to them its tags stay sealed
		found.what.Tags, err = nil, nil
	}
	return found, err
}

// concerned reports whether what is closed with keys of subjects is to go.
func (s *scrubber) concerned(refs []proofs.SubjectRef) bool {
	if s.erased != nil && len(s.erased.refs) > 0 {
		return s.erased.has(refs)
	}
	lookup := s.l.keys.sealKeys(s.bucket.Path.Stream)
	return slices.ContainsFunc(refs, func(r proofs.SubjectRef) bool {
		_, err := lookup(r)
		return errors.Is(err, errDestroyed)
	})
}

// commitments returns those to all tags of an entry, which the leaf's T is made
// of; none where the record has them already. The error is errDestroyed where
// nothing opens one of its lists any more.
func (s *scrubber) commitments(r storage.VaultRecord, record proofs.Record, bk *bucketKeys) (all []proofs.Hash, err error) {
	if slices.ContainsFunc(record.Tags, func(t proofs.RecordTags) bool { return t.Sealed == nil }) {
		return nil, nil
	}
	keys, err := s.l.heldKeys(s.ctx, s.bucket, r.Index)
	if err == nil {
		keys.tags, err = s.l.listKeys(s.bucket, record, keys, bk)
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", r.Index, err)
	}
	for i, t := range record.Tags {
		key := keys.list(i)
		if key == nil {
			return nil, fmt.Errorf("entry %d: list of tags %d: %w", r.Index, i, errDestroyed)
		}
		tags, err := proofs.OpenTagsWithKey(t.Sealed, i, record.ID, &key.Key)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", r.Index, err)
		}
		all = proofs.AppendTagCommitments(all, &key.Seed, tags)
	}
	return all, nil
}
