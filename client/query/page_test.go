package query_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

// page returns the manual page of the language, and what stands in it between
// two lines, without the escapes of mdoc.
func page(t *testing.T, from, to string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "doc", "man", "cairn-query.7"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), from)
	text, _, ends := strings.Cut(rest, to)
	if !found || !ends {
		t.Fatalf("the page has nothing between %q and %q", from, to)
	}
	return strings.NewReplacer(`\e`, `\`, `\(dq`, `"`, `\&`, "").Replace(text)
}

// literals returns what is displayed as it is.
func literals(text string) (blocks []string) {
	for _, m := range regexp.MustCompile(`(?s)\.Bd -literal -offset indent\n(.*?)\.Ed`).FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

func TestTheQueriesOfThePageParse(t *testing.T) {
	blocks := literals(page(t, ".Sh DESCRIPTION", ".Ss Mistakes"))
	if len(blocks) != 4 {
		t.Errorf("got %d displays, want 4", len(blocks))
	}
	for _, line := range strings.Split(strings.TrimSpace(strings.Join(blocks, "")), "\n") {
		if _, err := query.Parse(line, noon()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestTheMistakesOfThePageAreShownSo(t *testing.T) {
	blocks := literals(page(t, ".Ss Mistakes", ".Sh COSTS"))
	if len(blocks) != 2 {
		t.Fatalf("got %d displays, want 2", len(blocks))
	}
	for _, block := range blocks {
		q, err := query.Parse(strings.TrimSpace(strings.Split(block, "\n")[1]), noon())
		if err == nil {
			err = query.CheckFields(q, []string{"account", "eventid"})
		}
		if err == nil || err.Error() != strings.TrimSpace(block) {
			t.Errorf("got\n%v\nwant\n%s", err, block)
		}
	}
}

// An example is a data set, its fields, and how many events of it queries find.
type example struct {
	set    string
	fields []proofs.Field
	finds  map[string]int
}

// examples returns those of the page.
func examples(t *testing.T) []example {
	windows, cloud, _ := strings.Cut(page(t, ".Sh EXAMPLES", ".Sh SEE ALSO"), "Of events of CloudTrail")
	list := []example{{set: "windows-persistence.zip"}, {set: "cloudtrail-s3-exfiltration.zip"}}
	for i, text := range []string{windows, cloud} {
		ex := &list[i]
		for _, m := range regexp.MustCompile(`--(?:field|subject) ([a-z]+)=(\S+)`).FindAllStringSubmatch(text, -1) {
			path, err := proofs.NormalizePath(m[2])
			if err != nil {
				t.Fatal(err)
			}
			ex.fields = append(ex.fields, proofs.Field{Number: uint16(len(ex.fields) + 1), Name: m[1], Path: path})
		}
		ex.finds = make(map[string]int)
		for _, m := range regexp.MustCompile(`(?m)^\.It Li (.*)\n.*: ([0-9]+) events?\b`).FindAllStringSubmatch(text, -1) {
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			ex.finds[m[1]] = n
		}
		if said := strings.Count(text, "\n.It "); len(ex.finds) != said || len(ex.fields) < 4 {
			t.Fatalf("of %d queries on %d fields the page says of %d how many events they find", said, len(ex.fields), len(ex.finds))
		}
	}
	return list
}

func TestTheExamplesOfThePageFindWhatItSays(t *testing.T) {
	sets := examples(t)
	if testing.Short() {
		sets = sets[1:] // the first has 40,569 events
	}
	for _, ex := range sets {
		x, err := proofs.NewExtractor(ex.fields)
		if err != nil {
			t.Fatal(err)
		}
		queries, got := make(map[string]*query.Query), make(map[string]int)
		var names []string
		for _, f := range ex.fields {
			names = append(names, f.Name)
		}
		for text := range ex.finds {
			if queries[text], err = query.Parse(text, noon()); err == nil {
				err = query.CheckFields(queries[text], names)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, event := range realEvents(t, ex.set, math.MaxInt) {
			values, err := x.Extract(event)
			if err != nil {
				t.Fatal(err)
			}
			d := &query.Document{Time: uint64(noon().UnixMicro()), Fields: make(map[string][]string), Payload: event}
			for _, v := range values {
				name := names[v.Number-1]
				d.Fields[name] = append(d.Fields[name], string(v.Value))
			}
			for text, q := range queries {
				if query.Match(q.Expr, d) {
					got[text]++
				}
			}
		}
		for text, want := range ex.finds {
			if got[text] != want {
				t.Errorf("%s finds %d events, want %d", text, got[text], want)
			}
		}
	}
}
