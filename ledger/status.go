package ledger

import (
	"maps"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A Status is how a ledger is now.
type Status struct {
	Origin  string        `json:"origin"`
	Sizes   client.Sizes  `json:"sizes"`
	Ready   bool          `json:"ready"`             // it takes entries
	Stopped string        `json:"stopped,omitempty"` // why it takes nothing more
	Paused  string        `json:"paused,omitempty"`  // why nothing is signed now; it is tried again
	Unread  string        `json:"unread,omitempty"`  // why the next directory, before whose place entries wait, cannot be made; it is tried again
	Queue   int           `json:"queue"`             // events that wait for their batch
	Acts    uint64        `json:"acts"`              // reads and administration recorded since the start
	Refused uint64        `json:"refused"`           // attempts refused since the start
	Witness []WitnessInfo `json:"witnesses"`

	// ClockAhead is how far the local clock is ahead of the witnesses', in
	// seconds. Beyond a minute no entries are taken.
	ClockAhead float64 `json:"clock_ahead"`

	// Search is how far the search index has come; nil: the ledger keeps none.
	Search *IndexInfo `json:"search,omitempty"`

	// Fork says what keeps a copied data directory from forking the log.
	Fork string `json:"fork"`
}

// A WitnessInfo is what a witness said last.
type WitnessInfo struct {
	Name    string `json:"name"`
	Trouble string `json:"trouble,omitempty"` // empty: it cosigns
}

// Status returns how the ledger is now.
func (l *Ledger) Status() Status {
	s := Status{Origin: l.origin(), Paused: l.signer.paused(), Unread: l.directories.waiting(), Queue: l.queue.depth(), Acts: l.metrics.who.recorded.Load(), Refused: l.metrics.who.attempts.Load()}
	l.progress.read(func(p *progress) {
		ahead := p.clockAhead(l.cfg.Clock())
		s.Sizes, s.Ready, s.ClockAhead = p.sizes, p.begun && p.stopped == nil && ahead.Abs() <= maxSkew, ahead.Seconds()
		if p.stopped != nil {
			s.Stopped = p.stopped.Error()
		}
	})
	l.witnessMu.Lock()
	for _, name := range slices.Sorted(maps.Keys(l.witnesses)) {
		s.Witness = append(s.Witness, WitnessInfo{Name: name, Trouble: l.witnesses[name]})
	}
	l.witnessMu.Unlock()
	s.Fork, s.Search = l.forkGuard(), l.indexer.info()
	return s
}

// forkGuard says what keeps a copied data directory from forking the log.
func (l *Ledger) forkGuard() string {
	switch {
	case l.cfg.SignedCopy != nil:
		return "a copy of the register \"signed\" is kept outside the data directory"
	case l.cfg.Policy.Quorum == proofs.NoQuorum:
		return "no copy of the register \"signed\" is kept outside the data directory, and the policy's quorum is none: nothing stops a copied ledger from forking the log"
	}
	return "no copy of the register \"signed\" is kept outside the data directory: only the witnesses stop a copied ledger from forking the log"
}

func (l *Ledger) setWitness(name, trouble string) {
	l.witnessMu.Lock()
	defer l.witnessMu.Unlock()
	l.witnesses[name] = trouble
}

// minRetry is how soon it makes sense to ask again for what is under way.
const minRetry = time.Second
