package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/identity"
)

func (p *program) tokenCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "token",
		Short: "Issue, list and revoke tokens",
		Long: `A token lets its bearer use the ledger in one role:

  writer     append to given streams, nothing else
  reader     read what is about given streams, proofs and receipts
  auditor    everything that needs no payload: proofs, sealed records, settings, who did what
  operator   streams, retention classes, tokens and status; no payload
  custodian  holds and erasures; no payload

A token is shown once. The ledger keeps its hash only. Custodians' tokens are issued
through the server's socket or by custodians, not by other operators.`,
	}
	c.AddCommand(p.tokenIssueCommand(), p.tokenListCommand(), p.tokenRevokeCommand())
	p.remoteFlags(c)
	return c
}

// maxDays is how long a token holds at most where it ends at all: a hundred
// years.
const maxDays = 36500

func (p *program) tokenIssueCommand() *cobra.Command {
	var g identity.Grant
	var days int
	c := &cobra.Command{
		Use:   "issue NAME --role ROLE",
		Short: "Issue a token and print it, once",
		Long: `Issue a token to whoever has the name, which is the identity that entries
record. The token is printed on standard output, this one time, after it was recorded
that it is issued.`,
		Example: `  cairnd token issue billing --role writer --stream billing --days 90
  cairnd token issue alice --role reader --stream '*'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			g.Name = args[0]
			switch {
			case g.Role == "":
				return command.Usage("a token needs a role: --role writer, reader, auditor, operator or custodian")
			case days < 0 || days > maxDays:
				return command.Usage("--days is from 1 to %d, or 0: until the token is revoked", maxDays)
			case days > 0:
				g.Expires = p.clock().UTC().AddDate(0, 0, days).Truncate(time.Second)
			}
			a, err := p.reach()
			if err != nil {
				return err
			}
			t, err := a.issueToken(c.Context(), g)
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(t)
			}
			p.Say("token %s of %s as %s; it is shown this one time", t.About.ID, t.About.Name, t.About.Role)
			_, err = fmt.Fprintln(p.Stdout, t.Token)
			return err
		},
	}
	c.Flags().StringVar((*string)(&g.Role), "role", "", "writer, reader, auditor, operator or custodian")
	c.Flags().StringArrayVar(&g.Streams, "stream", nil, "stream that a writer or reader may use, or '*' for all (repeat)")
	c.Flags().IntVar(&days, "days", 0, "how long it holds, at most 36500; 0: until it is revoked")
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) tokenListCommand() *cobra.Command {
	return listCommand(p, "List the tokens, not their secrets", "  cairnd token list", listing[listedToken]{
		ask:  p.listedTokens,
		head: []string{"ID", "NAME", "ROLE", "STREAMS", "CREATED", "EXPIRES"},
		row: func(t listedToken) []string {
			expires := "never"
			if !t.Expires.IsZero() {
				expires = t.Expires.Format(time.DateOnly)
			}
			if t.Expired {
				expires += ", expired"
			}
			return []string{t.ID, t.Name, string(t.Role), strings.Join(t.Streams, ","), t.Created.Format(time.DateOnly), expires}
		},
	})
}

// A listedToken is a token that the server keeps, and whether it holds no more.
type listedToken struct {
	identity.Token
	Expired bool `json:"expired,omitempty"` // by the local clock
}

func (p *program) listedTokens(a *admin, ctx context.Context) ([]listedToken, error) {
	tokens, err := a.tokens(ctx)
	listed := make([]listedToken, len(tokens))
	for i, t := range tokens {
		listed[i] = listedToken{t, !t.Expires.IsZero() && !p.clock().Before(t.Expires)}
	}
	return listed, err
}

func (p *program) tokenRevokeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke a token, from now on",
		Long: `Revoke a token. It is worthless at once, also where the ledger takes no entries
at that moment; then it is recorded as soon as it does.`,
		Example: "  cairnd token revoke 0123456789abcdef --reason 'the laptop was stolen'",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := p.reach()
			if err != nil {
				return err
			}
			r, err := a.revokeToken(c.Context(), args[0])
			if err != nil {
				return err
			}
			p.Say("token %s is revoked", r.ID)
			if !r.Recorded {
				p.Hint("the ledger takes no entries now; that it was revoked is kept, and recorded as soon as it does")
			}
			return nil
		},
	}
	p.reasonFlag(c)
	return c
}
