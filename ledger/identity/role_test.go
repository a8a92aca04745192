package identity_test

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/ledger/identity"
)

// each yields the single actions.
func each(yield func(identity.Action) bool) {
	for a := identity.Action(1); a&identity.EveryAction != 0; a <<= 1 {
		if !yield(a) {
			return
		}
	}
}

// TestEachRoleMayDoItsOwnAndNothingElse compares the table with one that is
// written the other way round.
func TestEachRoleMayDoItsOwnAndNothingElse(t *testing.T) {
	const w, r, a, o, c = identity.Writer, identity.Reader, identity.Auditor, identity.Operator, identity.Custodian
	who := map[identity.Action][]identity.Role{
		identity.Append:         {w},
		identity.Read:           {r},
		identity.Prove:          {r, a},
		identity.ReadSealed:     {a},
		identity.ReadHistory:    {a},
		identity.ReadSettings:   {a, o, c},
		identity.ChangeSettings: {o},
		identity.ManageTokens:   {o},
		identity.ReadStatus:     {o},
		identity.ReadClosings:   {a, c},
		identity.Close:          {c},
		identity.NameCustodians: {c},
	}
	names := make(map[string]bool)
	for action := range each {
		if who[action] == nil {
			t.Errorf("nobody has decided who may %v", action)
		}
		for _, role := range identity.Roles() {
			want := slices.Contains(who[action], role)
			i := identity.Identity{Rights: []identity.Right{{Role: role, Streams: []string{identity.EveryStream}}}}
			by, ok := i.Role(action)
			if ok != want || i.May(action, "s") != want || want && by != role {
				t.Errorf("a %s may %v: got %v by %q, want %v", role, action, ok, by, want)
			}
		}
		if names[action.String()] {
			t.Errorf("two actions are %q", action)
		}
		names[action.String()] = true
	}
	if got := (identity.EveryAction + 1).String(); names[got] {
		t.Errorf("an action that there is not is %q", got)
	}
	for _, role := range []identity.Role{"", "root", "Writer", "writer "} {
		if got := role.Actions(); got != 0 {
			t.Errorf("the role %q may %v", role, got)
		}
	}
}

func TestNobodyMayDoNothing(t *testing.T) {
	i := identity.Local()
	if _, ok := i.Role(0); ok || i.May(0, "") {
		t.Error("an action that is none is allowed")
	}
	if role, ok := i.Role(identity.Read | identity.Close); !ok || role != identity.Custodian {
		t.Errorf("one action of two is enough: got %q", role)
	}
	if _, ok := i.Role(identity.Read | identity.Append); ok {
		t.Error("an action of others is allowed")
	}
}

func TestRightsAreForTheirStreams(t *testing.T) {
	i := identity.Identity{Rights: []identity.Right{
		{Role: identity.Reader, Streams: []string{"a"}}, {Role: identity.Reader, Streams: []string{"b"}}, {Role: identity.Auditor},
	}}
	for stream, want := range map[string]bool{"a": true, "b": true, "c": false, "": false, "*": false} {
		if got := i.May(identity.Read, stream); got != want {
			t.Errorf("read %q: got %v, want %v", stream, got, want)
		}
		if !i.May(identity.ReadHistory, stream) {
			t.Errorf("an auditor has no streams, and may not read the history of %q", stream)
		}
	}
	if got := i.Roles(); got != "a reader and an auditor" {
		t.Errorf("got %q", got)
	}
	if role, _ := i.Role(identity.Prove); role != identity.Reader {
		t.Errorf("got %q, want the first role that allows it", role)
	}
}
