package identity_test

import (
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/identity"
)

func TestPatternMeansOneTextOrABeginning(t *testing.T) {
	for _, c := range []struct {
		pattern identity.Pattern
		text    string
		want    bool
	}{
		{"web-1", "web-1", true}, {"web-1", "web-10", false}, {"web-1", "WEB-1", false}, {"web-1", "", false},
		{"web-*", "web-10", true}, {"web-*", "web-", false}, {"web-*", "xweb-1", false},
		{"spiffe://example.org/ns/*", "spiffe://example.org/ns/web", true}, {"spiffe://example.org/ns/*", "spiffe://example.org/nsx", false},
		{"*", "anybody", true}, {"*", "", false}, {"", "", false},
	} {
		if got := c.pattern.Match(c.text); got != c.want {
			t.Errorf("%q matches %q: got %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

func TestPatternsThatMeanTooMuchAreRefused(t *testing.T) {
	for _, p := range []identity.Pattern{"", "**", "a*b", "*a", "spiffe://example.org*", "web1*", "zü*", identity.Pattern(strings.Repeat("a", 1025))} {
		c := clientCA("fleet", "ca.pem")
		c.ClientCAs[0].Grants[0].CommonName = p
		if err := c.Check(); err == nil {
			t.Errorf("%.20q is taken", p)
		}
	}
	for _, p := range []identity.Pattern{"*", "a", "web-*", "spiffe://example.org/*", "a@*"} {
		c := clientCA("fleet", "ca.pem")
		c.ClientCAs[0].Grants[0].CommonName = p
		if err := c.Check(); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}
