package proofs_test

import (
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestNamesOfFieldsAreThoseOfAllTheirNumbers(t *testing.T) {
	fields := func(names ...string) proofs.StreamSettings {
		s := proofs.StreamSettings{Name: "logins"}
		for i, name := range names {
			if name != "" {
				s.Fields = append(s.Fields, proofs.Field{Number: uint16(i + 1), Name: name})
			}
		}
		return s
	}
	v := proofs.SearchVerdict{Names: map[uint64]proofs.StreamSettings{
		3: fields("actor", "action"), 9: fields("who", "action", "actor"), 12: fields("", "action", "actor", "level"),
	}}
	for _, tt := range []struct {
		numbers []uint16
		want    string
	}{
		{[]uint16{1}, "who"}, {[]uint16{2}, "action"}, {[]uint16{1, 3}, "actor"}, {[]uint16{4}, "level"},
		{[]uint16{3}, ""}, {[]uint16{1, 2}, ""}, {[]uint16{5}, ""}, {nil, ""},
	} {
		if got, ok := v.FieldName(tt.numbers); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%v: got %q and %v, want %q", tt.numbers, got, ok, tt.want)
		}
	}
	if got := v.StreamName(); got != "logins" {
		t.Errorf("got the stream %q", got)
	}
	v.Names[15] = proofs.StreamSettings{Name: "other"}
	if name, ok := v.FieldName([]uint16{2}); v.StreamName() != "" || ok {
		t.Errorf("of two streams: got %q and %q", v.StreamName(), name)
	}
}

func TestAQueryFitsWhatHasAValueOfEachTerm(t *testing.T) {
	value := func(number uint16, v string) proofs.FieldValue {
		return proofs.FieldValue{Number: number, Value: []byte(v)}
	}
	q := proofs.SearchQuery{Stream: 1, First: 5, End: 9, From: 100, Until: 200, Terms: []proofs.SearchTerm{
		{Values: []proofs.SearchValue{{Numbers: []uint16{1, 3}, Value: []byte("alice")}, {Numbers: []uint16{1}, Value: []byte("bob")}}},
		{Values: []proofs.SearchValue{{Numbers: []uint16{2}, Value: []byte("delete")}}},
	}}
	fits := []proofs.FieldValue{value(2, "delete"), value(3, "alice")}
	for _, tt := range []struct {
		name   string
		index  uint64
		leaf   proofs.Leaf
		values []proofs.FieldValue
		want   bool
	}{
		{"all terms", 5, proofs.Leaf{Stream: 1, Time: 100}, fits, true},
		{"another value of a term", 8, proofs.Leaf{Stream: 1, Time: 199}, []proofs.FieldValue{value(1, "bob"), value(2, "delete")}, true},
		{"a value of another field", 5, proofs.Leaf{Stream: 1, Time: 100}, []proofs.FieldValue{value(3, "bob"), value(2, "delete")}, false},
		{"one term of two", 5, proofs.Leaf{Stream: 1, Time: 100}, fits[:1], false},
		{"no value", 5, proofs.Leaf{Stream: 1, Time: 100}, nil, false},
		{"another stream", 5, proofs.Leaf{Stream: 2, Time: 100}, fits, false},
		{"before the range", 4, proofs.Leaf{Stream: 1, Time: 100}, fits, false},
		{"behind the range", 9, proofs.Leaf{Stream: 1, Time: 100}, fits, false},
		{"too early", 5, proofs.Leaf{Stream: 1, Time: 99}, fits, false},
		{"too late", 5, proofs.Leaf{Stream: 1, Time: 200}, fits, false},
	} {
		if got := q.Fits(tt.index, tt.leaf, tt.values); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
