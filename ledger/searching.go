package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// Search looks for published events; see [client.SearchQuery]. It is recorded
// as one search for each stream that hits are of, or of the one or several streams
// where there are none.
func (s *Session) Search(ctx context.Context, q client.SearchQuery) (*client.Hits, error) {
	k, err := s.lookup(q.Query, q.Stream)
	if err != nil {
		return nil, s.answered(ctx, s.actOn(q.Stream), err)
	}
	hits, acts, err := k.search(ctx, q)
	if err != nil {
		return nil, s.answered(ctx, k.act(), err)
	}
	if err := s.answeredAll(ctx, acts); err != nil {
		return nil, err
	}
	return hits, nil
}

// actOn returns the act of a question that could not be read.
func (s *Session) actOn(stream string) proofs.Act {
	act := s.caller.act(proofs.ActSearch)
	act.Stream = stream
	return act
}

func (k *lookup) search(ctx context.Context, q client.SearchQuery) (*client.Hits, []proofs.Act, error) {
	if q.Limit < 0 || q.Limit > client.MaxHits {
		return nil, nil, client.NewProblem(client.BadRequest, fmt.Sprintf("a limit of %d", q.Limit), fmt.Sprintf("from 1 to %d; more are found page by page", client.MaxHits))
	}
	if q.Limit == 0 {
		q.Limit = defaultHits
	}
	a, err := k.ask(ctx, q.First, q.End)
	if err != nil {
		return nil, nil, err
	}
	found, err := a.index.Find(ctx, a.request, search.Page{Limit: q.Limit, Oldest: q.Oldest})
	if err != nil {
		return nil, nil, a.problem(err)
	}
	a.answered(found.Scope)
	hits := &client.Hits{SearchScope: a.scope, Hits: append([]uint64{}, found.Hits...), More: found.More, Next: found.Next}
	acts, err := k.handOut(ctx, hits)
	return hits, acts, err
}

// defaultHits is how many hits a page has where the caller does not say.
const defaultHits = 50

// handOut adds to hits where the settings of their streams are, and returns the acts by
// which they are handed out.
func (k *lookup) handOut(ctx context.Context, hits *client.Hits) ([]proofs.Act, error) {
	if len(hits.Hits) == 0 {
		return []proofs.Act{k.act()}, nil
	}
	var found handover
	err := k.s.l.eachLeaf(ctx, proofs.RunsOf(slices.Sorted(slices.Values(hits.Hits))), func(index uint64, leaf proofs.Leaf) {
		found.add(index, k.s.l.streamName(leaf.Stream))
		if of, ok := k.s.l.state.stream(leaf.Stream); ok {
			hits.Settings = append(hits.Settings, of.at(index).Since)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(hits.Settings)
	hits.Settings = slices.Compact(hits.Settings)
	acts, recorded := k.s.actsAbout(proofs.ActSearch, found), k.recorded()
	for i := range acts {
		acts[i].Query = recorded
	}
	return acts, nil
}

// An asked is a question that is put to the index, perhaps several times.
type asked struct {
	*lookup
	index   *search.Index
	request search.Request
	scope   client.SearchScope
	of      map[uint32]*stream // by their buckets
	opened  map[uint64]bool    // entries that were opened: whether they fit
}

// maxOpened is how many payloads are opened at most for one answer of the index,
// where it cannot tell which entries fit.
const maxOpened = 20_000

// ask prepares to put the question to the index, about the entries from first on
// and below end.
func (k *lookup) ask(ctx context.Context, first, end uint64) (*asked, error) {
	if end > 0 && first > end {
		return nil, client.NewProblem(client.BadRequest, "the range ends before it begins", "")
	}
	index, err := k.s.l.indexer.upToDate(ctx)
	if err != nil {
		return nil, err
	}
	a := &asked{lookup: k, index: index, of: make(map[uint32]*stream), opened: make(map[uint64]bool)}
	a.scope.Streams = k.names()
	a.request = search.Request{Expr: k.expr, First: first, End: end, Fields: a.numbers, Check: a.check, MaxChecks: maxOpened}
	a.request.Stream = func(bucket uint32) string { return a.of[bucket].now().Name }
	sizes, _ := k.s.l.progress.snapshot()
	for _, settings := range k.streams {
		if err := a.add(ctx, settings.Body.Stream, sizes.Published); err != nil {
			return nil, err
		}
	}
	a.request.Except, a.scope.Held = proofs.JoinRuns(a.request.Except), proofs.JoinRuns(a.scope.Held)
	return a, nil
}

// add adds a stream to what the index is asked about.
func (a *asked) add(ctx context.Context, number uint32, size uint64) error {
	l := a.s.l
	of, _ := l.state.stream(number)
	for _, b := range l.state.bucketsOf(number) {
		a.of[b.Number], a.request.Buckets = of, append(a.request.Buckets, b.Number)
	}
	disabled, why, err := l.disabledOf(ctx, number, size)
	if err != nil {
		return err
	}
	held, err := l.heldBeyond(ctx, number, a.request.First, size)
	a.request.Except = append(a.request.Except, disabled...)
	a.scope.Disabled, a.scope.Held = append(a.scope.Disabled, why...), append(a.scope.Held, held...)
	return err
}

// answered takes over what an answer of the index is about.
func (a *asked) answered(scope search.Scope) {
	a.scope.Size, a.scope.Opened = scope.Size, len(a.opened)
	for _, gap := range scope.Gaps {
		name := a.of[gap.Bucket].now().Name
		if n := len(a.scope.Gaps); n == 0 || a.scope.Gaps[n-1] != (client.SearchGap{Stream: name, Run: gap.Run}) { // several buckets can have one
			a.scope.Gaps = append(a.scope.Gaps, client.SearchGap{Stream: name, Run: gap.Run})
		}
	}
}

// problem returns what the caller is told when the index cannot answer.
func (a *asked) problem(err error) error {
	switch {
	case errors.Is(err, storage.ErrClosed):
		return client.NewProblem(client.Unavailable, "the search index is being opened again", "ask again")
	case errors.Is(err, search.ErrUndecided):
		return client.NewProblem(client.BadRequest, fmt.Sprintf("more than %d payloads would have to be opened, because the index has no phrases, and no values at paths that no field is declared for", maxOpened),
			"narrow the query by a time, declared fields or words; hits can be asked for page by page")
	}
	return a.s.l.asProblem(err)
}

// numbers returns the numbers that the values of a field have in a bucket. It is
// false for a path that its stream has not always declared a field for.
func (a *asked) numbers(bucket uint32, f query.Field) (numbers []uint16, ok bool) {
	of := a.of[bucket]
	if f.Path == "" {
		return a.s.l.fieldNumbers(of.Number, f.Name), true
	}
	for _, h := range of.History {
		at := slices.IndexFunc(h.Fields, func(o proofs.Field) bool { return o.Path == f.Path })
		if at < 0 {
			return nil, false
		}
		if n := h.Fields[at].Number; !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	return numbers, true
}

// check reports whether an entry fits, by its payload.
func (a *asked) check(ctx context.Context, index uint64) (bool, error) {
	if fits, ok := a.opened[index]; ok {
		return fits, nil
	}
	fits, err := a.fits(ctx, index)
	if err == nil {
		a.opened[index] = fits
	}
	return fits, err
}

// maxAwaited bounds by how many entries the index may be behind where a search
// waits for it: about what it takes in a second.
const maxAwaited = 32 << 10

// upToDate returns the index, once it has what is published now, if that does
// not take long.
func (in *indexer) upToDate(ctx context.Context) (*search.Index, error) {
	index := in.view()
	switch {
	case in.l.cfg.Search != nil && index == nil:
		return nil, client.NewProblem(client.Unavailable, "the search index cannot be opened for the moment", "ask again; if it stays so, see cairnd status")
	case index == nil:
		return nil, client.NewProblem(client.NotNow, "this ledger has no search index", "it is turned on in cairn.toml, table search; answers that are proven to be complete need none")
	}
	sizes, _ := in.l.progress.snapshot()
	if next := index.Next(); next >= sizes.Published || sizes.Published-next > maxAwaited {
		return index, nil
	}
	in.awaited.Add(1)
	defer in.awaited.Add(-1)
	in.l.progress.update(func(*progress) {}) // it is not to rest now
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	// Whatever ends the wait, the answer says how far the index has come.
	_ = in.l.progress.wait(wait, func(*progress) bool { return index.Next() >= sizes.Published })
	return index, ctx.Err()
}
