package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/proofs"
)

// Issued is the answer to POST /v1/tokens: the only time that the token
// itself is shown.
type Issued struct {
	Token string         `json:"token"`
	About identity.Token `json:"about"`
}

// Revoked is the answer to DELETE /v1/tokens/{id}: the token is worthless.
type Revoked struct {
	ID string `json:"id"`

	// Recorded says whether an entry tells so. Where the ledger takes no
	// entries now, one will as soon as it does.
	Recorded bool `json:"recorded"`
}

func (a *API) listTokens(c *call) error {
	return c.json(http.StatusOK, a.identities.Tokens().List())
}

func (a *API) issueToken(c *call) error {
	var g identity.Grant
	if err := c.readJSON(&g); err != nil {
		return err
	}
	issued, err := a.issue(c.Context(), c.session(), g, func() error {
		if err := c.checkGrant(g); err != nil {
			return err
		}
		return a.checkStreams(g.Streams)
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, issued)
}

// IssueToken issues a token for whoever runs the program, as the route does for
// others: what the caller may is not asked.
func (a *API) IssueToken(ctx context.Context, as ledger.Caller, g identity.Grant) (Issued, error) {
	return a.issue(ctx, a.ledger.As(as), g, func() error { return a.checkStreams(g.Streams) })
}

// issue issues a token that may be, and records it before anybody sees it: a
// token that no entry tells of nobody ever has.
func (a *API) issue(ctx context.Context, s *ledger.Session, g identity.Grant, may func() error) (Issued, error) {
	act := s.Act(proofs.ActTokenIssue)
	act.Object = g.Name
	about := identity.Token{Name: g.Name, Role: g.Role, Streams: g.Streams, Expires: g.Expires}
	bearer, err := "", may()
	if err == nil {
		bearer, about, err = a.identities.Tokens().Issue(ctx, g)
	}
	done := err == nil
	if !done {
		about = identity.Token{Role: g.Role, Streams: g.Streams, Expires: g.Expires}
	}
	act.Settings = tokenSettings(about)
	if err = s.Record(ctx, act, err); err == nil {
		return Issued{bearer, about}, nil
	}
	if done {
		a.takeBack(ctx, s, about)
	}
	return Issued{}, err
}

// takeBack revokes a token that could not be recorded, and that nobody has seen.
// It may have been recorded all the same, so that this is too, later.
func (a *API) takeBack(ctx context.Context, s *ledger.Session, about identity.Token) {
	err := a.identities.Tokens().Revoke(context.WithoutCancel(ctx), about.ID, func(t identity.Token) proofs.Act {
		act := revocation(s, t)
		act.Detail = "nobody has seen it: that it was issued could not be recorded"
		return act
	})
	if err != nil {
		a.log.Error("a token that nobody has seen cannot be revoked", slog.String("id", about.ID), slog.String("error", err.Error()))
	}
}

// tokenSettings says what a token is for.
func tokenSettings(t identity.Token) json.RawMessage {
	text, err := json.Marshal(struct {
		ID      string        `json:"id,omitempty"`
		Role    identity.Role `json:"role,omitempty"`
		Streams []string      `json:"streams,omitempty"`
		Expires time.Time     `json:"expires,omitzero"`
	}{t.ID, t.Role, t.Streams, t.Expires})
	if err != nil || len(text) > proofs.MaxAct/2 {
		return nil // nobody gets such a one
	}
	return text
}

// checkGrant refuses a token of a role that whoever asks may not give: an
// operator could else become a custodian, and more than one.
func (c *call) checkGrant(g identity.Grant) error {
	needs := identity.ManageTokens
	if g.Role == identity.Custodian {
		needs = identity.NameCustodians
	}
	if _, ok := c.who.Role(needs); !ok {
		return client.NewProblem(client.Forbidden, fmt.Sprintf("%s may not %v", c.who.Roles(), needs),
			"tokens of custodians are issued by custodians, all others by operators, and both by the server's own user: cairnd token issue")
	}
	if g.Role == identity.Custodian && c.api.ledger.Custody().Custodians > 1 && !c.local {
		return c.checkCustodian(g.Name)
	}
	return nil
}

// checkCustodian refuses a token with which somebody would be two custodians,
// now or once its name is named, where two are needed: everybody renews the own
// one alone.
func (c *call) checkCustodian(name string) error {
	if name == c.name() {
		return nil
	}
	return client.NewProblem(client.Forbidden, "two custodians are needed, and whoever issued such a token could be two of them",
		"whoever runs the server issues it, for the custodian to renew: cairnd token issue")
}

// checkStreams finds names of streams that there are not: a token for them
// would be a typing error.
func (a *API) checkStreams(names []string) error {
	known := a.ledger.Streams()
	for _, name := range names {
		is := func(s ledger.StreamConfig) bool { return s.Name == name }
		if name != identity.EveryStream && !slices.ContainsFunc(known, is) {
			return client.NewProblem(client.NoSuchStream, "there is no stream "+printable(name, 64), "add it first")
		}
	}
	return nil
}

// revokeToken makes a token worthless, whether or not the ledger takes entries
// now: who has lost one must not wait. The act lies beside the tokens from the
// same write on, and is an entry as soon as that can be.
func (a *API) revokeToken(c *call) error {
	id, s := c.PathValue("id"), c.session()
	err := a.identities.Tokens().Revoke(c.Context(), id, func(t identity.Token) proofs.Act { return revocation(s, t) })
	if err != nil {
		act := s.Act(proofs.ActTokenRevoke)
		act.Settings = tokenSettings(identity.Token{ID: id})
		return s.Record(c.Context(), act, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), recordTime)
	defer cancel()
	if err = a.recordRevoked(ctx); err != nil {
		a.log.Warn("a token is revoked, and that will be recorded later", slog.String("id", id), slog.String("error", err.Error()))
	}
	return c.json(http.StatusOK, Revoked{ID: id, Recorded: err == nil})
}

// revocation returns the act of revoking a token.
func revocation(s *ledger.Session, t identity.Token) proofs.Act {
	act := s.Act(proofs.ActTokenRevoke)
	act.Object, act.Settings = t.Name, tokenSettings(t)
	return act
}

const (
	recordTime  = 3 * time.Second  // how long an answer waits until a revocation is recorded
	recordEvery = 10 * time.Second // how often it is tried again
	recordLate  = time.Minute      // from when on the entry says when the token was revoked
)

// recordRevoked records the revocations that no entry tells yet. One can be
// recorded twice, where the process dies in between.
func (a *API) recordRevoked(ctx context.Context) error {
	select {
	case a.recording <- struct{}{}:
		defer a.recording.leave()
	case <-ctx.Done():
		return ctx.Err()
	}
	tokens := a.identities.Tokens()
	for _, r := range tokens.Unrecorded() {
		act := proofs.Act{What: proofs.ActTokenRevoke, Who: identity.Nobody, Settings: tokenSettings(identity.Token{ID: r.ID})}
		if r.Act != nil {
			act = *r.Act
		}
		if time.Since(r.At) > recordLate && act.Detail == "" {
			act.Detail = "at " + r.At.Format(time.RFC3339)
		}
		as := ledger.Caller{Name: act.Who, Role: act.Role, From: act.From, Because: act.Because}
		if err := a.ledger.As(as).Record(ctx, act, nil); err != nil {
			return err
		}
		if err := tokens.Recorded(ctx, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// recordLater records until the context ends what could not be at once.
func (a *API) recordLater(ctx context.Context) {
	ticker := time.NewTicker(recordEvery)
	defer ticker.Stop()
	for {
		a.recordVouching(ctx)
		if len(a.identities.Tokens().Unrecorded()) > 0 {
			_ = a.recordRevoked(ctx) // it is tried again
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
