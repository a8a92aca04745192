package proofs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestNormalizePath(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"the canonical form stays", "$.userIdentity.arn", "$.userIdentity.arn"},
		{"the whole event stays", "$", "$"},
		{"a bare name is a member", "EventID", "$.EventID"},
		{"bare names may be joined", "userIdentity.arn", "$.userIdentity.arn"},
		{"a bare name gets quotes if it needs them", "@timestamp", "$['@timestamp']"},
		{"so does one after a point", "$.@timestamp.x-y", "$['@timestamp']['x-y']"},
		{"so does one that begins with a digit", "a.1st", "$.a['1st']"},
		{"a bare name may begin with $", "$schema", "$['$schema']"},
		{"a bare bracket follows the event", "[0].id", "$[0].id"},
		{"brackets may follow bare names", "a[0]['b'].c", "$.a[0].b.c"},
		{"double quotes become single", `$["it's"]`, `$['it\'s']`},
		{"quotes that are not needed go", `$['a']["b"]`, "$.a.b"},
		{"a double quote needs no escape", `$["a\"b"]`, `$['a"b']`},
		{"a single quote may be escaped", `$['a\'b']`, `$['a\'b']`},
		{"escapes become the shortest", `$["\u000a\u0008\u001F\/\\\u0041\t"]`, `$['\n\b\u001f/\\A\t']`},
		{"a surrogate pair becomes its character", `$['\ud83d\ude00']`, "$.😀"},
		{"blanks within brackets go", "$[ 'a' ][\t*\n][ 0 ]", "$.a[*][0]"},
		{"the short wildcard gets brackets", "$.a.*", "$.a[*]"},
		{"the empty name is quoted", "$['']", "$['']"},
		{"names beyond ASCII need no quotes", "größe.日本", "$.größe.日本"},
		{"an index may be zero", "$[0]", "$[0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := proofs.NormalizePath(c.path)
			if err != nil || got != c.want {
				t.Errorf("%s: got %s, %v, want %s", c.path, got, err, c.want)
			}
			if _, err := proofs.ParsePath(got); err != nil {
				t.Errorf("the normalized path does not parse: %v", err)
			}
			_, err = proofs.ParsePath(c.path)
			wantEqual(t, "is canonical", err == nil, c.path == c.want)
		})
	}
}

func TestNormalizePathRefuses(t *testing.T) {
	for _, c := range []struct{ name, path string }{
		{"nothing", ""},
		{"a point alone", "."},
		{"a point at the end", "a."},
		{"two points", "a..b"},
		{"descendants of the event", "$..a"},
		{"a blank in a bare name", "user name"},
		{"a quote in a bare name", "it's"},
		{"a wildcard within a bare name", "a*"},
		{"a filter", "$[?(@.a)]"},
		{"a slice", "$[1:2]"},
		{"a union", "$['a','b']"},
		{"a negative index", "$[-1]"},
		{"an index with a plus", "$[+1]"},
		{"an index with a zero in front", "$[01]"},
		{"an index that is no integer", "$[1.5]"},
		{"an empty bracket", "$[]"},
		{"something between brackets", "$['a']b"},
		{"a bracket that is never closed", "$['a'"},
		{"an unknown escape", `$['\x41']`},
		{"an escaped double quote in single quotes", `$['\"']`},
		{"an escape that is cut off", `$['\u00`},
		{"half of a surrogate pair", `$['\ud83d']`},
		{"a newline in quotes", "$['\n']"},
		{"a control character in a bare name", "a\x01"},
		{"bytes that are not UTF-8", "a\xff"},
		{"more than 512 bytes when it is canonical", strings.Repeat("a", 511)},
		{"far more than 512 bytes", strings.Repeat("a", 1<<20)},
		{"more than 32 steps", strings.Repeat("a.", 32) + "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := proofs.NormalizePath(c.path)
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got %q, %v", got, err)
			}
			if len(err.Error()) > 4*proofs.MaxPath {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestFormatPathRefusesWhatIsNoStep(t *testing.T) {
	for _, s := range []proofs.Step{
		{}, {Kind: 4}, {Kind: proofs.Element, Index: -1}, {Kind: proofs.Element, Index: 1e9}, {Kind: proofs.Member, Name: "\xff"},
	} {
		if got, err := proofs.FormatPath(proofs.Path{s}); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%+v: got %q, %v", s, got, err)
		}
	}
}

// FuzzPath holds that what parses re-formats to the same bytes, and that
// normalizing gives what parses, to the same steps.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"$", "$.a[*][0]['@b']", `$["\u0041\ud83d\ude00"]`, "userIdentity.arn", `$['it\'s']`, "$[ 1 ]"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if p, err := proofs.ParsePath(path); err == nil {
			wantEqual(t, "formatted again", must(proofs.FormatPath(p)), path)
			wantEqual(t, "normalized", must(proofs.NormalizePath(path)), path)
		}
		normal, err := proofs.NormalizePath(path)
		if err != nil {
			return
		}
		p, err := proofs.ParsePath(normal)
		if err != nil {
			t.Fatalf("%q became %q: %v", path, normal, err)
		}
		wantEqual(t, "formatted again", must(proofs.FormatPath(p)), normal)
	})
}
