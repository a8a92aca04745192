package identity_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
)

// revokedBy returns the act of somebody who revokes a token.
func revokedBy(who, because string) func(identity.Token) proofs.Act {
	return func(t identity.Token) proofs.Act {
		return proofs.Act{What: proofs.ActTokenRevoke, Who: who, Because: because, Object: t.Name, Outcome: proofs.OutcomeDone}
	}
}

func TestRevocationIsKeptUntilItIsRecorded(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	register := memory.New(nil).Register("tokens")
	tokens := openTokens(t, register, c.Now)
	_, first := issue(t, tokens, writerOf("default"))
	_, second := issue(t, tokens, identity.Grant{Name: "alice", Role: identity.Auditor})
	for _, about := range []identity.Token{first, second} {
		c.advance(time.Minute)
		if err := tokens.Revoke(t.Context(), about.ID, revokedBy("op", "it was lost")); err != nil {
			t.Fatal(err)
		}
	}
	tokens = openTokens(t, register, c.Now)
	kept := tokens.Unrecorded()
	if len(kept) != 2 || kept[0].ID != first.ID || kept[1].ID != second.ID || !kept[1].At.Equal(c.Now()) {
		t.Fatalf("got %+v, want both in their order", kept)
	}
	if a := kept[1].Act; a.Who != "op" || a.Because != "it was lost" || a.Object != "alice" {
		t.Errorf("got %+v, want who it was, of whose token, and why", a)
	}
	if err := tokens.Recorded(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if kept := openTokens(t, register, c.Now).Unrecorded(); len(kept) != 1 || kept[0].ID != second.ID {
		t.Errorf("got %+v, want the other alone", kept)
	}
}

func TestATokenIsRevokedAndItsRevocationKeptAtOnce(t *testing.T) {
	for _, outcome := range []fault.Outcome{fault.Failed, fault.Persisted} {
		plan := &fault.Plan{}
		world := memory.New(plan)
		tokens := openTokens(t, world.Register("tokens"), time.Now)
		_, about := issue(t, tokens, writerOf("default"))
		plan.At(len(plan.Steps()), outcome)
		if err := tokens.Revoke(t.Context(), about.ID, revokedBy("op", "")); err == nil {
			t.Fatalf("%v: a revocation that failed is reported as done", outcome)
		}
		tokens = openTokens(t, world.Restart().Register("tokens"), time.Now)
		if good, kept := len(tokens.List()), len(tokens.Unrecorded()); good+kept != 1 || (kept == 1) != (outcome == fault.Persisted) {
			t.Errorf("%v: after a restart %d tokens are good and %d revocations are kept", outcome, good, kept)
		}
	}
}

// fullRegister returns a register that takes no more tokens, and the IDs of some
// small ones in it.
func fullRegister(t *testing.T, small int) (r storage.Register, ids []string) {
	t.Helper()
	rows, room := []string{}, storage.MaxRegister-revokedRoom-100
	add := func(name string) string {
		id := fmt.Sprintf("%016x", len(rows))
		row := fmt.Sprintf(`{"id":"%s","name":"%s","role":"auditor","created":"2026-01-01T00:00:00Z","hash":"%s"}`, id, name, strings.Repeat("A", 43)+"=")
		rows = append(rows, row)
		room -= len(row) + 1
		return id
	}
	for range small {
		ids = append(ids, add("a"))
	}
	for room > 400 {
		add(strings.Repeat("x", min(100_000, room-300)))
	}
	r = memory.New(nil).Register("tokens")
	if err := r.Swap(t.Context(), nil, fmt.Appendf(nil, `{"version":1,"tokens":[%s]}`, strings.Join(rows, ","))); err != nil {
		t.Fatal(err)
	}
	return r, ids
}

const revokedRoom = 64 << 10 // bytes that are kept free

// However many tokens there are, and however much there is to say of those who
// revoke them, each can be revoked, and that it was is known.
func TestFullRegisterKeepsNoTokenGood(t *testing.T) {
	register, ids := fullRegister(t, 15)
	tokens := openTokens(t, register, time.Now)
	for range 2 { // the first may just fit
		if _, about, err := tokens.Issue(t.Context(), identity.Grant{Name: strings.Repeat("a", 128), Role: identity.Auditor}); err == nil {
			ids = append(ids, about.ID)
		}
	}
	_, _, err := tokens.Issue(t.Context(), identity.Grant{Name: strings.Repeat("a", 128), Role: identity.Auditor})
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.TooLarge {
		t.Fatalf("got error %v, want that the register is full", err)
	}
	act := revokedBy(strings.Repeat("o", 255), strings.Repeat("\x00", 1024)) // six bytes each in JSON
	for _, id := range ids {
		if err := tokens.Revoke(t.Context(), id, act); err != nil {
			t.Fatalf("after %d: %v", len(tokens.Unrecorded()), err)
		}
	}
	kept, short := tokens.Unrecorded(), 0
	for i, r := range kept {
		if r.ID != ids[i] {
			t.Errorf("revocation %d is of %s, want %s", i, r.ID, ids[i])
		}
		if r.Act == nil {
			short++
		}
	}
	if len(kept) != len(ids) || short == 0 || short > len(ids)/2 {
		t.Errorf("got %d of %d revocations, %d of them without who it was, want all and some", len(kept), len(ids), short)
	}
	if value, err := register.Load(t.Context()); err != nil || len(value) > storage.MaxRegister {
		t.Errorf("the register has %d bytes (%v)", len(value), err)
	}
}
