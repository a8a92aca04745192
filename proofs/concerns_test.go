package proofs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestConcernsAreOneListOfTagsEach(t *testing.T) {
	fields := userFields()
	x := must(proofs.NewExtractor(fields))
	value := func(number uint16, v string) proofs.FieldValue {
		return proofs.FieldValue{Number: number, Subject: number != 2 && v != "null", Value: []byte(v)}
	}
	written := func(concerns []proofs.Concern) string {
		var b strings.Builder
		for _, c := range concerns {
			fmt.Fprintf(&b, "%q: %s\n", c.Subjects, listed(c.Values))
		}
		return b.String()
	}
	got, err := x.Concerns([]proofs.FieldValue{
		value(1, "alice"), value(1, "bob"), value(1, ""), value(1, "null"), value(2, "m"), value(2, "alice"), value(3, "carol"), value(3, "bob")})
	wantEqual(t, "concerns", written(got), `[]: 1 true "", 1 false "null", 
["alice"]: 1 true "alice", 
["bob"]: 1 true "bob", 
["alice" "bob"]: 2 false "m", 2 false "alice", 3 true "bob", 
["alice" "bob" "carol"]: 3 true "carol", 
`)
	if err != nil {
		t.Error(err)
	}
	if got, err := x.Concerns(nil); len(got) != 0 || err != nil {
		t.Errorf("of nothing: got %v, %v", got, err)
	}
	wantEqual(t, "about nobody", written(must(x.Concerns([]proofs.FieldValue{value(2, "m")}))), "[]: 2 false \"m\", \n")
	var many []proofs.FieldValue
	for i := range 32 {
		many = append(many, value(1, fmt.Sprint(i)))
	}
	for name, values := range map[string][]proofs.FieldValue{
		"32 people": many, "a field that is not declared": {value(9, "x")}, "a name of 1025 bytes": {value(1, strings.Repeat("x", 1025))},
	} {
		if got, err := x.Concerns(values); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, proofs.ErrMalformed)
		}
	}
}
