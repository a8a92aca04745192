package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// ProveComplete proves which published events a query asks for, and that there
// are no others; see [client.CompleteQuery]. It is recorded as a search.
func (s *Session) ProveComplete(ctx context.Context, q client.CompleteQuery) ([]byte, error) {
	act := s.caller.act(proofs.ActSearch)
	act.Stream = q.Stream
	proof, err := s.proveComplete(ctx, q, &act)
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return proof, nil
}

func (s *Session) proveComplete(ctx context.Context, q client.CompleteQuery, act *proofs.Act) ([]byte, error) {
	if err := s.mayRead(proofs.Event, q.Stream); err != nil {
		return nil, err
	}
	query, err := s.l.completeQuery(q)
	if err != nil {
		return nil, err
	}
	act.Query = s.l.termsQuery(q.Stream, q.Terms())
	source, checkpoint, err := s.l.searchSource(ctx)
	if err != nil {
		return nil, err
	}
	proof, err := proofs.ProveSearch(ctx, query, checkpoint, source.size, q.Now, source)
	if err != nil {
		return nil, err
	}
	found, err := s.l.mayShow(ctx, proof)
	if err != nil {
		return nil, err
	}
	act.Entries, act.Results = actRuns(found), proofs.CountEntries(found)
	return proofs.FormatSearchProof(proof)
}

// completeQuery returns a query by the numbers of stream and fields.
func (l *Ledger) completeQuery(q client.CompleteQuery) (query proofs.SearchQuery, err error) {
	settings, ok := l.state.streamNamed(q.Stream)
	if !ok {
		return query, noStream(q.Stream)
	}
	terms := q.Terms()
	if values := len(slices.Concat(terms...)); len(terms) == 0 || len(terms) > proofs.MaxTerms || values > proofs.MaxSearchValues {
		return query, client.NewProblem(client.BadRequest, fmt.Sprintf("%d conditions with %d values are asked for", len(terms), values),
			fmt.Sprintf("what can be proven to be complete are 1 to %d conditions with at most %d values of declared fields", proofs.MaxTerms, proofs.MaxSearchValues))
	}
	query = proofs.SearchQuery{Stream: settings.Body.Stream, First: q.First, End: q.End, From: q.From, Until: q.Until}
	if query.End == 0 {
		query.End = 1<<64 - 1
	}
	if query.First > query.End || query.Until > 0 && query.From > query.Until {
		return query, client.NewProblem(client.BadRequest, "the range ends before it begins", "")
	}
	twice := func(f client.FieldValue) error {
		return client.NewProblem(client.BadRequest, fmt.Sprintf("the field %.40q is there twice with one value", f.Name), "")
	}
	for i, f := range q.Fields {
		if slices.Contains(q.Fields[:i], f) {
			return query, twice(f)
		}
	}
	for _, values := range terms {
		var term proofs.SearchTerm
		for i, f := range values {
			numbers := l.fieldNumbers(query.Stream, f.Name)
			if len(numbers) == 0 {
				return query, noField(q.Stream, f.Name)
			}
			if slices.Contains(values[:i], f) {
				return query, twice(f)
			}
			slices.Sort(numbers)
			term.Values = append(term.Values, proofs.SearchValue{Numbers: numbers, Value: []byte(f.Value)})
		}
		if len(term.Values) == 0 {
			return query, client.NewProblem(client.BadRequest, "a list of values has none", "")
		}
		query.Terms = append(query.Terms, term)
	}
	return query, nil
}

// mayShow returns the entries that a proof says anything of, or the problem that
// one of them is to be erased: nobody finds it any more.
func (l *Ledger) mayShow(ctx context.Context, p proofs.SearchProof) ([]proofs.Run, error) {
	var indices []uint64
	for _, h := range p.Hits {
		indices = append(indices, h.Index)
	}
	for _, t := range p.Tail {
		indices = append(indices, t.Index)
	}
	shown := proofs.RunsOf(indices)
	left, why, err := l.enabled(ctx, p.Query.Stream, shown, p.Stop)
	if err != nil {
		return nil, err
	}
	if proofs.CountEntries(left) < proofs.CountEntries(shown) {
		problem := client.NewProblem(client.Disabled, "the proof would show entries that are to be erased, and are not found any more", "ask again when that is done, or for a range without them")
		problem.Reasons = why
		return nil, problem
	}
	return shown, nil
}

// A searchSource is what a proof is made from, under a published checkpoint.
type searchSource struct {
	*Ledger
	size uint64
	list directoryList
}

// searchSource returns a published checkpoint with all directories that it can
// have.
func (l *Ledger) searchSource(ctx context.Context) (*searchSource, []byte, error) {
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		list := l.directories.committed()
		err := l.progress.wait(wait, func(p *progress) bool { return p.published != nil && p.published.size() > list.entry })
		if err != nil {
			return nil, nil, l.asProblem(err)
		}
		under := l.progress.publication()
		if proofs.DirectoriesAt(under.size()) == uint64(len(list.small)) {
			return &searchSource{Ledger: l, size: under.size(), list: list}, under.note, nil
		}
	}
}

// committed returns what the last sequenced directory entry commits to.
func (d *directories) committed() directoryList {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.list
}

// ReadNodes returns nodes of the ledger's tree.
func (s *searchSource) ReadNodes(ctx context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	return s.cfg.Tree.ReadNodes(ctx, ids)
}

// Leaves returns leaves of the ledger's tree.
func (s *searchSource) Leaves(ctx context.Context, first, n uint64) ([][]byte, error) {
	return s.leaves(ctx, first, first+n)
}

// Directory returns the last directory entry.
func (s *searchSource) Directory(context.Context) (index uint64, small, large []proofs.Hash, err error) {
	return s.list.entry, s.list.small, s.list.large, nil
}

// FieldKey returns the key of a field that the log committed to when a bucket
// opened.
func (s *searchSource) FieldKey(number uint32, field uint16) (k proofs.SearchKey, ok bool) {
	b, ok := s.state.bucketNumbered(number)
	if !ok {
		return k, false
	}
	at := slices.Index(b.Fields, field)
	if at < 0 || b.Opened[at] >= s.size {
		return k, false
	}
	keys, err := s.keys.bucket(b.Path)
	if err != nil {
		return k, false // it has expired
	}
	return proofs.SearchKey{Number: field, Opened: b.Opened[at], Key: keys.field(field)}, true
}

// Tags returns the tags of an entry, as they are shown to its readers.
func (s *searchSource) Tags(ctx context.Context, index uint64) (tags proofs.SearchTags, err error) {
	tags.Index = index
	_, d, err := s.disclose(ctx, index)
	if errors.Is(err, errDestroyed) {
		leaf, err := s.leaf(ctx, index)
		if err != nil || s.Expired(leaf.Bucket) > 0 {
			return tags, err
		}
		return s.erasedTags(ctx, index, leaf)
	}
	if isDamage(err) {
		return tags, fmt.Errorf("%w: %w", proofs.ErrUnread, err)
	}
	if err != nil {
		return tags, err
	}
	for _, t := range d.Tags {
		tags.Lists = append(tags.Lists, proofs.DisclosedTags{Seed: t.Seed, Tags: t.Tags, Commitments: t.Commitments})
	}
	return tags, nil
}

// erasedTags returns the commitments to the tags of an entry of which no part is
// left.
func (s *searchSource) erasedTags(ctx context.Context, index uint64, leaf proofs.Leaf) (tags proofs.SearchTags, err error) {
	tags.Index = index
	e, err := s.stored(ctx, index)
	if errors.Is(err, errDestroyed) { // there is no record
		if b, ok := s.retain.Bucket(leaf.Bucket); ok && b.Expiry > 0 {
			return tags, errAmending // the checkpoint is older than it
		}
		return tags, fmt.Errorf("%w: %w", proofs.ErrUnread, storage.ErrNotFound)
	}
	if err != nil {
		return tags, err
	}
	record, err := proofs.ParseRecord(e.record)
	if err != nil {
		return tags, err
	}
	for _, t := range record.Tags {
		if len(t.Commitments) == 0 {
			return tags, errAmending // it is not scrubbed yet
		}
		tags.Lists = append(tags.Lists, proofs.DisclosedTags{Commitments: t.Commitments})
	}
	return tags, nil
}

// Expired returns the announcement of a bucket's expiry.
func (s *searchSource) Expired(number uint32) uint64 {
	b, ok := s.retain.Bucket(number)
	if !ok || b.Expiry >= s.size {
		return 0
	}
	return b.Expiry
}

// Erased returns the announcement of the last erasure that closed an entry.
func (s *searchSource) Erased(ctx context.Context, index uint64) (uint64, error) {
	leaf, err := s.leaf(ctx, index)
	if err != nil {
		return 0, err
	}
	for _, announced := range slices.Backward(s.retain.Reasons(leaf.Stream, 0, index)) {
		closes, err := s.closes(ctx, announced, index)
		switch {
		case err != nil:
			return 0, err
		case closes && announced >= s.size:
			return 0, errAmending // the checkpoint is older than it
		case closes:
			return announced, nil
		}
	}
	return 0, nil
}

// Names discloses the settings of a stream.
func (s *searchSource) Names(ctx context.Context, number uint32) (list []proofs.SearchNames, err error) {
	stream, ok := s.state.stream(number)
	if !ok {
		return nil, nil
	}
	for _, h := range stream.History {
		if h.Since >= s.size {
			break
		}
		_, d, err := s.disclose(ctx, h.Since)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", h.Since, err)
		}
		b, err := proofs.FormatDisclosure(*d)
		if err != nil {
			return nil, err
		}
		list = append(list, proofs.SearchNames{Index: h.Since, Disclosure: b})
	}
	return list, nil
}
