package searchtest

import (
	"math/rand/v2"
	"strings"
)

// words makes n different words of the letters a to z that can be spoken.
func words(random *rand.PCG, n int) []string {
	heads := strings.Fields("b c d f g h j k l m n p r s t v w z b c d f g k l m n r s t br ch cl dr gl pr sh st th tr")
	vowels := strings.Fields("a a a a e e e e e i i i o o o u u ai ea ou")
	tails := append(strings.Fields("n r s t l m n st"), "", "", "", "")
	made := make([]string, 0, n)
	seen := make(map[string]bool, n)
	var b strings.Builder
	for len(made) < n {
		b.Reset()
		for range 2 + below(random, 4)/3 {
			b.WriteString(heads[below(random, len(heads))])
			b.WriteString(vowels[below(random, len(vowels))])
		}
		b.WriteString(tails[below(random, len(tails))])
		if w := b.String(); !seen[w] {
			seen[w] = true
			made = append(made, w)
		}
	}
	return made
}
