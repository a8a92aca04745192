package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// Directory shows what the directory of a segment is made of; see
// [client.DirectoryQuery]. Without a stream it shows what concerns all of them:
// the program that serves the ledger lets only auditors ask for that. It is
// recorded as an export.
func (s *Session) Directory(ctx context.Context, q client.DirectoryQuery) (proofs.ShownDirectory, error) {
	act := s.caller.act(proofs.ActExport)
	act.Stream, act.Object = q.Stream, "directory of "+q.Segment.String()
	shown, err := s.showDirectory(ctx, q, &act)
	if err := s.answered(ctx, act, err); err != nil {
		return proofs.ShownDirectory{}, err
	}
	return shown, nil
}

func (s *Session) showDirectory(ctx context.Context, q client.DirectoryQuery, act *proofs.Act) (shown proofs.ShownDirectory, err error) {
	x := shownSegment{id: q.Segment}
	if q.Stream != "" {
		if err := s.mayRead(proofs.Event, q.Stream); err != nil {
			return shown, err
		}
		settings, ok := s.l.state.streamNamed(q.Stream)
		if !ok {
			return shown, noStream(q.Stream)
		}
		x.only = settings.Body.Stream
	}
	if x.searchSource, _, err = s.l.searchSource(ctx); err != nil {
		return shown, err
	}
	if n := x.id.Number; n > x.size/x.id.Size() || x.id.First() >= x.size { // in this order: of a large number there is no first entry
		return shown, client.NewProblem(client.NoSuchEntry, fmt.Sprintf("no entry of %s is published", x.id), "")
	}
	if shown, err = x.show(ctx, q.Rows); err != nil {
		return shown, err
	}
	act.Results = uint64(len(shown.Tags))
	act.Entries = runsShown(shown.Tags)
	return shown, nil
}

// runsShown returns the runs of entries that tags are of, for an act.
func runsShown(tags []proofs.SearchTags) []proofs.Run {
	var indices []uint64
	for _, t := range tags {
		indices = append(indices, t.Index)
	}
	return actRuns(proofs.RunsOf(indices))
}

// A shownSegment is a segment of which something is shown.
type shownSegment struct {
	*searchSource
	id   proofs.SegmentID
	only uint32 // the stream of which something is shown; 0: all
}

// show returns what is shown. What is to be erased is shown to nobody any more,
// and what is erased cannot be: where either may be so it fails.
func (s *shownSegment) show(ctx context.Context, withRows bool) (shown proofs.ShownDirectory, err error) {
	forgot := s.keys.forgotten()
	shown.Head.Segment = s.id
	hash, ok := s.list.of(s.id)
	if ok {
		if shown.Head, err = s.directories.head(ctx, hash); err != nil {
			return shown, err
		}
	}
	if !s.id.Large {
		if shown.Tags, err = s.tags(ctx); err != nil {
			return shown, err
		}
	}
	if ok && withRows {
		if shown.Rows, err = s.rows(ctx, unreadOf(shown.Head)); err != nil {
			return shown, err
		}
	}
	if err := s.mayShowAll(ctx); err != nil {
		return shown, err
	}
	if s.keys.forgotten() != forgot {
		p := client.NewProblem(client.Unavailable, "something was closed meanwhile", "ask again")
		p.RetryAfter = time.Second
		return shown, p
	}
	return shown, nil
}

// rows returns the ledger's rows by bucket, but for those of buckets that have
// expired.
func (s *shownSegment) rows(ctx context.Context, unread []uint64) (map[uint32][]proofs.DirectoryRow, error) {
	all, err := s.directories.rows(ctx, s.id, unread)
	if err != nil {
		return nil, err
	}
	shown := make(map[uint32][]proofs.DirectoryRow)
	for _, r := range all.rows {
		if s.only > 0 && r.Stream != s.only {
			continue
		}
		list := make([]proofs.DirectoryRow, r.Len())
		for i := range list {
			list[i] = r.Row(i)
		}
		shown[r.Bucket] = list
	}
	return shown, nil
}

// tags returns the tags of the entries, but for those that have expired or cannot
// be read. Lists that are erased, also those that a hold keeps, are only their
// commitments; where these are not known nothing is shown of the entry.
func (s *shownSegment) tags(ctx context.Context) (all []proofs.SearchTags, err error) {
	tagged := make(map[uint32][]uint64) // entries with tags, by bucket
	segment := []proofs.Run{{First: s.id.First(), Last: min(s.id.End(), s.size) - 1}}
	err = s.eachLeaf(ctx, segment, func(index uint64, leaf proofs.Leaf) {
		if leaf.Stream != controlStream && (s.only == 0 || leaf.Stream == s.only) && leaf.T != proofs.EmptyRoot() {
			tagged[leaf.Bucket] = append(tagged[leaf.Bucket], index)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, b := range s.state.bucketList() {
		keys, err := s.keys.bucket(b.Path)
		if len(tagged[b.Number]) == 0 || errors.Is(err, errDestroyed) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("bucket %d: %w", b.Number, err)
		}
		x := shownBucket{s, b, keys, tagged[b.Number]}
		if all, err = x.tags(ctx, all); err != nil {
			return nil, fmt.Errorf("bucket %d: %w", b.Number, err)
		}
	}
	slices.SortFunc(all, func(a, b proofs.SearchTags) int { return cmp.Compare(a.Index, b.Index) })
	return all, nil
}

// A shownBucket is a bucket of whose entries tags are shown.
type shownBucket struct {
	*shownSegment
	bucket  *bucket
	keys    *bucketKeys
	entries []uint64 // rising
}

// tags appends the tags of the entries. They are read in one go as far as that
// goes, and one by one behind what is damaged.
func (s *shownBucket) tags(ctx context.Context, all []proofs.SearchTags) ([]proofs.SearchTags, error) {
	left := s.entries
	for r, err := range s.cfg.Vault.Scan(ctx, s.bucket.Number, left[0]) {
		if err != nil && !isDamage(err) {
			return nil, fmt.Errorf("vault: %w", err)
		}
		if err != nil || r.Index > left[len(left)-1] {
			break
		}
		at, ok := slices.BinarySearch(left, r.Index)
		if left = left[at:]; !ok {
			continue
		}
		if all, err = s.add(all, r); err != nil {
			return nil, err
		}
		if left = left[1:]; len(left) == 0 {
			return all, nil
		}
	}
	for _, index := range left {
		data, err := s.cfg.Vault.Read(ctx, s.bucket.Number, index)
		if isDamage(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		if all, err = s.add(all, storage.VaultRecord{Index: index, Data: data}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// add appends the tags of a record, if it is the one that was stored.
func (s *shownBucket) add(all []proofs.SearchTags, r storage.VaultRecord) ([]proofs.SearchTags, error) {
	record, err := proofs.ParseRecord(r.Data)
	var lists []proofs.DisclosedTags
	if err == nil {
		lists, err = opener{l: s.Ledger, id: record.ID, keys: s.keys, stream: s.bucket.Path.Stream}.allTags(record)
	}
	if isDamage(err) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", r.Index, err)
	}
	return append(all, searchTags(r.Index, lists)), nil
}

// searchTags returns what is shown of an entry's tags.
func searchTags(index uint64, lists []proofs.DisclosedTags) proofs.SearchTags {
	t := proofs.SearchTags{Index: index}
	for _, l := range lists {
		if !l.Shown() && len(l.Commitments) == 0 { // then none is shown
			return proofs.SearchTags{Index: index}
		}
		t.Lists = append(t.Lists, proofs.DisclosedTags{Seed: l.Seed, Tags: l.Tags, Commitments: l.Commitments})
	}
	return t
}

// mayShowAll returns the problem that an entry of the segment is to be erased:
// its tags, and rows that lead to it, are found by nobody any more.
func (s *shownSegment) mayShowAll(ctx context.Context) error {
	wanted, err := s.wantedErasures(ctx)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		if s.only > 0 && w.subject.stream != s.only {
			continue
		}
		indices, unread, err := s.concerning(ctx, w.subject, s.id.First(), min(s.id.End(), s.size))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(append(indices, unread...), func(i uint64) bool { return !w.held(i) }) {
			p := client.NewProblem(client.Disabled, fmt.Sprintf("%s has entries that are to be erased, and are not shown any more", s.id), "ask again when that is done")
			p.Reasons = []uint64{w.why}
			return p
		}
	}
	return nil
}
