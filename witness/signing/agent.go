package signing

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/proofs"
)

// An Agent is an ssh-agent at a unix socket. It is not trusted with anything
// but its keys. It may be used from several goroutines; one request is made at
// a time.
type Agent struct {
	socket  string
	timeout time.Duration
	turn    chan struct{} // holds whoever asks now; others wait in their order
}

// DefaultTimeout bounds a request to an agent.
const DefaultTimeout = 5 * time.Second

// maxAnswers bounds, in bytes, what is read of an agent for one request.
const maxAnswers = 1 << 20

// NewAgent returns the agent at a socket, which may not be there yet. The
// timeout bounds each request, from the wait for earlier ones to the answer; 0
// is [DefaultTimeout]. Without a socket every request is an error that says so.
func NewAgent(socket string, timeout time.Duration) *Agent {
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &Agent{socket: socket, timeout: timeout, turn: make(chan struct{}, 1)}
}

// Key returns the signing key of type t, named name, that the agent has under
// a public key; see [proofs.NewSigningKey]. The agent is not asked yet.
func (a *Agent) Key(name string, t proofs.KeyType, public ed25519.PublicKey) (proofs.SigningKey, error) {
	return proofs.NewSigningKey(name, t, agentSigner{a, public})
}

// An agentSigner signs with one key of an agent.
type agentSigner struct {
	agent  *Agent
	public ed25519.PublicKey
}

func (s agentSigner) Public() crypto.PublicKey { return s.public }

func (s agentSigner) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) (signature []byte, err error) {
	key, err := ssh.NewPublicKey(s.public)
	if err != nil {
		return nil, err
	}
	err = s.agent.ask(func(c agent.Agent) error {
		answer, err := c.Sign(key, message)
		if err != nil {
			return refusal(c, key, err)
		}
		if answer.Format != ssh.KeyAlgoED25519 {
			return errors.New("it signed with an algorithm that was not asked for")
		}
		signature = answer.Blob
		return nil
	})
	return signature, err
}

// refusal says why a key was not signed with, as far as the agent tells.
func refusal(c agent.Agent, key ssh.PublicKey, refused error) error {
	held, err := c.List()
	if err != nil {
		return noAnswer(refused)
	}
	fingerprint := ssh.FingerprintSHA256(key)
	if _, err := find(held, fingerprint); err != nil {
		return err
	}
	return fmt.Errorf("it refuses to sign with %s: somebody did not confirm it, or the key is bound to hosts", fingerprint)
}

// noAnswer says that what came is no answer, or none came.
func noAnswer(err error) error {
	return fmt.Errorf("what it answers is no answer of an ssh-agent: %w", err)
}

// Check returns why the agent could not sign with those of the keys that it
// keeps, the ones without a secret. Where there are none it is not asked.
func (a *Agent) Check(keys []proofs.SigningKey) error {
	for _, k := range keys {
		if k.Secret() != "" {
			continue
		}
		if _, err := a.Find(Fingerprint(k.Key())); err != nil {
			return err
		}
	}
	return nil
}

// ask makes one request, over a connection of its own.
func (a *Agent) ask(request func(agent.Agent) error) error {
	if a.socket == "" {
		return errors.New("no ssh-agent is known: name its socket in the setting ssh_agent or in SSH_AUTH_SOCK")
	}
	deadline := time.Now().Add(a.timeout)
	err := a.connected(deadline, func(conn net.Conn) error {
		// Not the connection itself: with one the client would read ahead in
		// a goroutine that nobody waits for.
		return request(agent.NewClient(struct {
			io.Reader
			io.Writer
		}{io.LimitReader(conn, maxAnswers), conn}))
	})
	switch {
	case err == nil:
		return nil
	case !time.Now().Before(deadline):
		return fmt.Errorf("ssh-agent %s: no answer within %v", a.socket, a.timeout)
	}
	return fmt.Errorf("ssh-agent %s: %w", a.socket, err)
}

// connected calls fn with a connection that is good until the deadline.
func (a *Agent) connected(deadline time.Time, fn func(net.Conn) error) error {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", a.socket)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // the socket is named already
		}
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	return fn(conn)
}
