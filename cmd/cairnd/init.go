package main

import (
	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

func (p *program) initCommand() *cobra.Command {
	var o local.InitOptions
	var witnesses string
	var encrypt bool
	c := &cobra.Command{
		Use:   "init --origin NAME",
		Short: "Make a new ledger",
		Long: `Make the directory of a new ledger: its keys, its policy, its configuration and
its first entries, signed. Nothing else ever makes one.

The origin names the log for ever. By convention it is a URL without scheme
that you control, such as log.example.com/audit.

The policy says which witnesses the ledger asks and how many must cosign what it
publishes. Give their lines in a file, as each witness's operator prints them
with "cairn-witness init", with groups and the quorum (C2SP tlog-policy).
Without it nobody cosigns, and only the operator vouches for the log.`,
		Example: `  cairnd init --origin log.example.com/audit --witnesses witnesses.policy
  cairnd init --origin log.example.com/audit --post-quantum --encrypt --passphrase-file /run/secrets/cairn`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Origin == "" {
				return command.Usage("a ledger needs a name: --origin NAME")
			}
			if witnesses != "" {
				lines, err := command.ReadFile(witnesses, proofs.MaxPolicySize)
				if err != nil {
					return command.Hinted(err, "give the file with the lines that cairn-witness init printed")
				}
				o.Policy = string(lines)
			}
			if encrypt {
				secret, err := p.secret()
				if err != nil {
					return command.Usage("%w", err)
				}
				o.Passphrase = secret
			}
			if err := local.Init(c.Context(), p.dir, o); err != nil {
				return err
			}
			p.Say("made the ledger %s in %s", o.Origin, p.dir)
			p.Say("keep %s/keys safe and out of backups of the data; publish %s/policy", p.dir, p.dir)
			p.Hint("serve it with: cairnd serve --dir %s", p.dir)
			return nil
		},
	}
	c.Flags().StringVar(&o.Origin, "origin", "", "name of the log, for ever")
	c.Flags().StringVar(&witnesses, "witnesses", "", "file with witness, group and quorum lines of the policy")
	c.Flags().BoolVar(&o.PostQuantum, "post-quantum", false, "sign with ML-DSA-44 too")
	c.Flags().BoolVar(&encrypt, "encrypt", false, "encrypt the key files with the passphrase")
	return c
}
