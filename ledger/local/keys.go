package local

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"github.com/cairnlog/cairn/proofs"
)

// A Passphrase returns the passphrase of the key files. It is called only
// where one is needed.
type Passphrase func() (string, error)

const (
	logKeyFile    = "log.key"     // in the directory of the keys
	secretsFile   = "secrets.key" // beside it
	maxKeyFile    = 64 << 20
	secretsHeader = "cairn/v1 secrets"
	ageIntro      = "age-encryption.org/v1"
)

// readKeyFile reads a key file and decrypts it if it is encrypted. It refuses
// one that others can read.
func readKeyFile(path string, passphrase Passphrase) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others can read it (mode %04o): make it yours alone with chmod 600", path, info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil || !bytes.HasPrefix(data, []byte(ageIntro)) {
		return data, err
	}
	if passphrase == nil {
		return nil, fmt.Errorf("%s: it is encrypted and no passphrase was given", path)
	}
	secret, err := passphrase()
	if err != nil {
		return nil, err
	}
	identity, err := age.NewScryptIdentity(secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	plain, err := age.Decrypt(bytes.NewReader(data), identity)
	if err != nil {
		return nil, fmt.Errorf("%s: the passphrase does not open it", path)
	}
	return io.ReadAll(io.LimitReader(plain, maxKeyFile))
}

// isEncrypted says whether a key file needs the passphrase.
func isEncrypted(path string) (bool, error) {
	data, err := os.ReadFile(path)
	return bytes.HasPrefix(data, []byte(ageIntro)), err
}

// sealKeyFile encrypts a key file's content, unless the passphrase is empty.
// A work factor of 0 is age's own, about a second.
func sealKeyFile(data []byte, passphrase string, workFactor int) ([]byte, error) {
	if passphrase == "" {
		return data, nil
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	if workFactor > 0 {
		recipient.SetWorkFactor(workFactor)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// formatSigningKeys writes the signing keys, a line each, with a comment that
// says what they are.
func formatSigningKeys(keys []proofs.SigningKey) []byte {
	var b strings.Builder
	b.WriteString("# signing keys of a Cairn log: whoever has them can sign for it\n")
	for _, k := range keys {
		b.WriteString(k.Secret() + "\n")
	}
	return []byte(b.String())
}

// parseSigningKeys reads what formatSigningKeys writes; comments and empty
// lines may stand anywhere.
func parseSigningKeys(data []byte) ([]proofs.SigningKey, error) {
	var keys []proofs.SigningKey
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := proofs.ParseSigningKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if !k.Key().IsLog() {
			return nil, fmt.Errorf("line %d: it is not the key of a log", i+1)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key")
	}
	return keys, nil
}

// formatSecrets writes the secrets file:
//
//	cairn/v1 secrets
//	master <32 bytes in base64>
func formatSecrets(master proofs.Key256) []byte {
	return fmt.Appendf(nil, "%s\nmaster %s\n", secretsHeader, base64.StdEncoding.EncodeToString(master[:]))
}

// ErrOldLayout means that the key tree lies in secrets.key, where no key of it
// could be destroyed. Only programs from before the first release made such
// ledgers.
var ErrOldLayout = errors.New("the ledger was made by a program from before the first release, which kept the key tree in " + secretsFile)

// parseSecrets reads what formatSecrets writes and nothing else.
func parseSecrets(data []byte) (master proofs.Key256, err error) {
	lines := strings.Split(string(data), "\n")
	if len(lines) == 4 && lines[0] == secretsHeader && strings.HasPrefix(lines[2], "tree ") {
		return master, ErrOldLayout
	}
	if len(lines) != 3 || lines[0] != secretsHeader || lines[2] != "" {
		return master, errors.New("it is not a secrets file of this version")
	}
	value, ok := strings.CutPrefix(lines[1], "master ")
	b, err := base64.StdEncoding.Strict().DecodeString(value)
	if !ok || err != nil || len(b) != len(master) {
		return master, errors.New("its line master is damaged")
	}
	copy(master[:], b)
	return master, nil
}
