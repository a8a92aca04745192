package identity

import (
	"fmt"
	"strings"
)

// maxName is the most bytes of an identity's name.
const maxName = 255

// A Name is what an identity's name says.
type Name struct {
	Kind      Kind
	Authority string // of a certificate or an issuer's token: the name of its CA or issuer in the configuration
	Subject   string // who it is there: any bytes
}

// String returns the name as entries record it. What [ParseName] returned has
// that one form.
func (n Name) String() string {
	switch n.Kind {
	case ByCertificate:
		return "cert:" + n.Authority + ":" + escape(n.Subject)
	case ByIssuer:
		return "oidc:" + n.Authority + ":" + escape(n.Subject)
	}
	return n.Subject
}

// ParseName reads the name of an identity.
func ParseName(s string) (Name, error) {
	bad := fmt.Errorf("%q is no name of an identity", s)
	switch s {
	case localName:
		return Name{Kind: Locally, Subject: s}, nil
	case Nobody:
		return Name{Kind: ByNothing, Subject: s}, nil
	}
	kind, rest, ok := strings.Cut(s, ":")
	if !ok {
		if err := checkTokenName(s); err != nil {
			return Name{}, err
		}
		return Name{Kind: ByToken, Subject: s}, nil
	}
	authority, subject, ok := strings.Cut(rest, ":")
	n := Name{Authority: authority, Kind: map[string]Kind{"cert": ByCertificate, "oidc": ByIssuer}[kind]}
	if !ok || n.Kind == "" || checkAuthorityName(authority) != nil || len(s) > maxName {
		return Name{}, bad
	}
	if n.Subject, ok = unescape(subject); !ok || n.Subject == "" || n.String() != s {
		return Name{}, bad
	}
	return n, nil
}

// checkTokenName refuses what can be taken for another kind of identity.
func checkTokenName(s string) error {
	visible := func(c byte) bool { return isVisible(c) && c != ':' }
	if s == "" || len(s) > maxTokenName || !allBytes(s, visible) {
		return fmt.Errorf("a token's name has 1 to %d visible ASCII characters, none of them a colon", maxTokenName)
	}
	return nil
}

const (
	maxTokenName     = 128
	maxAuthorityName = 32
)

func checkAuthorityName(s string) error {
	plain := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' }
	if s == "" || len(s) > maxAuthorityName || !allBytes(s, plain) {
		return fmt.Errorf("name: %q has not 1 to %d of a-z, 0-9 and -", s, maxAuthorityName)
	}
	return nil
}

func isVisible(c byte) bool { return c > ' ' && c <= '~' }

// escape writes bytes that are not visible, and percent signs, as %XX.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; isVisible(c) && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescape reads what escape writes.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		high, low := strings.IndexByte(upperHex, s[i+1]), strings.IndexByte(upperHex, s[i+2])
		if high < 0 || low < 0 {
			return "", false
		}
		b.WriteByte(byte(high<<4 | low))
		i += 2
	}
	return b.String(), true
}

const upperHex = "0123456789ABCDEF"

func allBytes(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
