package local

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/storage/disk"
)

// InitOptions say what ledger to make.
type InitOptions struct {
	// Origin names the log for ever: by convention a URL without scheme that
	// the operator controls, such as "log.example.com/audit". At most 255 bytes.
	Origin string

	// AgentKey is the public key of the Ed25519 signing key that the ssh-agent
	// of the configuration, or of the options, has. It must be able to sign.
	// Nil: a key is made, and kept in log.key.
	AgentKey ed25519.PublicKey

	// PostQuantum adds an ML-DSA-44 signing key beside the Ed25519 one.
	PostQuantum bool

	// Policy holds the witness, group and quorum lines of the policy; the log
	// lines are added. Empty: no witnesses, "quorum none".
	Policy string

	// Passphrase encrypts the key files; empty leaves them in clear.
	Passphrase string `json:"-"`

	// Config says where everything goes. It is written into cairn.toml; one
	// that is there already must say the same.
	Config Config

	Options
}

// Format names the ledger, whatever the verb, and not the passphrase.
func (o InitOptions) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "init of ledger %q", o.Origin) }

// maxOrigin is how long a name may be for ML-DSA-44 cosignatures to cover it
// (C2SP tlog-cosignature).
const maxOrigin = 255

// Check refuses what no ledger can be made of. [Init] does so before it
// touches anything.
func (o InitOptions) Check() error {
	if len(o.Origin) > maxOrigin {
		return fmt.Errorf("origin: %d bytes are more than the %d that a name may have", len(o.Origin), maxOrigin)
	}
	keys, err := o.generateSigningKeys(o.Config.agent(o.Options)) // they are as good as those of the ledger
	if err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	if _, err := formatPolicy(verifiers(keys), o.Policy); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if err := o.Config.Check(); err != nil {
		return fmt.Errorf("%s: %w", ConfigFile, err)
	}
	return nil
}

// Init makes the directory of a new ledger. It never touches one that is
// there; interrupted, it can be called again, and goes on if it is to make the
// same. Everything is made after what it depends on: the configuration, the
// secrets, the signing keys, the key state, the policy, the data.
func Init(ctx context.Context, dir string, o InitOptions) error {
	if err := o.Check(); err != nil {
		return err
	}
	c := o.Config.resolve(dir)
	if err := o.refuseRest(dir, c); err != nil {
		return err
	}
	if err := disk.MakePath(dir); err != nil {
		return err
	}
	if err := initConfig(filepath.Join(dir, ConfigFile), o.Config); err != nil {
		return err
	}
	keys, err := initKeys(c, o)
	if err != nil {
		return err
	}
	policy, err := formatPolicy(verifiers(keys), o.Policy)
	if err != nil {
		return err
	}
	if o.Passphrase != "" {
		o.Options.Passphrase = func() (string, error) { return o.Passphrase, nil }
	}
	d, cfg, err := openKeys(ctx, c, o.Options, true)
	if err != nil {
		return err
	}
	if err = writeOnce(c.Policy, []byte(policy), 0o644); err == nil {
		err = d.openRest(ctx, &cfg, c, o.Options, true)
	}
	if err == nil {
		err = ledger.Create(ctx, cfg)
	}
	return errors.Join(err, d.Close())
}

// refuseRest refuses what is left of a ledger of which something is missing:
// that must be brought back, not made anew.
func (o InitOptions) refuseRest(dir string, c Config) error {
	rest := "" // what is there
	for _, path := range []string{c.SignedCopy, filepath.Join(c.Data, "registers"), filepath.Join(c.Data, "journal"), filepath.Join(c.Data, "lock")} {
		if exists(path) {
			rest = path
		}
	}
	if rest == "" && exists(c.Policy) && o.parts.disk.FS == nil {
		// Init may have ended here, but hardly ever does: the lock comes next.
		return fmt.Errorf("nothing is in %s, and %s is of a ledger that had data there: bring it back, or start with no policy and no keys if there was none yet: %w", c.Data, c.Policy, ledger.ErrExists)
	}
	places, inUse := c.KeyState.Places, c.KeyState.inUse()
	if len(inUse) > 0 {
		places = inUse
	}
	for _, part := range []struct { // the last that was made first
		name  string
		there bool
	}{
		{c.Policy, exists(c.Policy)},
		{"the key state in " + strings.Join(places, " and "), len(inUse) > 0 || o.parts.place != nil && exists(c.Policy)},
		{filepath.Join(c.Keys, logKeyFile), exists(filepath.Join(c.Keys, logKeyFile))},
		{filepath.Join(c.Keys, secretsFile), exists(filepath.Join(c.Keys, secretsFile))},
		{filepath.Join(dir, ConfigFile), exists(filepath.Join(dir, ConfigFile))},
	} {
		switch {
		case part.there:
			rest = part.name
		case rest != "":
			return fmt.Errorf("%s is missing, and %s is of a ledger that had it: bring it back: %w", part.name, rest, ledger.ErrExists)
		}
	}
	return nil
}

// exists reports whether something is there, or may be.
func exists(path string) bool {
	if path == "" {
		return false
	}
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}

const configHeader = `# Configuration of a Cairn ledger: see cairn.toml(5) for every setting.
# Every setting has a safe default, and an empty file is a good start.
`

// initConfig writes the configuration, or compares it with the one that is
// there, whose tables are for others.
func initConfig(path string, c Config) error {
	text, err := toml.Marshal(c)
	if err != nil {
		return err
	}
	if err := writeNew(path, append([]byte(configHeader), text...), 0o600); err != nil {
		return err
	}
	text, err = os.ReadFile(path)
	if err != nil {
		return err
	}
	var held Config
	if err := toml.Unmarshal(text, &held); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !reflect.DeepEqual(held, c) {
		return saysElse(path)
	}
	return nil
}

// writeOnce writes a file as writeNew does, and refuses one that is there
// with another content: it would be used in the place of what was asked for.
func writeOnce(path string, data []byte, mode os.FileMode) error {
	if err := writeNew(path, data, mode); err != nil {
		return err
	}
	held, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(held, data) {
		err = saysElse(path)
	}
	return err
}

func saysElse(path string) error {
	return fmt.Errorf("%s: it is there already and says something else; move it away to have it made anew: %w", path, ledger.ErrExists)
}

// writeNew writes a file that is not there yet, durably, whole or not at all.
// A file that is there stays as it is, also one that another call makes at the
// same time: a key that something was signed with must not be lost.
func writeNew(path string, data []byte, mode os.FileMode) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	// Not a rename, which would replace a file.
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
