package ledger

import (
	"context"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A progress is what the steps of the journey tell each other and everybody
// who waits: the four sizes, and why the ledger stopped if it did.
type progress struct {
	mu        sync.Mutex
	sizes     client.Sizes
	edge      edge         // of the tree of sizes.Integrated entries
	published *publication // nil: nothing yet
	clock     clockReading // at the last publication
	recheck   bool         // the local clock was set: the witnesses are to be asked again
	cleared   bool         // enough witnesses answered since the start that signing is safe
	begun     bool         // and the start is recorded: others may be, too
	keepFrom  uint64       // the next publication of at least this size is kept, whatever its time; 0: as ever
	stopped   error        // nothing is taken or signed any more
	changed   chan struct{}
}

func newProgress() *progress { return &progress{changed: make(chan struct{})} }

// update changes the progress and wakes everybody who waits.
func (p *progress) update(change func(*progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
	close(p.changed)
	p.changed = make(chan struct{})
}

// read looks at the progress.
func (p *progress) read(look func(*progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	look(p)
}

// snapshot returns the sizes and why the ledger stopped.
func (p *progress) snapshot() (client.Sizes, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sizes, p.stopped
}

// wait returns once cond holds, the ledger stopped or the context ended.
func (p *progress) wait(ctx context.Context, cond func(*progress) bool) error {
	for {
		p.mu.Lock()
		ok, stopped, changed := cond(p), p.stopped, p.changed
		p.mu.Unlock()
		switch {
		case ok:
			return nil
		case stopped != nil:
			return stopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// size returns the size that goes with a state.
func (p *progress) size(s client.State) uint64 {
	switch s {
	case client.Witnessed:
		return p.sizes.Published
	case client.Integrated:
		return p.sizes.Integrated
	}
	return p.sizes.Sequenced
}

// stateOf returns the state of the entry at an index.
func (p *progress) stateOf(index uint64) client.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case index < p.sizes.Published:
		return client.Witnessed
	case index < p.sizes.Integrated:
		return client.Integrated
	}
	return client.Sequenced
}

// A publication is a published checkpoint.
type publication struct {
	note       []byte // with all its signatures, as it is in the register "published"
	checkpoint proofs.Checkpoint
}

// size returns how many entries it covers; nil covers none.
func (p *publication) size() uint64 {
	if p == nil {
		return 0
	}
	return p.checkpoint.Size
}

// register returns what the register "published" holds.
func (p *publication) register() []byte {
	if p == nil {
		return nil
	}
	return p.note
}

// publish makes a checkpoint the published one.
func (p *progress) publish(published *publication) {
	p.published, p.sizes.Published = published, published.size()
}

// publication returns what is published; nil where nothing is yet.
func (p *progress) publication() *publication {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.published
}
