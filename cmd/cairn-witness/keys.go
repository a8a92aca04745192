package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

const (
	maxKeyFile = 1 << 20
	ageIntro   = "age-encryption.org/v1"
	keyComment = "# signing keys of a Cairn witness: whoever has them can cosign in its name\n"
)

// passphraseFlag adds the flag that says where the passphrase is.
func (p *program) passphraseFlag(c *cobra.Command) {
	c.Flags().StringVar(&p.passphrase, "passphrase-file", "", "file with the passphrase of the keys, instead of CAIRN_PASSPHRASE")
}

// secret returns the passphrase of the keys, from a file or the environment.
func (p *program) secret() (string, error) {
	return command.Passphrase(p.passphrase, p.env, command.Usage("%s: %w", p.path(keyFile), errEncrypted))
}

// keys reads the keys of the witness, which nobody else may be able to read.
func (p *program) keys() ([]proofs.SigningKey, error) {
	path := p.path(keyFile)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, command.Usage("%s: others can read it (mode %04o): chmod 600", path, mode)
	}
	data, err := command.ReadFile(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte(ageIntro)) {
		if data, err = p.decrypt(path, data); err != nil {
			return nil, err
		}
	}
	return parseKeys(path, data)
}

func (p *program) decrypt(path string, data []byte) ([]byte, error) {
	secret, err := p.secret()
	if err != nil {
		return nil, err
	}
	identity, err := age.NewScryptIdentity(secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	plain, err := age.Decrypt(bytes.NewReader(data), identity)
	if err != nil {
		return nil, command.Usage("%s: the passphrase does not open it", path)
	}
	return command.ReadAll(plain, path, maxKeyFile)
}

// encrypt encrypts with a passphrase.
func encrypt(data []byte, secret string) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(secret)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// formatKeys writes the signing keys, a line each.
func formatKeys(keys []proofs.SigningKey) []byte {
	b := []byte(keyComment)
	for _, k := range keys {
		b = append(b, k.Secret()+"\n"...)
	}
	return b
}

// parseKeys reads signing keys, a line each; comments and empty lines may
// stand between them. Errors do not quote the lines.
func parseKeys(path string, data []byte) (keys []proofs.SigningKey, err error) {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := proofs.ParseSigningKey(line)
		if err != nil {
			return nil, command.Usage("%s:%d: %w", path, number, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}
