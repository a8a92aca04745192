package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

func (p *program) proveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "prove",
		Short: "Make proofs",
		Long: `prove makes proofs from the ledger's tiles, which it checks against the latest
checkpoint that it believes. It needs no token, but for an entry that the ledger has
pruned.`,
		Example: `  cairn prove receipt 13 -o login.tlog-proof
  cairn prove consistency old.checkpoint -o from-old.proof`,
	}
	c.AddCommand(p.proveInclusionCommand(), p.proveConsistencyCommand())
	return c
}

func (p *program) proveInclusionCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:     "inclusion INDEX",
		Aliases: []string{"receipt"},
		Short:   "Prove that an entry is in the ledger",
		Long: `inclusion prints a receipt of the entry: a C2SP tlog-proof with the leaf, the
inclusion proof and the cosigned checkpoint, which "cairn verify" checks without the
ledger. "cairn prove receipt" is the same command.`,
		Example: "  cairn prove inclusion 13 -o login.tlog-proof\n  cairn verify login.tlog-proof",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.proveInclusion(c.Context(), args[0], out) },
	}
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write, instead of the standard output")
	return c
}

func (p *program) proveInclusion(ctx context.Context, arg, out string) error {
	index, err := parseIndex(arg)
	if err != nil {
		return err
	}
	s, err := p.source()
	if err != nil {
		return err
	}
	view, err := p.view(ctx, s)
	if err != nil {
		return err
	}
	if index >= view.Checkpoint.Size {
		return fmt.Errorf("entry %d: %w: the latest checkpoint has %d entries", index, client.ErrNotCovered, view.Checkpoint.Size)
	}
	leaf, err := publicLeaf(ctx, view, s.log, index)
	if err != nil {
		return err
	}
	receipt, err := makeReceipt(ctx, view, index, leaf)
	if err != nil {
		return err
	}
	return p.output(out, receipt)
}

// makeReceipt makes the receipt of an entry under the checkpoint of a view.
func makeReceipt(ctx context.Context, view client.View, index uint64, leaf []byte) ([]byte, error) {
	proof, err := proofs.ProveInclusion(ctx, index, view.Checkpoint.Size, view.Reader)
	if err != nil {
		return nil, err
	}
	return proofs.FormatReceipt(proofs.Receipt{Extra: leaf, Index: index, Proof: proof, Checkpoint: view.Signed})
}

type consistencyFlags struct {
	out  string
	json bool
}

func (p *program) proveConsistencyCommand() *cobra.Command {
	var o consistencyFlags
	c := &cobra.Command{
		Use:   "consistency OLD [NEW]",
		Short: "Prove that the ledger still begins as it was",
		Long: `consistency prints the proof that the ledger of size NEW begins with the ledger of
size OLD. Each is a size or a file with a signed checkpoint; NEW is the latest checkpoint
if it is left out. Checkpoints in files are verified too, and must be of this history.`,
		Example: `  cairn prove consistency old.checkpoint -o from-old.proof
  cairn prove consistency 100 200`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return p.proveConsistency(c.Context(), args, o) },
	}
	c.Flags().StringVarP(&o.out, "output", "o", "", "`FILE` to write, instead of the standard output")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func (p *program) proveConsistency(ctx context.Context, args []string, o consistencyFlags) error {
	s, err := p.source()
	if err != nil {
		return err
	}
	v, err := p.verifier(ctx, s)
	if err != nil {
		return err
	}
	view, err := v.Update(ctx)
	if err != nil {
		return err
	}
	from, err := p.sizeOf(ctx, v, args[0])
	if err != nil {
		return err
	}
	to := view.Checkpoint.Size
	if len(args) == 2 {
		if to, err = p.sizeOf(ctx, v, args[1]); err != nil {
			return err
		}
	}
	if from > to || to > view.Checkpoint.Size {
		return command.Usage("the sizes %d and %d are not in the order OLD, NEW, latest (%d)", from, to, view.Checkpoint.Size)
	}
	proof := client.ConsistencyProof{Old: from, New: to}
	if proof.Hashes, err = proofs.ProveConsistency(ctx, from, to, view.Reader); err != nil {
		return err
	}
	if o.json {
		b, err := formatJSON(struct {
			Old    uint64        `json:"old"`
			New    uint64        `json:"new"`
			Hashes []proofs.Hash `json:"hashes"`
		}{from, to, proof.Hashes}, "")
		if err != nil {
			return err
		}
		return p.output(o.out, b)
	}
	return p.output(o.out, client.FormatConsistencyProof(proof))
}

// sizeOf returns the size that an argument says, or that of the checkpoint in
// the file that it names, which must be of the believed history.
func (p *program) sizeOf(ctx context.Context, v *client.Verifier, arg string) (uint64, error) {
	if size, err := parseIndex(arg); err == nil {
		return size, nil
	}
	signed, err := p.readFile(arg, proofs.MaxNoteSize)
	if err != nil {
		return 0, err
	}
	view, err := v.Believe(ctx, signed)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", arg, err)
	}
	return view.Checkpoint.Size, nil
}

// parseIndex reads an index or size.
func parseIndex(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, command.Usage("%q is not an index: a number from 0", s)
	}
	return n, nil
}
