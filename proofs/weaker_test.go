package proofs_test

import (
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestWhatSettingsTakeFromAStream(t *testing.T) {
	classes := map[uint16]proofs.ClassBody{1: {Class: 1, Days: 30}, 2: {Class: 2, Days: 29}, 3: {Class: 3, Days: 31}, 4: {Class: 4}, 5: {Class: 5, Days: 30}}
	class := func(n uint16) (proofs.ClassBody, bool) { c, ok := classes[n]; return c, ok }
	user, place := proofs.FieldBody{Number: 1, Subject: true}, proofs.FieldBody{Number: 2}
	was := proofs.StreamBody{Stream: 1, Class: 1, Reason: true, Split: true, Fields: []proofs.FieldBody{user, place}}
	for _, row := range []struct {
		name   string
		change func(*proofs.StreamBody)
		want   string // empty: nothing
	}{
		{"nothing", func(s *proofs.StreamBody) {}, ""},
		{"a class that keeps for less", func(s *proofs.StreamBody) { s.Class = 2 }, "class 2, which keeps entries for less time than class 1"},
		{"a class that keeps for longer", func(s *proofs.StreamBody) { s.Class = 3 }, ""},
		{"a class that keeps for ever", func(s *proofs.StreamBody) { s.Class = 4 }, ""},
		{"a class that keeps for as long", func(s *proofs.StreamBody) { s.Class = 5 }, ""},
		{"a class that nobody has set", func(s *proofs.StreamBody) { s.Class = 6 }, "class 6, which no entry has set"},
		{"no reason", func(s *proofs.StreamBody) { s.Reason = false }, "read without a reason"},
		{"no parts", func(s *proofs.StreamBody) { s.Split = false }, "in parts any more"},
		{"without whom it names", func(s *proofs.StreamBody) { s.Fields = s.Fields[1:] }, "field 1"},
		{"without another field", func(s *proofs.StreamBody) { s.Fields = s.Fields[:1] }, "field 2"},
		{"a field that names nobody any more", func(s *proofs.StreamBody) { s.Fields = []proofs.FieldBody{{Number: 1}, place} }, "field 1"},
		{"one more field", func(s *proofs.StreamBody) {
			s.Fields = []proofs.FieldBody{user, place, {Number: 3, Subject: true}}
		}, ""},
		{"the end of it", func(s *proofs.StreamBody) { s.Closed = true }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			next := was
			row.change(&next)
			got := next.Weakens(was, class)
			if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
	if forEver := (proofs.StreamBody{Stream: 1, Class: 4}); (proofs.StreamBody{Stream: 1, Class: 3}).Weakens(forEver, class) == "" {
		t.Error("any time is as long as for ever")
	}
}
