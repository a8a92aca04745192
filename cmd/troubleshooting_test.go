package cmd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const troubleshootingPage = "../doc/man/cairn-troubleshooting.7"

// sourceTexts returns every text in the code below directories, but not that
// of tests, with dots for what is put in at run time.
func sourceTexts(t *testing.T, roots ...string) map[string]bool {
	t.Helper()
	texts := make(map[string]bool)
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if x, ok := n.(ast.Expr); ok {
					if text := textOf(x); text != dots {
						texts[text] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

const dots = "..."

var verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(\.[0-9]+)?[a-zA-Z]`)

// textOf returns the text of an expression as the pages quote it.
func textOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(x.Value); err == nil && x.Kind == token.STRING {
			return verb.ReplaceAllString(s, dots)
		}
	case *ast.BinaryExpr:
		if x.Op == token.ADD {
			return textOf(x.X) + textOf(x.Y)
		}
	}
	return dots
}

// unescape returns the text that mdoc shows for a line's rest.
func unescape(s string) string {
	return strings.NewReplacer(`\(dq`, `"`, `\(aq`, `'`, `\&`, ``, `\-`, `-`).Replace(s)
}

func TestQuotedMessagesOccurInTheSource(t *testing.T) {
	texts := sourceTexts(t, "../client", "../cmd", "../ledger", "../proofs", "../storage", "../witness")
	occurs := func(message string) bool {
		for text := range texts {
			if strings.Contains(text, message) {
				return true
			}
		}
		return false
	}
	page := readDoc(t, troubleshootingPage)
	quoted := regexp.MustCompile(`(?m)^\.(?:It )?Qq (.+?)(?: \.)?$`).FindAllStringSubmatch(page, -1)
	if len(quoted) < 50 {
		t.Errorf("found %d messages in cairn-troubleshooting(7), want more than 50", len(quoted))
	}
	for _, m := range quoted {
		if message := unescape(m[1]); !occurs(message) {
			t.Errorf("cairn-troubleshooting(7) quotes %q, which nothing in the source says", message)
		}
	}
	queries := regexp.MustCompile(`-g (?:'([^']+)'|"([^"]+)")`).FindAllStringSubmatch(unescape(page), -1)
	if len(queries) < 5 {
		t.Errorf("found %d queries of the journal in cairn-troubleshooting(7), want more than 5", len(queries))
	}
	for _, m := range queries {
		for message := range strings.SplitSeq(m[1]+m[2], "|") {
			if message != "0123456789ab-42" && !occurs(message) {
				t.Errorf("cairn-troubleshooting(7) looks for %q, which nothing in the source says", message)
			}
		}
	}
}

func TestEveryKindOfFindingIsExplained(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../proofs/audit/finding.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if of, ok := v.Type.(*ast.Ident); ok && of.Name == "FindingKind" {
				kinds[textOf(v.Values[0])] = true
			}
		}
		return true
	})
	_, section, _ := strings.Cut(readDoc(t, troubleshootingPage), ".Ss Findings of an audit\n")
	section, _, _ = strings.Cut(section, "\n.Sh ")
	explained := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\.It Cm (.+)$`).FindAllStringSubmatch(section, -1) {
		for kind := range strings.SplitSeq(m[1], " , ") {
			explained[kind] = true
		}
	}
	want := slices.Sorted(maps.Keys(kinds))
	if got := slices.Sorted(maps.Keys(explained)); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("cairn-troubleshooting(7) explains\n%q, want\n%q", got, want)
	}
}
