package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// errAmending means that directories are being made anew.
var errAmending = client.NewProblem(client.Unavailable, "directories are being made anew after an erasure", "ask again in a moment")

// errLost means that a directory cannot be made again any more, of which a proof
// would show rows: positions in it are lost now, and were not then.
func errLost(id proofs.SegmentID, now, then []uint16) error {
	lost := slices.DeleteFunc(slices.Clone(now), func(p uint16) bool { return slices.Contains(then, p) })
	what := fmt.Sprintf("entry %d", id.First()+uint64(lost[0]))
	if n := len(lost) - 1; n > 0 {
		what += fmt.Sprintf(" and %d more", n)
	}
	return client.NewProblem(client.Unavailable, fmt.Sprintf("%s cannot be read any more, of which a proof over any of the entries %d to %d would show tags", what, id.First(), id.End()-1),
		"ask for a range without these; an operator must find out what damaged the vault, and bring it back from a copy")
}

// Segment returns a directory with the rows of a stream.
func (s *searchSource) Segment(ctx context.Context, id proofs.SegmentID, stream uint32) (head proofs.DirectoryHead, rows []proofs.BucketRows, err error) {
	hash, _ := s.list.of(id)
	if head, err = s.directories.head(ctx, hash); err != nil {
		return head, nil, err
	}
	for _, b := range head.Buckets {
		if b.Stream != stream {
			continue
		}
		r, err := s.bucketRows(head, b)
		if err != nil {
			return head, nil, err
		}
		rows = append(rows, r)
	}
	return head, rows, nil
}

// bucketRows returns the rows of a bucket; nil: it has expired.
func (s *searchSource) bucketRows(head proofs.DirectoryHead, b proofs.DirectoryBucket) (proofs.BucketRows, error) {
	r := &bucketRows{source: s, head: head, DirectoryBucket: b}
	var ok bool
	if r.bucket, ok = s.state.bucketNumbered(b.Bucket); !ok {
		return nil, fmt.Errorf("bucket %d: there is none: %w", b.Bucket, storage.ErrCorrupt)
	}
	keys, err := s.keys.bucket(r.bucket.Path)
	if errors.Is(err, errDestroyed) && s.Expired(b.Bucket) > 0 {
		return nil, nil
	}
	if errors.Is(err, errDestroyed) {
		return nil, errAmending
	}
	r.keys = keys
	return r, err
}

// bucketRows are the rows of a bucket in a segment. They are shown from memory,
// if they are there; or by their outline, where the search index has it, of which
// nothing is shown that is not what the head commits to; and otherwise they are
// made again of all that the segment has in the vault, which takes long.
type bucketRows struct {
	proofs.DirectoryBucket
	source *searchSource
	head   proofs.DirectoryHead
	bucket *bucket
	keys   *bucketKeys
}

// Show implements proofs.BucketRows.
func (b *bucketRows) Show(ctx context.Context, tags []proofs.Tag) (proofs.SearchRows, error) {
	d := b.source.directories
	if _, ok := d.kept(b.head.Segment, unreadOf(b.head)); !ok {
		if rows, ok := b.showOutlined(ctx, tags); ok {
			return rows, nil
		}
	}
	all, err := d.rows(ctx, b.head.Segment, unreadOf(b.head))
	if err != nil {
		return proofs.SearchRows{}, err
	}
	at := slices.IndexFunc(all.rows, func(r *proofs.DirectoryRows) bool { return r.Bucket == b.Bucket })
	switch {
	case at >= 0 && all.rows[at].Hash() == b.Rows:
		return all.rows[at].Show(ctx, tags)
	case at >= 0 && len(all.rows[at].Unread) > len(b.Unread):
		return proofs.SearchRows{}, errLost(b.head.Segment, all.rows[at].Unread, b.Unread)
	}
	return proofs.SearchRows{}, errAmending
}

// showOutlined shows rows by their outline, if there is one and it is right.
func (b *bucketRows) showOutlined(ctx context.Context, tags []proofs.Tag) (s proofs.SearchRows, ok bool) {
	x := b.source.indexer.view()
	if x == nil {
		return s, false
	}
	outline := x.Outline(b.head.Segment, b.Bucket, b.Rows)
	if outline == nil {
		return s, false
	}
	rows, err := outline.Rows(b.readTags)
	if err == nil {
		s, err = proofs.ShowRows(ctx, rows, tags)
	}
	if err == nil {
		if err = s.CheckTags(b.DirectoryBucket, tags); err != nil {
			outline.Lose()
		}
	}
	if err != nil && x.Outline(b.head.Segment, b.Bucket, b.Rows) == nil {
		b.source.outliner.again()
	}
	return s, err == nil
}

// readTags returns all tags of some entries. It reads on all processors.
func (b *bucketRows) readTags(ctx context.Context, entries []uint64) ([]proofs.Tag, error) {
	group, ctx := errgroup.WithContext(ctx)
	per := max(8, (len(entries)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	parts := slices.Collect(slices.Chunk(entries, per))
	tags := make([][]proofs.Tag, len(parts))
	for i, part := range parts {
		group.Go(func() (err error) {
			tags[i], err = b.tagsOfAll(ctx, part)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(tags...), err
}

func (b *bucketRows) tagsOfAll(ctx context.Context, entries []uint64) (tags []proofs.Tag, err error) {
	for _, index := range entries {
		some, err := b.tagsOf(ctx, index)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		tags = append(tags, some...)
	}
	return tags, nil
}

// tagsOf returns the tags of an entry that still open.
func (b *bucketRows) tagsOf(ctx context.Context, index uint64) (tags []proofs.Tag, err error) {
	data, err := b.source.cfg.Vault.Read(ctx, b.Bucket, index)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	lists, _, err := openTagLists(data, b.keys, b.source.keys.tagKeys(b.Stream))
	for _, l := range lists {
		tags = append(tags, l.tags...)
	}
	return tags, err
}
