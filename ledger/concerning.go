package ledger

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// actSubject is how acts name a subject of a stream, so that what is recorded
// about it is closed with it.
func actSubject(stream uint32, name string) string {
	return strconv.FormatUint(uint64(stream), 10) + "\n" + name
}

// An erasedSubject is whose keys an erasure destroys.
type erasedSubject struct {
	stream uint32
	refs   []proofs.SubjectRef // of the stream's events; none: they are destroyed already
	acts   []proofs.SubjectRef // of what the ledger recorded about the subject
	unread []proofs.Run        // entries that may concern the subject, and are damaged
}

// concerning returns the indices of the entries [start, end) that are closed
// with a subject's keys, and of those that may be: the medium has lost them.
func (l *Ledger) concerning(ctx context.Context, t *erasedSubject, start, end uint64) (indices, unread []uint64, err error) {
	return l.scanReadable(ctx, t.stream, start, end, func(_ *bucket, keys *bucketKeys) func(storage.VaultRecord) (bool, error) {
		if keys == nil {
			return nil // what is left of it opens with the keys of a hold
		}
		return func(r storage.VaultRecord) (bool, error) { return t.concerns(r, keys) }
	})
}

// concerns reports whether anything of a record is closed with the subject's
// keys.
func (t *erasedSubject) concerns(r storage.VaultRecord, keys *bucketKeys) (bool, error) {
	record, err := proofs.ParseRecord(r.Data)
	if err != nil {
		return false, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	for x, err := range subjectsOf(record, keys) {
		if err != nil || t.has(x.refs) {
			return err == nil, err
		}
	}
	return false, nil
}

// has reports whether the subject is among those of references.
func (t *erasedSubject) has(refs []proofs.SubjectRef) bool {
	return slices.ContainsFunc(refs, func(r proofs.SubjectRef) bool { return slices.Contains(t.refs, r) })
}

// A closedWith is a part of a record, or a list of its tags, and the subjects
// with whose keys it is closed.
type closedWith struct {
	tags   bool // a list of tags
	number int  // of the part or list
	refs   []proofs.SubjectRef
}

// subjectsOf yields what of a record is there, with the references in its
// sealed headers; it ends with an error where one cannot be read.
func subjectsOf(record proofs.Record, keys *bucketKeys) iter.Seq2[closedWith, error] {
	return func(yield func(closedWith, error) bool) {
		for i, p := range record.Parts {
			if p.Sealed == nil {
				continue
			}
			refs, err := proofs.SubjectRefs(p.Sealed, i, record.ID, &keys.seal)
			if !yield(closedWith{false, i, refs}, err) || err != nil {
				return
			}
		}
		for i, t := range record.Tags {
			if t.Sealed == nil {
				continue
			}
			refs, err := proofs.TagsSubjectRefs(t.Sealed, i, record.ID, &keys.tags)
			if !yield(closedWith{true, i, refs}, err) || err != nil {
				return
			}
		}
	}
}
