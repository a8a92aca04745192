package local

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness/signing"
)

// initKeys makes the key files, or reads those that an interrupted call made.
func initKeys(c Config, o InitOptions) ([]proofs.SigningKey, error) {
	if err := disk.MakePath(c.Keys); err != nil {
		return nil, err
	}
	path := filepath.Join(c.Keys, logKeyFile)
	if !exists(path) {
		if err := generateKeys(c, o); err != nil {
			return nil, err
		}
	}
	if err := checkEncrypted(c.Keys, o.Passphrase); err != nil {
		return nil, err
	}
	keys, err := readSigningKeys(c.Keys, func() (string, error) { return o.Passphrase, nil }, c.agent(o.Options))
	if err != nil {
		return nil, err
	}
	if name := keys[0].Key().Name(); name != o.Origin {
		return nil, fmt.Errorf("%s: it is the key of %s: %w", path, name, ledger.ErrExists)
	}
	if postQuantum := len(keys) > 1; postQuantum != o.PostQuantum {
		return nil, fmt.Errorf("%s: it is there already, and that it has an ML-DSA-44 key is %v: %w", path, postQuantum, ledger.ErrExists)
	}
	inAgent := keys[0].Secret() == ""
	if inAgent != (o.AgentKey != nil) || inAgent && !bytes.Equal(keys[0].Key().Public(), o.AgentKey) {
		return nil, fmt.Errorf("%s: it is there already, with another Ed25519 key than the one that was asked for: %w", path, ledger.ErrExists)
	}
	return keys, nil
}

// generateSigningKeys makes the keys that sign for the log, but for the one
// that the ssh-agent has.
func (o InitOptions) generateSigningKeys(agent *signing.Agent) (keys []proofs.SigningKey, err error) {
	var first proofs.SigningKey
	if o.AgentKey != nil {
		first, err = agent.Key(o.Origin, proofs.Ed25519, o.AgentKey)
	} else {
		first, err = proofs.GenerateKey(o.Origin, proofs.Ed25519, rand.Reader)
	}
	if err != nil || !o.PostQuantum {
		return []proofs.SigningKey{first}, err
	}
	second, err := proofs.GenerateKey(o.Origin, proofs.MLDSA44, rand.Reader)
	return []proofs.SigningKey{first, second}, err
}

func verifiers(keys []proofs.SigningKey) (out []proofs.Key) {
	for _, k := range keys {
		out = append(out, k.Key())
	}
	return out
}

// generateKeys makes both key files, the signing keys last: their presence
// says that the secrets are there.
func generateKeys(c Config, o InitOptions) error {
	keys, err := o.generateSigningKeys(c.agent(o.Options))
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
	}{{secretsFile, formatSecrets(master)}, {logKeyFile, signing.FormatKeys(keysComment, keys)}} {
		if o.Passphrase != "" {
			if f.data, err = signing.Encrypt(f.data, o.Passphrase, o.parts.workFactor); err != nil {
				return err
			}
		}
		if err := writeNew(filepath.Join(c.Keys, f.name), f.data, 0o600); err != nil {
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
		encrypted, err := signing.IsEncrypted(path)
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
