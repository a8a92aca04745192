package query

import (
	"slices"
	"strings"
)

// Reserved reports whether a name is a word of the language. A field that is
// declared with it is found by its path, and not by its name, or has a name that
// people take for an operator. The operators are reserved in any case, all other
// words as they are written.
func Reserved(name string) bool {
	_, unsearched := own(name)
	return unsearched || slices.Contains(ownNames(), name) || slices.Contains([]operator{and, or, not}, operator(strings.ToLower(name)))
}
