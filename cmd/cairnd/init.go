package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// initFlags say what ledger to make.
type initFlags struct {
	local.InitOptions
	witnesses string
	encrypt   bool
	contact   string
	qpd       uint32
	keys      local.KeyState
	sshKey    string // fingerprint or file of the key that an agent has
	sshAgent  string // its socket
}

func (p *program) initCommand() *cobra.Command {
	var o initFlags
	c := &cobra.Command{
		Use:   "init --origin NAME",
		Short: "Make a new ledger",
		Long: `Make the directory of a new ledger: its keys, its policy, its configuration and
its first entries, signed. Nothing else ever makes one. A cairn.toml that is there
says where everything goes.

The origin names the log for ever. By convention it is a URL without scheme
that you control, such as log.example.com/audit.

The policy says which witnesses the ledger asks and how many must cosign what it
publishes. Give their lines in a file, as each witness's operator prints them
with "cairn-witness init", with groups and the quorum (C2SP tlog-policy).
Without it nobody cosigns, and only the operator vouches for the log.

The key tree, from which the keys of payloads come, is kept in places that must be
in no backup; nothing can be erased before there are two of them, best on two
disks, or an escrow: see cairn-keys(7).

An Ed25519 key that an ssh-agent has, on a hardware token for example, signs for the
log with --ssh-key. It must be there whenever something is signed.

It prints the log as the witnesses' operators add it with "cairn-witness log add --list",
in the format logs/v0 of witness-network.org.`,
		Example: `  cairnd init --origin log.example.com/audit --witnesses witnesses.policy > log.list
  cairnd init --origin log.example.com/audit --post-quantum --encrypt --passphrase-file /run/secrets/cairn
  cairnd init --origin log.example.com/audit --key-place keystate --key-place /mnt/other-disk/keystate
  cairnd init --origin log.example.com/audit --ssh-key ~/.ssh/log.pub --ssh-agent /run/cairn/agent`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.init(c.Context(), o) },
	}
	c.Flags().StringVar(&o.Origin, "origin", "", "name of the log, for ever")
	c.Flags().StringVar(&o.witnesses, "witnesses", "", "file with witness, group and quorum lines of the policy")
	c.Flags().BoolVar(&o.PostQuantum, "post-quantum", false, "sign with ML-DSA-44 too")
	c.Flags().BoolVar(&o.encrypt, "encrypt", false, "encrypt the key files with the passphrase")
	c.Flags().StringVar(&o.contact, "contact", "unknown", "how the witnesses' operators reach you, for what is printed")
	c.Flags().StringArrayVar(&o.keys.Places, "key-place", nil, "directory that holds the key tree, seen from the ledger's (repeat; default \"keystate\")")
	c.Flags().StringVar(&o.keys.Wrap, "key-wrap", "", "what closes the places: passphrase, none, or a key service's URL (default: as the key files)")
	c.Flags().StringVar(&o.keys.EscrowPlace, "escrow-place", "", "directory that holds the key tree encrypted for the recipients")
	c.Flags().StringArrayVar(&o.keys.EscrowRecipients, "escrow-recipient", nil, "age recipient of the escrow (repeat)")
	c.Flags().StringVar(&o.sshKey, "ssh-key", "", "Ed25519 key of the ssh-agent to sign with: its fingerprint SHA256:..., or its file such as id_ed25519.pub")
	c.Flags().StringVar(&o.sshAgent, "ssh-agent", "", "socket of the ssh-agent, for cairn.toml (default SSH_AUTH_SOCK, always)")
	c.Flags().Uint32Var(&o.qpd, "qpd", 86400, "requests a day that you expect to ask of a witness, for what is printed")
	return c
}

// init makes the ledger. All that can be wrong with what was asked for is
// found before anything is made.
func (p *program) init(ctx context.Context, o initFlags) error {
	if o.Origin == "" {
		return command.Usage("a ledger needs a name: --origin NAME")
	}
	c, err := p.load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	o.Config, o.KeyService, o.SSHAgent = c.Config, keyservice.Open, agentSocket()
	if o.saysKeys() {
		if err == nil {
			return command.Usage("%s is there: say in its table key_state what --key-place, --key-wrap and --escrow-... say", local.ConfigFile)
		}
		o.Config.KeyState = o.keys
	}
	if o.sshAgent != "" {
		if err == nil {
			return command.Usage("%s is there: say in its setting ssh_agent what --ssh-agent says", local.ConfigFile)
		}
		if o.Config.SSHAgent, err = filepath.Abs(o.sshAgent); err != nil {
			return err
		}
	}
	if err := p.readInit(&o); err != nil {
		return err
	}
	if err := local.Init(ctx, p.dir, o.InitOptions); err != nil {
		return err
	}
	policy, err := local.ReadPolicy(p.dir, o.Config)
	if err != nil {
		return err
	}
	return p.introduce(o, policy)
}

// saysKeys reports whether a flag says something of the key state.
func (o *initFlags) saysKeys() bool { return !reflect.DeepEqual(o.keys, local.KeyState{}) }

// readInit reads the files that flags give, and checks what was asked for.
func (p *program) readInit(o *initFlags) error {
	if o.witnesses != "" {
		lines, err := command.ReadFile(o.witnesses, proofs.MaxPolicySize)
		if err != nil {
			return command.Hinted(err, "give the file with the lines that cairn-witness init printed")
		}
		if o.Policy = string(lines); o.Policy == "" {
			return command.Hinted(command.Usage("%s: it is empty", o.witnesses), "%s", howPoliciesAre)
		}
	}
	if p.passphrase != "" && !o.encrypt {
		return command.Usage("--passphrase-file is for --encrypt: without it the key files would be in clear")
	}
	if o.encrypt {
		secret, err := p.secret()
		if err != nil {
			return command.Usage("%w", err)
		}
		o.Passphrase = secret
	}
	if wrap := o.Config.KeyState.Wrap; strings.Contains(wrap, "://") {
		if err := keyservice.Check(wrap); err != nil {
			return command.Usage("%w", err)
		}
	}
	if o.Config.KeyState.Wrap == "passphrase" && !o.encrypt {
		return command.Usage("--key-wrap passphrase: it is the passphrase, and none was given to init: use --encrypt")
	}
	if _, err := o.listed(proofs.PolicyLog{}); err != nil {
		return err
	}
	if err := p.findKey(o); err != nil {
		return err
	}
	err := o.Check()
	if err == nil {
		return nil
	}
	if strings.HasPrefix(err.Error(), "policy: ") {
		return command.Hinted(command.Usage("%s: %w", o.witnesses, err), "%s", howPoliciesAre)
	}
	return command.Usage("%w", err)
}

const howPoliciesAre = `the file has the lines that cairn-witness init printed, and one more: "quorum NAME" of a witness or a group`

// listed returns a key of the log as a witness lists it.
func (o *initFlags) listed(l proofs.PolicyLog) (witness.Log, error) {
	w := witness.Log{Origin: o.Origin, Key: l.Key, QPD: o.qpd, Contact: o.contact}
	switch {
	case o.qpd < 1 || o.qpd > 1<<31-1:
		return w, command.Usage("--qpd: %d is not from 1 to %d", o.qpd, 1<<31-1)
	case o.contact == "" || strings.TrimSpace(o.contact) != o.contact || command.Escape(o.contact) != o.contact:
		return w, command.Usage("--contact: %q is not one line of text", o.contact)
	}
	return w, nil
}

// introduce prints the log for the witnesses, and says what comes next.
func (p *program) introduce(o initFlags, policy *proofs.Policy) error {
	p.Say("made the ledger %s in %s", o.Origin, p.dir)
	p.Say("back up %s/keys, but not where the data is backed up; publish %s/policy", p.dir, p.dir)
	state := local.InspectKeyState(p.dir, o.Config)
	for _, place := range state.Places {
		p.Say("keep %s out of every backup and snapshot: with a copy, what is erased later can be read again", place.Path)
	}
	if state.Escrow != nil {
		p.Say("keep %s out of them, too: whoever has a copy and a recipient's key can read what is erased later", state.Escrow.Path)
	}
	p.hintKeyState(state)
	if !o.encrypt && os.Getenv("CAIRN_PASSPHRASE") != "" {
		p.Say("the key files are in clear, although CAIRN_PASSPHRASE is set: --encrypt was not given")
	}
	var logs []witness.Log
	var keys []string
	for _, l := range policy.Logs {
		w, err := o.listed(l)
		if err != nil {
			return err
		}
		logs, keys = append(logs, w), append(keys, l.Key.String())
	}
	list, err := witness.FormatLogList(logs)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.Stdout, "%s", list); err != nil {
		return err
	}
	if policy.Quorum == proofs.NoQuorum {
		p.Say("its quorum is none: nobody cosigns, and only a signed_copy elsewhere stops a copy of the directory from forking the log")
	} else {
		p.Hint("give the printed list to the witnesses, for: cairn-witness log add --list FILE")
		p.Hint("or the keys alone, for: cairn-witness log add %s", strings.Join(keys, " "))
	}
	if o.AgentKey != nil && o.Config.SSHAgent == "" {
		p.Hint("name the agent's socket in %s, ssh_agent, or have SSH_AUTH_SOCK name it wherever the server runs", local.ConfigFile)
	}
	p.Hint("serve it with: cairnd serve --dir %s", p.dir)
	return nil
}
