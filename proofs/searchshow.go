package proofs

import (
	"context"
	"slices"
)

// BucketRows are the rows of one bucket in a segment, as [ProveSearch] needs
// them. [DirectoryRows] are, and so is what shows the same of rows that are not
// in memory.
type BucketRows interface {
	// Show shows the rows that have one of some tags, and for each tag that none
	// has the rows between which one would be.
	Show(ctx context.Context, tags []Tag) (SearchRows, error)
}

// A RowReader reads rows of one bucket in a segment, for [ShowRows].
type RowReader interface {
	NodeReader // of the tree of the rows
	// Len returns how many rows there are.
	Len() int
	// FindRow returns the number of the row of a tag, or of the first one behind it.
	FindRow(ctx context.Context, tag Tag) (number int, found bool, err error)
	// ReadRow returns a row, and what shows which entries have its tag.
	ReadRow(ctx context.Context, number int) (DirectoryRow, FoundRow, error)
}

// ShowRows is what [BucketRows] show, by a reader of their rows.
func ShowRows(ctx context.Context, r RowReader, tags []Tag) (s SearchRows, err error) {
	var shown, found []uint64
	for _, tag := range tags {
		at, there, err := r.FindRow(ctx, tag)
		if err != nil {
			return s, err
		}
		if there {
			found = append(found, uint64(at))
		} else if at > 0 {
			shown = append(shown, uint64(at-1))
		}
		if at < r.Len() {
			shown = append(shown, uint64(at))
		}
	}
	s.Count = uint32(r.Len())
	shown, found = sortedSet(shown), sortedSet(found)
	for _, n := range shown {
		row, entries, err := r.ReadRow(ctx, int(n))
		if err != nil {
			return s, err
		}
		s.Shown = append(s.Shown, SearchRow{Number: uint32(n), Row: row})
		if _, asked := slices.BinarySearch(found, n); asked {
			s.Found = append(s.Found, entries)
		}
	}
	s.Proof, err = ProveSubset(ctx, shown, uint64(r.Len()), r)
	return s, err
}

// sortedSet returns numbers sorted, each of them once.
func sortedSet(numbers []uint64) []uint64 {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// Show implements [BucketRows].
func (r *DirectoryRows) Show(ctx context.Context, tags []Tag) (SearchRows, error) {
	return ShowRows(ctx, r, tags)
}

// FindRow implements [RowReader].
func (r *DirectoryRows) FindRow(_ context.Context, tag Tag) (number int, found bool, err error) {
	number, found = r.Find(tag)
	return number, found, nil
}

// ReadRow implements [RowReader].
func (r *DirectoryRows) ReadRow(_ context.Context, number int) (DirectoryRow, FoundRow, error) {
	return r.Row(number), FoundRow{Salt: r.Salt(number), Positions: r.Positions(number)}, nil
}

// CheckTags checks that the rows are of the directory that a head commits to,
// and are what [ShowRows] shows of some tags. An error matches [ErrNotVerified].
func (r SearchRows) CheckTags(b DirectoryBucket, tags []Tag) error {
	if err := r.check(b); err != nil {
		return err
	}
	var asked []int
	for _, tag := range tags {
		at, err := r.findAsked(tag.Field, tag, true)
		if err != nil {
			return err
		}
		if at >= 0 {
			asked = append(asked, at)
		}
	}
	slices.Sort(asked)
	return r.checkFound(slices.Compact(asked))
}

// found returns the positions that the rows show of each of the tags that they
// were asked for.
func (r SearchRows) found(tags []Tag) map[Tag][]uint16 {
	found := make(map[Tag][]uint16)
	for _, x := range r.Shown {
		if n := len(found); n < len(r.Found) && slices.Contains(tags, x.Row.Tag) {
			found[x.Row.Tag] = r.Found[n].Positions
		}
	}
	return found
}
