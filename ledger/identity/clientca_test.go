package identity_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
	"github.com/cairnlog/cairn/storage/memory"
)

// authenticator opens an authenticator whose clock the test sets.
func authenticator(t testing.TB, c identity.Config, now *clock) *identity.Authenticator {
	t.Helper()
	tokens, err := identity.OpenTokens(context.Background(), identity.TokensConfig{Register: memory.New(nil).Register("tokens"), Clock: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	a, err := identity.New(identity.Options{Tokens: tokens, Config: c, Clock: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// A fleet is a CA and an authenticator that knows it.
type fleet struct {
	*identity.Authenticator
	ca      *identitytest.CA
	clock   *clock
	dir     string
	config  identity.Config
	revoked string // file
}

func newFleet(t testing.TB, withList bool) *fleet {
	t.Helper()
	f := &fleet{ca: identitytest.NewCA(t, start, "fleet CA"), clock: &clock{now: start}, dir: t.TempDir()}
	f.config = identity.Config{ClientCAs: []identity.CA{{
		Name: "fleet", Certificates: write(t, filepath.Join(f.dir, "ca.pem"), f.ca), Refused: []string{"CN=lost", "spiffe://example.org/ns/lost"},
		Grants: []identity.CertificateGrant{
			{CommonName: "reader", Role: identity.Reader, Streams: []string{"a"}},
			{CommonName: "reader", Role: identity.Auditor},
			{CommonName: "web-*", Role: identity.Writer, Streams: []string{"web"}},
			{CommonName: "lost", Role: identity.Auditor},
			{URI: "spiffe://example.org/ns/*", Role: identity.Writer, Streams: []string{"spiffe"}},
			{CommonName: "web-auditor", Role: identity.Auditor},
		},
	}}}
	if withList {
		f.revoked = filepath.Join(f.dir, "ca.crl")
		writeFile(t, f.revoked, f.ca.List(t, start.Add(-time.Hour), 48*time.Hour))
		f.config.ClientCAs[0].Revoked = f.revoked
	}
	f.Authenticator = authenticator(t, f.config, f.clock)
	return f
}

// who connects and asks once.
func (f *fleet) who(t testing.TB, show tls.Certificate) (identity.Identity, error) {
	t.Helper()
	state, err := connect(t, f.Authenticator, false, show)
	if err != nil {
		return identity.Identity{}, err
	}
	return f.Identify(t.Context(), identity.Credentials{TLS: state})
}

// wantOutcome checks that an error is a refusal of an outcome.
func wantOutcome(t testing.TB, what string, err error, want identity.Outcome) {
	t.Helper()
	var r *identity.Refusal
	if !errors.As(err, &r) || r.Outcome != want {
		t.Errorf("%s: got error %v, want a refusal: %s", what, err, want)
	}
}

func TestCertificateSaysWhoItIs(t *testing.T) {
	f := newFleet(t, false)
	below := f.ca.Below(t, "below")
	for what, c := range map[string]struct {
		cert tls.Certificate
		name string
		may  identity.Action
	}{
		"by its common name":             {f.ca.Client(t, "web-1"), "cert:fleet:CN=web-1", identity.Append},
		"with two rights":                {f.ca.Client(t, "reader"), "cert:fleet:CN=reader", identity.Read},
		"by its URI":                     {f.ca.Client(t, "spiffe://example.org/ns/web"), "cert:fleet:spiffe://example.org/ns/web", identity.Append},
		"by its URI before its name":     {f.ca.Client(t, "web-1", "spiffe://example.org/ns/web"), "cert:fleet:spiffe://example.org/ns/web", identity.Append},
		"of a CA below":                  {below.Client(t, "web-1"), "cert:fleet:CN=web-1", identity.Append},
		"with a name that needs escapes": {f.ca.Client(t, "web-ü 100%"), "cert:fleet:CN=web-%C3%BC%20100%25", identity.Append},
	} {
		i, err := f.who(t, c.cert)
		if _, ok := i.Role(c.may); err != nil || i.Name != c.name || i.Kind != identity.ByCertificate || !ok {
			t.Errorf("%s: got %+v and error %v, want %s", what, i, err, c.name)
		}
		if !i.Expires.Equal(start.Add(24*time.Hour)) || i.Credential == "" {
			t.Errorf("%s: got %+v, want its end and its number", what, i)
		}
	}
}

func TestCertificateThatGivesNothingIsRefused(t *testing.T) {
	f := newFleet(t, false)
	for what, c := range map[string]struct {
		cert tls.Certificate
		want identity.Outcome
	}{
		"without a grant":                 {f.ca.Client(t, "somebody"), identity.Nothing},
		"without a name":                  {f.ca.Client(t), identity.Nothing},
		"with two common names":           {f.ca.Client(t, "web-1", "web-2"), identity.Nothing},
		"with two URIs":                   {f.ca.Client(t, "spiffe://example.org/ns/a", "spiffe://example.org/ns/b"), identity.Nothing},
		"with a URI that leads elsewhere": {f.ca.Client(t, "spiffe://example.org/ns/../admin"), identity.Nothing},
		"with a URI of escapes":           {f.ca.Client(t, "spiffe://example.org/ns/%2e%2e/x"), identity.Nothing},
		"of another host":                 {f.ca.Client(t, "spiffe://example.org.evil.example/ns/web"), identity.Nothing},
		"that writes and audits":          {f.ca.Client(t, "web-auditor"), identity.Nothing},
		"whose name is too long":          {f.ca.Client(t, "spiffe://example.org/ns/"+strings.Repeat("a", 250)), identity.Nothing},
		"that is refused by name":         {f.ca.Client(t, "lost"), identity.Revoked},
		"that is refused by URI":          {f.ca.Client(t, "spiffe://example.org/ns/lost"), identity.Revoked},
	} {
		i, err := f.who(t, c.cert)
		wantOutcome(t, what, err, c.want)
		if len(i.Rights) > 0 {
			t.Errorf("%s: got %+v", what, i)
		}
	}
}

func TestCertificateOfSomebodyElseDoesNotConnect(t *testing.T) {
	f := newFleet(t, false)
	stranger := identitytest.NewCA(t, start, "fleet CA")
	server := f.ca.Issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "web-1"}, NotBefore: start, NotAfter: start.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	early := f.ca.Issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "web-1"}, NotBefore: start.Add(time.Hour), NotAfter: start.Add(2 * time.Hour)})
	client := f.ca.Client(t, "web-1")
	noCA := &identitytest.CA{Cert: client.Leaf, Key: client.PrivateKey.(*ecdsa.PrivateKey), Chain: [][]byte{client.Leaf.Raw}}
	stolen := f.ca.Client(t, "web-1")
	stolen.PrivateKey = identitytest.NewKey(t)
	for what, cert := range map[string]tls.Certificate{
		"of another CA of the same name": stranger.Client(t, "web-1"),
		"for servers":                    server,
		"whose time has not begun":       early,
		"signed by a client":             noCA.Client(t, "web-1"),
		"without its key":                stolen,
	} {
		if state, err := connect(t, f.Authenticator, false, cert); err == nil {
			t.Errorf("a certificate %s connects: %+v", what, state.VerifiedChains)
		}
	}
	if _, err := connect(t, f.Authenticator, true); err == nil {
		t.Error("without a certificate it connects where one is required")
	}
	state, err := connect(t, f.Authenticator, false)
	if err != nil {
		t.Fatal(err)
	}
	if state.NegotiatedProtocol != "h2" {
		t.Errorf("got protocol %q, want h2", state.NegotiatedProtocol)
	}
	_, err = f.Identify(t.Context(), identity.Credentials{TLS: state})
	wantOutcome(t, "without a certificate", err, identity.Absent)
}

// A connection lives long; what its certificate is worth is judged with each
// request.
func TestCertificateIsJudgedWithEachRequest(t *testing.T) {
	f := newFleet(t, true)
	cert := f.ca.Client(t, "web-1")
	state, err := connect(t, f.Authenticator, false, cert)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		_, err := f.Identify(t.Context(), identity.Credentials{TLS: state})
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, f.revoked, f.ca.List(t, start, 48*time.Hour, f.ca.Client(t, "other"), cert))
	f.clock.advance(time.Second)
	wantOutcome(t, "revoked", ask(), identity.Revoked)

	writeFile(t, f.revoked, []byte("half a file"))
	f.clock.advance(time.Second)
	wantOutcome(t, "after a change that cannot be used", ask(), identity.Revoked)

	writeFile(t, f.revoked, f.ca.List(t, start, time.Hour))
	f.clock.advance(time.Second)
	if err := ask(); err != nil {
		t.Errorf("with a list without it: %v", err)
	}
	f.clock.advance(time.Hour)
	wantOutcome(t, "with a list that is out of date", ask(), identity.Unavailable)

	writeFile(t, f.revoked, f.ca.List(t, f.clock.Now(), 48*time.Hour))
	f.clock.advance(time.Second)
	if err := ask(); err != nil {
		t.Errorf("with a new list: %v", err)
	}
	write(t, filepath.Join(f.dir, "ca.pem"), identitytest.NewCA(t, start, "another"))
	f.clock.advance(time.Second)
	wantOutcome(t, "when the CA is known no more", ask(), identity.Unknown)

	write(t, filepath.Join(f.dir, "ca.pem"), f.ca)
	f.clock.advance(time.Second)
	if err := ask(); err != nil {
		t.Errorf("when the CA is known again: %v", err)
	}
	f.clock.advance(24 * time.Hour)
	wantOutcome(t, "expired", ask(), identity.Expired)
}

func TestTwoCAsAreApart(t *testing.T) {
	f := newFleet(t, false)
	other := identitytest.NewCA(t, start, "other CA")
	c := f.config
	c.ClientCAs = append(c.ClientCAs, identity.CA{Name: "other", Certificates: write(t, filepath.Join(f.dir, "other.pem"), other), Grants: []identity.CertificateGrant{
		{CommonName: "boss", Role: identity.Custodian},
	}})
	if err := f.Set(c); err != nil {
		t.Fatal(err)
	}
	if i, err := f.who(t, other.Client(t, "boss")); err != nil || i.Name != "cert:other:CN=boss" {
		t.Errorf("got %+v and error %v", i, err)
	}
	_, err := f.who(t, f.ca.Client(t, "boss"))
	wantOutcome(t, "a name that another CA has a grant for", err, identity.Nothing)
	_, err = f.who(t, other.Client(t, "web-1"))
	wantOutcome(t, "a name that the first CA has a grant for", err, identity.Nothing)

	write(t, c.ClientCAs[1].Certificates, other, f.ca)
	if err := f.Set(c); err == nil || !strings.Contains(err.Error(), `"fleet" has one of them too`) {
		t.Errorf("two CAs with one certificate: got error %v", err)
	}
	if _, err := f.who(t, f.ca.Client(t, "web-1")); err != nil {
		t.Errorf("after a change that cannot be used: %v", err)
	}
	if err := f.Set(identity.Config{}); err != nil {
		t.Fatal(err)
	}
	if state, err := connect(t, f.Authenticator, false, f.ca.Client(t, "web-1")); err != nil || len(state.PeerCertificates) > 0 {
		t.Errorf("without a CA: got error %v, want that no certificate is asked for", err)
	}
}

// Files change while connections begin and requests come.
func TestFilesChangeUnderWay(t *testing.T) {
	f := newFleet(t, true)
	cert := f.ca.Client(t, "web-1")
	lists := [][]byte{f.ca.List(t, start, time.Hour), f.ca.List(t, start, time.Hour, cert)}
	state, err := connect(t, f.Authenticator, false, cert)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				f.clock.advance(time.Second / 2)
				if _, err := f.Identify(t.Context(), identity.Credentials{TLS: state}); err != nil {
					var r *identity.Refusal
					if !errors.As(err, &r) || r.Outcome != identity.Revoked {
						t.Error(err)
					}
				}
			}
		})
	}
	for i := range 50 {
		writeFile(t, f.revoked, lists[i%2])
		if i%10 == 0 {
			if err := f.Set(f.config); err != nil && !strings.Contains(err.Error(), "PEM") && !strings.Contains(err.Error(), "malformed crl") {
				t.Error(err)
			}
		}
	}
	wg.Wait()
}
