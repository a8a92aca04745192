package cmd

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNoPackageOfOursUsesCgo(t *testing.T) {
	eachOfOurs(listPackages(t), func(name string, p listed) {
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo in %v: what we ship is built without a C compiler, for any system", name, p.CgoFiles)
		}
	})
}

func TestEveryPackageHasAComment(t *testing.T) {
	eachOfOurs(listPackages(t), func(name string, p listed) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + path.Base(name) + " "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: its comment begins with %q, want %q: it says what the package is for", name, p.Doc, want)
		}
	})
}

func TestEveryPackageHasAnExampleThatRuns(t *testing.T) {
	eachOfOurs(listPackages(t), func(name string, p listed) {
		if p.Name == "main" || strings.Contains(name+"/", "/internal/") {
			return
		}
		paths, err := filepath.Glob(filepath.Join("..", name, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var files []*ast.File
		for _, path := range paths {
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		if !slices.ContainsFunc(doc.Examples(files...), func(e *doc.Example) bool { return e.Output != "" || e.EmptyOutput }) {
			t.Errorf("%s has no example with an output: its documentation must show how it is used, and go test must hold it to that", name)
		}
	})
}

func TestTheTopLevelHoldsNothingElse(t *testing.T) {
	allowed := []string{
		"client", "cmd", "ledger", "proofs", "storage", "testdata", "witness", "doc", ".ci",
		"go.mod", "go.sum", "README.md", "NEWS.md", "LICENSE", ".git", ".gitignore",
	}
	ignored, err := os.ReadFile("../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		isIgnored := slices.ContainsFunc(strings.Fields(string(ignored)), func(pattern string) bool {
			ok, err := path.Match(strings.Trim(pattern, "/"), e.Name())
			return ok && err == nil
		})
		if !isIgnored && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s lies at the top of the module, where only %s do", e.Name(), strings.Join(allowed, ", "))
		}
	}
}
