package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// userFields declare a field that names users and one about them.
func userFields() []proofs.Field {
	return []proofs.Field{
		{Number: 1, Name: "user", Path: "$.users[*].name", Subject: true},
		{Number: 2, Name: "mail", Path: "$.mail", About: "user"},
		{Number: 3, Name: "owner", Path: "$.users[*].owner", Subject: true, About: "user"},
	}
}

func split(t testing.TB, fields []proofs.Field, data string) []proofs.Part {
	t.Helper()
	parts, err := must(proofs.NewExtractor(fields)).Split(proofs.Part{Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func TestSplitRefusesWhatConcernsTooManyAndWhatItCannotRead(t *testing.T) {
	fields := []proofs.Field{{Number: 1, Name: "user", Path: "$", Subject: true}, {Number: 2, Name: "mail", Path: "$.mail", About: "user"}}
	x := must(proofs.NewExtractor(fields))
	names := func(n int) string { return `["` + strings.Join(numbersUpTo(n), `","`) + `"]` }
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	long := strings.Repeat("x", 1025)
	for _, test := range []struct {
		name string
		part proofs.Part
		ok   bool
	}{
		{"31 people", proofs.Part{Data: []byte(names(31))}, true},
		{"32 people", proofs.Part{Data: []byte(names(32))}, false},
		{"31 people and one whom all concerns", proofs.Part{Data: []byte(names(31)), Subjects: []string{"one"}}, false},
		{"31 people and one beside", proofs.Part{Data: []byte(names(31)), Fields: []proofs.GivenField{{Name: "user", Value: []byte("one")}}}, false},
		{"31 people of whom one is there in each way", proofs.Part{Data: []byte(names(31)), Subjects: []string{"7"},
			Fields: []proofs.GivenField{{Name: "user", Value: []byte("7")}}}, true},
		{"a name of 1024 bytes", proofs.Part{Data: []byte(`"` + long[1:] + `"`)}, true},
		{"a name of 1025 bytes", proofs.Part{Data: []byte(`"` + long + `"`)}, false},
		{"a name of 1025 bytes beside", proofs.Part{Data: []byte(`[]`), Fields: []proofs.GivenField{{Name: "user", Value: []byte(long)}}}, false},
		{"a name of 1025 bytes whom all concerns", proofs.Part{Data: []byte(`[]`), Subjects: []string{long}}, false},
		{"a given field that is not declared", proofs.Part{Data: []byte(`[]`), Fields: []proofs.GivenField{{Name: "x"}}}, false},
		{"more given fields than there are places", proofs.Part{Data: []byte(`[]`), Fields: repeated(proofs.GivenField{Name: "mail"}, 1<<14)}, false},
		{"arrays that nest 64 deep", proofs.Part{Data: []byte(deep(64))}, true},
		{"arrays that nest 65 deep", proofs.Part{Data: []byte(deep(65))}, false},
		{"a million brackets", proofs.Part{Data: []byte(deep(1 << 20))}, false},
		{"what is no JSON", proofs.Part{Data: []byte(`{"a"}`)}, false},
		{"no data", proofs.Part{}, false},
		{"a part of an event", proofs.Part{Data: []byte(`null`), Gaps: []uint32{0}}, false},
	} {
		parts, err := x.Split(test.part)
		if (err == nil) != test.ok || err != nil && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %d parts, %v", test.name, len(parts), err)
		}
	}
}

// An event is never refused because of how many of its values concern
// somebody.
func TestAnEventOfTooManyValuesIsOneGap(t *testing.T) {
	fields := []proofs.Field{{Number: 1, Name: "user", Path: "$.users[*]", Subject: true}, {Number: 2, Name: "mail", Path: "$.mails[*]", About: "user"}}
	event := func(n int) string {
		return ` {"users":["alice"` + strings.Repeat(`,"bob"`, n/2-1) + `],"mails":[1` + strings.Repeat(`,1`, n/2-1) + `],"rest":true} `
	}
	most := split(t, fields, event(proofs.MaxGaps))
	if len(most[0].Gaps) != proofs.MaxGaps || len(most) != 4 {
		t.Errorf("%d values: got %d gaps and %d parts", proofs.MaxGaps, len(most[0].Gaps), len(most))
	}
	more := split(t, fields, event(proofs.MaxGaps+2))
	if len(more) != 2 || string(more[0].Data) != ` null ` || strings.Join(more[1].Subjects, " ") != "alice bob" {
		t.Errorf("%d values: got %d parts, the first %.100q", proofs.MaxGaps+2, len(more), more[0].Data)
	}
	for i, parts := range [][]proofs.Part{most, more} {
		if whole, err := proofs.JoinParts(parts); err != nil || string(whole.Data) != event(proofs.MaxGaps+2*i) {
			t.Errorf("join: got %.100q, %v", whole.Data, err)
		}
		for j, p := range parts {
			if _, err := proofs.FormatPart(p); err != nil {
				t.Errorf("part %d: %v", j, err)
			}
		}
	}
}

// Where nulls in place of shorter values are too much for a part, there is
// one null.
func TestTheLargestEventOfShortNamesIsOneGap(t *testing.T) {
	fields := []proofs.Field{{Number: 1, Name: "user", Path: "$.u[*]", Subject: true}}
	event := `{"u":[1` + strings.Repeat(",1", 4000) + `],"x":"`
	event += strings.Repeat("x", proofs.MaxPartData-len(event)-2) + `"}`
	parts := split(t, fields, event)
	if len(parts) != 2 || string(parts[0].Data) != "null" || len(parts[1].Data) != proofs.MaxPartData {
		t.Fatalf("got %d parts, the first of %d bytes", len(parts), len(parts[0].Data))
	}
	if whole, err := proofs.JoinParts(parts); err != nil || string(whole.Data) != event {
		t.Errorf("join: got %d bytes, %v", len(whole.Data), err)
	}
}

// Each object names one user and one of 30 owners: there are more pairs than parts.
func TestSetsOfPeopleAreJoinedWhereTheyAreTooMany(t *testing.T) {
	fields := []proofs.Field{
		{Number: 1, Name: "x", Path: "$.x", Subject: true}, {Number: 2, Name: "pair", Path: "$.pairs[*]", About: "x"},
		{Number: 3, Name: "member", Path: "$.pairs[*][*]", Subject: true}, {Number: 4, Name: "single", Path: "$.single", Subject: true},
	}
	event := func(pairs int) string {
		var list []string
		for i := range pairs {
			list = append(list, fmt.Sprintf(`["a%d","b%d"]`, i%8, i/8))
		}
		return `{"x":"x","single":"a0","pairs":[` + strings.Join(list, ",") + `]}`
	}
	few := split(t, fields, event(60)) // and x, and a0
	if len(few) != 1+62 {
		t.Errorf("62 sets: got %d parts", len(few))
	}
	many := split(t, fields, event(61))
	if len(many) != 1+3 {
		t.Errorf("63 sets: got %d parts, want those of x, of a0 and of all", len(many))
	}
	for _, parts := range [][]proofs.Part{few, many} {
		for _, p := range parts[1:] {
			if len(p.Subjects) > 1 && len(parts) == 4 && len(p.Subjects) != 1+8+8 {
				t.Errorf("a part concerns %q, want all", p.Subjects)
			}
		}
	}
	if whole, err := proofs.JoinParts(many); err != nil || string(whole.Data) != event(61) {
		t.Errorf("join: got %s, %v", whole.Data, err)
	}
}

func TestOverlappingFieldsCloseTheOuterValueForAll(t *testing.T) {
	fields := []proofs.Field{
		{Number: 1, Name: "user", Path: "$.user", Subject: true},
		{Number: 2, Name: "profile", Path: "$.profile", About: "user"},
		{Number: 3, Name: "friend", Path: "$.profile.friends[*]", Subject: true},
		{Number: 4, Name: "first-friend", Path: "$.profile.friends[0]", About: "friend"},
	}
	parts := split(t, fields, `{"user":"alice","profile":{"friends":["bob","carol"],"age":41},"n":1}`)
	var got []string
	for _, p := range parts {
		got = append(got, fmt.Sprintf("%s for %q", p.Data, p.Subjects))
	}
	wantEqual(t, "parts", strings.Join(got, "\n"), strings.Join([]string{
		`{"user":null,"profile":null,"n":1} for []`,
		`"alice" for ["alice"]`,
		`{"friends":["bob","carol"],"age":41} for ["alice" "bob" "carol"]`,
	}, "\n"))
}

// Where somebody is erased no length of a value is left.
func TestASkeletonSaysNothingOfWhatIsMissing(t *testing.T) {
	one := split(t, userFields(), `{"users":[{"name":"al","id":1}],"mail":"a@b"}`)
	two := split(t, userFields(), `{"users":[{"name":"alexandra","id":1}],"mail":["a@b",{"c":12345}]}`)
	a, b := must(proofs.FormatPart(one[0])), must(proofs.FormatPart(two[0]))
	if !bytes.Equal(a, b) {
		t.Errorf("got %q and %q, want no difference", a, b)
	}
}
