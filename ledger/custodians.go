package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// CustodiansConfig names the identities that are custodians where two are
// needed: who asks and who approves are both among them. Where it names none,
// any two will do that have the role.
//
// A role comes with a token or by a grant, which one person alone can give. So
// where custodians are named and two are needed, a role makes nobody one of
// them: who they are takes two as well.
type CustodiansConfig struct {
	Names []string `json:"names"` // none, or 2 to 64; in any order
}

// Custodians returns who the custodians are; none: whoever has the role.
func (l *Ledger) Custodians() CustodiansConfig {
	return CustodiansConfig{Names: append([]string{}, l.state.custodianNames()...)}
}

// SetCustodians says who the custodians are, from here on. Where two are needed
// it is only requested.
func (s *Session) SetCustodians(ctx context.Context, c CustodiansConfig) (index uint64, requested bool, err error) {
	return s.set(ctx, c)
}

func (c CustodiansConfig) setting(l *Ledger) (*setting, error) {
	bad := func(format string, args ...any) error {
		return client.NewProblem(client.BadRequest, fmt.Sprintf(format, args...), "name them as the history does, see: cairn history")
	}
	names := append([]string{}, c.Names...)
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		return nil, bad("a custodian is named twice, and that is one")
	}
	if len(names) == 1 || len(names) > proofs.MaxNamed {
		return nil, bad("%d custodians cannot be named: none, or 2 to %d", len(names), proofs.MaxNamed)
	}
	body := &proofs.CustodiansBody{}
	for _, name := range names {
		if len(name) < 1 || len(name) > 255 {
			return nil, bad("the name of an identity has 1 to 255 bytes")
		}
		body.Named = append(body.Named, l.pseudonym(name))
	}
	slices.Sort(body.Named)
	x := &setting{what: proofs.ActCustodiansSet, name: "custodians", config: CustodiansConfig{names}, names: proofs.CustodiansSettings{Names: names}}
	x.body.Custodians = body
	return x, nil
}

// mustBeCustodian returns the problem that the caller is not one of the
// custodians who are named, where two are needed.
func (s *Session) mustBeCustodian() error {
	if s.l.retain.IsCustodian(s.l.pseudonym(s.caller.Name)) {
		return nil
	}
	return client.NewProblem(client.Forbidden, "this identity is not one of the custodians whom the ledger names", "see who they are with: cairnd custody")
}
