package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ConfigFile is the name of the configuration in a ledger's directory.
const ConfigFile = "cairn.toml"

// A Config says where the parts of a ledger are and how it behaves. Paths are
// relative to the directory of the configuration file. Every value can be
// left out.
type Config struct {
	// Data is the directory of journal, vault, tree, index and registers.
	// It should lie on a disk with honest syncs. Default: "data".
	Data string `toml:"data,omitempty"`

	// Keys is the directory of log.key and secrets.key. Whoever backs up the
	// data directory must not back up this one beside it. Default: "keys".
	Keys string `toml:"keys,omitempty"`

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

	// Heartbeat is how long an idle ledger waits before its checkpoint is
	// cosigned again. Default: "1m".
	Heartbeat Duration `toml:"heartbeat,omitempty"`

	// KeepCheckpoint is the least time between two published checkpoints that
	// are kept for auditors. Default: "1m".
	KeepCheckpoint Duration `toml:"keep_checkpoint,omitempty"`

	// WitnessTimeout bounds one request to a witness. Default: "10s".
	WitnessTimeout Duration `toml:"witness_timeout,omitempty"`

	// MaxPayload is the largest event in bytes. Default: 1048576.
	MaxPayload int `toml:"max_payload,omitempty"`

	// MaxBatch is the most events in one request. Default: 4096.
	MaxBatch int `toml:"max_batch,omitempty"`

	// MaxQueue is the most events that wait to be recorded; beyond it the
	// ledger answers 503. Default: 16384.
	MaxQueue int `toml:"max_queue,omitempty"`
}

// A Duration is a time in the configuration, such as "90s" or "1m30s".
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration such as \"90s\"", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

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
		return fmt.Errorf("%s:%d: there is no setting %q; see cairn.toml(5)", path, line, keyName(first.Key()))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, column := bad.Position()
		return fmt.Errorf("%s:%d:%d: %s", path, line, column, bad.Error())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func keyName(key toml.Key) string {
	name := ""
	for i, k := range key {
		if i > 0 {
			name += "."
		}
		name += k
	}
	return name
}

// resolve returns the configuration with its defaults and absolute paths.
func (c Config) resolve(dir string) Config {
	for _, p := range []struct {
		path     *string
		fallback string
	}{{&c.Data, "data"}, {&c.Keys, "keys"}, {&c.Policy, "policy"}, {&c.SignedCopy, ""}} {
		if *p.path == "" {
			*p.path = p.fallback
		}
		if *p.path != "" && !filepath.IsAbs(*p.path) {
			*p.path = filepath.Join(dir, *p.path)
		}
	}
	return c
}
