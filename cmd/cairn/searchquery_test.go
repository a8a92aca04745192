package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// More conditions and values than a proof takes are judged, but for those that it takes.
func TestWhatIsMoreThanAProofTakesIsJudged(t *testing.T) {
	fields := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("f%d:x", i))
		}
		return strings.Join(list, " ")
	}
	values := func(name string, n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("v%d", i))
		}
		return name + ":(" + strings.Join(list, " or ") + ")"
	}
	p := &program{clock: time.Now, env: func(string) string { return "" }}
	for text, want := range map[string][2]string{
		fields(16):                          {fields(16), "*"},
		values("a", 64):                     {values("a", 64), "*"},
		fields(17) + " word":                {fields(16), "f16:x word"},
		values("a", 65) + " b:c":            {"b:c", values("a", 65)},
		values("a", 40) + values(" b", 30):  {values("b", 30), values("a", 40)},
		fields(16) + values(" a", 2) + " w": {fields(16), values("a", 2) + " w"},
	} {
		asked, err := p.askedFor([]string{text}, searchFlags{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		proven := query.Provable{Last: math.MaxUint64}
		for i, term := range asked.Terms() {
			var any []query.Field
			for _, v := range term {
				any = append(any, query.Field{Name: v.Name, Op: query.Equal, Value: v.Value})
			}
			if i < len(asked.Fields) {
				proven.Fields = append(proven.Fields, any...)
			} else {
				proven.Any = append(proven.Any, any)
			}
		}
		if got := [2]string{query.Format(proven.Expr()), query.Format(asked.rest)}; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if _, err := p.askedFor([]string{values("a", 65)}, searchFlags{}); !command.IsUsage(err) {
		t.Errorf("65 values: got %v", err)
	}
}
