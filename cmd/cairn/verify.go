package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

type verifyFlags struct {
	payload  string
	settings []string
	included bool // the policy in a file of evidence is believed
	vouchFlags
	json bool
}

func (p *program) verifyCommand() *cobra.Command {
	var o verifyFlags
	c := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Verify receipts, entries and other evidence, without the ledger",
		Long: `verify checks files against the policy, without any network. It recognises what
a file is: a receipt (.tlog-proof), entries as "cairn get --json" or "cairn append --json"
print them, a log's promise (.promise), a signed checkpoint, the state of an audit, or
evidence of a fork or of a broken promise, a search proof as "cairn search" keeps it, or a
file of evidence as "cairn export --evidence" writes it.

An entry is checked by the receipt that its file holds, or by one that is given
beside it. Its payload is checked if the file shows it or --payload gives it; and
with the settings of its stream its tags are computed again.

Whether the log has kept a promise only the ledger shows, or a copy of it: where --url
names one, it is asked. Nothing else of verify asks anybody.

A file of evidence has the policy in it that its maker believed. It is not believed: without
a policy of your own the answer is that nobody can tell (3), unless --trust-included-policy
says that you believe whoever made the file.

What is printed was verified; what could not be is named. All files are judged, and the
worst answer is the exit status.`,
		Example: `  cairn verify --policy ledger.policy login.tlog-proof
  cairn get --json --settings 13 > entry.json; cairn verify entry.json
  cairn get --json 13 > entry.json; cairn verify entry.json --settings streams.json
  cairn append --json --file event.json > answer.json; cairn verify answer.json --payload event.json
  cairn verify --url https://log.example.com receipts/13.promise
  cairn verify --policy ledger.policy case7.evidence
  cairn verify consistency old.checkpoint new.checkpoint from-old-to-new.proof`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.verify(c.Context(), args, o) },
	}
	f := c.Flags()
	f.StringVar(&o.payload, "payload", "", "`FILE` with the payload of the entry, byte for byte")
	f.StringArrayVar(&o.settings, "settings", nil, "`FILE` with settings of the entry's stream, as the ledger lists streams or in the entry that set them, or with the entry that opened its bucket")
	f.BoolVar(&o.included, "trust-included-policy", false, "let the policy in a file of evidence decide what is believed")
	o.vouchFlags.declare(f)
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each file, and for each entry of evidence")
	c.AddCommand(p.verifyConsistencyCommand())
	return c
}

// verify judges all files and says so of each; the worst answer decides.
func (p *program) verify(ctx context.Context, names []string, o verifyFlags) error {
	if err := p.noAge(); err != nil {
		return err
	}
	areEvidence, all := p.areEvidence(names)
	policy, err := p.verifyPolicy(o, all)
	if err != nil {
		return err
	}
	j := &judge{policy: policy, receipts: make(map[uint64]proofs.Receipt)}
	if err := p.readContext(j, o); err != nil {
		return err
	}
	if p.url != "" { // not CAIRN_URL, which says nothing of these files
		j.keeps = p.promiseKeeper(ctx)
	}
	files, unread := make([][]byte, len(names)), make([]error, len(names))
	for i, name := range names {
		if areEvidence[i] {
			continue // of which there is no bound
		}
		files[i], unread[i] = p.readFile(name, maxEntryFile)
		if r, err := proofs.ParseReceipt(files[i]); err == nil {
			j.receipts[r.Index] = r
		}
	}
	var worst error
	for i, name := range names {
		if areEvidence[i] {
			err = p.verifyEvidence(name, policy, o)
		} else {
			err = p.verifyFile(j, name, files[i], unread[i], o)
		}
		if err != nil {
			worst = p.worse(worst, err)
		}
	}
	return worst
}

// verifyFile judges one file and says so; the worst answer about anything in it
// decides.
func (p *program) verifyFile(j *judge, name string, b []byte, unread error, o verifyFlags) (worst error) {
	err := unread
	if err == nil && kindOf(name, b) == kindSearch {
		return p.verifySearch(j.policy, name, b, o)
	}
	if err == nil {
		err = j.judge(name, b, func(f finding, wrong error) error {
			if wrong == nil {
				return p.printFinding(f, o.json)
			}
			worst = p.worse(worst, fmt.Errorf("%s: %w", name, wrong))
			return p.printWrong(f, wrong, o.json)
		})
	}
	if err == nil {
		return worst
	}
	return errors.Join(p.worse(worst, err), p.printWrong(finding{File: name, Kind: kindUnknown}, err, o.json))
}

// printWrong prints for programs what does not verify, or could not be told;
// people read the error.
func (p *program) printWrong(f finding, wrong error, asJSON bool) error {
	if !asJSON {
		return nil
	}
	return p.printFinding(finding{File: f.File, Kind: f.Kind, Error: fmt.Sprintf("%s: %v", f.File, wrong)}, true)
}

// noAge refuses --max-age: what lies in files may be old.
func (p *program) noAge() error {
	if p.maxAge != 0 {
		return command.Usage("--max-age is about a ledger's latest checkpoint, and files have none")
	}
	return nil
}

// worse returns which of two errors decides the exit status, and says the
// other: no, before could not tell, before wrong usage. Either may be nil.
func (p *program) worse(a, b error) error {
	if a == nil {
		return b
	}
	if worseThan(b, a) {
		a, b = b, a
	}
	p.Say("%v", b)
	return a
}

func worseThan(a, b error) bool {
	order := map[int]int{command.Misuse: 1, command.Unknown: 2, command.No: 3}
	return order[statusOf(a)] > order[statusOf(b)]
}

func (p *program) printFinding(f finding, asJSON bool) error {
	if asJSON {
		return p.printJSON(formatJSON(f, ""))
	}
	return f.print(p.Stdout)
}

// readContext reads the files that flags give.
func (p *program) readContext(j *judge, o verifyFlags) error {
	if o.payload != "" {
		b, err := p.readFile(o.payload, proofs.MaxPartData)
		if err != nil {
			return fmt.Errorf("payload: %w", err)
		}
		j.payload, j.hasPayload = b, true
	}
	for _, name := range o.settings {
		b, err := p.readFile(name, maxEntryFile)
		if err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		if err := j.addSettings(name, b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
