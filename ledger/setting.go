package ledger

import (
	"context"
	"encoding/json"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A Setting is something that is there and can be set anew: a [StreamConfig], a
// [ClassConfig], a [CustodyConfig] or a [CustodiansConfig].
type Setting interface {
	// setting returns what it says, or the problem that it cannot be.
	setting(l *Ledger) (*setting, error)
}

// A setting is what a settings entry says, and the act of setting it.
type setting struct {
	what, name string // of the act
	config     any    // what was set, for the act
	body       proofs.SettingsBody
	names      any    // beside the body, which names nothing
	since      uint64 // index of the entry that it replaces, of a stream; 0: none
}

// act returns the act of setting it.
func (x *setting) act(c Caller) proofs.Act {
	act := c.act(x.what)
	act.Object = x.name
	if text, err := json.Marshal(x.config); err == nil && len(text) <= proofs.MaxAct/2 {
		act.Settings = text
	}
	return act
}

// Weakens returns what a setting would take from evidence or retention as they
// are now, as a clause; it is empty where that is nothing. Where two custodians
// are needed it takes a request. The error is the problem that it cannot be.
func (l *Ledger) Weakens(c Setting) (string, error) {
	x, err := c.setting(l)
	if err != nil {
		return "", err
	}
	return l.retain.Weaker(x.body), nil
}

// set sets something anew, or requests it where two custodians have to want it.
func (s *Session) set(ctx context.Context, c Setting) (index uint64, requested bool, err error) {
	s.l.settings.Lock()
	defer s.l.settings.Unlock()
	x, err := c.setting(s.l)
	if err != nil {
		return 0, false, err
	}
	act := x.act(s.caller)
	if !s.l.retain.NeedsRequest(proofs.Settings, x.body) {
		index, err = s.l.setSettings(ctx, x, act)
		return index, false, err
	}
	if act.Settings == nil {
		return 0, false, client.NewProblem(client.TooLarge, "these settings do not fit a request", "change less at once")
	}
	if index, err = s.request(ctx, proofs.Settings, act); err != nil {
		return 0, false, s.answered(ctx, act, err)
	}
	return index, true, nil
}

// setRequested sets what a request asked for and another custodian approved.
func (l *Ledger) setRequested(ctx context.Context, act proofs.Act) (uint64, error) {
	c, err := requestedSetting(act)
	if err != nil {
		return 0, err
	}
	l.settings.Lock()
	defer l.settings.Unlock()
	x, err := c.setting(l)
	if err != nil {
		return 0, err
	}
	if m := x.changedSince(act.Request); m != nil {
		return 0, m.problem(act.Request)
	}
	return l.setSettings(ctx, x, act)
}

// changedSince returns why what a request would set is moot: it says all there
// is to set, and would undo what was set after it was asked for.
func (x *setting) changedSince(request uint64) *Moot {
	if x.since <= request {
		return nil
	}
	return &Moot{"the stream was changed after it was asked for", x.since}
}

// requestedSetting returns what an act asks to be set.
func requestedSetting(act proofs.Act) (Setting, error) {
	var c Setting
	var err error
	switch act.What {
	case proofs.ActStreamSet:
		c, err = settingOf[StreamConfig](act)
	case proofs.ActClassSet:
		c, err = settingOf[ClassConfig](act)
	case proofs.ActLedgerSet:
		c, err = settingOf[CustodyConfig](act)
	case proofs.ActPruningSet:
		c, err = settingOf[PruningConfig](act)
	case proofs.ActCustodiansSet:
		c, err = settingOf[CustodiansConfig](act)
	default:
		err = client.NewProblem(client.Invalid, "nobody knows how to do it", "")
	}
	return c, err
}

func settingOf[T Setting](act proofs.Act) (c T, err error) {
	if json.Unmarshal(act.Settings, &c) != nil {
		return c, client.NewProblem(client.Invalid, "it does not say what is to be set", "")
	}
	return c, nil
}

// setSettings appends a settings entry and, right behind it and in the same batch, the
// act of whoever set it. It returns the index of the settings entry.
func (l *Ledger) setSettings(ctx context.Context, x *setting, act proofs.Act) (uint64, error) {
	x.body.Request = act.Request
	var a *admission
	err := l.announceSealed(ctx, func() (_ announcement, err error) { // of that there may be no two at a time
		if _, _, err := l.controlBucket(ctx); err != nil {
			return nil, err
		}
		done, err := l.actEntry(ctx, proofs.Administration, act)
		if err != nil {
			return nil, err
		}
		a, err = l.settingsEntry(x.body, x.names)
		return these(a, done), err
	})
	if err != nil {
		return 0, err
	}
	if x.body.Class != nil {
		l.closer.nudge() // more may be due
	}
	return a.index, nil
}
