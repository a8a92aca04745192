package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/trillian"
)

// ConfigFile is the name of the configuration in a ledger's directory.
const ConfigFile = "cairn.toml"

// A Config says where the parts of a ledger are and how it behaves. Paths are
// relative to the directory of the configuration file. Every value can be
// left out.
type Config struct {
	// Data is the directory of journal, vault, tree, index, search index and
	// registers.
	// It should lie on a disk with honest syncs. Default: "data".
	Data string `toml:"data,omitempty"`

	// Keys is the directory of log.key and secrets.key. Back them up, but not
	// where the data is backed up. Default: "keys".
	Keys string `toml:"keys,omitempty"`

	// SSHAgent is the socket of the ssh-agent that has those signing keys of
	// log.key which are no secrets, but lines "ssh-agent" with a public key.
	// Default: that of the environment variable SSH_AUTH_SOCK.
	SSHAgent string `toml:"ssh_agent,omitempty"`

	// Policy is the file with the ledger's C2SP tlog-policy. Its log lines are
	// the ledger's own keys, its witness lines give the URLs to ask, its
	// quorum is what a published checkpoint carries. Default: "policy".
	Policy string `toml:"policy,omitempty"`

	// SignedCopy is a file in another place, on another medium if possible,
	// where a copy of the last signed checkpoint is kept. A ledger that was
	// put back from a backup is recognised by it. Default: none.
	SignedCopy string `toml:"signed_copy,omitempty"`

	// Tree is where Trillian keeps the Merkle tree: empty for inside the data
	// directory, or trillian://host:port/tree for a Trillian log server. It is
	// reached in plain text on this host, and by TLS on others, where its
	// certificate must be one that the system trusts.
	Tree string `toml:"tree,omitempty"`

	// TreeCA is a file in PEM with the certificates that may vouch for that
	// server, in the place of those that the system trusts. With it a server
	// on this host is reached by TLS too. Default: none.
	TreeCA string `toml:"tree_ca,omitempty"`

	// TreeCertificate and TreeKey are files in PEM by which the ledger shows
	// the server who it is. They are read again for each connection.
	// Default: none.
	TreeCertificate string `toml:"tree_certificate,omitempty"`
	TreeKey         string `toml:"tree_key,omitempty"`

	// Heartbeat is how long an idle ledger waits before its checkpoint is
	// cosigned again: from 1s to 24h. Default: "1m".
	Heartbeat Duration `toml:"heartbeat,omitempty"`

	// KeepCheckpoint is the least time between two published checkpoints that
	// are kept for auditors: from 1s to 24h. Default: "1m".
	KeepCheckpoint Duration `toml:"keep_checkpoint,omitempty"`

	// WitnessTimeout bounds one request to a witness: from 100ms to 5m.
	// Default: "10s".
	WitnessTimeout Duration `toml:"witness_timeout,omitempty"`

	// MaxPayload is the largest event in bytes, at most 15728639. Default:
	// 1048576.
	MaxPayload int `toml:"max_payload,omitempty"`

	// MaxBatch is the most events in one request, at most 65536. Default: 4096.
	MaxBatch int `toml:"max_batch,omitempty"`

	// MaxQueue is the most events that wait to be recorded, at most 1048576;
	// beyond it the ledger answers 503. Default: 16384.
	MaxQueue int `toml:"max_queue,omitempty"`

	// KeyState says where the key tree is kept.
	KeyState KeyState `toml:"key_state,omitempty"`

	// Search says how the search index is kept, in the directory search of the
	// data directory. It can be left out of backups, and removed while the
	// ledger is closed: it is made again.
	Search Search `toml:"search,omitempty"`
}

// A Search says how the search index is kept.
type Search struct {
	// Off lets the ledger keep no index, so that nothing can be searched but
	// what proofs find. One that is there stays, and is gone on with later.
	Off bool `toml:"off,omitempty"`

	// Cache is how many bytes of memory hold what was read of the index: from
	// 1048576 to 1073741824. Default: 67108864.
	Cache int `toml:"cache,omitempty"`
}

// The bounds of Search.Cache.
const (
	leastCache = 1 << 20
	mostCache  = 1 << 30
)

// A Duration is a time in the configuration, such as "90s" or "1m30s"; empty
// is the default. A number is none: 5 of what?
type Duration string

// time returns the time that was checked.
func (d Duration) time() time.Duration {
	v, _ := time.ParseDuration(string(d))
	return v
}

// within refuses what is not a time from least to most.
func (d Duration) within(least, most time.Duration) error {
	if v, err := time.ParseDuration(string(d)); d != "" && (err != nil || v < least || v > most) {
		return fmt.Errorf("%q is not a time from %v to %v, such as \"90s\"", string(d), least, most)
	}
	return nil
}

// Check refuses settings that no ledger can work with. The error names the
// setting and what it may be.
func (c Config) Check() error {
	for _, t := range []struct {
		name        string
		value       Duration
		least, most time.Duration
	}{
		{"heartbeat", c.Heartbeat, time.Second, 24 * time.Hour},
		{"keep_checkpoint", c.KeepCheckpoint, time.Second, 24 * time.Hour},
		{"witness_timeout", c.WitnessTimeout, 100 * time.Millisecond, 5 * time.Minute},
	} {
		if err := t.value.within(t.least, t.most); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	for _, n := range []struct {
		name        string
		value, most int
	}{
		{"max_payload", c.MaxPayload, proofs.MaxPartData},
		{"max_batch", c.MaxBatch, 1 << 16},
		{"max_queue", c.MaxQueue, 1 << 20},
	} {
		if n.value < 0 || n.value > n.most {
			return fmt.Errorf("%s: %d is not from 1 to %d", n.name, n.value, n.most)
		}
	}
	if n := c.Search.Cache; n != 0 && (n < leastCache || n > mostCache) {
		return fmt.Errorf("search.cache: %d bytes are not from %d to %d", n, leastCache, mostCache)
	}
	if err := c.checkTree(); err != nil {
		return err
	}
	return c.checkKeyState()
}

func (c Config) checkTree() error {
	if c.Tree != "" {
		if _, err := trillian.ParseAddress(c.Tree); err != nil {
			return fmt.Errorf("tree: %w", err)
		}
	} else if c.TreeCA+c.TreeCertificate+c.TreeKey != "" {
		return errors.New("tree_ca, tree_certificate and tree_key are for a tree at trillian://host:port/tree, and tree gives none")
	}
	if (c.TreeCertificate == "") != (c.TreeKey == "") {
		return errors.New("tree_certificate and tree_key belong together")
	}
	return nil
}

// Decode reads a configuration file strictly into v: a key that v does not
// have is an error that names the line.
func Decode(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := toml.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(v)
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		line, _ := first.Position()
		return fmt.Errorf("%s:%d: there is no setting %q; see cairn.toml(5)", path, line, strings.Join(first.Key(), "."))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, column := bad.Position()
		what, _, _ := strings.Cut(strings.TrimPrefix(bad.Error(), "toml: "), " into ") // a Go type follows
		if key := bad.Key(); len(key) > 0 {
			what = strings.Join(key, ".") + ": " + what
		}
		return fmt.Errorf("%s:%d:%d: %s; see cairn.toml(5)", path, line, column, what)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// resolve returns the configuration with its defaults and absolute paths.
func (c Config) resolve(dir string) Config {
	absolute := func(path, fallback string) string {
		if path == "" {
			path = fallback
		}
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	for _, p := range []struct {
		path     *string
		fallback string
	}{
		{&c.Data, "data"}, {&c.Keys, "keys"}, {&c.Policy, "policy"}, {&c.SignedCopy, ""}, {&c.SSHAgent, ""},
		{&c.TreeCA, ""}, {&c.TreeCertificate, ""}, {&c.TreeKey, ""}, {&c.KeyState.EscrowPlace, ""},
	} {
		*p.path = absolute(*p.path, p.fallback)
	}
	places := c.KeyState.Places
	if len(places) == 0 {
		places = []string{defaultPlace}
	}
	c.KeyState.Places = nil // not the caller's
	for _, place := range places {
		c.KeyState.Places = append(c.KeyState.Places, absolute(place, defaultPlace))
	}
	return c
}
