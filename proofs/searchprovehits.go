package proofs

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// showHit shows that an entry has all terms, if it is in the range of the query.
func (p *searchProver) showHit(ctx context.Context, index uint64, bucket uint32) error {
	if index < max(p.Start, p.Query.First) || index >= min(p.Stop, p.Query.End) {
		return nil
	}
	leaf, err := p.show(ctx, index)
	if err != nil || !p.Query.asks(index, leaf) {
		return err
	}
	tags, err := p.tags(ctx, index, leaf)
	if errors.Is(err, ErrUnread) {
		p.Closed = append(p.Closed, ClosedEntry{Index: index})
		return nil
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	hit := SearchHit{Index: index}
	for _, term := range p.Query.Terms {
		opened, ok, err := p.openTerm(ctx, bucket, term, tags)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if !ok {
			return p.showClosed(ctx, index, bucket)
		}
		hit.Opened = append(hit.Opened, opened)
	}
	p.Hits = append(p.Hits, hit)
	return nil
}

// showClosed shows what closed an entry.
func (p *searchProver) showClosed(ctx context.Context, index uint64, bucket uint32) error {
	announced, err := p.Erased(ctx, index)
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	if announced == 0 {
		announced = p.Expired(bucket)
	}
	if announced == 0 {
		return fmt.Errorf("entry %d: nothing closed it, and its tags cannot be shown", index)
	}
	p.Closed = append(p.Closed, ClosedEntry{index, announced})
	return p.showParts(ctx, announced)
}

// showParts shows an announcement, and all entries from it to its last part.
func (p *searchProver) showParts(ctx context.Context, index uint64) error {
	for ; ; index++ {
		if index >= p.size {
			return fmt.Errorf("entry %d announces an erasure that is not complete", index-1)
		}
		leaf, err := p.show(ctx, index)
		if err != nil {
			return err
		}
		if leaf.Kind == Expiry {
			return nil
		}
		if leaf.Kind != Erasure {
			continue
		}
		body, err := ParseErasure(leaf.Control)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if body.Erased != nil && body.Erased.Part == body.Erased.Parts {
			return nil
		}
	}
}

// openTerm shows the tag of an entry for a term, if it is there to be shown.
func (p *searchProver) openTerm(ctx context.Context, bucket uint32, term SearchTerm, tags SearchTags) (o OpenedTag, ok bool, err error) {
	var commitments []Hash
	for _, list := range tags.Lists {
		if !list.Shown() {
			commitments = append(commitments, list.Commitments...)
			continue
		}
		seed := (*Key256)(list.Seed)
		for _, tag := range parseTags(list.Tags) {
			position := len(commitments)
			commitments = append(commitments, TagCommitment(seed, position, tag))
			if ok {
				continue
			}
			if ok, err = p.wants(ctx, bucket, term, tags.Index, tag); err != nil {
				return o, false, err
			}
			if ok {
				o.Number, o.Position, o.Opening = tag.Field, uint16(position), TagOpening(seed, position)
			}
		}
	}
	o.Count = uint16(len(commitments))
	if !ok {
		return o, false, nil
	}
	o.Path, err = ProveInclusion(ctx, uint64(o.Position), uint64(o.Count), leavesOf(commitments))
	return o, true, err
}

// wants reports whether a tag of an entry is one that a term asks for.
func (p *searchProver) wants(ctx context.Context, bucket uint32, term SearchTerm, index uint64, tag Tag) (bool, error) {
	for _, v := range term.Values {
		if !slices.Contains(v.Numbers, tag.Field) {
			continue
		}
		key, err := p.key(ctx, bucketField{bucket, tag.Field}, index)
		if err != nil {
			return false, err
		}
		if key != nil && MakeTag(tag.Field, key, v.Value) == tag {
			return true, nil
		}
	}
	return false, nil
}

// showTail shows all entries behind the segments, and the tags of those of the
// stream.
func (p *searchProver) showTail(ctx context.Context) error {
	at := p.Start
	if n := len(p.Segments); n > 0 {
		at = p.Segments[n-1].Head.Segment.End()
	}
	for ; at < p.Stop; at += min(SegmentSize, p.Stop-at) {
		leaves, err := p.read(ctx, at, min(SegmentSize, p.Stop-at))
		if err != nil {
			return err
		}
		for i, b := range leaves {
			index := at + uint64(i)
			leaf, err := ParseLeaf(b)
			if err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
			p.entries[index] = b
			if leaf.Stream != p.Query.Stream || leaf.T == EmptyRoot() {
				continue
			}
			if err := p.showTags(ctx, index, leaf); err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
		}
	}
	return nil
}

// tags returns all tags of an entry, without lists that have none, or no lists
// where what is known of those that are not shown does not lead to T.
func (p *searchProver) tags(ctx context.Context, index uint64, leaf Leaf) (SearchTags, error) {
	tags, err := p.Tags(ctx, index)
	if err != nil {
		return tags, err
	}
	tags.Index = index
	some := slices.ContainsFunc(tags.Lists, hidden)
	tags.Lists = slices.DeleteFunc(slices.Clone(tags.Lists), func(t DisclosedTags) bool { return len(t.Tags)+len(t.Commitments) == 0 })
	if !some {
		return tags, nil // as almost always
	}
	var commitments []Hash
	for _, t := range tags.Lists {
		if t.Shown() {
			commitments = AppendTagCommitments(commitments, (*Key256)(t.Seed), parseTags(t.Tags))
		}
		commitments = append(commitments, t.Commitments...)
	}
	if TagsRoot(commitments) != leaf.T {
		tags.Lists = nil
	}
	return tags, nil
}

func (p *searchProver) showTags(ctx context.Context, index uint64, leaf Leaf) error {
	tags, err := p.tags(ctx, index, leaf)
	if errors.Is(err, ErrUnread) {
		p.Tail, p.Closed = append(p.Tail, SearchTags{Index: index}), append(p.Closed, ClosedEntry{Index: index})
		return nil
	}
	if err != nil {
		return err
	}
	p.Tail = append(p.Tail, tags)
	for _, list := range tags.Lists {
		for _, tag := range parseTags(list.Tags) {
			if !p.Query.asksFor(tag.Field) {
				continue
			}
			if _, err := p.key(ctx, bucketField{leaf.Bucket, tag.Field}, index); err != nil {
				return err
			}
		}
	}
	if len(tags.Lists) == 0 || slices.ContainsFunc(tags.Lists, hidden) {
		return p.showClosed(ctx, index, leaf.Bucket)
	}
	return nil
}

func hidden(t DisclosedTags) bool { return !t.Shown() }
