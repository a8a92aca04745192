package agenttest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"time"

	"golang.org/x/crypto/ssh/agent"
)

// A Program is the ssh-agent of OpenSSH, as a process.
type Program struct {
	agent.Agent

	process *exec.Cmd
	conn    net.Conn
	socket  string
}

// startTime bounds the wait for a process to listen.
const startTime = 30 * time.Second

// StartProgram starts the ssh-agent of OpenSSH at a socket. The error matches
// [exec.ErrNotFound] where it is not installed. Whatever it would ask somebody
// to confirm is refused.
func StartProgram(socket string) (*Program, error) {
	p := &Program{process: exec.Command("ssh-agent", "-D", "-a", socket), socket: socket}
	p.process.Env = append(os.Environ(), "SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force")
	if err := p.process.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(startTime); ; time.Sleep(time.Millisecond) {
		var err error
		if p.conn, err = net.Dial("unix", socket); err == nil {
			p.Agent = agent.NewClient(p.conn)
			return p, nil
		}
		if time.Now().After(end) {
			_ = p.process.Process.Kill()
			return nil, errors.Join(err, p.process.Wait())
		}
	}
}

// Close kills the agent, whose keys are lost, and removes its socket.
func (p *Program) Close() error {
	err := p.process.Process.Kill()
	_ = p.process.Wait() // it was killed
	err = errors.Join(err, p.conn.Close())
	if removed := os.Remove(p.socket); !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}
