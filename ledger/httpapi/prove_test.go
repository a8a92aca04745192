package httpapi_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

func TestAClientGetsAProofThatAnAnswerIsComplete(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	all := s.addPeople(t, "alice", "bob", "alice")
	policy, err := proofs.ParsePolicy(s.PolicyText)
	if err != nil {
		t.Fatal(err)
	}
	reader := s.as(t, identity.Reader)
	for name, want := range map[string][]uint64{"alice": {all[0], all[2]}, "bob": {all[1]}, "carol": nil} {
		q := client.CompleteQuery{Stream: "people", Fields: []client.FieldValue{{Name: "actor", Value: name}}, Now: true}
		b, err := reader.ProveComplete(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		p, err := proofs.ParseSearchProof(b)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Check(policy)
		if err != nil || !slices.Equal(v.Hits, want) || !v.Complete {
			t.Errorf("%s: got %v, complete %v and error %v, want %v", name, v.Hits, v.Complete, err, want)
		}
	}
	for what, c := range map[string]struct {
		role identity.Role
		name string
		want client.ProblemCode
	}{
		"a field that is not declared": {identity.Reader, "nope", client.BadRequest},
		"who may not read":             {identity.Auditor, "actor", client.Forbidden},
	} {
		var p *client.Problem
		q := client.CompleteQuery{Stream: "people", Fields: []client.FieldValue{{Name: c.name}}}
		if _, err := s.as(t, c.role).ProveComplete(t.Context(), q); !errors.As(err, &p) || p.Code() != c.want {
			t.Errorf("%s: got %v, want %v", what, err, c.want)
		}
	}
}
