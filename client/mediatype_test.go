package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
)

func TestMediaTypesHaveOneSpelling(t *testing.T) {
	for _, tt := range []struct {
		given, want string // want empty: it is refused
		json        bool
	}{
		{"", "application/json", true},
		{"application/json", "application/json", true},
		{"Application/JSON", "application/json", true},
		{" application/json ; charset=UTF-8", "application/json", true},
		{`application/json; Profile="x"; Charset="utf-8"`, "application/json; profile=x", true},
		{"application/cloudevents+json", "application/cloudevents+json", true},
		{"Application/CloudEvents+JSON;b=2 ;A=1", "application/cloudevents+json; a=1; b=2", true},
		{"application/x-ndjson; charset=utf-8", "application/x-ndjson", false},
		{"text/plain; charset=ISO-8859-1", "text/plain; charset=ISO-8859-1", false},
		{"text/json", "text/json", false},
		{"application/jsonp", "application/jsonp", false},
		{`text/plain; x="a b"`, `text/plain; x="a b"`, false},
		{"application/json; charset=utf-16", "", true},
		{"application/x-ndjson; charset=utf-16", "", false},
		{"application/json; charset", "", true},
		{"+json", "", false},
		{"application/+json", "application/+json", false},
		{"/x+json", "", false},
		{"json", "", false},
		{"application/json, text/plain", "", false},
		{"application/json; a=1; a=2", "", false},
		{"text/" + strings.Repeat("x", 251), "", false},
		{"text/plain\n", "text/plain", false},
		{"text/pl\nain", "", false},
	} {
		got, err := client.NormalizeMediaType(tt.given)
		var p *client.Problem
		if got != tt.want || (err == nil) != (tt.want != "") || err != nil && (!errors.As(err, &p) || p.Code() != client.UnsupportedType) {
			t.Errorf("%q: got %q and error %v, want %q", tt.given, got, err, tt.want)
		}
		if json := client.IsJSON(tt.given); json != tt.json {
			t.Errorf("%q: it is JSON: %v, want %v", tt.given, json, tt.json)
		}
	}
}

func FuzzNormalizeMediaType(f *testing.F) {
	for _, s := range []string{"application/json; charset=utf-8", `text/plain; x="a\"b"; y*=utf-8''%e2%82%ac`, "a/b;c*0=d;c*1=e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, given string) {
		once, err := client.NormalizeMediaType(given)
		if err != nil {
			return
		}
		if again, err := client.NormalizeMediaType(once); again != once || err != nil {
			t.Errorf("%q becomes %q, and that %q, %v", given, once, again, err)
		}
		if client.IsJSON(given) != client.IsJSON(once) {
			t.Errorf("%q is JSON: %v, and as %q it is %v", given, client.IsJSON(given), once, client.IsJSON(once))
		}
	})
}
