package proofs

import (
	"context"
	"fmt"
	"slices"
)

// showSegments shows what the directories say, from the start on: large ones
// where there are any.
func (p *searchProver) showSegments(ctx context.Context) error {
	if p.Start >= min(p.Stop, p.covered) {
		return nil
	}
	index, small, large, err := p.SearchSource.Directory(ctx)
	if err != nil {
		return err
	}
	p.SearchProof.Directory = index
	if _, err := p.show(ctx, index); err != nil {
		return err
	}
	var shown [2][]uint64
	for at := p.Start; at < min(p.Stop, p.covered); {
		id, level := SegmentID{Large: true, Number: at / (SegmentSize * LargeSegments)}, 1
		if id.Number >= uint64(len(large)) {
			id, level = SegmentID{Number: at / SegmentSize}, 0
		}
		if err := p.showSegment(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		shown[level] = append(shown[level], id.Number)
		at = id.End()
	}
	if p.Small, err = ProveSubset(ctx, shown[0], uint64(len(small)), leavesOf(small)); err != nil {
		return err
	}
	p.Large, err = ProveSubset(ctx, shown[1], uint64(len(large)), leavesOf(large))
	return err
}

func (p *searchProver) showSegment(ctx context.Context, id SegmentID) error {
	head, rows, err := p.Segment(ctx, id, p.Query.Stream)
	if err != nil {
		return err
	}
	s := SearchSegment{Head: head}
	for _, b := range head.Buckets {
		if b.Stream != p.Query.Stream {
			continue
		}
		if len(rows) == 0 {
			return fmt.Errorf("bucket %d: there are no rows", b.Bucket)
		}
		shown, err := p.showBucket(ctx, id, b.Bucket, rows[0])
		if err != nil {
			return fmt.Errorf("bucket %d: %w", b.Bucket, err)
		}
		s.Rows, rows = append(s.Rows, shown), rows[1:]
	}
	p.Segments = append(p.Segments, s)
	return nil
}

// showBucket shows the rows of all values in a bucket, or that there are none,
// and the entries that have all terms. Of what expired it shows why there are no
// rows.
func (p *searchProver) showBucket(ctx context.Context, id SegmentID, bucket uint32, r BucketRows) (s SearchRows, err error) {
	if r == nil {
		s.Expired = p.Expired(bucket)
		_, err = p.show(ctx, s.Expired)
		return s, err
	}
	asked := make([][]Tag, len(p.Query.Terms))
	for i, term := range p.Query.Terms {
		for _, v := range term.Values {
			for _, number := range v.Numbers {
				key, err := p.key(ctx, bucketField{bucket, number}, id.End())
				if err != nil {
					return s, err
				}
				tag := Tag{Field: number} // without a key, where a row of the field would be
				if key != nil {
					tag = MakeTag(number, key, v.Value)
				}
				asked[i] = append(asked[i], tag)
			}
		}
	}
	all := slices.Concat(asked...)
	if s, err = r.Show(ctx, all); err != nil {
		return s, err
	}
	found := s.found(all)
	terms := make([][]uint16, len(asked)) // the positions that have each
	for i, tags := range asked {
		for _, tag := range tags {
			terms[i] = append(terms[i], found[tag]...)
		}
	}
	for _, position := range inAll(terms) {
		if err := p.showHit(ctx, id.First()+uint64(position), bucket); err != nil {
			return s, err
		}
	}
	return s, nil
}
