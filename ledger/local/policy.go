package local

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// ReadPolicy reads the policy of the ledger of a configuration whose file is
// in dir.
func ReadPolicy(dir string, c Config) (*proofs.Policy, error) {
	p, _, err := parsePolicyFile(c.resolve(dir).Policy)
	return p, err
}

func parsePolicyFile(path string) (*proofs.Policy, []byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("policy: %w", err)
	}
	p, err := proofs.ParsePolicy(text)
	if err != nil {
		return nil, nil, fmt.Errorf("policy %s: %w", path, err)
	}
	return p, text, nil
}

// readPolicy reads the policy, checks that it is this ledger's, and dials the
// witnesses that it names.
func (d *Directory) readPolicy(cfg *ledger.Config, path string, given []ledger.Witness) (err error) {
	if d.Policy, d.PolicyText, err = parsePolicyFile(path); err != nil {
		return err
	}
	own := make(map[proofs.Key]bool) // that the policy lists
	for _, k := range cfg.Keys {
		own[k.Key()] = false
	}
	for _, l := range d.Policy.Logs {
		if _, ok := own[l.Key]; !ok {
			return fmt.Errorf("policy %s: its log %s is not this ledger: verifiers would believe its checkpoints too", path, l.Key)
		}
		own[l.Key] = true
	}
	for k, listed := range own {
		if !listed {
			return fmt.Errorf("policy %s: it does not list this ledger's key %s", path, k)
		}
	}
	cfg.Policy, cfg.PolicyText = d.Policy, d.PolicyText
	cfg.Witnesses = slices.Concat(dialWitnesses(d.Policy, given), given)
	return nil
}

// formatPolicy returns the text of a new ledger's policy: its own log lines,
// and the lines of a policy without any. A line that an error names is one of
// these.
func formatPolicy(keys []proofs.Key, rest string) (string, error) {
	if rest == "" {
		rest = "quorum " + proofs.NoQuorum + "\n"
	}
	var logs strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&logs, "log %s\n", k)
	}
	if !strings.HasSuffix(rest, "\n") {
		rest += "\n"
	}
	p, err := proofs.ParsePolicy([]byte(rest + logs.String()))
	if err != nil {
		return "", err
	}
	if len(p.Logs) > len(keys) {
		return "", fmt.Errorf("it has the log %s: only the ledger's own belong into its policy, and they are added", p.Logs[0].Key)
	}
	return logs.String() + rest, nil
}

// dialWitnesses returns the witnesses that a policy gives URLs of. Lines with
// the same URL are keys of one witness.
func dialWitnesses(p *proofs.Policy, given []ledger.Witness) []ledger.Witness {
	known := make(map[string]bool)
	for _, w := range given {
		for _, name := range w.Names {
			known[name] = true
		}
	}
	byURL := make(map[string]int)
	var out []ledger.Witness
	for _, w := range p.Witnesses {
		if w.URL == "" || known[w.Name] {
			continue
		}
		url := strings.TrimSuffix(w.URL, "/")
		if i, ok := byURL[url]; ok {
			out[i].Names = append(out[i].Names, w.Name)
			continue
		}
		byURL[url] = len(out)
		out = append(out, ledger.Witness{Names: []string{w.Name}, Cosigner: witness.NewClient(url, nil)})
	}
	return out
}
