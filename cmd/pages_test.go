package cmd

import (
	"path/filepath"
	"regexp"
	"testing"
)

// TestNoHeadingLosesAWord finds words that mdoc takes for macros: it would not
// show them. They are written with \& before them.
func TestNoHeadingLosesAWord(t *testing.T) {
	pages, err := filepath.Glob("../doc/man/*.[1-8]")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		for _, m := range regexp.MustCompile(`(?m)^\.S[hs] (?:.* )?([A-Z][a-z0-9])(?: .*)?$`).FindAllStringSubmatch(readDoc(t, page), -1) {
			t.Errorf("%s: %q: write \\&%s, or it is a macro and not shown", page, m[0], m[1])
		}
	}
}
