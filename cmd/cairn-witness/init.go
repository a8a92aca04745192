package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness"
)

// initOptions are what a new witness is made of.
type initOptions struct {
	name, url, listen string
	sshKey, sshAgent  string // fingerprint or file of the key that an agent has, and its socket
	postQuantum       bool
	encrypt, json     bool
}

func (p *program) initCommand() *cobra.Command {
	var o initOptions
	c := &cobra.Command{
		Use:   "init --name NAME",
		Short: "Make a new witness",
		Long: `Make the directory of a new witness: its keys, Ed25519 and ML-DSA-44, its
configuration and its empty memory. Nothing else ever makes one.

With --ssh-key the Ed25519 key is one that an ssh-agent has, on a hardware token for
example. While the agent is away or locked nothing is cosigned. Either key is one vote:
with --post-quantum=false there is none beside the agent's.

The name stands in every cosignature, for ever. By convention it is a URL without
scheme that you control.

It prints the lines by which others trust the witness, for their C2SP tlog-policy:
a witness line with each verifier key, and a group that takes either key for one
vote. They are kept in the file "policy".`,
		Example: `  cairn-witness init --name witness.example.org/w1 --url https://witness.example.org
  cairn-witness init --name w1.test --dir w1 --listen 127.0.0.1:7381
  cairn-witness init --name witness.example.org/w1 --encrypt --passphrase-file /run/secrets/witness
  cairn-witness init --name witness.example.org/w1 --ssh-key ~/.ssh/w1.pub --ssh-agent /run/witness/agent`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.init(o) },
	}
	c.Flags().StringVar(&o.name, "name", "", "name of the witness, for ever")
	c.Flags().StringVar(&o.url, "url", "", "URL under which others reach it, for the policy lines (default http://LISTEN)")
	c.Flags().StringVar(&o.listen, "listen", defaultListen, "address to listen on, for witness.toml")
	c.Flags().StringVar(&o.sshKey, "ssh-key", "", "Ed25519 key of the ssh-agent to sign with: its fingerprint SHA256:..., or its file such as id_ed25519.pub")
	c.Flags().StringVar(&o.sshAgent, "ssh-agent", "", "socket of the ssh-agent, for witness.toml (default SSH_AUTH_SOCK, always)")
	c.Flags().BoolVar(&o.postQuantum, "post-quantum", true, "sign with ML-DSA-44 too, by a key in the file")
	c.Flags().BoolVar(&o.encrypt, "encrypt", false, "encrypt the keys with the passphrase")
	c.Flags().BoolVar(&o.json, "json", false, "print name, verifier keys and policy lines in JSON")
	p.passphraseFlag(c)
	return c
}

// init makes the witness. Its configuration comes last: a directory without
// it is no witness.
func (p *program) init(o initOptions) error {
	if err := o.check(); err != nil {
		return command.Usage("%w", err)
	}
	keys, err := p.makeKeys(o)
	if err != nil {
		return err
	}
	policy, err := o.policy(keys)
	if err != nil {
		return command.Usage("%w", err)
	}
	sealed, err := p.sealKeys(keys, o.encrypt)
	if err != nil {
		return err
	}
	list, err := witness.FormatLogList(nil)
	if err != nil {
		return err
	}
	if err := p.makeDirs(); err != nil {
		return err
	}
	if err := command.WriteFile(p.path(keyFile), sealed, 0o600); err != nil {
		return err
	}
	if err := p.makeMemory(); err != nil {
		return err
	}
	for _, f := range []struct{ name, data string }{
		{logsFile, string(list)}, {policyFile, policy}, {configFile, o.config()},
	} {
		if err := command.WriteFile(p.path(f.name), []byte(f.data), 0o600); err != nil {
			return err
		}
	}
	p.Say("made the witness %s in %s", o.name, p.dir)
	if o.sshKey != "" && o.sshAgent == "" {
		p.Hint("name the agent's socket in %s, ssh_agent, or have SSH_AUTH_SOCK name it wherever the witness runs", configFile)
	}
	p.Hint("say for which logs it cosigns with: cairn-witness log add --dir %s VKEY", p.dir)
	return o.print(p, keys, policy)
}

// check refuses what no witness can be made of, and completes the rest.
func (o *initOptions) check() error {
	if o.name == "" {
		return errors.New("a witness needs a name: --name NAME")
	}
	_, port, err := net.SplitHostPort(o.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if o.url == "" && port != "0" {
		o.url = "http://" + o.listen
	}
	if u, err := url.Parse(o.url); o.url != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("--url: %q is not of the form https://HOST", o.url)
	}
	if o.sshAgent != "" {
		if o.sshKey == "" {
			return errors.New("--ssh-agent says where the key is, and not which: --ssh-key KEY")
		}
		if o.sshAgent, err = filepath.Abs(o.sshAgent); err != nil {
			return err
		}
	}
	if err := decode([]byte(o.config()), new(Config)); err != nil {
		return fmt.Errorf("--listen or --ssh-agent: %w", err)
	}
	return nil
}

// config returns the configuration of the new witness.
func (o *initOptions) config() string {
	agent := `#ssh_agent = "/run/cairn-witness/agent"`
	if o.sshAgent != "" {
		agent = fmt.Sprintf("ssh_agent = %q", o.sshAgent)
	}
	return fmt.Sprintf(sampleConfig, o.listen, agent)
}

// policy returns the lines by which others trust the keys.
func (o *initOptions) policy(keys []proofs.SigningKey) (string, error) {
	policy, group := "", "group "+o.name+" any"
	for i, k := range keys {
		name := o.name + []string{"-ed25519", "-mldsa"}[i]
		policy += strings.TrimSpace(fmt.Sprintf("witness %s %s %s", name, k.Key(), o.url)) + "\n"
		group += " " + name
	}
	policy += group + "\n"
	if _, err := parsePolicy([]byte(policy)); err != nil {
		return "", err
	}
	return policy, nil
}

// parsePolicy returns the keys in the policy lines of a witness.
func parsePolicy(lines []byte) (keys []proofs.Key, err error) {
	policy, err := proofs.ParsePolicy(append(lines, "quorum "+proofs.NoQuorum+"\n"...))
	if err != nil {
		return nil, err
	}
	for _, w := range policy.Witnesses {
		keys = append(keys, w.Key)
	}
	return keys, nil
}

func (o *initOptions) print(p *program, keys []proofs.SigningKey, policy string) error {
	if !o.json {
		_, err := fmt.Fprint(p.Stdout, policy)
		return err
	}
	var vkeys []proofs.Key
	for _, k := range keys {
		vkeys = append(vkeys, k.Key())
	}
	return json.NewEncoder(p.Stdout).Encode(struct {
		Name   string       `json:"name"`
		Keys   []proofs.Key `json:"keys"`
		Policy string       `json:"policy"`
	}{o.name, vkeys, policy})
}

// makeDirs makes the directory, which must be new or empty, and the one of
// the keys, which only their owner may enter.
func (p *program) makeDirs() error {
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s: %w", p.dir, errExists)
	}
	keys := filepath.Dir(p.path(keyFile))
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return err
	}
	if err := command.SyncDir(p.dir); err != nil {
		return err
	}
	return command.SyncDir(filepath.Dir(p.dir))
}

// makeMemory makes the empty registers.
func (p *program) makeMemory() error {
	d, err := disk.Open(p.path(dataDir), disk.Options{Create: true})
	if err != nil {
		return err
	}
	_, err = d.Registers(registersName)
	return errors.Join(err, d.Close())
}
