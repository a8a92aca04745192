package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/proofs"
)

// SetIdentities replaces who vouches for identities, for whoever runs the
// program: see [identity.Authenticator.Set]. That is an act, whether or not it
// could be done; where the ledger takes no entries now it is recorded as soon as
// it does, because who is to be refused must not wait.
func (a *API) SetIdentities(ctx context.Context, as ledger.Caller, c identity.Config) error {
	err := a.identities.Set(c)
	a.vouching.add(vouchingAct{as, vouchingSettings(c), err})
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	a.recordVouching(ctx)
	return err
}

// beginVouching makes it an act who vouches for identities at the start, if
// anybody does beside the ledger's own tokens: between two starts somebody may
// have changed that.
func (a *API) beginVouching() {
	if c := a.identities.Config(); len(c.ClientCAs)+len(c.Issuers) > 0 {
		as := ledger.Caller{Name: identity.Local().Name, Role: string(identity.Operator), From: "start"}
		a.vouching.add(vouchingAct{as, vouchingSettings(c), nil})
	}
}

// A vouchingAct is an act by which somebody said who vouches for identities.
type vouchingAct struct {
	as       ledger.Caller
	settings json.RawMessage
	err      error
}

// vouchingActs are those that are not recorded yet.
type vouchingActs struct {
	mu   sync.Mutex
	acts []vouchingAct
}

// maxVouching is how many are kept: of more, the last.
const maxVouching = 64

func (v *vouchingActs) add(x vouchingAct) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.acts = append(v.acts, x); len(v.acts) > maxVouching {
		v.acts = v.acts[1:]
	}
}

// recordVouching records what is not recorded yet, in order.
func (a *API) recordVouching(ctx context.Context) {
	v := &a.vouching
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(v.acts) > 0 {
		x := v.acts[0]
		s := a.ledger.As(x.as)
		act := s.Act(proofs.ActIdentitiesSet)
		act.Object, act.Settings = "identities", x.settings
		if err := s.Record(ctx, act, x.err); err != nil && err != x.err {
			a.log.Warn("who vouches for identities will be recorded later", slog.String("error", err.Error()))
			return
		}
		v.acts = v.acts[1:]
	}
}

// vouchingSettings says who vouches for whom; nothing where that does not fit
// an act.
func vouchingSettings(c identity.Config) json.RawMessage {
	type grant struct {
		To      string        `json:"to"` // what a certificate or token says
		Role    identity.Role `json:"role"`
		Streams []string      `json:"streams,omitempty"`
	}
	type authority struct {
		Name    string   `json:"name"`
		Issuer  string   `json:"issuer,omitempty"`
		Grants  []grant  `json:"grants"`
		Refused []string `json:"refused,omitempty"`
	}
	list := []authority{}
	for _, ca := range c.ClientCAs {
		x := authority{Name: "cert:" + ca.Name, Refused: ca.Refused}
		for _, g := range ca.Grants {
			to := string(g.URI)
			if to == "" {
				to = "CN=" + string(g.CommonName)
			}
			x.Grants = append(x.Grants, grant{to, g.Role, g.Streams})
		}
		list = append(list, x)
	}
	for _, is := range c.Issuers {
		x := authority{Name: "oidc:" + is.Name, Issuer: is.URL, Refused: is.Refused}
		for _, g := range is.Grants {
			x.Grants = append(x.Grants, grant{g.Claim + "=" + string(g.Value), g.Role, g.Streams})
		}
		list = append(list, x)
	}
	text, err := json.Marshal(map[string][]authority{"authorities": list})
	if err != nil || len(text) > proofs.MaxAct/2 {
		return nil
	}
	return text
}
