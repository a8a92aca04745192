package ledger

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A Moot is why what an entry asked for cannot be done any more, though nobody
// took it back: the log has no entry that ends such a request but its
// withdrawal.
type Moot struct {
	Why   string `json:"why"`             // a clause
	Entry uint64 `json:"entry,omitempty"` // index of the one that made it so; 0: that cannot be told
}

// problem returns what is told of a moot request to whoever would do it.
func (m *Moot) problem(request uint64) error {
	why := m.Why
	if m.Entry > 0 {
		why = fmt.Sprintf("%s, by entry %d", why, m.Entry)
	}
	return client.NewProblem(client.Invalid, why, fmt.Sprintf("take it back with: cairnd request withdraw %d", request))
}

// moot returns why a request cannot be done any more; nil: it can. The act is
// what it asks for, and is empty where that has expired.
func (l *Ledger) moot(ctx context.Context, r retain.Request, act proofs.Act) (*Moot, error) {
	switch act.What {
	case "":
		return l.mootByExpiry(ctx, r.Index)
	case proofs.ActErase:
		if act.Subject == "" { // which entry closed the name, nobody can tell without it
			return &Moot{Why: "whom it names was erased"}, nil
		}
	case proofs.ActRelease:
		return l.mootByRelease(ctx, act)
	default:
		return l.mootBySetting(r.Index, act), nil
	}
	return nil, nil
}

// mootByExpiry names the expiry of what an entry asked for.
func (l *Ledger) mootByExpiry(ctx context.Context, request uint64) (*Moot, error) {
	m := &Moot{Why: "what it asks for has expired, and nobody knows it any more"}
	leaf, err := l.leaf(ctx, request)
	if err != nil {
		return nil, err
	}
	if reasons := l.retain.Reasons(leaf.Stream, leaf.Bucket, request); len(reasons) == 1 {
		m.Entry = reasons[0]
	}
	return m, nil
}

// mootBySetting looks whether what an act would set was set since. What cannot be
// set for another reason may be able to later.
func (l *Ledger) mootBySetting(request uint64, act proofs.Act) *Moot {
	c, err := requestedSetting(act)
	if err != nil {
		return nil
	}
	x, err := c.setting(l)
	if err != nil {
		return nil
	}
	return x.changedSince(request)
}

// mootByRelease looks whether the hold that an act would release is released,
// and by which entry: while that is not done the state knows, and afterwards
// the request that allowed it does, if there was one.
func (l *Ledger) mootByRelease(ctx context.Context, act proofs.Act) (*Moot, error) {
	hold, err := strconv.ParseUint(act.Object, 10, 64)
	if err != nil || slices.Contains(l.retain.Active(), hold) {
		return nil, nil
	}
	m := &Moot{Why: fmt.Sprintf("hold %d is released", hold)}
	for _, h := range l.retain.Holds() {
		if h.Index == hold {
			m.Entry = h.Released
			return m, nil
		}
	}
	sizes, _ := l.progress.snapshot()
	for _, r := range l.retain.Used(proofs.Release) {
		if r.Used >= sizes.Sequenced {
			break // its entry is about to be there
		}
		leaf, err := l.leaf(ctx, r.Used)
		if err != nil {
			return nil, err
		}
		body, err := proofs.ParseRelease(leaf.Control)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", r.Used, err)
		}
		if body.Released != nil && body.Released.Hold == hold {
			m.Entry = r.Used
			break
		}
	}
	return m, nil
}
