package trillian_test

import (
	"testing"

	"github.com/cairnlog/cairn/storage/trillian"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     trillian.Address
	}{
		{"a name", "trillian://log.example.com:8090/7", trillian.Address{Host: "log.example.com", Port: 8090, Tree: 7}},
		{"an IPv4 address", "trillian://127.0.0.1:1/9223372036854775807", trillian.Address{Host: "127.0.0.1", Port: 1, Tree: 1<<63 - 1}},
		{"an IPv6 address", "trillian://[::1]:65535/1", trillian.Address{Host: "::1", Port: 65535, Tree: 1}},
	} {
		got, err := trillian.ParseAddress(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	for _, c := range []struct{ name, in string }{
		{"nothing", ""},
		{"another scheme", "http://localhost:1/1"},
		{"no tree", "trillian://localhost:1"},
		{"an empty tree", "trillian://localhost:1/"},
		{"tree zero", "trillian://localhost:1/0"},
		{"a negative tree", "trillian://localhost:1/-1"},
		{"a tree above 2^63-1", "trillian://localhost:1/9223372036854775808"},
		{"a leading zero", "trillian://localhost:1/01"},
		{"a sign", "trillian://localhost:1/+1"},
		{"no port", "trillian://localhost/1"},
		{"port zero", "trillian://localhost:0/1"},
		{"a named port", "trillian://localhost:http/1"},
		{"no host", "trillian://:1/1"},
		{"an upper-case name", "trillian://Localhost:1/1"},
		{"an IPv6 address that is not canonical", "trillian://[0:0::1]:1/1"},
		{"an IPv6 address without brackets", "trillian://::1:1/1"},
		{"a query", "trillian://localhost:1/1?x"},
		{"a user", "trillian://a@localhost:1/1"},
		{"a trailing slash", "trillian://localhost:1/1/"},
	} {
		if got, err := trillian.ParseAddress(c.in); err == nil {
			t.Errorf("%s: %q parsed as %+v", c.name, c.in, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("trillian://log.example.com:8090/7")
	f.Add("trillian://[::1]:1/1")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := trillian.ParseAddress(s)
		if err == nil && a.String() != s {
			t.Errorf("%q parses and formats to %q", s, a)
		}
	})
}
