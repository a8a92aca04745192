package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// maxJWT is the most bytes of an issuer's token: more than any header holds
// beside it.
const maxJWT = 12 << 10

// A jwt is a token of an issuer (RFC 7519) as it was read. Nothing of it is
// believed before its signature is checked.
type jwt struct {
	raw       string
	algorithm string
	key       string // the ID of the key; empty: not given
	claims    claims
}

var errNotJWT = errors.New("it is not a signed JSON web token")

// parseJWT reads a token strictly: in its compact form, with JSON in which no
// name is there twice, and without a header that changes what is signed.
func parseJWT(raw string) (*jwt, error) {
	if len(raw) > maxJWT {
		return nil, fmt.Errorf("it has more than %d bytes", maxJWT)
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || parts[2] == "" || !allBytes(raw, inJWT) {
		return nil, errNotJWT
	}
	header, err := parseObject(parts[0])
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(parts[2]); err != nil {
		return nil, errNotJWT
	}
	t := &jwt{raw: raw}
	if t.claims, err = parseObject(parts[1]); err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	if err := t.readHeader(header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return t, nil
}

// inJWT reports whether a character can be in a token. Decoders of base64 pass
// over line breaks.
func inJWT(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// readHeader takes from a header what we use. Keys that it brings along are
// nothing to us.
func (t *jwt) readHeader(header claims) (err error) {
	if t.algorithm, err = header.text("alg"); err != nil || t.algorithm == "" {
		return errors.New("it needs an algorithm")
	}
	if t.key, err = header.text("kid"); err != nil {
		return err
	}
	kind, err := header.text("typ")
	if err != nil {
		return err
	}
	// A token of another type is no answer to who asks (RFC 8725 §3.11).
	if kind = strings.TrimPrefix(strings.ToLower(kind), "application/"); !slices.Contains([]string{"", "jwt", "at+jwt"}, kind) {
		return fmt.Errorf("the type %q is none of an identity", kind)
	}
	for _, name := range []string{"crit", "b64", "zip"} {
		if _, ok := header[name]; ok {
			return fmt.Errorf("%q is not known here", name)
		}
	}
	return nil
}

// claims are the members of a JSON object.
type claims map[string]json.RawMessage

// registered returns the claims that we and the library read. The library does
// not mind the case of their names, so it must not matter.
func registered() []string {
	return []string{"iss", "sub", "aud", "exp", "nbf", "iat", "cnf", "email", "email_verified", "alg", "kid", "typ", "crit"}
}

// parseObject reads a JSON object in base64.
func parseObject(part string) (claims, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errNotJWT
	}
	if err := proofs.CheckJSON(data); err != nil {
		return nil, err
	}
	var c claims
	if err := json.Unmarshal(data, &c); err != nil || c == nil {
		return nil, errNotJWT
	}
	for name := range c {
		for _, known := range registered() {
			if name != known && strings.EqualFold(name, known) {
				return nil, fmt.Errorf("the name %q is another spelling of %q", name, known)
			}
		}
	}
	return c, nil
}

// text returns a claim that is a string; empty: it is not there.
func (c claims) text(name string) (s string, err error) {
	raw, ok := c[name]
	if !ok {
		return "", nil
	}
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil || s == "" {
		return "", fmt.Errorf("%q is no text", name)
	}
	return s, nil
}

// time returns a claim that is a time (RFC 7519 §2, NumericDate), and whether
// it is there.
func (c claims) time(name string) (t time.Time, ok bool, err error) {
	raw, ok := c[name]
	if !ok {
		return t, false, nil
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > maxTime {
		return t, true, fmt.Errorf("%q is no time", name)
	}
	return time.Unix(int64(seconds), 0), true, nil
}

// maxTime is the last second of the year 9999.
const maxTime = 253402300799

// isTrue reports whether a claim is true.
func (c claims) isTrue(name string) bool { return string(c[name]) == "true" }
