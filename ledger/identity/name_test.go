package identity_test

import (
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/identity"
)

func TestNamesSayWhoVouches(t *testing.T) {
	for text, want := range map[string]identity.Name{
		"alice@example.com":                      {Kind: identity.ByToken, Subject: "alice@example.com"},
		"cert:fleet:spiffe://example.org/ns/web": {Kind: identity.ByCertificate, Authority: "fleet", Subject: "spiffe://example.org/ns/web"},
		"cert:fleet:CN=Web%20Server%201":         {Kind: identity.ByCertificate, Authority: "fleet", Subject: "CN=Web Server 1"},
		"oidc:corp:100%25":                       {Kind: identity.ByIssuer, Authority: "corp", Subject: "100%"},
		"oidc:corp:z%C3%BC%1B[2J":                {Kind: identity.ByIssuer, Authority: "corp", Subject: "zü\x1b[2J"},
		"oidc:corp:cert:fleet:CN=x":              {Kind: identity.ByIssuer, Authority: "corp", Subject: "cert:fleet:CN=x"},
		"local operator":                         {Kind: identity.Locally, Subject: "local operator"},
		"nobody known":                           {Kind: identity.ByNothing, Subject: identity.Nobody},
	} {
		got, err := identity.ParseName(text)
		if err != nil || got != want {
			t.Errorf("%s: got %+v and error %v, want %+v", text, got, err, want)
		}
		if back := want.String(); back != text {
			t.Errorf("%+v: got %q, want %q", want, back, text)
		}
	}
}

func TestOtherNamesAreNone(t *testing.T) {
	for what, text := range map[string]string{
		"empty": "", "with a space": "a b", "of a kind that there is not": "ldap:corp:alice", "without a subject": "oidc:corp:",
		"without an authority": "oidc::alice", "of an authority in capitals": "oidc:Corp:alice", "without a second colon": "oidc:corp",
		"with an escape that is not needed": "oidc:corp:%61", "with an escape in small letters": "oidc:corp:%c3", "with half an escape": "oidc:corp:a%2",
		"with a byte that must be escaped": "oidc:corp:a b", "too long": "oidc:corp:" + strings.Repeat("a", 250), "of the local operator's kind": "local Operator",
	} {
		if n, err := identity.ParseName(text); err == nil {
			t.Errorf("a name %s: got %+v", what, n)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"alice", "cert:fleet:CN=a%20b", "oidc:corp:a:b", "local operator", "oidc:corp:%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := identity.ParseName(s)
		if err != nil {
			return
		}
		if got := n.String(); got != s {
			t.Fatalf("%q is written again as %q", s, got)
		}
	})
}

// FuzzNamesOfTwoAreNotOne looks for two subjects with one name.
func FuzzNamesOfTwoAreNotOne(f *testing.F) {
	f.Add("corp", "a:b", "corp", "a%3Ab", true)
	f.Add("corp", "a b", "corp", "a%20b", true)
	f.Fuzz(func(t *testing.T, authority, subject, other, another string, issuer bool) {
		kind := identity.ByCertificate
		if issuer {
			kind = identity.ByIssuer
		}
		a := identity.Name{Kind: identity.ByIssuer, Authority: authority, Subject: subject}
		b := identity.Name{Kind: kind, Authority: other, Subject: another}
		for _, n := range []identity.Name{a, b} {
			if back, err := identity.ParseName(n.String()); err != nil || back != n {
				return // no configuration has such an authority
			}
		}
		if a != b && a.String() == b.String() {
			t.Fatalf("%+v and %+v are both %q", a, b, a)
		}
	})
}
