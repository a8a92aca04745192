package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

type logFlags struct {
	json       bool
	showPolicy bool
}

func (p *program) logCommand() *cobra.Command {
	var o logFlags
	c := &cobra.Command{
		Use:   "log",
		Short: "Show what a ledger is: origin, keys, policy, sizes",
		Long: `log shows what the ledger says of itself, and with a policy what of that is true:
whether its keys are the policy's, and the latest checkpoint that verifies.

Without a policy nothing is verified. --show-policy prints the policy that the ledger
says it has; compare it with what you know from elsewhere before you believe it.`,
		Example: "  cairn log\n  cairn log --show-policy --url https://log.example.com >ledger.policy",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.log(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	c.Flags().BoolVar(&o.showPolicy, "show-policy", false, "print the policy that the ledger says it has, and nothing else")
	return c
}

// A logReport is what log shows: what the ledger says, and what verifies.
type logReport struct {
	Says     *client.Info  `json:"says,omitempty"`     // not verified
	Policy   string        `json:"policy,omitempty"`   // how the ledger's policy compares with ours
	Verified *checkpointOf `json:"verified,omitempty"` // nil without a policy
	Keys     []comparedKey `json:"keys"`
}

// A comparedKey is a key that the ledger says is its own.
type comparedKey struct {
	Key    string `json:"key"`
	Policy string `json:"policy"` // "listed", "not listed", "not compared" or "malformed"
}

// checkpointOf is a checkpoint that verifies.
type checkpointOf struct {
	Origin     string   `json:"origin"`
	Size       uint64   `json:"size"`
	Root       string   `json:"root"`
	LogKeys    []string `json:"log_keys"`
	Witnesses  []string `json:"witnesses"`
	CosignedAt string   `json:"cosigned_at,omitempty"`
	Age        string   `json:"age,omitempty"` // of the quorum's cosignatures
}

func (p *program) log(ctx context.Context, o logFlags) error {
	s, err := p.source()
	if err != nil {
		return err
	}
	says, err := readInfo(ctx, s)
	if err != nil {
		return err
	}
	if o.showPolicy {
		if says == nil {
			return fmt.Errorf("%w: the ledger says nothing of itself", errNo)
		}
		p.Say("this is what the ledger says: compare it with what you know from elsewhere")
		text := says.Policy
		if p.terminal(p.Stdout) {
			text = command.EscapeText(text)
		}
		_, err := fmt.Fprint(p.Stdout, text)
		return err
	}
	policy, err := p.loadPolicy()
	if command.IsUsage(err) {
		policy = nil
	} else if err != nil {
		return err
	}
	r := logReport{Says: says, Keys: []comparedKey{}}
	if says != nil {
		r.compare(policy)
	}
	if policy != nil {
		view, err := p.view(ctx, s)
		if err != nil {
			return err
		}
		r.Verified = p.describe(view)
	}
	if o.json {
		return p.printJSON(formatJSON(r, ""))
	}
	return p.printLog(s, r)
}

// readInfo reads what a ledger says of itself; nil: nothing, as a static log
// of other software does.
func readInfo(ctx context.Context, s *source) (*client.Info, error) {
	b, err := s.files.ReadFile(ctx, "log")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	info := new(client.Info)
	if err := json.Unmarshal(b, info); err != nil {
		return nil, fmt.Errorf("log: this is not how a ledger describes itself: %v", err)
	}
	return info, nil
}

// compare compares what the ledger says of itself with a policy, if there is
// one.
func (r *logReport) compare(policy *proofs.Policy) {
	for _, vkey := range r.Says.Keys {
		c := comparedKey{Key: vkey, Policy: "not listed"}
		k, err := proofs.ParseKey(vkey)
		switch {
		case err != nil:
			c.Policy = "malformed"
		case policy == nil:
			c.Policy = "not compared"
		default:
			for _, l := range policy.Logs {
				if l.Key == k {
					c.Policy = "listed"
				}
			}
		}
		r.Keys = append(r.Keys, c)
	}
	if policy == nil {
		return
	}
	theirs, err := proofs.ParsePolicy([]byte(r.Says.Policy))
	switch {
	case err != nil:
		r.Policy = "malformed"
	case bytes.Equal(proofs.FormatPolicy(theirs), proofs.FormatPolicy(policy)):
		r.Policy = "the same as yours"
	default:
		r.Policy = "another than yours"
	}
}

func (p *program) describe(v client.View) *checkpointOf {
	var f finding
	f.takeVerdict(v.Verdict)
	c := &checkpointOf{Origin: f.Origin, Size: f.Size, Root: f.Root, LogKeys: f.LogKeys, Witnesses: f.Witnesses, CosignedAt: f.CosignedAt}
	if v.Time > 0 {
		c.Age = p.since(v.Time)
	}
	return c
}

func (p *program) printLog(s *source, r logReport) error {
	t := command.NewTable(p.Stdout)
	t.Row("ledger", s.name)
	if v := r.Verified; v != nil {
		t.Row("origin", v.Origin)
		t.Row("checkpoint", fmt.Sprintf("size %d, root %s", v.Size, v.Root))
		t.Row("signed", "by "+strings.Join(v.LogKeys, ", "))
		t.Row("witnessed", witnessed(v.Witnesses, v.CosignedAt))
		if v.Age != "" {
			t.Row("age", v.Age)
		}
	} else if r.Says != nil {
		t.Row("origin", r.Says.Origin+" (as it says)")
	}
	for _, k := range r.Keys {
		t.Row("key", fmt.Sprintf("%s (%s in the policy)", k.Key, k.Policy))
	}
	if r.Policy != "" {
		t.Row("policy", r.Policy)
	}
	if s := r.Says; s != nil {
		n := s.Sizes
		t.Row("sizes", fmt.Sprintf("sequenced %d, integrated %d, signed %d, published %d (as it says)", n.Sequenced, n.Integrated, n.Signed, n.Published))
		if s.MinimumIndex > 0 {
			t.Row("minimum index", fmt.Sprintf("%d, below which entries are pruned (as it says)", s.MinimumIndex))
		}
		t.Row("limits", fmt.Sprintf("%d bytes an event, %d events a batch (as it says)", s.MaxPayload, s.MaxBatch))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Verified == nil {
		p.Say("nothing of this is verified: there is no policy")
		p.Hint("give one with --policy or CAIRN_POLICY")
	}
	return nil
}
