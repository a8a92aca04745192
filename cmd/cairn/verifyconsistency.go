package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func (p *program) verifyConsistencyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "consistency OLD NEW PROOF",
		Short: "Verify that one checkpoint's ledger begins with another's",
		Long: `consistency checks that both checkpoints are signed and cosigned as the policy
demands, and that the tree of NEW begins with that of OLD: nothing that was in the
ledger at OLD was changed or removed. The proof is one that "cairn prove consistency" made.`,
		Example: "  cairn verify consistency old.checkpoint new.checkpoint from-old-to-new.proof",
		Args:    cobra.ExactArgs(3),
		RunE:    func(_ *cobra.Command, args []string) error { return p.verifyConsistency(args, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) verifyConsistency(names []string, asJSON bool) error {
	if err := p.noAge(); err != nil {
		return err
	}
	policy, err := p.loadPolicy()
	if err != nil {
		return err
	}
	var verdicts [2]proofs.Verdict
	for i := range verdicts {
		signed, err := p.readFile(names[i], proofs.MaxNoteSize)
		if err != nil {
			return err
		}
		if verdicts[i], err = policy.Check(signed); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	b, err := p.readFile(names[2], 1<<16)
	if err != nil {
		return err
	}
	proof, err := client.ParseConsistencyProof(b)
	if err != nil {
		return fmt.Errorf("%s: %w", names[2], err)
	}
	old, latest := verdicts[0].Checkpoint, verdicts[1].Checkpoint
	if err := proof.Check(old, latest); err != nil {
		return fmt.Errorf("%s: %w", names[2], err)
	}
	f := finding{File: names[2], Kind: kindConsistency, Verifies: true}
	f.takeVerdict(verdicts[1])
	f.Checked = append(f.Checked, fmt.Sprintf("the ledger of %d entries begins with the one of %d entries and root %s", latest.Size, old.Size, old.Root))
	return p.printFinding(f, asJSON)
}
