package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A Ledger is an open ledger. Its methods may be called from many goroutines.
type Ledger struct {
	cfg     Config
	log     *slog.Logger
	keys    *keyring
	state   *state
	retain  *retain.State
	metrics *metrics

	queue       *queue
	pending     *pendingBatches
	indexed     atomic.Uint64 // the deduplication index covers the entries below
	toIntegrate chan *batch
	progress    *progress
	failed      chan struct{} // closed when the ledger stops by itself
	keeper      *keeper
	closer      *closer
	directories *directories
	indexer     *indexer
	outliner    *outliner
	rings       rings
	disabling   disabledSubjects
	kept        keptCheckpoints

	settings sync.Mutex // one change of settings at a time
	erasures sync.Mutex // one erasure is announced at a time

	refusals refusals
	signer   *signer

	witnessMu sync.Mutex
	witnesses map[string]string // what each witness said last; empty: it cosigns

	cancel       context.CancelFunc
	cancelWriter context.CancelFunc
	wg           sync.WaitGroup // all goroutines but the sequencer and the integrator
	writer       sync.WaitGroup // sequencer and integrator
}

// Open starts a ledger that [Create] made. It takes again every step that the
// journal holds, and asks the witnesses before it signs anything new. Until
// they have answered it takes no entries.
//
// Open returns a [RestoredError] where the storage is an older state than
// the ledger has been in, and a [DisagreementError] where the tree is not
// that of the journal. Then nothing was changed.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	l, err := newLedger(cfg)
	if err != nil {
		return nil, err
	}
	r, err := l.recover(ctx)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := l.metrics.register(cfg.Metrics); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := l.directories.load(ctx, r.sequenced); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := l.closer.resume(ctx); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := l.indexer.open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("open ledger: %w", err)
		}
		l.indexer.tell(err) // it is tried again
		l.log.Error("the search index cannot be opened", slog.String("error", err.Error()))
	}
	l.start(r)
	return l, nil
}

func newLedger(cfg Config) (*Ledger, error) {
	cfg = cfg.withDefaults()
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Keys) == 0 || cfg.Keys[0].Key().Type() != proofs.Ed25519 {
		return nil, errors.New("open ledger: the first signing key must be Ed25519")
	}
	if cfg.Limits.Batch > proofs.SegmentSize {
		return nil, fmt.Errorf("open ledger: a batch of %d entries is more than a segment, %d", cfg.Limits.Batch, proofs.SegmentSize)
	}
	l := &Ledger{
		cfg: cfg, log: cfg.Logger, keys: newKeyring(cfg.Secrets), state: newState(), retain: new(retain.State),
		queue:       newQueue(cfg.Limits),
		pending:     &pendingBatches{},
		toIntegrate: make(chan *batch, 8),
		progress:    newProgress(),
		failed:      make(chan struct{}),
		witnesses:   make(map[string]string),
		refusals:    newRefusals(),
		signer:      newSigner(cfg.Keys, cfg.Logger),
	}
	l.keeper = newKeeper(l)
	l.closer = newCloser(l)
	l.directories = newDirectories(l)
	l.indexer, l.outliner = &indexer{l: l}, &outliner{l: l}
	l.metrics = newMetrics(l)
	return l, nil
}

func (l *Ledger) origin() string { return l.cfg.Keys[0].Key().Name() }

// start starts the goroutines, each with what recovery found.
func (l *Ledger) start(r *recovered) {
	ctx, cancel := context.WithCancel(context.Background())
	writing, cancelWriter := context.WithCancel(context.Background())
	l.cancel, l.cancelWriter = cancel, cancelWriter
	l.indexed.Store(r.sequenced)
	seq := &sequencer{l: l, next: r.sequenced, last: r.lastTime, recent: newRecentKeys(r.sequenced)}
	in := &integrator{l: l, edge: r.edge, treeSize: r.sequenced}
	pub := &publisher{l: l, signed: r.signed, published: r.published}
	pub.cosigners = l.startCosigners(ctx, &l.wg)
	l.writer.Go(func() { seq.run(writing) })
	l.writer.Go(func() { in.run(writing) })
	l.wg.Go(func() { pub.run(ctx) })
	l.wg.Go(func() { l.keeper.run(ctx) })
	l.wg.Go(func() { l.recordStart(ctx) })
	l.wg.Go(func() { l.closer.run(ctx) })
	l.wg.Go(func() { l.directories.run(ctx) })
	l.wg.Go(func() { l.indexer.run(ctx) })
	l.wg.Go(func() { l.outliner.run(ctx) })
	l.wg.Go(func() { l.recordRefusals(ctx) })
}

// Close takes no more entries, integrates what was sequenced and stops. What
// is not published then will be after the next Open.
func (l *Ledger) Close() error {
	l.recordStop()
	l.queue.close()
	// What is in the journal can wait for the next start; a tree that does not answer must not keep us.
	late := time.AfterFunc(closeTime, l.cancelWriter)
	l.writer.Wait()
	late.Stop()
	l.cancelWriter()
	l.cancel()
	l.wg.Wait()
	l.metrics.unregister(l.cfg.Metrics)
	if err := l.indexer.close(); err != nil {
		l.log.Warn("the search index did not close", slog.String("error", err.Error()))
	}
	_, stopped := l.progress.snapshot()
	if stopped != nil {
		return nil
	}
	l.progress.update(func(p *progress) { p.stopped = errClosed })
	// Not needed to be safe: it makes the next start quick.
	if err := l.keeper.round(context.Background()); err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// closeTime bounds how long Close integrates.
const closeTime = 30 * time.Second

var errClosed = client.NewProblem(client.Unavailable, "the ledger is closed", "")

// stop makes the ledger take and sign nothing more. Reading goes on.
func (l *Ledger) stop(err error) {
	first := false
	l.progress.update(func(p *progress) {
		if first = p.stopped == nil; first {
			p.stopped = err
		}
	})
	if first {
		close(l.failed)
		l.log.Error("ledger stopped: it takes and signs nothing more", slog.String("error", err.Error()))
	}
}

// Failed is closed when the ledger stops by itself.
func (l *Ledger) Failed() <-chan struct{} { return l.failed }

// Stopped returns why the ledger stopped by itself, or nil. A program that
// serves a ledger ends when it is not nil: only a fresh start can tell what
// is durable.
func (l *Ledger) Stopped() error {
	_, stopped := l.progress.snapshot()
	if errors.Is(stopped, errClosed) {
		return nil
	}
	return stopped
}

// asProblem makes a problem of why something could not be done: because the
// ledger has stopped, or although it goes on.
func (l *Ledger) asProblem(err error) error {
	var p *client.Problem
	if errors.As(err, &p) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if l.Stopped() == nil {
		return client.NewProblem(client.Internal, "the ledger could not do it: "+err.Error(), "try again; if it stays so an operator must find out why")
	}
	return client.NewProblem(client.Unavailable, "the ledger has stopped: "+err.Error(), "an operator must look at: cairnd status")
}
