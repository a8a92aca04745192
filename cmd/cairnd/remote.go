package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A remote is how a server is asked by its URL, in the place of its socket. By
// the socket everybody is the local operator; by a URL everybody is who the
// token or certificate says.
type remote struct {
	url       string
	tokenFile string
	certFile  string
	keyFile   string
}

// remoteFlags gives a command, and those below it, the flags of a remote.
func (p *program) remoteFlags(c *cobra.Command) {
	f := c.PersistentFlags()
	f.StringVar(&p.remote.url, "url", "", "`URL` of the server, to be asked with a token instead of through its socket")
	f.StringVar(&p.remote.tokenFile, "token-file", "", "`FILE` with the token, instead of CAIRN_TOKEN")
	f.StringVar(&p.remote.certFile, "client-certificate", "", "`FILE` in PEM with the certificate that says who you are")
	f.StringVar(&p.remote.keyFile, "client-key", "", "`FILE` in PEM with its key")
}

// example returns the flags by which somebody else reaches the same server;
// by its socket nobody does.
func (r remote) example() string {
	if r.url == "" {
		return " --url URL --token-file FILE"
	}
	return " --url " + r.url + " --token-file FILE"
}

// reach returns the administration of the server at the URL that was given,
// or of the ledger's running server where none was.
func (p *program) reach() (*admin, error) {
	r := p.remote
	if r.url == "" {
		if r.tokenFile+r.certFile+r.keyFile != "" {
			return nil, command.Usage("a token or a certificate is for a server that is asked by its URL: give --url")
		}
		return p.dial()
	}
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	certificate, err := r.certificate()
	if err != nil {
		return nil, err
	}
	log, err := client.Dial(r.url, client.Options{Reason: p.reason, Token: token, Certificate: certificate})
	if err != nil {
		return nil, command.Usage("%w", err)
	}
	return &admin{HTTP: log}, nil
}

// look returns the administration of the server, and what it says of something
// as that is now.
func look[T any](ctx context.Context, p *program, ask func(*admin, context.Context) (T, error)) (a *admin, now T, err error) {
	if a, err = p.reach(); err != nil {
		return nil, now, err
	}
	now, err = ask(a, ctx)
	return a, now, err
}

// maxToken bounds a file with a token: no header holds a longer one.
const maxToken = 16 << 10

// howToBeKnown says what to do where the server does not know who asks.
func (r remote) howToBeKnown(problem *client.Problem) string {
	switch {
	case problem.Hint != "" && !strings.HasPrefix(problem.Hint, "send it as: "): // which is about the header
		return problem.Hint
	case r.tokenFile != "" || os.Getenv("CAIRN_TOKEN") != "":
		return "the token is mistyped or was revoked, or it expired and others were issued since; whoever runs the server sees which hold with: cairnd token list"
	}
	return "give the token of whoever may do it with --token-file or CAIRN_TOKEN, or a client certificate"
}

func (r remote) token() (string, error) {
	if r.tokenFile == "" {
		return os.Getenv("CAIRN_TOKEN"), nil
	}
	b, err := command.ReadFile(r.tokenFile, maxToken)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return string(bytes.TrimSpace(b)), nil
}

// certificate returns what the server is shown; nil: nothing.
func (r remote) certificate() (func() (*tls.Certificate, error), error) {
	switch {
	case r.certFile == "" && r.keyFile == "":
		return nil, nil
	case r.certFile == "" || r.keyFile == "":
		return nil, command.Usage("a client certificate and its key belong together: give --client-certificate and --client-key")
	}
	pair, err := tls.LoadX509KeyPair(r.certFile, r.keyFile)
	if err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	return func() (*tls.Certificate, error) { return &pair, nil }, nil
}
