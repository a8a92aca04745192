package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs/audit"
)

type exportFlags struct {
	vault    bool
	receipts bool
	workers  int
	json     bool

	evidence             string // the file; empty: the whole ledger is exported
	stream, since, until string // of evidence
	subject              string
	where                []string

	searches     []string // queries
	now, hits    bool
	attestations []string // files
}

func (p *program) exportCommand() *cobra.Command {
	var o exportFlags
	c := &cobra.Command{
		Use:   "export DIRECTORY\n  cairn export --evidence FILE [INDEX | FIRST..LAST]...",
		Short: "Copy a whole ledger into a directory, or entries with their proofs into a file",
		Long: `export writes the ledger's latest checkpoint, its tiles and entries, and the
checkpoints that it keeps, into a directory that any web server can serve as a
static log and "cairn audit" judges offline. Everything is verified before it is written.

The checkpoint is written last, so that a directory without one is a cut export. Run
again, export continues where it was; later it adds what is new, if the ledger still
has the history that was exported.

With --evidence it writes one file that shows some entries to somebody who has nothing
else: their payloads as far as you may read them, and all that "cairn verify" needs to
check them without the ledger. Entries are chosen by indices and ranges, of which
--stream, --subject, --where, --since and --until leave the events that fit. What is gone
is there with the published reason. The ledger records each entry that is read for it.

--search has the ledger prove which events fit a query, and that there are no others, as
"cairn search --complete" does; the proof goes into the file, which thus shows that nothing
of this was left out, or that there is nothing. The events that it finds are added to those
that are chosen otherwise. The query names its stream and range itself.`,
		Example: `  cairn export /backup/ledger
  cairn export --vault --receipts /backup/ledger   # with sealed records and receipts
  cairn audit /backup/ledger
  cairn export --evidence case7.evidence --reason 'case 7' 120 130..142
  cairn export --evidence logins.evidence --stream logins --since 2026-11-01 --until 2026-12-01
  cairn export --evidence alice.evidence --stream logins --subject alice --where outcome=denied
  cairn export --evidence bob.evidence --now --search 'stream:logins actor:bob after:-24h'
  cairn verify logins.evidence bob.evidence`,
		Args: func(c *cobra.Command, args []string) error {
			if o.evidence != "" {
				return nil
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if o.workers < 1 {
				return command.Usage("--workers must be at least 1")
			}
			if o.evidence != "" {
				return p.exportEvidence(c.Context(), args, o)
			}
			if o.stream+o.subject+o.since+o.until != "" || o.where != nil {
				return command.Usage("--stream, --subject, --where, --since and --until are for --evidence: a directory gets the whole ledger")
			}
			if o.searches != nil || o.now || !o.hits || o.attestations != nil {
				return command.Usage("--search, --now, --hits and --attestation are for --evidence: a directory gets the whole ledger")
			}
			return p.export(c.Context(), args[0], o)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.vault, "vault", false, "write the sealed records too; needs an auditor's token")
	f.BoolVar(&o.receipts, "receipts", false, "write a receipt of every event too")
	f.IntVar(&o.workers, "workers", 8, "how many files are fetched at once")
	f.BoolVar(&o.json, "json", false, "print what was exported as JSON")
	f.StringVar(&o.evidence, "evidence", "", "write evidence of some entries into the `FILE`; needs a reader's token")
	f.StringVar(&o.stream, "stream", "", "only events of the stream `NAME`")
	f.StringVar(&o.subject, "subject", "", "only events of the stream that concern this data subject, by its `ID` as events name it")
	f.StringArrayVar(&o.where, "where", nil, "only events of the stream with this value of a declared field: `NAME=VALUE`; can be repeated")
	f.StringVar(&o.since, "since", "", "only events from this `TIME` on: 2026-11-23, 2026-11-23T12:00:00Z, or 36h or 7d ago")
	f.StringVar(&o.until, "until", "", "only events before this `TIME`")
	f.StringArrayVar(&o.searches, "search", nil, "prove which events fit the `QUERY`, and that no others do, and add them; can be repeated")
	f.BoolVar(&o.now, "now", false, "with --search: look through the entries behind the last directory too, one by one")
	f.BoolVar(&o.hits, "hits", true, "with --search: add the events that are found; --hits=false: the proofs alone")
	f.StringArrayVar(&o.attestations, "attestation", nil, "with --search: add a `FILE` with an auditor's word on directories; can be repeated")
	p.reasonFlag(f)
	return c
}

func (p *program) export(ctx context.Context, dir string, o exportFlags) error {
	s, err := p.source()
	if err != nil {
		return err
	}
	e, err := p.exporter(ctx, s, dir)
	if err != nil {
		return err
	}
	e.dir, e.workers, e.receipts = dir, o.workers, o.receipts
	if err := p.resumeExport(ctx, e, s); err != nil {
		return err
	}
	if err := p.chooseVault(e, s, o.vault); err != nil {
		return err
	}
	if e.kept, err = p.keptOf(ctx, s); err != nil {
		return err
	}
	e.renew = func(ctx context.Context) error { return p.renewExport(ctx, e, s) }
	return p.runExport(ctx, e, o.json)
}

// exporter returns an exporter of what is believed of a source now. Evidence
// against the ledger is saved beside what is written.
func (p *program) exporter(ctx context.Context, s *source, beside string) (*exporter, error) {
	policy, err := p.loadPolicy()
	if err != nil {
		return nil, err
	}
	view, err := p.view(ctx, s)
	if err != nil {
		return nil, err
	}
	convict := func(ctx context.Context, signed []byte) error {
		return p.follows(ctx, s, succession{policy, signed, view.Signed, filepath.Clean(beside)})
	}
	return &exporter{policy: policy, view: view, files: s.files, convict: convict}, nil
}

// runExport writes the files and says what they are.
func (p *program) runExport(ctx context.Context, e *exporter, asJSON bool) error {
	g := p.progress("exported")
	e.progress = func(done uint64) { g.show(done, e.view.Checkpoint.Size) }
	err := e.run(ctx)
	g.end()
	c := e.view.Checkpoint
	if err != nil {
		return command.Hinted(err, "the export is not complete; run it again to continue")
	}
	if asJSON {
		return p.printJSON(formatJSON(e.report(), ""))
	}
	p.Say("%d entries of %s are in %s, %d of them new", c.Size, c.Origin, e.dir, c.Size-e.from)
	if n := e.pruned.Load(); n > 0 {
		p.Say("of %d entries there are only the hashes: the ledger has pruned them, and cairn audit tells whether it may", n)
	}
	return nil
}

// renewExport takes the newest checkpoint of the ledger.
func (p *program) renewExport(ctx context.Context, e *exporter, s *source) error {
	view, err := p.view(ctx, s)
	if err != nil {
		return err
	}
	if view.Checkpoint.Size > e.view.Checkpoint.Size {
		e.view = view
	}
	e.kept, err = p.keptOf(ctx, s)
	return err
}

// resumeExport looks at what an earlier export left in the directory.
func (p *program) resumeExport(ctx context.Context, e *exporter, s *source) error {
	path := filepath.Join(e.dir, audit.CheckpointFile)
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	verdict, err := e.policy.CheckLog(old)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if verdict.Checkpoint.Origin != e.view.Checkpoint.Origin {
		return command.Usage("%s holds an export of %q, and this is %q", e.dir, verdict.Checkpoint.Origin, e.view.Checkpoint.Origin)
	}
	before, now := verdict.Checkpoint.Size, e.view.Checkpoint.Size
	if before > now && s.log == nil {
		return p.addsNothing(ctx, e, s.name, old, before)
	}
	if before > now {
		if err := p.follows(ctx, s, succession{policy: e.policy, believed: old, beside: filepath.Clean(e.dir)}); err != nil {
			return fmt.Errorf("%s: %w", e.dir, err)
		}
		return fmt.Errorf("%s has %d entries, and the ledger showed %d a moment ago: run it again", e.dir, before, now)
	}
	if err := e.convict(ctx, old); err != nil {
		return fmt.Errorf("%s: %w", e.dir, err)
	}
	e.from = before
	return nil
}

// chooseVault decides whether sealed records are exported. A directory that
// has some goes on to have them: it would be judged incomplete otherwise.
func (p *program) chooseVault(e *exporter, s *source, wanted bool) error {
	if _, err := os.Stat(filepath.Join(e.dir, audit.VaultDir)); err == nil {
		wanted = true
	}
	if !wanted {
		return nil
	}
	if s.log == nil {
		e.vault = recordsIn(s.name)
		return nil
	}
	e.vault = s.log.VaultRecords
	return nil
}
