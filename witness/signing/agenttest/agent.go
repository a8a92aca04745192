// Package agenttest is an ssh-agent for tests: the keyring in memory of
// golang.org/x/crypto, served at a unix socket as ssh-agent does. It has the
// keys that a test adds to it, and can be locked, stopped and started again. A
// [Program] is the ssh-agent of OpenSSH, for the same tests. Both are in no
// program.
package agenttest

import (
	"errors"
	"net"
	"os"
	"sync"

	"golang.org/x/crypto/ssh/agent"
)

// An Agent is a running ssh-agent, and the keyring that it serves.
type Agent struct {
	agent.Agent

	listener net.Listener
	serving  sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]bool // nil: it has stopped
}

// Start serves a new keyring at a socket, whose path is shorter than some 100
// bytes.
func Start(socket string) (*Agent, error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	a := &Agent{Agent: agent.NewKeyring(), listener: l, conns: make(map[net.Conn]bool)}
	a.serving.Go(a.serve)
	return a, nil
}

// Socket makes a directory with a short name and returns the path of a socket
// in it, and what removes both.
func Socket() (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "agent")
	return dir + "/s", func() { os.RemoveAll(dir) }, err
}

func (a *Agent) serve() {
	for {
		conn, err := a.listener.Accept()
		if err != nil {
			return // it was closed
		}
		if !a.keep(conn) {
			conn.Close()
			return
		}
		a.serving.Go(func() {
			_ = agent.ServeAgent(a.Agent, conn) // until whoever asks goes away
			a.forget(conn)
			conn.Close()
		})
	}
}

// keep remembers a connection, unless the agent has stopped.
func (a *Agent) keep(conn net.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conns == nil {
		return false
	}
	a.conns[conn] = true
	return true
}

func (a *Agent) forget(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.conns, conn)
}

// Close stops the agent, whose keys are lost, and removes its socket.
func (a *Agent) Close() error {
	err := a.listener.Close()
	a.mu.Lock()
	for conn := range a.conns {
		err = errors.Join(err, conn.Close())
	}
	a.conns = nil
	a.mu.Unlock()
	a.serving.Wait()
	return err
}
