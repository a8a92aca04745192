package local

import (
	"crypto/rand"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
)

// initKeys makes the key files, or reads those that an interrupted call made.
func initKeys(c Config, o InitOptions) ([]proofs.SigningKey, error) {
	if err := disk.MakePath(c.Keys); err != nil {
		return nil, err
	}
	path := filepath.Join(c.Keys, logKeyFile)
	if !exists(path) {
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
	if postQuantum := len(keys) > 1; postQuantum != o.PostQuantum {
		return nil, fmt.Errorf("%s: it is there already, and that it has an ML-DSA-44 key is %v: %w", path, postQuantum, ledger.ErrExists)
	}
	return keys, nil
}

// generateSigningKeys makes the keys that sign for the log.
func (o InitOptions) generateSigningKeys() ([]proofs.SigningKey, error) {
	types := []proofs.KeyType{proofs.Ed25519}
	if o.PostQuantum {
		types = append(types, proofs.MLDSA44)
	}
	var keys []proofs.SigningKey
	for _, t := range types {
		k, err := proofs.GenerateKey(o.Origin, t, rand.Reader)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func verifiers(keys []proofs.SigningKey) (out []proofs.Key) {
	for _, k := range keys {
		out = append(out, k.Key())
	}
	return out
}

// generateKeys makes both key files, the signing keys last: their presence
// says that the secrets are there.
func generateKeys(dir string, o InitOptions) error {
	keys, err := o.generateSigningKeys()
	if err != nil {
		return err
	}
	var master proofs.Key256
	if _, err := io.ReadFull(rand.Reader, master[:]); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{secretsFile, formatSecrets(master)}, {logKeyFile, formatSigningKeys(keys)}} {
		sealed, err := sealKeyFile(f.data, o.Passphrase, o.parts.workFactor)
		if err != nil {
			return err
		}
		if err := writeNew(filepath.Join(dir, f.name), sealed, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// checkEncrypted refuses key files that an interrupted call made with a
// passphrase where now there is none, and the other way round.
func checkEncrypted(dir, passphrase string) error {
	for _, name := range []string{logKeyFile, secretsFile} {
		path := filepath.Join(dir, name)
		encrypted, err := isEncrypted(path)
		if err != nil {
			return err
		}
		switch {
		case encrypted && passphrase == "":
			return fmt.Errorf("%s: it is there already and encrypted: init with its passphrase: %w", path, ledger.ErrExists)
		case !encrypted && passphrase != "":
			return fmt.Errorf("%s: it is there already and not encrypted: init without a passphrase, or move both key files away: %w", path, ledger.ErrExists)
		}
	}
	return nil
}
