package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func FuzzParseBearer(f *testing.F) {
	b, err := newBearer(Writer, bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b.format())
	f.Add(strings.ToUpper(b.format()))
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := parseBearer(s); err == nil && b.format() != s {
			t.Fatalf("token %q is written again as %q", s, b.format())
		}
	})
}

// FuzzParseJWT holds what parses to its one form: the parts are base64 as it is
// written again, and nothing of them is there twice.
func FuzzParseJWT(f *testing.F) {
	encode := base64.RawURLEncoding.EncodeToString
	for _, header := range []string{`{"alg":"ES256","kid":"1"}`, `{"alg":"none"}`, `{"alg":"ES256","crit":[]}`, `{"alg":"ES256","typ":"logout+jwt"}`} {
		f.Add(encode([]byte(header)) + "." + encode([]byte(`{"iss":"a","aud":["b"],"exp":1}`)) + ".AAAA")
	}
	f.Add("a.b.c")
	f.Add("e30.\ne30.AA")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := parseJWT(raw)
		if err != nil {
			return
		}
		var again []string
		for part := range strings.SplitSeq(raw, ".") {
			data, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil {
				t.Fatalf("%q parses: %v", raw, err)
			}
			again = append(again, encode(data))
			if len(again) < 3 && proofs.CheckJSON(data) != nil {
				t.Fatalf("%q parses, and %q is no strict JSON", raw, data)
			}
		}
		if got := strings.Join(again, "."); got != raw || token.raw != raw {
			t.Fatalf("%q is written again as %q", raw, got)
		}
		if token.algorithm == "" {
			t.Fatalf("%q has no algorithm", raw)
		}
		_, _, _ = token.claims.time("exp")
		_, _ = token.claims.text("sub")
	})
}

// FuzzClaimValues compares with a reader that is not ours.
func FuzzClaimValues(f *testing.F) {
	f.Add(`{"groups":["a","b",1,null,true]}`, "groups")
	f.Add(`{"a":{"b/c":{"~":"x"}}}`, "/a/b~1c/~0")
	f.Add(`{"a":[["b"]]}`, "/a")
	f.Add(`{"":{"":false}}`, "//")
	f.Fuzz(func(t *testing.T, object, name string) {
		c, err := parseObject(base64.RawURLEncoding.EncodeToString([]byte(object)))
		if err != nil || checkClaim(name) != nil {
			return
		}
		var whole any
		if err := json.Unmarshal([]byte(object), &whole); err != nil {
			t.Fatal(err)
		}
		got := c.values(name)
		if want := reference(whole, name); !slices.Equal(got, want) {
			t.Fatalf("%s of %s: got %q, want %q", name, object, got, want)
		}
		if again := c.values(name); !slices.Equal(got, again) {
			t.Fatalf("%s of %s: got %q, and then %q", name, object, got, again)
		}
	})
}

// reference returns the values of a claim of an object that is whole in memory.
func reference(v any, name string) (values []string) {
	steps := []string{name}
	if strings.HasPrefix(name, "/") {
		steps = strings.Split(name[1:], "/")
		for i := range steps {
			steps[i] = strings.NewReplacer("~0", "~", "~1", "/").Replace(steps[i])
		}
	}
	for _, step := range steps {
		object, _ := v.(map[string]any)
		var ok bool
		if v, ok = object[step]; !ok {
			return nil
		}
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, v := range list[:min(len(list), maxValues)] {
		switch v := v.(type) {
		case string:
			values = append(values, v)
		case bool:
			values = append(values, map[bool]string{true: "true", false: "false"}[v])
		}
	}
	return values
}

// FuzzParseRevocations looks for panics and for lists that hold for ever.
func FuzzParseRevocations(f *testing.F) {
	f.Add([]byte("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"))
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRevocations(data)
		if err != nil {
			return
		}
		count := 0
		for _, lists := range r.byIssuer {
			for _, l := range lists {
				if count++; l.list.NextUpdate.IsZero() {
					t.Fatalf("%x holds for ever", data)
				}
			}
		}
		if count == 0 || count > maxLists {
			t.Fatalf("%x has %d lists", data, count)
		}
	})
}

// FuzzParseCertificates looks for panics and for files without a certificate.
func FuzzParseCertificates(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if all, err := parseCertificates(data); err == nil && len(all) == 0 {
			t.Fatalf("%q holds none", data)
		}
	})
}

// FuzzParseKeySet looks for keys that could sign, and for weak ones.
func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","alg":"ES256"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseKeySet(data)
		if err != nil {
			return
		}
		s := &keySet{keys: keys}
		for _, k := range keys {
			if !k.IsPublic() || !isStrong(k) {
				t.Fatalf("%s has the key %v", data, k)
			}
			for _, bad := range []string{"none", "HS256", ""} {
				if len(s.find(k.KeyID, bad)) > 0 {
					t.Fatalf("%s has a key for %q", data, bad)
				}
			}
		}
	})
}

func FuzzParseDiscovery(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://a.example","jwks_uri":"https://a.example/keys"}`), "https://a.example")
	f.Add([]byte(`{"issuer":"http://127.0.0.1:1","jwks_uri":"http://[::1]/keys"}`), "http://127.0.0.1:1")
	f.Fuzz(func(t *testing.T, data []byte, issuer string) {
		keys, err := parseDiscovery(data, issuer)
		if err == nil && !strings.HasPrefix(keys, "https://") && (strings.HasPrefix(issuer, "https:") || !strings.HasPrefix(keys, "http://")) {
			t.Fatalf("%s of %s leads to %q", data, issuer, keys)
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("web-*", "web-1")
	f.Add("*", "a")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p := Pattern(pattern)
		if p.check() != nil || !p.Match(text) {
			return
		}
		// What matches is the text itself, or goes on at the end of a word.
		if before, ok := strings.CutSuffix(pattern, "*"); pattern != text && (!ok || before != "" && isWord(before[len(before)-1]) || !strings.HasPrefix(text, before)) {
			t.Fatalf("%q matches %q", pattern, text)
		}
	})
}
