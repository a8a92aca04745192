package signing

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

const agentPrefix = "ssh-agent "

// ReadKeys reads a file of signing keys as [ReadFile] does. Keys that an
// ssh-agent has are the agent's, which is not asked yet. The error is a
// [FileError] also where the file is malformed.
func ReadKeys(path string, passphrase Passphrase, agent *Agent) ([]proofs.SigningKey, error) {
	data, err := ReadFile(path, passphrase)
	if err != nil {
		return nil, err
	}
	keys, err := ParseKeys(data, agent)
	if err != nil {
		return nil, &FileError{path, err}
	}
	return keys, nil
}

// FormatKeys returns the content of a file of signing keys: a comment of one
// line, and a line for each key. A key without a secret is one of an [Agent],
// and gets a comment with its fingerprint, as ssh-add prints it.
func FormatKeys(comment string, keys []proofs.SigningKey) []byte {
	var b strings.Builder
	b.WriteString("# " + comment + "\n")
	for _, k := range keys {
		if secret := k.Secret(); secret != "" {
			b.WriteString(secret + "\n")
			continue
		}
		fmt.Fprintf(&b, "# %s\n%s%s\n", Fingerprint(k.Key()), agentPrefix, k.Key())
	}
	return []byte(b.String())
}

// ParseKeys reads what [FormatKeys] writes; comments and empty lines may stand
// anywhere, and lines end in spaces. Errors name the line and never quote it.
func ParseKeys(data []byte, agent *Agent) (keys []proofs.SigningKey, err error) {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := parseKey(line, agent)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key")
	}
	return keys, nil
}

func parseKey(line string, agent *Agent) (k proofs.SigningKey, err error) {
	vkey, ok := strings.CutPrefix(line, agentPrefix)
	if !ok {
		return proofs.ParseSigningKey(line)
	}
	public, err := proofs.ParseKey(vkey)
	if err != nil {
		return k, errors.New("what follows ssh-agent is no verifier key") // the error could quote it
	}
	return agent.Key(public.Name(), public.Type(), public.Public())
}
