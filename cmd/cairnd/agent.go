package main

import (
	"errors"
	"os"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/witness/signing"
)

// agentSocket returns the socket of the ssh-agent where the configuration
// names none.
func agentSocket() string { return os.Getenv("SSH_AUTH_SOCK") }

// findKey asks the ssh-agent for the key that shall sign for a new ledger.
func (p *program) findKey(o *initFlags) error {
	if o.sshKey == "" {
		if o.sshAgent != "" {
			return command.Usage("--ssh-agent says where the key is, and not which: --ssh-key KEY")
		}
		return nil
	}
	socket := o.SSHAgent
	if o.Config.SSHAgent != "" {
		socket = p.beside(o.Config.SSHAgent, "")
	}
	var err error
	o.AgentKey, err = signing.NewAgent(socket, 0).Find(o.sshKey)
	var wrong *signing.FileError
	if errors.As(err, &wrong) {
		err = command.Usage("--ssh-key: %w", err)
	}
	return command.Hinted(err, "see which keys an agent has with: ssh-add -l; it prints the fingerprints")
}
