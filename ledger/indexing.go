package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// An indexer keeps the search index. It follows the published log from where the
// index has come to, and builds again what the index lacks. What it cannot do
// holds up nothing else: searches say how far the index has come, and an index
// that fails is opened again.
//
// The index forgets before keys are destroyed, and what it is sealed under is
// destroyed with them: a generation is the index of the entry that announced
// what was closed last. In between nothing is added to it.
type indexer struct {
	l     *Ledger
	index atomic.Pointer[search.Index] // nil: there is none, or it is to be opened
	mu    sync.Mutex                   // held while it is opened, while documents are read and added, and from forgetting until keys are destroyed

	closed bool // for good; guarded by mu

	awaited atomic.Int32 // searches that wait for it

	said    sync.Mutex // guards what follows
	anew    string     // why it was made anew last
	trouble string     // why it does not follow
}

// indexRest is how many times as long as it worked the indexer rests where
// entries came meanwhile: so it takes not more than a sixth of what they could.
// It never rests long: what is published is to be found soon; and not while a search
// waits for it.
const (
	indexRest    = 5
	maxIndexRest = 2 * time.Second
)

// view returns the index in force, or nil: there is none, or it cannot be
// opened for the moment. An index that is replaced meanwhile answers with
// storage.ErrClosed.
func (in *indexer) view() *search.Index { return in.index.Load() }

// open opens the index, if there is to be one and none is open.
func (in *indexer) open(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.l.cfg.Search == nil || in.view() != nil {
		return nil
	}
	return in.begin(ctx, "")
}

// begin opens the index, with why it is to be made anew if it is.
func (in *indexer) begin(ctx context.Context, anew string) (err error) {
	if in.closed {
		return errClosed
	}
	cfg := *in.l.cfg.Search
	cfg.Rand, cfg.Key, cfg.Anew = in.l.cfg.Rand, in.key, anew != ""
	var x *search.Index
	if cfg.Generation, err = in.generation(); err == nil {
		x, err = search.Open(ctx, cfg)
	}
	if err == nil && x.Next() > in.published() {
		err = x.Close()
		if cfg.Anew, anew = true, "it was ahead of the ledger"; err == nil {
			x, err = search.Open(ctx, cfg)
		}
	}
	if err != nil {
		return fmt.Errorf("search index: %w", err)
	}
	if why := x.Anew(); why != nil {
		anew = why.Error()
	}
	if anew != "" {
		in.l.log.Warn("the search index is made anew", slog.String("why", anew))
		in.say(func() { in.anew = anew })
	}
	in.index.Store(x)
	return nil
}

// say changes what is told of the index.
func (in *indexer) say(change func()) {
	in.said.Lock()
	defer in.said.Unlock()
	change()
}

// generation returns what the index is written under: the entry that announced
// what was closed last. Where the keys before a closing are destroyed and its
// end is not recorded yet, that is the one which announced it.
func (in *indexer) generation() (uint64, error) {
	closed, _ := in.l.retain.KeyState()
	generation := closed.Announced
	for _, closing := range in.l.retain.Open() {
		if _, err := in.key(generation); !errors.Is(err, storage.ErrNotFound) {
			return generation, err
		}
		generation = closing.Index
	}
	return generation, nil
}

// key returns the index key of a generation.
func (in *indexer) key(generation uint64) (proofs.Key256, error) {
	key, err := in.l.cfg.Secrets.Tree.Derive(keytree.Search(generation).For(keytree.Sealing))
	if errors.Is(err, keytree.ErrDestroyed) {
		err = fmt.Errorf("the key of generation %d is destroyed: %w", generation, storage.ErrNotFound)
	}
	return proofs.Key256(key), err
}

// run follows the log until the context ends.
func (in *indexer) run(ctx context.Context) {
	if in.l.cfg.Search == nil {
		return
	}
	for {
		err := in.l.progress.wait(ctx, func(p *progress) bool {
			x := in.view()
			return x == nil || p.sizes.Published > x.Next() || len(x.Missing()) > 0
		})
		if err != nil {
			return
		}
		started, before := time.Now(), in.sequenced()
		if err = in.open(ctx); err == nil {
			err = in.turn(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		switch in.tell(err); {
		case err != nil:
			in.l.log.Error("the search index does not follow", slog.String("error", err.Error()))
			in.rest(ctx, in.l.cfg.indexRetry, func(*progress) bool { return false })
		case in.sequenced() > before:
			in.rest(ctx, min(indexRest*time.Since(started), maxIndexRest), func(*progress) bool { return in.awaited.Load() > 0 })
		}
	}
}

// rest waits for a while, or until there is no time for it.
func (in *indexer) rest(ctx context.Context, pause time.Duration, until func(*progress) bool) {
	ctx, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	_ = in.l.progress.wait(ctx, until)
}

// published returns how many entries are, which are those to be found.
func (in *indexer) published() uint64 {
	sizes, _ := in.l.progress.snapshot()
	return sizes.Published
}

// sequenced returns how many entries are.
func (in *indexer) sequenced() uint64 {
	sizes, _ := in.l.progress.snapshot()
	return sizes.Sequenced
}

// tell says why the index does not follow; nil: it does.
func (in *indexer) tell(err error) {
	in.say(func() {
		if in.trouble = ""; err != nil {
			in.trouble = err.Error()
		}
	})
}

// turn adds the next entries to the index, or builds a part that is missing.
func (in *indexer) turn(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	x := in.view()
	if x == nil {
		return nil // it was given up meanwhile
	}
	err := in.step(ctx, x)
	if errors.Is(err, search.ErrFailed) {
		err = errors.Join(err, in.giveUp())
	}
	return err
}

func (in *indexer) step(ctx context.Context, x *search.Index) error {
	if next, published := x.Next(), in.published(); next < published {
		return in.add(ctx, x, next, min(published, next+indexTurn))
	}
	missing := x.Missing()
	if len(missing) == 0 {
		return nil
	}
	err := x.Build(ctx, missing[0], in.documents(ctx, missing[0]))
	if errors.Is(err, search.ErrStale) {
		return nil
	}
	return err
}

// forget takes out of the index what a closing makes unreadable, and keeps
// everything from being added until the returned function is called, once keys
// are destroyed. An index that cannot forget is given up: without the key that
// it is sealed under it is made anew.
func (in *indexer) forget(ctx context.Context, closing retain.Closing) (resume func()) {
	in.mu.Lock()
	x := in.view()
	if x == nil {
		return in.mu.Unlock
	}
	var runs []proofs.Run
	var buckets []uint32
	for _, share := range closing.Gone() {
		if share.Bucket > 0 && closing.Kind == proofs.Expiry {
			buckets = append(buckets, share.Bucket)
		}
		runs = append(runs, share.Runs...)
	}
	var err error
	ctx = context.WithoutCancel(ctx) // to be given up is worse than to wait
	if closing.Kind == proofs.Expiry {
		err = x.Drop(ctx, slices.Compact(buckets), closing.Index)
	} else {
		err = x.Forget(ctx, proofs.JoinRuns(runs), closing.Index)
	}
	if err != nil {
		err = errors.Join(err, in.giveUp())
		in.l.log.Error("the search index does not forget, and is made anew", slog.Uint64("announced", closing.Index), slog.String("error", err.Error()))
	}
	return in.mu.Unlock
}

// rebuild begins the index anew.
func (in *indexer) rebuild(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.giveUp(); err != nil {
		in.l.log.Warn("the search index did not close", slog.String("error", err.Error()))
	}
	err := in.begin(ctx, "somebody had that done")
	in.tell(err)
	in.l.progress.update(func(*progress) {}) // there is something to do
	return err
}

// giveUp closes the index, so that it is opened again.
func (in *indexer) giveUp() error {
	x := in.index.Swap(nil)
	if x == nil {
		return nil
	}
	return x.Close()
}

// close closes the index for good.
func (in *indexer) close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	return in.giveUp()
}
