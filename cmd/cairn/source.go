package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A source is where a ledger is.
type source struct {
	name  string            // its URL or directory
	files proofs.FileReader // its public face
	log   *client.HTTP      // nil where it is a directory
}

// source returns the ledger that the flags name.
func (p *program) source() (*source, error) {
	return p.sourceAt(first(p.url, p.env("CAIRN_URL")))
}

func (p *program) sourceAt(name string) (*source, error) {
	if name == "" {
		return nil, command.Usage("which ledger? Give its URL with --url or CAIRN_URL")
	}
	if !strings.Contains(name, "://") {
		if info, err := os.Stat(name); err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		} else if !info.IsDir() {
			return nil, command.Usage("%s is neither a URL nor a directory", name)
		}
		return &source{name: name, files: prunedFiles{proofs.FS(os.DirFS(name))}}, nil
	}
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	certificate, err := p.certificate()
	if err != nil {
		return nil, err
	}
	log, err := client.Dial(name, client.Options{Token: token, Certificate: certificate, Reason: p.reason})
	if err != nil {
		return nil, command.Usage("%w", err)
	}
	return &source{name: name, files: prunedFiles{log}, log: log}, nil
}

// server returns the source if it is a server.
func (p *program) server() (*source, error) {
	s, err := p.source()
	if err == nil && s.log == nil {
		return nil, command.Usage("%s is a directory, and this needs the ledger's server", s.name)
	}
	return s, err
}

// certificate returns what is shown to a server that asks for a client's
// certificate; nil: nothing. The files are read for each connection, since such
// certificates can live for less than a tail.
func (p *program) certificate() (func() (*tls.Certificate, error), error) {
	cert, key := first(p.certFile, p.env("CAIRN_CLIENT_CERTIFICATE")), first(p.keyFile, p.env("CAIRN_CLIENT_KEY"))
	switch {
	case cert == "" && key == "":
		return nil, nil
	case cert == "" || key == "":
		return nil, command.Usage("a client certificate and its key belong together: give --client-certificate and --client-key")
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		return &pair, nil
	}
	_, err := load()
	return load, err
}

// maxToken bounds a file with a token: no header holds a longer one.
const maxToken = 16 << 10

// givesToken reports whether the ledger is given a token.
func (p *program) givesToken() bool { return p.tokenFile != "" || p.env("CAIRN_TOKEN") != "" }

func (p *program) token() (string, error) {
	if p.tokenFile == "" {
		return p.env("CAIRN_TOKEN"), nil
	}
	b, err := p.readFile(p.tokenFile, maxToken)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return string(bytes.TrimSpace(b)), nil
}

// loadPolicy returns the policy that decides what is believed. It is read once:
// it may come through a pipe, and a command believes by one policy to its end.
func (p *program) loadPolicy() (*proofs.Policy, error) {
	if p.believed != nil {
		return p.believed, nil
	}
	path := first(p.policy, p.env("CAIRN_POLICY"))
	if path == "" {
		return nil, command.Hinted(command.Usage("which policy? Give a file with --policy or CAIRN_POLICY"),
			"the policy decides what is believed, so it comes from whom you trust; what the ledger says of itself is shown by: cairn log")
	}
	b, err := p.readFile(path, proofs.MaxPolicySize)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	policy, err := proofs.ParsePolicy(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p.believed = policy
	return policy, nil
}

// verifier returns a verifier of a source by the policy of the flags.
func (p *program) verifier(ctx context.Context, s *source) (*client.Verifier, error) {
	policy, err := p.loadPolicy()
	if err != nil {
		return nil, err
	}
	origin, err := originOf(ctx, policy, s)
	if err != nil {
		return nil, err
	}
	path, err := p.memoryPath(origin)
	if err != nil {
		return nil, err
	}
	memory, err := openMemory(path)
	if err != nil {
		return nil, err
	}
	o := client.VerifierOptions{
		Policy: policy, Files: s.files, Memory: memory,
		MaxAge: p.maxAge, Clock: p.clock, Patience: p.patienceWith(s),
		Evidence: p.evidenceSaver(s, path),
	}
	if s.log == nil {
		older, err := p.olderThan(ctx, o, s.name)
		if err != nil {
			return nil, err
		}
		if older != nil {
			o.Memory = &seededRegister{older} // what is remembered is of a later size
		}
	}
	return client.NewVerifier(o)
}

// patienceWith returns how long a source may show an older checkpoint: before a
// directory there are no caches.
func (p *program) patienceWith(s *source) time.Duration {
	if s.log == nil {
		return 0
	}
	return p.patience
}

// originOf returns the origin of the ledger that a source is said to be: the
// policy's own or, where that lists several logs, which of them the
// checkpoint claims to be of. It decides only what is remembered where.
func originOf(ctx context.Context, policy *proofs.Policy, s *source) (string, error) {
	var origins []string
	for _, l := range policy.Logs {
		if name := l.Key.Name(); len(origins) == 0 || name != origins[len(origins)-1] {
			origins = append(origins, name)
		}
	}
	if len(origins) == 1 {
		return origins[0], nil
	}
	signed, err := s.files.ReadFile(ctx, "checkpoint")
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	for _, o := range origins {
		if o == c.Origin {
			return o, nil
		}
	}
	return "", fmt.Errorf("checkpoint: %w: the policy has no log %q", proofs.ErrNotVerified, c.Origin)
}

// view returns the source as far as its latest checkpoint is believed.
func (p *program) view(ctx context.Context, s *source) (client.View, error) {
	v, err := p.verifier(ctx, s)
	if err != nil {
		return client.View{}, err
	}
	return v.Update(ctx)
}
