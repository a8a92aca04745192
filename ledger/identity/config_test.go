package identity_test

import (
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/cairnlog/cairn/ledger/identity"
)

// clientCA returns a configuration with one client CA, which gives "web" the
// right to append.
func clientCA(name, file string) identity.Config {
	return identity.Config{ClientCAs: []identity.CA{{Name: name, Certificates: file, Grants: []identity.CertificateGrant{
		{CommonName: "web", Role: identity.Writer, Streams: []string{"web"}},
	}}}}
}

// issuer returns a configuration with one issuer, which gives readers and
// auditors their rights by the groups they are in.
func issuer(url string) identity.Config {
	return identity.Config{Issuers: []identity.Issuer{{Name: "corp", URL: url, Audience: "cairn", Grants: []identity.ClaimGrant{
		{Claim: "groups", Value: "readers", Role: identity.Reader, Streams: []string{"web"}},
		{Claim: "groups", Value: "auditors", Role: identity.Auditor},
		{Claim: "groups", Value: "writers", Role: identity.Writer, Streams: []string{"web"}},
	}}}}
}

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	const url = "https://login.example.com"
	for name, c := range map[string]struct {
		change func(*identity.Config)
		want   string
	}{
		"a CA without a name":       {func(c *identity.Config) { c.ClientCAs[0].Name = "" }, `client_ca number 1: name: "" has not 1 to 32 of a-z, 0-9 and -`},
		"a CA with a colon":         {func(c *identity.Config) { c.ClientCAs[0].Name = "a:b" }, `client_ca "a:b": name: "a:b" has not`},
		"two of one name":           {func(c *identity.Config) { c.Issuers[0].Name = "fleet" }, `oidc "fleet": name: another CA or issuer is "fleet"`},
		"a CA without certificates": {func(c *identity.Config) { c.ClientCAs[0].Certificates = "" }, "certificates: it needs the file"},
		"no grant":                  {func(c *identity.Config) { c.Issuers[0].Grants = nil }, "grant: it needs 1 to 1024"},
		"a grant to nobody":         {func(c *identity.Config) { c.ClientCAs[0].Grants[0].CommonName = "" }, "grant 1: it needs either uri or common_name"},
		"a grant to two":            {func(c *identity.Config) { c.ClientCAs[0].Grants[0].URI = "a:b" }, "grant 1: it needs either uri or common_name"},
		"a role that there is not":  {func(c *identity.Config) { c.Issuers[0].Grants[1].Role = "root" }, `oidc "corp": grant 2: there is no role "root"`},
		"a writer of no stream":     {func(c *identity.Config) { c.ClientCAs[0].Grants[0].Streams = nil }, "a writer or reader is of one stream at least"},
		"an auditor of a stream":    {func(c *identity.Config) { c.Issuers[0].Grants[1].Streams = []string{"a"} }, "and nobody else is"},
		"no issuer":                 {func(c *identity.Config) { c.Issuers[0].URL = "" }, `issuer: "" is no URL`},
		"an issuer in plain text":   {func(c *identity.Config) { c.Issuers[0].URL = "http://login.example.com" }, "must begin with https://"},
		"an issuer with a query":    {func(c *identity.Config) { c.Issuers[0].URL = url + "?a" }, "is no URL"},
		"an issuer with a password": {func(c *identity.Config) { c.Issuers[0].URL = "https://a:b@example.com" }, "is no URL"},
		"an issuer twice": {func(c *identity.Config) {
			again := c.Issuers[0]
			again.Name = "other"
			c.Issuers = append(c.Issuers, again)
		}, "another table has the issuer"},
		"no audience":            {func(c *identity.Config) { c.Issuers[0].Audience = "" }, "audience: it needs"},
		"the algorithm none":     {func(c *identity.Config) { c.Issuers[0].Algorithms = []string{"none"} }, `algorithms: "none" is none of`},
		"an algorithm of HMAC":   {func(c *identity.Config) { c.Issuers[0].Algorithms = []string{"RS256", "HS256"} }, `algorithms: "HS256" is none of`},
		"too much skew":          {func(c *identity.Config) { c.Issuers[0].Skew = "1h" }, `clock_skew: "1h" is not a time from 0s to 5m0s`},
		"too long a life":        {func(c *identity.Config) { c.Issuers[0].Lifetime = "9000h" }, `max_lifetime: "9000h" is not a time from 1m0s to 8760h0m0s`},
		"too short a life":       {func(c *identity.Config) { c.Issuers[0].Lifetime = "soon" }, `max_lifetime: "soon" is not a time`},
		"no claim":               {func(c *identity.Config) { c.Issuers[0].Grants[0].Claim = "" }, "grant 1: claim: it is empty"},
		"a broken JSON pointer":  {func(c *identity.Config) { c.Issuers[0].Grants[0].Claim = "/a~2" }, "claim: a ~ in a JSON pointer"},
		"no value":               {func(c *identity.Config) { c.Issuers[0].Grants[0].Value = "" }, "grant 1: value: it is empty"},
		"a value in the middle":  {func(c *identity.Config) { c.Issuers[0].Grants[0].Value = "a*b" }, "a * can only be its last"},
		"a claim that is no end": {func(c *identity.Config) { c.Issuers[0].Grants[0].Claim = strings.Repeat("a", 257) }, "longer than 256 bytes"},
	} {
		config := clientCA("fleet", "ca.pem")
		config.Issuers = issuer(url).Issuers
		if err := config.Check(); err != nil {
			t.Fatal(err)
		}
		c.change(&config)
		if err := config.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q in it", name, err, c.want)
		}
	}
}

func TestIssuerOnThisHostNeedsNoTLS(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:9000", "http://localhost:9000/realm", "http://[::1]:9000", "https://login.example.com/realms/main"} {
		if err := issuer(url).Check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := issuer("http://127.0.0.1.example.com").Check(); err == nil {
		t.Error("a host that only looks local is taken")
	}
}

func TestConfigurationIsReadAsItIsWritten(t *testing.T) {
	const text = `
[[client_ca]]
name = "fleet"
certificates = "fleet.pem"
crl = "/fleet.crl"
refused = ["CN=lost"]

[[client_ca.grant]]
uri = "spiffe://example.org/collector/*"
role = "writer"
streams = ["*"]

[[oidc]]
name = "corp"
issuer = "https://login.example.com"
audience = "cairn"
name_claim = "email"
clock_skew = "10s"
ca = "login.pem"

[[oidc.grant]]
claim = "/realm_access/roles"
value = "auditor"
role = "auditor"
`
	var c identity.Config
	d := toml.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	c = c.Resolve("/etc/cairn")
	ca, is := c.ClientCAs[0], c.Issuers[0]
	if ca.Certificates != "/etc/cairn/fleet.pem" || ca.Revoked != "/fleet.crl" || is.Certificates != "/etc/cairn/login.pem" || is.Skew != "10s" {
		t.Errorf("got %+v", c)
	}
}
