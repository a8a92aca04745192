package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
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

type joinVector struct {
	formatVerdict
	Parts []hexBytes `json:"parts"`
	Event string     `json:"event"`
	Gaps  []uint32   `json:"gaps"`
}

func TestJoinVectors(t *testing.T) {
	for _, v := range readFormatVectors[joinVector](t, "join") {
		t.Run(v.Name, func(t *testing.T) {
			var parts []proofs.Part
			for _, b := range v.Parts {
				parts = append(parts, must(proofs.ParsePart(b)))
			}
			got, err := proofs.JoinParts(parts)
			v.hold(t, err)
			if v.Verdict == "ok" && (string(got.Data) != v.Event || !slices.Equal(got.Gaps, v.Gaps)) {
				t.Errorf("got %s with gaps %v, want %s with gaps %v", got.Data, got.Gaps, v.Event, v.Gaps)
			}
		})
	}
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

func TestJoinAndCutRefusePartsThatAreNotOfOneEvent(t *testing.T) {
	const event = `{"users":[{"name":"alice"},{"name":"bob"}],"mail":"m"}`
	x := must(proofs.NewExtractor(userFields()))
	p := proofs.Part{Data: []byte(event), IdempotencyKey: "k", Signature: []byte("s"), Fields: []proofs.GivenField{
		{Name: "user", Value: []byte("alice")}, {Name: "user", Value: []byte("bob")}}}
	made := func() []proofs.Part { return must(x.Split(p)) }
	if parts := made(); len(parts) != 4 {
		t.Fatalf("got %d parts", len(parts))
	}
	for _, test := range []struct {
		name   string
		change func([]proofs.Part) []proofs.Part
	}{
		{"no part", func([]proofs.Part) []proofs.Part { return nil }},
		{"no first part", func(p []proofs.Part) []proofs.Part { return p[1:] }},
		{"a part twice", func(p []proofs.Part) []proofs.Part { return append(p, p[1]) }},
		{"two first parts", func(p []proofs.Part) []proofs.Part { return append(p, p[0]) }},
		{"a whole event behind", func(p []proofs.Part) []proofs.Part { return append(p, proofs.Part{Data: []byte("1")}) }},
		{"a media type in a further part", func(p []proofs.Part) []proofs.Part { p[1].MediaType = "x"; return p }},
		{"an appender in a further part", func(p []proofs.Part) []proofs.Part { p[1].Appender = "x"; return p }},
		{"two idempotency keys", func(p []proofs.Part) []proofs.Part { p[1].IdempotencyKey = "x"; return p }},
		{"a source in a further part", func(p []proofs.Part) []proofs.Part { p[1].Source = "x"; return p }},
		{"two signatures", func(p []proofs.Part) []proofs.Part { p[0].Signature = []byte("s"); return p }},
		{"given fields without places", func(p []proofs.Part) []proofs.Part { p[1].Places = nil; return p }},
		{"given fields in one place", func(p []proofs.Part) []proofs.Part { p[1].Places[0] = p[2].Places[0]; return p }},
		{"a piece of a gap that is not there", func(p []proofs.Part) []proofs.Part { p[2].Pieces[0].Gap = 7; return p }},
		{"a piece that is longer than the data", func(p []proofs.Part) []proofs.Part { p[2].Pieces[0].Length++; return p }},
		{"a piece that is no JSON", func(p []proofs.Part) []proofs.Part { p[1].Data[0] = 'x'; return p }},
		{"a gap where no null stands", func(p []proofs.Part) []proofs.Part { p[0].Gaps[0]++; return p }},
		{"a gap behind the end", func(p []proofs.Part) []proofs.Part { p[0].Gaps[2] = 1 << 31; return p }},
		{"gaps that do not rise", func(p []proofs.Part) []proofs.Part { p[0].Gaps[1] = p[0].Gaps[0]; return p }},
	} {
		if whole, err := proofs.JoinParts(test.change(made())); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %+v, %v, want %v", test.name, whole, err, proofs.ErrMalformed)
		}
	}
	for _, test := range []struct {
		name, event string
		change      func([]proofs.Part) []proofs.Part
	}{
		{"no part", event, func([]proofs.Part) []proofs.Part { return nil }},
		{"a part that is missing", event, func(p []proofs.Part) []proofs.Part { return p[:2] }},
		{"a part twice", event, func(p []proofs.Part) []proofs.Part { return append(p, p[1]) }},
		{"a piece of a gap that is not there", event, func(p []proofs.Part) []proofs.Part { p[2].Pieces[0].Gap = 7; return p }},
		{"an event that is too short", event[:9], func(p []proofs.Part) []proofs.Part { return p }},
		{"a piece that is longer than the event", event, func(p []proofs.Part) []proofs.Part { p[1].Pieces[0].Length = 1<<32 - 1; return p }},
		{"gaps that do not rise", event, func(p []proofs.Part) []proofs.Part { p[0].Gaps[1] = 0; return p }},
		{"pieces in the first part", event, func(p []proofs.Part) []proofs.Part { return p[1:] }},
		{"a piece of a gap that no number is for", event, func(p []proofs.Part) []proofs.Part { p[1].Pieces[0].Gap = 1 << 31; return p }},
	} {
		if parts, err := proofs.CutParts(test.change(made()), []byte(test.event)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("cut: %s: got %+v, %v, want %v", test.name, parts, err, proofs.ErrMalformed)
		}
	}
}

// The other events of the heads are cut too: what is cut is not what was bound.
func TestCutPartsOfAnotherEventDiffer(t *testing.T) {
	parts := split(t, userFields(), `{"users":[{"name":"alice"}],"mail":"m"}`)
	for _, other := range []string{`{"users":[{"name":"alicf"}],"mail":"m"}`, `{"users":[{"name":"alice"}],"mail":"m" }`} {
		if cut, err := proofs.CutParts(parts, []byte(other)); err == nil && reflect.DeepEqual(normals(cut), normals(parts)) {
			t.Errorf("%s: got the same parts", other)
		}
	}
}

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

// FuzzJoinParts joins what a ledger may hand out.
func FuzzJoinParts(f *testing.F) {
	parts := split(f, userFields(), `{"users":[{"name":"alice"},{"name":"bob"}],"mail":"m"}`)
	for _, p := range parts[1:] {
		f.Add(must(proofs.FormatPart(parts[0])), must(proofs.FormatPart(p)))
	}
	f.Fuzz(func(t *testing.T, first, further []byte) {
		var parts, heads []proofs.Part
		for _, b := range [][]byte{first, further} {
			p, err := proofs.ParsePart(b)
			if err != nil {
				return
			}
			p.Data = bytes.Clone(p.Data)
			parts = append(parts, p)
			p.Data = nil
			heads = append(heads, p)
		}
		whole, err := proofs.JoinParts(parts)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if _, err := proofs.FormatPart(whole); err != nil && len(whole.Subjects) == 0 && len(whole.Fields) == 0 {
			t.Fatalf("the whole can't be written: %v", err)
		}
		if len(whole.Gaps) > 0 {
			return
		}
		cut, err := proofs.CutParts(heads, whole.Data)
		if err != nil || !reflect.DeepEqual(normals(cut), normals(parts)) {
			t.Fatalf("cut: got %+v, %v, want %+v", cut, err, parts)
		}
	})
}
