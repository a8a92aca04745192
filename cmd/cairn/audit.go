package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

type auditFlags struct {
	state   string
	vault   bool
	workers int
	json    bool

	open     string // how many payloads, or all; empty: none
	seed     string
	openFrom string

	directories string // how many are made again, or all; empty: none

	attest string // file of the auditor's key
	out    string // file of what it signs
	newKey string // name of the key to make
}

func (p *program) auditCommand() *cobra.Command {
	var o auditFlags
	c := &cobra.Command{
		Use:   "audit [URL|DIRECTORY]",
		Short: "Judge a whole ledger",
		Long: `audit derives the whole ledger again from its entries: every leaf, every tile, the
root at every kept checkpoint; and checks signatures, times, buckets and the sequence
numbers of sources. It needs no token, no payload key and, for a directory that
"cairn export" made, no network. If the directory has sealed records or receipts they
are judged too; of a server sealed records are with --vault.

With --open it also opens payloads: a sample of those that should open, or all. For
that it needs a reader's token, and the ledger records each read; or a file of evidence
in which somebody who may read them shows them. With the same checkpoint and --seed
another auditor draws the same sample.

With --directories it makes directories again, some or all, of the tags that the ledger
shows: whether they leave anything out, which searches that are proven to be complete rest
on. That needs an auditor's token.

With --attest it signs which directories are right, so that others need not make them again:
who believes the auditor gives that to "cairn search --complete" and "cairn verify".

With --state it remembers what it found right, reads only what is new the next time,
and notices a ledger that was rolled back or forked. Keep the file where the operator
of the ledger cannot change it.`,
		Example: `  cairn audit --policy ledger.policy https://log.example.com
  cairn audit --policy ledger.policy --state ledger.state
  cairn export /backup/ledger; cairn audit /backup/ledger --json
  cairn audit --open 300 --reason 'yearly audit'
  cairn audit --directories all
  cairn audit --new-key auditor.example.com --attest auditor.key
  cairn audit --directories all --attest auditor.key -o audited.attestation
  cairn audit /backup/ledger --open 300 --seed 2026 --url https://log.example.com`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.audit(c.Context(), args, o) },
	}
	f := c.Flags()
	f.StringVar(&o.state, "state", "", "`FILE` that remembers what was found right")
	f.BoolVar(&o.vault, "vault", false, "judge a server's sealed records too; needs an auditor's token")
	f.StringVar(&o.open, "open", "", "open `N` payloads of those that should open, or all; needs a reader's token")
	f.StringVar(&o.directories, "directories", "", "make `N` directories again, of small and large segments, or all; needs an auditor's token")
	f.StringVar(&o.attest, "attest", "", "`KEYFILE` with the key to sign with which directories are right; needs --directories all and --output")
	f.StringVarP(&o.out, "output", "o", "", "`FILE` to write the attestation to")
	f.StringVar(&o.newKey, "new-key", "", "make a key for --attest with this `NAME`, print the key that checks what it signs, and end")
	f.StringVar(&o.seed, "seed", "", "`TEXT` that decides which payloads and directories; by default a random one, which is printed")
	f.StringVar(&o.openFrom, "open-from", "", "`FILE` of evidence that shows the payloads, instead of a ledger")
	p.reasonFlag(f)
	f.IntVar(&o.workers, "workers", 0, "how many files are judged at once; 0: one a processor")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	return c
}

func (p *program) audit(ctx context.Context, args []string, o auditFlags) error {
	if o.newKey != "" {
		return p.newAuditorKey(o)
	}
	key, err := p.auditorKey(o)
	if err != nil {
		return err
	}
	policy, err := p.loadPolicy()
	if err != nil {
		return err
	}
	s, live, err := p.auditSources(args)
	if err != nil {
		return err
	}
	fsys, err := p.auditFiles(ctx, s, o)
	if err != nil {
		return err
	}
	state, err := readState(o.state)
	if err != nil {
		return err
	}
	options := audit.Options{Policy: policy, State: state, Workers: o.workers, Newest: live.files, Wait: p.waitFor(live)}
	if options.Sample, err = p.sampling(live, o); err != nil {
		return err
	}
	if options.Directories, err = p.recomputing(live, o); err != nil {
		return err
	}
	report, err := p.judge(ctx, fsys, options)
	if err != nil {
		return err
	}
	if err := p.printReport(report, o.json); err != nil {
		return err
	}
	if state != nil && contradicts(report) {
		p.convict(ctx, s, succession{policy: policy, believed: state.Signed, beside: o.state})
	}
	if report.State != nil && o.state != "" {
		if err := command.WriteFile(o.state, audit.FormatState(report.State), publicMode); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	if err := verdictOf(report); err != nil {
		return err
	}
	if err := p.freshEnough(report); err != nil {
		return err
	}
	if err := p.openedEnough(report, o); err != nil {
		return err
	}
	return p.writeAttestation(key, report, o)
}

// auditSources returns what is judged, and where that ledger lives: what it
// closed since is told there. Of a directory that is the server that the flags
// name, or the directory again.
func (p *program) auditSources(args []string) (s, live *source, err error) {
	if len(args) == 0 {
		s, err = p.source()
		return s, s, err
	}
	if s, err = p.sourceAt(args[0]); err != nil || s.log != nil || first(p.url, p.env("CAIRN_URL")) == "" {
		return s, s, err
	}
	if live, err = p.source(); err == nil && live.log == nil {
		live = s
	}
	return s, live, err
}

// waitFor waits for the newest checkpoint of a ledger, before which there may
// be caches; nil: there are none.
func (p *program) waitFor(s *source) func(context.Context) bool {
	const steps = 8
	patience, left := p.patienceWith(s), steps
	if patience <= 0 {
		return nil
	}
	return func(ctx context.Context) bool {
		if left--; left < 0 {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(patience / steps):
			return true
		}
	}
}

// judge runs an audit and shows how far it has come.
func (p *program) judge(ctx context.Context, fsys fs.FS, o audit.Options) (*audit.Report, error) {
	g := p.progress("audited")
	defer g.end()
	o.Progress = func(now audit.Progress) {
		switch {
		case now.Made:
			g.what = "directories made again:"
		case now.Opened:
			g.what = "opened"
		}
		g.show(now.Entries, now.Total)
	}
	return audit.Run(ctx, fsys, o)
}

// freshEnough demands that witnesses saw the checkpoint not too long ago.
func (p *program) freshEnough(r *audit.Report) error {
	at := r.Summary.CosignedAt
	switch {
	case p.maxAge <= 0:
		return nil
	case at.IsZero():
		return fmt.Errorf("%w: nobody attests the age of the checkpoint", proofs.ErrNotVerified)
	case p.clock().Sub(at) > p.maxAge:
		return fmt.Errorf("%w: witnesses saw the checkpoint at %s, longer ago than %v", proofs.ErrNotVerified, at.Format(time.RFC3339), p.maxAge)
	}
	return nil
}

// auditFiles returns the files of a ledger as audit reads them.
func (p *program) auditFiles(ctx context.Context, s *source, o auditFlags) (fs.FS, error) {
	if s.log == nil {
		if o.vault {
			return nil, command.Usage("--vault is for servers: of a directory everything that is there is judged")
		}
		return os.DirFS(s.name), nil
	}
	r := &remoteFS{ctx: ctx, files: s.files}
	if o.vault {
		r.vault = s.log.VaultRecords
	}
	var err error
	r.kept, err = p.keptOf(ctx, s)
	return r, err
}

func readState(path string) (*audit.State, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the first time
	}
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	state, err := audit.ParseState(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return state, nil
}

// convict asks for the checkpoints of two histories once more, to save what
// convicts the log.
func (p *program) convict(ctx context.Context, s *source, c succession) {
	err := p.follows(ctx, s, c)
	var h *client.HistoryError
	switch {
	case s.log == nil && errors.As(err, &h) && h.Evidence.What == client.Rollback:
		p.Hint("an export does not claim to be the latest: judge an older one without --state")
	case err != nil:
		p.Say("%v", err)
	}
}

// contradicts reports whether the ledger has another history than before.
func contradicts(r *audit.Report) bool {
	for _, f := range r.Findings {
		if f.Kind == audit.CheckpointFork || f.Kind == audit.CheckpointRollback {
			return true
		}
	}
	return false
}

// printReport prints what was found, for people or programs.
func (p *program) printReport(r *audit.Report, asJSON bool) error {
	if asJSON {
		return p.printJSON(formatJSON(struct {
			OK bool `json:"ok"`
			*audit.Report
		}{r.OK(), r}, "  "))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(p.Stdout, "%s  %s\n", command.Escape(string(f.Kind)), command.Escape(f.String()))
	}
	if more := r.Total - len(r.Findings); more > 0 && len(r.Findings) > 0 {
		fmt.Fprintf(p.Stdout, "There are %d findings in all.\n", r.Total)
	}
	_, err := fmt.Fprint(p.Stdout, command.EscapeText(r.Summary.String()))
	return err
}

// verdictOf is the answer of an audit.
func verdictOf(r *audit.Report) error {
	switch {
	case r.OK():
		return nil
	case len(r.Findings) > 0 && r.Findings[0].Kind == audit.CheckpointMissing:
		return command.Hinted(fmt.Errorf("%w: there is no checkpoint to judge by", errNo),
			"an export that was cut has none: run cairn export again")
	}
	if r.Total == 1 {
		return fmt.Errorf("%w: one thing is wrong with the ledger, see the finding", errNo)
	}
	return fmt.Errorf("%w: %d things are wrong with the ledger, see the findings", errNo, r.Total)
}
