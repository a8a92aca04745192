package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/local"
)

// A Config is cairn.toml as a server reads it.
type Config struct {
	local.Config

	Listen Listen `toml:"listen,omitempty"`
}

// Listen says where the server listens.
type Listen struct {
	// Address is where all faces are served that have no address of their
	// own. Default: "127.0.0.1:8480".
	Address string `toml:"address,omitempty"`

	// Write, Read and Public are addresses of single faces: appending,
	// reading, and the public files that need no token. Default: Address.
	// "off" switches a face off.
	Write  string `toml:"write,omitempty"`
	Read   string `toml:"read,omitempty"`
	Public string `toml:"public,omitempty"`

	// Metrics is where /metrics, /healthz and /readyz are served to
	// everybody. Default: Address.
	Metrics string `toml:"metrics,omitempty"`

	// Certificate and Key are files in PEM for TLS, read again when they
	// change. Without them a face that needs tokens listens on loopback only.
	Certificate string `toml:"certificate,omitempty"`
	Key         string `toml:"key,omitempty"`

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
	l := c.Listen
	if (l.Certificate == "") != (l.Key == "") {
		return errors.New("listen: certificate and key belong together")
	}
	for _, a := range []struct {
		name, address string
		off           bool // may be off
	}{{"address", l.Address, false}, {"write", l.Write, true}, {"read", l.Read, true}, {"public", l.Public, true}, {"metrics", l.Metrics, true}} {
		if a.address == "" || a.off && a.address == "off" {
			continue
		}
		_, port, err := net.SplitHostPort(a.address)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return fmt.Errorf("listen.%s: %q is not host:port, such as \"127.0.0.1:8480\"", a.name, a.address)
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
