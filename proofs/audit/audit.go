package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/cairnlog/cairn/proofs"
)

// Options say how to judge.
type Options struct {
	// Policy says which logs and witnesses are believed. It is required.
	Policy *proofs.Policy

	// State is what an earlier run of the same ledger found right; nil to judge
	// everything. Entries before it are not read again, nor are their records
	// but for those that are closed by what is new; so that a file that was
	// damaged since is found only by a run without it.
	State *State

	// Workers is how many bundles are judged at once; 0: one a processor.
	Workers int

	// MaxFindings bounds [Report.Findings]; 0: 1,000.
	MaxFindings int

	// MaxSources bounds the (bucket, source) pairs, and gaps in them, that are
	// followed, up to 150 bytes each; 0: 2,097,152. What is beyond is said in
	// [Summary.NotJudged].
	MaxSources int

	// Progress, unless nil, is called now and then by one goroutine.
	Progress func(Progress)

	// Newest, unless nil, is where the newest checkpoint is read from and what
	// leads to it, where something went away: the ledger itself, for a copy of it.
	Newest proofs.FileReader

	// Wait, unless nil, is called where something is gone for no reason that was
	// published by the newest checkpoint. It waits, since there may be caches
	// between that show an older one, and returns whether to look again.
	Wait func(context.Context) bool

	// Sample, unless nil, says which payloads to open; [Run] opens none itself.
	Sample *Sampling

	// Directories, unless nil, says which directories to make again.
	Directories *Recomputing
}

// Progress is how far a run has come.
type Progress struct {
	Entries uint64 // judged in this run
	Total   uint64 // to be judged in this run
	Records bool   // their sealed records are: where there is a vault, it comes after all entries
	Opened  bool   // payloads of a sample are opened, at last
	Made    bool   // directories are made again, after that
}

const (
	defaultFindings = 1000
	defaultSources  = 1 << 21
	progressStep    = 64 // bundles
)

// Run judges the ledger whose files lie in fsys. What is wrong with it is a
// finding in the report. An error means that it could not be judged: a file
// could not be read, the context ended, or the options don't fit.
func Run(ctx context.Context, fsys fs.FS, o Options) (*Report, error) {
	if o.Policy == nil {
		return nil, errors.New("audit: no policy")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxFindings <= 0 {
		o.MaxFindings = defaultFindings
	}
	if o.MaxSources <= 0 {
		o.MaxSources = defaultSources
	}
	a := &auditor{
		ledger: &ledger{fsys: fsys, files: proofs.FS(fsys), policy: o.Policy},
		o:      o,
		found:  findings{max: o.MaxFindings, kept: []Finding{}, runs: map[FindingKind]fileRun{}},
		report: &Report{},
	}
	if err := a.run(ctx); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return a.report, nil
}

// An auditor is one run.
type auditor struct {
	*ledger
	o       Options
	found   findings
	tree    tree
	history history
	report  *Report

	path     string        // of the checkpoint that is judged by
	signed   []byte        // its bytes
	from     uint64        // the first entry to be judged
	edge     []proofs.Hash // behind the last full bundle
	edgeLost bool          // it is not known
	keptLost uint64        // kept checkpoints whose root is not known
	times    keptTimes     // of kept checkpoints that were believed
	seen     []seen        // of the bundles judged in this run, where there is a vault
	unrooted uint64        // bundles judged before whose root is not known
	newest   *auditor      // of all that was published while this one judged
	streams  map[uint32][]keeper
	kinds    [proofs.Closed + 1]uint64
}

func (a *auditor) run(ctx context.Context) error {
	judged, err := a.findHead(ctx)
	if err != nil {
		return err
	}
	if judged {
		if err := a.prepare(ctx); err != nil {
			return err
		}
		if err := ordered(ctx, a.o.Workers, a.jobs(), a.judge, func(c *chunk) error { return a.take(ctx, c) }); err != nil {
			return err
		}
		if err := a.conclude(ctx); err != nil {
			return err
		}
	}
	a.report.Findings, a.report.Total = a.found.sorted(), a.found.total
	return nil
}
