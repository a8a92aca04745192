package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/local"
)

func (p *program) keyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Look after the key state",
		Long: `The key state is the tree from which the keys of all payloads come, and in which
they are destroyed. It is in the places that cairn.toml names, in its latest state
and no other, and it must be in no backup: see cairn-keys(7).

A place is added, or taken away, in cairn.toml: at its start the server fills one
that is an empty directory.`,
	}
	c.AddCommand(p.keyStatusCommand(), p.keyRecoverCommand(), p.keyEraseCommand())
	return c
}

func (p *program) keyStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show where the key state is and what erasing is worth there",
		Long: `Show of each place, and of the escrow, which epoch it has (how often keys were
destroyed), what closes it, and what the file system that it is on leaves behind
of what is erased. No server needs to run, and no key is read.

The exit status is 0 where keys can be destroyed and every place has the latest
epoch, and 1 where not.`,
		Example: "  cairnd key status\n  cairnd key status --json | jq .warnings",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := p.load()
			if err != nil {
				return err
			}
			info := local.InspectKeyState(p.dir, cfg.Config)
			if p.json {
				err = p.printJSON(info)
			} else {
				t := command.NewTable(p.Stdout)
				printKeyState(t, info)
				err = t.Flush()
			}
			p.hintKeyState(info)
			if err == nil && !info.Well() {
				err = notWellError{"the key state needs somebody to look after it"}
			}
			return err
		},
	}
	p.jsonFlag(c)
	return c
}

// printKeyState adds the rows of a key state to a table.
func printKeyState(t command.Table, info local.KeyStateInfo) {
	t.Row("keys", info.String())
	for _, place := range info.Places {
		t.Row("place", place.Path+": "+place.String())
	}
	if info.Escrow != nil {
		t.Row("escrow", info.Escrow.Path+": "+info.Escrow.String())
	}
	for _, warning := range info.Warnings {
		t.Row("warning", warning)
	}
}

// hintKeyState says what to do where keys cannot be destroyed.
func (p *program) hintKeyState(info local.KeyStateInfo) {
	if !info.Destroys {
		p.Hint("nothing can be erased before the key state has a second place, or an escrow: make an empty directory on another disk, and name both in %s, table key_state; see cairn-keys(7)", local.ConfigFile)
	}
}

func (p *program) keyRecoverCommand() *cobra.Command {
	var escrow, identity string
	c := &cobra.Command{
		Use:   "recover --escrow FILE --identity FILE",
		Short: "Make the places again from the escrow",
		Long: `Make the key state again in all places, which were lost, from the latest file of
the escrow place. The places must be empty; a directory that is missing is made.
The server must not run.

The identity is that of a recipient, as age-keygen writes it. An older file of the
escrow, from a backup say, has keys that were destroyed since: the server refuses
it at its start, for the log says which epoch is the latest.`,
		Example: "  cairnd key recover --escrow /mnt/escrow/escrow-7.age --identity /media/safe/identity.txt",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if escrow == "" || identity == "" {
				return command.Usage("give the escrow's file and an identity: --escrow FILE --identity FILE")
			}
			return p.recoverKeys(c.Context(), escrow, identity)
		},
	}
	c.Flags().StringVar(&escrow, "escrow", "", "the latest file of the escrow place")
	c.Flags().StringVar(&identity, "identity", "", "file with an age identity of a recipient")
	return c
}

func (p *program) recoverKeys(ctx context.Context, escrow, identity string) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	secret, err := os.Open(identity)
	if err != nil {
		return err
	}
	identities, err := age.ParseIdentities(secret)
	if err = errors.Join(err, secret.Close()); err != nil {
		return command.Usage("%s: it is no file of age identities", identity) // the error could quote it
	}
	from, err := os.Open(escrow)
	if err != nil {
		return err
	}
	defer from.Close()
	r, err := local.RecoverKeyState(ctx, p.dir, cfg.Config, local.Options{Passphrase: p.secret, KeyService: keyservice.Open}, from, identities...)
	if errors.Is(err, keystate.ErrExists) {
		return command.Hinted(err, "what it holds may be later than the escrow: if the server cannot start with it, move its files away")
	}
	if err != nil {
		return err
	}
	p.Say("the key state of epoch %d is in its places again", r.Epoch)
	return nil
}

func (p *program) keyEraseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "erase DIRECTORY",
		Short: "Erase the key state in a directory that is no place any more",
		Long: `Overwrite and remove the key state in a directory that cairn.toml named once and
does not name any more: with what lies there, what is erased from now on could be
read again. It refuses a place that is in use, a state of another ledger, and one
that is later than that of all places.`,
		Example: "  cairnd key erase /mnt/old-disk/keystate",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := p.load()
			if err != nil {
				return err
			}
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if err := local.EraseKeyState(p.dir, cfg.Config, local.Options{Passphrase: p.secret}, path); err != nil {
				return err
			}
			p.Say("%s holds no key state any more", args[0])
			return nil
		},
	}
}
