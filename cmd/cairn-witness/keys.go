package main

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
)

const keyComment = "signing keys of a Cairn witness: whoever has them can cosign in its name"

// passphraseFlag adds the flag that says where the passphrase is.
func (p *program) passphraseFlag(c *cobra.Command) {
	c.Flags().StringVar(&p.passphrase, "passphrase-file", "", "file with the passphrase of the keys, instead of CAIRN_PASSPHRASE")
}

// secret returns the passphrase of the keys, from a file or the environment.
func (p *program) secret() (string, error) {
	return command.Passphrase(p.passphrase, p.env, command.Usage("%s: %w", p.path(keyFile), errEncrypted))
}

// agent returns the ssh-agent at a socket of the configuration or, where that
// names none, of the environment.
func (p *program) agent(socket string) *signing.Agent {
	if socket == "" {
		socket = p.env("SSH_AUTH_SOCK")
	} else {
		socket = p.path(socket)
	}
	return signing.NewAgent(socket, 0)
}

// keys reads the keys of the witness, which nobody else may be able to read.
func (p *program) keys(agent *signing.Agent) ([]proofs.SigningKey, error) {
	keys, err := signing.ReadKeys(p.path(keyFile), p.secret, agent)
	return keys, asUsage(err)
}

// asUsage makes wrong usage of a file that can be read and not used.
func asUsage(err error) error {
	var wrong *signing.FileError
	if errors.As(err, &wrong) {
		return command.Usage("%w", err)
	}
	return err
}

// makeKeys makes the keys of a new witness: Ed25519, unless the ssh-agent has
// it, and ML-DSA-44, unless it shall have none.
func (p *program) makeKeys(o initOptions) ([]proofs.SigningKey, error) {
	var first proofs.SigningKey
	var err error
	if o.sshKey != "" {
		first, err = p.agentKey(o)
	} else {
		first, err = generateKey(o.name, proofs.Ed25519Cosignature)
	}
	if err != nil || !o.postQuantum {
		return []proofs.SigningKey{first}, err
	}
	second, err := generateKey(o.name, proofs.MLDSA44)
	return []proofs.SigningKey{first, second}, err
}

func generateKey(name string, t proofs.KeyType) (proofs.SigningKey, error) {
	k, err := proofs.GenerateKey(name, t, rand.Reader)
	if err != nil {
		return k, command.Usage("--name: %w", err)
	}
	return k, nil
}

// agentKey returns the key that the ssh-agent has.
func (p *program) agentKey(o initOptions) (k proofs.SigningKey, err error) {
	agent := p.agent(o.sshAgent)
	public, err := agent.Find(o.sshKey)
	if err != nil {
		return k, command.Hinted(asUsage(err), "see which keys an agent has with: ssh-add -l; it prints the fingerprints")
	}
	if k, err = agent.Key(o.name, proofs.Ed25519Cosignature, public); err != nil {
		return k, command.Usage("--name: %w", err)
	}
	return k, nil
}

// sealKeys returns the content of the file of the keys.
func (p *program) sealKeys(keys []proofs.SigningKey, encrypt bool) ([]byte, error) {
	data := signing.FormatKeys(keyComment, keys)
	if !encrypt {
		return data, nil
	}
	secret, err := p.secret()
	if err != nil {
		return nil, err
	}
	if data, err = signing.Encrypt(data, secret, 0); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return data, nil
}
