package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
)

// InitOptions say what ledger to make.
type InitOptions struct {
	// Origin names the log for ever: by convention a URL without scheme that
	// the operator controls, such as "log.example.com/audit". At most 255 bytes.
	Origin string

	// PostQuantum adds an ML-DSA-44 signing key beside the Ed25519 one.
	PostQuantum bool

	// Policy holds the witness, group and quorum lines of the policy; the log
	// lines are added. Empty: no witnesses, "quorum none".
	Policy string

	// Passphrase encrypts the key files; empty leaves them in clear.
	Passphrase string

	// Config is the configuration, and ConfigText how it is written into
	// cairn.toml, behind a comment.
	Config     Config
	ConfigText string

	Options

	workFactor int // of the passphrase's scrypt, as a power of two; tests make it small
}

// Init makes the directory of a new ledger. It never touches one that is
// there; interrupted, it can be called again.
func Init(ctx context.Context, dir string, o InitOptions) error {
	if err := disk.MakePath(dir); err != nil {
		return err
	}
	c := o.Config.resolve(dir)
	keys, err := initKeys(c, o)
	if err != nil {
		return err
	}
	if err := initPolicy(c.Policy, keys, o.Policy); err != nil {
		return err
	}
	if err := writeOnce(filepath.Join(dir, ConfigFile), []byte(configHeader+o.ConfigText), 0o600); err != nil {
		return err
	}
	if o.Passphrase != "" {
		o.Options.Passphrase = func() (string, error) { return o.Passphrase, nil }
	}
	d, cfg, err := assemble(ctx, dir, o.Config, o.Options, true)
	if err != nil {
		return err
	}
	return errors.Join(ledger.Create(ctx, cfg), d.Close())
}

const configHeader = `# Configuration of a Cairn ledger: see cairn.toml(5) for every setting.
# Every setting has a safe default, and an empty file is a good start.
`

// initKeys makes the key files, or reads those that an interrupted call made.
func initKeys(c Config, o InitOptions) ([]proofs.SigningKey, error) {
	if err := disk.MakePath(c.Keys); err != nil {
		return nil, err
	}
	path := filepath.Join(c.Keys, "log.key")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(c.Policy); err == nil { // it is made after the keys
			return nil, fmt.Errorf("%s is missing, and %s is of a log that had one: bring the key back: %w", path, c.Policy, ledger.ErrExists)
		}
		if err := generateKeys(c.Keys, o); err != nil {
			return nil, err
		}
	}
	if err := checkEncrypted(c.Keys, o.Passphrase); err != nil {
		return nil, err
	}
	data, err := readKeyFile(path, func() (string, error) { return o.Passphrase, nil })
	if err != nil {
		return nil, err
	}
	keys, err := parseSigningKeys(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if name := keys[0].Key().Name(); name != o.Origin {
		return nil, fmt.Errorf("%s: it is the key of %s: %w", path, name, ledger.ErrExists)
	}
	return keys, nil
}

// generateKeys makes both key files, the signing keys last: their presence
// says that the secrets are there.
func generateKeys(dir string, o InitOptions) error {
	key, err := proofs.GenerateKey(o.Origin, proofs.Ed25519, rand.Reader)
	if err != nil {
		return err
	}
	keys := []proofs.SigningKey{key}
	if o.PostQuantum {
		k, err := proofs.GenerateKey(o.Origin, proofs.MLDSA44, rand.Reader)
		if err != nil {
			return err
		}
		keys = append(keys, k)
	}
	secrets, err := generateSecrets(rand.Reader)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{"secrets.key", formatSecrets(secrets)}, {"log.key", formatSigningKeys(keys)}} {
		sealed, err := sealKeyFile(f.data, o.Passphrase, o.workFactor)
		if err != nil {
			return err
		}
		if err := writeNew(filepath.Join(dir, f.name), sealed, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// checkEncrypted refuses key files in clear where a passphrase was given: an
// interrupted call may have made them without.
func checkEncrypted(dir, passphrase string) error {
	for _, name := range []string{"log.key", "secrets.key"} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if passphrase != "" && !bytes.HasPrefix(data, []byte(ageIntro)) {
			return fmt.Errorf("%s: it is there already and not encrypted: init without a passphrase, or move both key files away: %w", path, ledger.ErrExists)
		}
	}
	return nil
}

func initPolicy(path string, keys []proofs.SigningKey, rest string) error {
	if strings.TrimSpace(rest) == "" {
		rest = "quorum none\n"
	}
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "log %s\n", k.Key())
	}
	b.WriteString(rest)
	if _, err := proofs.ParsePolicy([]byte(b.String())); err != nil {
		return err
	}
	return writeOnce(path, []byte(b.String()), 0o644)
}

// writeOnce writes a file as writeNew does, and refuses one that is there
// with another content: it would be used in the place of what was asked for.
func writeOnce(path string, data []byte, mode os.FileMode) error {
	if err := writeNew(path, data, mode); err != nil {
		return err
	}
	held, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(held, data) {
		err = fmt.Errorf("%s: it is there already and says something else; move it away to have it made anew: %w", path, ledger.ErrExists)
	}
	return err
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
