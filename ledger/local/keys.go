package local

import (
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
)

const (
	logKeyFile    = "log.key"     // in the directory of the keys
	secretsFile   = "secrets.key" // beside it
	secretsHeader = "cairn/v1 secrets"
	keysComment   = "signing keys of a Cairn log: whoever has them can sign for it"
)

// agent returns the ssh-agent that has signing keys.
func (c Config) agent(o Options) *signing.Agent {
	socket := c.SSHAgent
	if socket == "" {
		socket = o.SSHAgent
	}
	return signing.NewAgent(socket, 0)
}

// readSigningKeys reads the signing keys, all of which are a log's.
func readSigningKeys(dir string, passphrase signing.Passphrase, agent *signing.Agent) ([]proofs.SigningKey, error) {
	path := filepath.Join(dir, logKeyFile)
	keys, err := signing.ReadKeys(path, passphrase, agent)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !k.Key().IsLog() {
			return nil, fmt.Errorf("%s: %s is not the key of a log", path, k)
		}
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
