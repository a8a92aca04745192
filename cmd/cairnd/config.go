package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// A Config is cairn.toml as a server reads it.
type Config struct {
	local.Config

	Listen Listen `toml:"listen,omitempty"`

	// ClientCAs and Issuers vouch for identities beside the ledger's tokens.
	ClientCAs []identity.CA     `toml:"client_ca,omitempty"`
	Issuers   []identity.Issuer `toml:"oidc,omitempty"`
}

// identities returns who vouches for identities beside the ledger's tokens.
func (c Config) identities() identity.Config {
	return identity.Config{ClientCAs: c.ClientCAs, Issuers: c.Issuers}
}

// Listen says where the server listens.
type Listen struct {
	// Address is where all faces are served that have no address of their
	// own. Default: "127.0.0.1:8480".
	Address string `toml:"address,omitempty"`

	// Write, Read, Admin and Public are addresses of single faces: appending,
	// reading, the administration, and the public files that need no token.
	// These are served wherever somebody writes or reads too. Default:
	// Address. "off" switches a face off; then the administration is at the
	// socket alone.
	Write  string `toml:"write,omitempty"`
	Read   string `toml:"read,omitempty"`
	Admin  string `toml:"admin,omitempty"`
	Public string `toml:"public,omitempty"`

	// Metrics is where /metrics, /healthz and /readyz are served to
	// everybody. Default: Address; "off" switches them off.
	Metrics string `toml:"metrics,omitempty"`

	// Certificate and Key are files in PEM for TLS, read again when they
	// change. Without them a face that needs tokens listens on loopback only.
	Certificate string `toml:"certificate,omitempty"`
	Key         string `toml:"key,omitempty"`

	// RequireClientCertificate names faces: "write", "read" or "admin". An
	// address that serves one of them takes no connection without a client
	// certificate of one of the CAs. Default: none; a client may show one.
	RequireClientCertificate []string `toml:"require_client_certificate,omitempty"`

	// BehindProxy says that a proxy in front of the server does TLS, so that
	// it may listen beyond loopback without.
	BehindProxy bool `toml:"behind_proxy,omitempty"`

	// Socket is the unix socket of the other cairnd commands. Whoever can
	// open it administers the ledger. Default: "cairnd.sock" beside cairn.toml.
	Socket string `toml:"socket,omitempty"`
}

const defaultAddress = "127.0.0.1:8480"

// load reads the configuration of the ledger's directory.
func (p *program) load() (c Config, err error) {
	if err := local.Decode(filepath.Join(p.dir, local.ConfigFile), &c); errors.Is(err, fs.ErrNotExist) {
		return c, command.Hinted(err, "%s", p.howToMakeOne())
	} else if err != nil {
		return c, command.Usage("%w", err)
	}
	if err := c.check(); err != nil {
		return c, command.Usage("%s: %w", filepath.Join(p.dir, local.ConfigFile), err)
	}
	if c.Listen.Address == "" {
		c.Listen.Address = defaultAddress
	}
	resolved := c.identities().Resolve(p.dir)
	c.ClientCAs, c.Issuers = resolved.ClientCAs, resolved.Issuers
	c.Listen.Socket = p.beside(c.Listen.Socket, "cairnd.sock")
	for _, path := range []*string{&c.Listen.Certificate, &c.Listen.Key} {
		if *path != "" {
			*path = p.beside(*path, "")
		}
	}
	return c, nil
}

// check refuses settings that no server can work with. The error names the
// setting and what it may be.
func (c Config) check() error {
	if err := c.Config.Check(); err != nil {
		return err
	}
	if err := c.identities().Check(); err != nil {
		return err
	}
	if len(c.ClientCAs) > 0 && c.Listen.Certificate == "" {
		return errors.New("client_ca: clients show certificates by TLS alone: listen needs certificate and key; what a proxy says of them is not believed")
	}
	for _, name := range c.Listen.RequireClientCertificate {
		if len(c.ClientCAs) == 0 {
			return errors.New("listen.require_client_certificate: there is no client_ca whose certificates it could be")
		}
		if !slices.Contains([]string{"write", "read", "admin"}, name) {
			return fmt.Errorf("listen.require_client_certificate: %q is none of \"write\", \"read\" and \"admin\"", name)
		}
	}
	return c.Listen.check()
}

func (l Listen) check() error {
	if (l.Certificate == "") != (l.Key == "") {
		return errors.New("listen: certificate and key belong together")
	}
	for _, f := range append(l.faces(), face{name: "address", address: l.Address}) {
		if f.address == "" || f.address == off && f.name != "address" {
			continue
		}
		_, port, err := net.SplitHostPort(f.address)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return fmt.Errorf("listen.%s: %q is not host:port, such as \"127.0.0.1:8480\"", f.name, f.address)
		}
	}
	return nil
}

// replaceable refuses the path of a socket where something else is: only a
// socket that an earlier server left behind is replaced.
func replaceable(socket string) error {
	info, err := os.Lstat(socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return command.Usage("listen.socket: %s is there already and no socket: it is not replaced", socket)
	}
	return nil
}

func (p *program) beside(path, fallback string) string {
	if path == "" {
		path = fallback
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.dir, path)
}

// secret returns the passphrase of the key files, from a file or from the
// environment.
func (p *program) secret() (string, error) {
	return command.Passphrase(p.passphrase, os.Getenv,
		errors.New("the key files are encrypted: give their passphrase with --passphrase-file or CAIRN_PASSPHRASE"))
}
