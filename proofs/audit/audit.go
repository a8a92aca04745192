package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"runtime"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// Options say how to judge.
type Options struct {
	// Policy says which logs and witnesses are believed. It is required.
	Policy *proofs.Policy

	// State is what an earlier run of the same ledger found right; nil to judge
	// everything. Entries before it are not read again, so that a file that was
	// damaged since is found only by a run without it.
	State *State

	// Workers is how many bundles are judged at once; 0: one a processor.
	Workers int

	// MaxFindings bounds [Report.Findings]; 0: 1,000.
	MaxFindings int

	// MaxSources bounds the (bucket, source) pairs, and gaps in them, that are
	// followed, about 100 bytes each; 0: 2,097,152. What is beyond is said in
	// [Summary.NotJudged].
	MaxSources int

	// Progress, unless nil, is called now and then by one goroutine.
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	Entries uint64 // judged in this run
	Total   uint64 // to be judged in this run
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
		found:  findings{max: o.MaxFindings, runs: map[FindingKind]fileRun{}},
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
	signed  []byte // the published checkpoint
	found   findings
	tree    tree
	history history
	report  *Report

	from     uint64        // the first entry to be judged
	edge     []proofs.Hash // behind the last full bundle
	edgeLost bool          // it is not known
	kinds    [proofs.Closed + 1]uint64
	keptLost uint64 // kept checkpoints whose root is not known
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

// findHead finds the checkpoint to judge by: the published one or, where that
// can't be believed, the last of the kept ones that can. It returns false
// where there is none.
func (a *auditor) findHead(ctx context.Context) (bool, error) {
	_, err := fs.ReadDir(a.fsys, ".")
	a.listable = err == nil
	v, signed, found, err := a.readSigned(ctx, CheckpointFile)
	if err != nil {
		return false, err
	}
	a.found.add(found...)
	path := CheckpointFile
	if v.LogKeys == nil && a.listable {
		for size, err := range numbered(a.fsys, CheckpointsDir, 0, math.MaxInt64) {
			if err != nil {
				return false, err
			}
			kept, keptSigned, _, err := a.readSigned(ctx, CheckpointPath(size))
			if err != nil {
				return false, err
			}
			if kept.LogKeys != nil && kept.Checkpoint.Size == size {
				v, signed, path = kept, keptSigned, CheckpointPath(size)
			}
		}
	}
	if v.LogKeys == nil {
		a.notJudged("anything: there is no checkpoint that the policy believes.")
		return false, nil
	}
	if !v.QuorumMet {
		a.found.add(Finding{Kind: CheckpointQuorum, Index: NoIndex, Path: path,
			Detail: fmt.Sprintf("Too few witnesses have cosigned the checkpoint: quorum %q is not met.", a.policy.Quorum)})
	}
	a.signed, a.head = signed, v.Checkpoint
	a.reader = proofs.NewReader(a.head, a.files)
	a.report.Checkpoint, a.report.Verdict = v.Checkpoint, v
	return true, nil
}

// prepare decides where to begin.
func (a *auditor) prepare(ctx context.Context) error {
	info, err := fs.Stat(a.fsys, VaultDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && a.listable {
		return fmt.Errorf("read %s: %w", VaultDir, err)
	}
	a.vault = err == nil && info.IsDir()
	a.tree = tree{ledger: a.ledger, found: &a.found}
	a.history = history{found: &a.found, origin: a.head.Origin, buckets: map[uint32]bucket{}, sources: newSources(a.o.MaxSources)}
	s := a.o.State
	if s == nil {
		return nil
	}
	if s.Checkpoint.Origin != a.head.Origin {
		return fmt.Errorf("the state is of %q, the ledger is %q", s.Checkpoint.Origin, a.head.Origin)
	}
	resume, err := a.extends(ctx, s.Checkpoint)
	if err != nil || !resume {
		return err
	}
	if err := a.tree.resume(ctx, s.Checkpoint.Size/proofs.TileWidth); err != nil {
		if !wrong(err) {
			return err
		}
		a.tree = tree{ledger: a.ledger, found: &a.found}
		return nil // the whole run finds what is wrong
	}
	a.from = s.Checkpoint.Size
	a.history.time, a.history.closed, a.history.sources = s.Time, s.closed, s.sources.clone(a.o.MaxSources)
	for n, b := range s.buckets {
		a.history.buckets[n] = b
	}
	return nil
}

// extends reports whether the head's tree begins with that of an earlier
// checkpoint, by the tiles. It is false too where they can't tell.
func (a *auditor) extends(ctx context.Context, old proofs.Checkpoint) (bool, error) {
	if old.Size > a.head.Size {
		a.found.add(Finding{Kind: CheckpointRollback, Index: NoIndex, Path: CheckpointFile,
			Detail: fmt.Sprintf("The ledger had %d entries when it was judged before, and now publishes %d: it was rolled back.", old.Size, a.head.Size)})
		return false, nil
	}
	root, err := proofs.Root(ctx, old.Size, a.reader)
	if err != nil {
		if wrong(err) {
			return false, nil
		}
		return false, err
	}
	return root == old.Root, nil
}

// jobs yields the bundles to be judged, with the marks that lie in them.
func (a *auditor) jobs() iter.Seq2[job, error] {
	return func(yield func(job, error) bool) {
		next, stop := iter.Pull2(a.marks())
		defer stop()
		m, err, more := next()
		for first := a.from &^ (proofs.TileWidth - 1); first < a.head.Size; first += proofs.TileWidth {
			b, _ := proofs.BundleIn(a.head.Size, first/proofs.TileWidth)
			j := job{bundle: b}
			if first < a.from {
				j.skip = int(a.from - first)
			}
			for ; more && err == nil && m.size <= first+uint64(b.Width); m, err, more = next() {
				j.marks = append(j.marks, m)
			}
			if more && err != nil {
				yield(job{}, err)
				return
			}
			if !yield(j, nil) {
				return
			}
		}
	}
}

// marks yields the sizes of the kept checkpoints up to the head, and of the
// state where its tree is judged again.
func (a *auditor) marks() iter.Seq2[mark, error] {
	return func(yield func(mark, error) bool) {
		state := a.o.State
		if state != nil && (a.from > 0 || state.Checkpoint.Size > a.head.Size) {
			state = nil
		}
		kept := func(yield func(uint64, error) bool) {}
		if a.listable {
			kept = numbered(a.fsys, CheckpointsDir, a.from, a.head.Size)
		}
		for size, err := range kept {
			if state != nil && err == nil && state.Checkpoint.Size <= size {
				if !yield(mark{state.Checkpoint.Size, state}, nil) {
					return
				}
				state = nil
			}
			if !yield(mark{size: size}, err) {
				return
			}
		}
		if state != nil {
			yield(mark{state.Checkpoint.Size, state}, nil)
		}
	}
}

// take adds the next chunk to the tree and to the history.
func (a *auditor) take(ctx context.Context, c *chunk) error {
	a.found.add(c.found...)
	a.tree.disputes = append(a.tree.disputes, c.disputes...)
	for i := range c.kept {
		k := &c.kept[i]
		var all bool
		k.root, all = a.tree.root(k.edge)
		k.known = k.known && all
	}
	believed := true
	if c.bundle.Width == proofs.TileWidth {
		n := node{known: c.edge != nil}
		if n.known {
			n.hash = c.edge[0]
		}
		var err error
		if believed, err = a.tree.push(ctx, n); err != nil {
			return err
		}
	} else {
		a.edge, a.edgeLost = c.edge, c.edge == nil
	}
	for i := range c.kept {
		c.kept[i].known = c.kept[i].known && believed
		a.judgeKept(&c.kept[i])
	}
	if !believed {
		c.facts = facts{unread: uint64(c.bundle.Width - c.skip)}
	}
	a.history.take(c)
	a.sum(c)
	return nil
}

// judgeKept compares a checkpoint with the tree at its size.
func (a *auditor) judgeKept(k *keptCheckpoint) {
	a.found.add(k.found...)
	if !k.believed() {
		return
	}
	switch {
	case !k.known:
		a.keptLost++
	case k.root != k.verdict.Checkpoint.Root && k.path == "":
		a.found.add(Finding{Kind: CheckpointFork, Index: NoIndex, Path: CheckpointFile,
			Detail: fmt.Sprintf("The first %d entries are not those of the run before: the log has signed two histories. The checkpoint in the state and the published one are the evidence.", k.size)})
	case k.root != k.verdict.Checkpoint.Root:
		a.found.add(Finding{Kind: CheckpointFork, Index: NoIndex, Path: k.path,
			Detail: fmt.Sprintf("The log signed another history at size %d than the one that is published: this checkpoint and the published one are the evidence.", k.size)})
	}
	if k.path != "" {
		a.report.Summary.Checkpoints++
	}
	if k.verdict.QuorumMet {
		a.report.Summary.WithQuorum++
		a.history.judgeTime(k.size, k.entryTime, k.verdict.Time, k.path)
	}
}

// conclude judges what can be judged only at the end.
func (a *auditor) conclude(ctx context.Context) error {
	if a.head.Size == 0 {
		if err := a.judgeEmpty(ctx); err != nil {
			return err
		}
	}
	root, known, err := a.tree.close(ctx, a.edge, !a.edgeLost)
	if err != nil {
		return err
	}
	switch {
	case !known:
		a.notJudged("the root: too many entries and hashes are missing or damaged.")
	case root != a.head.Root:
		a.found.add(Finding{Kind: RootMismatch, Index: NoIndex, Path: CheckpointFile,
			Detail: fmt.Sprintf("The entries and hashes do not lead to the root that the log signed at size %d, but to another one.", a.head.Size)})
	}
	if a.keptLost > 0 {
		a.notJudged("%d kept checkpoints against the tree: entries and hashes before them are missing or damaged.", a.keptLost)
	}
	a.history.judgeTime(a.head.Size, a.history.time, a.report.Verdict.Time, CheckpointFile)
	if err := a.judgeBeyond(ctx); err != nil {
		return err
	}
	if err := a.judgeReceipts(ctx); err != nil {
		return err
	}
	gaps := a.judgeGaps()
	a.summarize()
	if clean := a.found.total == gaps; clean && known && !a.history.sources.full {
		a.report.State = &State{
			Signed: a.signed, Checkpoint: a.head, Time: a.history.time,
			closed: a.history.closed, buckets: a.history.buckets, sources: a.history.sources,
		}
	}
	return nil
}

// judgeEmpty judges the kept checkpoint of size 0 where there are no entries
// to judge it with.
func (a *auditor) judgeEmpty(ctx context.Context) error {
	for m, err := range a.marks() {
		if err != nil {
			return err
		}
		k, err := a.readMark(ctx, m)
		if err != nil {
			return err
		}
		k.root, k.known = proofs.EmptyRoot(), true
		a.judgeKept(&k)
	}
	return nil
}

// judgeBeyond looks for kept checkpoints that are larger than the published one.
// A live ledger grows while it is judged: then that has grown as well.
func (a *auditor) judgeBeyond(ctx context.Context) error {
	if !a.listable {
		a.notJudged("kept checkpoints, receipts and partial files of earlier sizes: the files can't be listed.")
		return nil
	}
	var largest uint64
	for size, err := range numbered(a.fsys, CheckpointsDir, a.head.Size+1, math.MaxInt64) {
		if err != nil {
			return err
		}
		k, err := a.readKept(ctx, size)
		if err != nil {
			return err
		}
		if k.believed() {
			largest = size
		}
	}
	if largest == 0 {
		return nil
	}
	now, _, _, err := a.readSigned(ctx, CheckpointFile)
	if err == nil && now.Checkpoint.Size < largest {
		a.found.add(Finding{Kind: CheckpointRollback, Index: NoIndex, Path: CheckpointPath(largest),
			Detail: fmt.Sprintf("The log signed a checkpoint of %d entries, and now publishes one of %d: it was rolled back, or its files were cut short.", largest, a.head.Size)})
	}
	return err
}

// judgeGaps reports the gaps of sources and returns how many there are.
func (a *auditor) judgeGaps() int {
	if a.history.sources.full {
		a.notJudged("sequence numbers of some sources: there are more than %d sources and gaps.", a.o.MaxSources)
	}
	if a.history.unread > 0 {
		a.notJudged("whether sources have gaps: %d entries could not be read.", a.history.unread)
		return 0
	}
	gaps := a.history.sources.gaps()
	a.found.add(gaps...)
	return len(gaps)
}

func (a *auditor) notJudged(format string, args ...any) {
	s := &a.report.Summary
	s.NotJudged = append(s.NotJudged, fmt.Sprintf(format, args...))
}

// sum adds a chunk to the summary.
func (a *auditor) sum(c *chunk) {
	s, f := &a.report.Summary, &c.facts
	s.Bytes += f.bytes
	s.Unread += f.unread
	s.Records += f.records
	s.RecordsErased += f.erased
	s.NoRecord += f.noRecord
	s.VaultBytes += f.recordBytes
	s.Tiles += c.tiles
	s.Bundles += c.bundles
	for k, n := range f.kinds {
		a.kinds[k] += n
	}
	if f.timed {
		if s.FirstTime.IsZero() {
			s.FirstTime = time.UnixMicro(int64(f.first)).UTC()
		}
		s.LastTime = time.UnixMicro(int64(a.history.time)).UTC()
	}
	end := c.first() + uint64(c.bundle.Width)
	if a.o.Progress != nil && (c.bundle.Index%progressStep == 0 || end == a.head.Size) {
		a.o.Progress(Progress{Entries: end - a.from, Total: a.head.Size - a.from})
	}
}

// summarize fills in the rest of the summary.
func (a *auditor) summarize() {
	s, v := &a.report.Summary, a.report.Verdict
	s.Origin, s.From, s.To = a.head.Origin, a.from, a.head.Size
	s.Kinds = map[string]uint64{}
	for k, n := range a.kinds {
		if n > 0 {
			s.Kinds[proofs.Kind(k).String()] = n
		}
	}
	for _, k := range v.LogKeys {
		s.LogKeys = append(s.LogKeys, fmt.Sprintf("%s+%08x", k.Name(), k.ID()))
	}
	for _, c := range v.Cosignatures {
		s.Witnesses = append(s.Witnesses, c.Witness)
	}
	if s.QuorumMet = v.QuorumMet; v.Time > 0 {
		s.CosignedAt = time.Unix(int64(v.Time), 0).UTC()
	}
	s.Tiles += a.tree.tiles
	s.Vault = a.vault
	s.Buckets, s.Sources = uint64(len(a.history.buckets)), uint64(len(a.history.sources.runs))
}
