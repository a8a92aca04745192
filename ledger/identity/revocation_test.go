package identity_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
	"github.com/cairnlog/cairn/storage/memory"
)

func TestEveryCertificateOnTheWayNeedsAList(t *testing.T) {
	f := newFleet(t, true)
	below := f.ca.Below(t, "below")
	cert := below.Client(t, "web-1")
	set := func(lists ...[]byte) {
		var data []byte
		for _, l := range lists {
			data = append(data, l...)
		}
		writeFile(t, f.revoked, data)
		f.clock.advance(time.Second)
	}
	ask := func() error {
		_, err := f.who(t, cert)
		return err
	}
	empty := f.ca.List(t, start, time.Hour)
	set(empty)
	wantOutcome(t, "without a list of the CA below", ask(), identity.Unavailable)
	set(empty, below.List(t, start, time.Hour))
	if err := ask(); err != nil {
		t.Errorf("with both lists: %v", err)
	}
	set(empty, below.List(t, start, time.Hour, cert))
	wantOutcome(t, "with its certificate on a list", ask(), identity.Revoked)
	set(f.ca.List(t, start, time.Hour, tls.Certificate{Leaf: below.Cert}), below.List(t, start, time.Hour))
	wantOutcome(t, "with the CA below on a list", ask(), identity.Revoked)
	set(f.ca.List(t, start.Add(-2*time.Hour), time.Hour, tls.Certificate{Leaf: below.Cert}), below.List(t, start, time.Hour))
	wantOutcome(t, "with the CA below on a list of yesterday", ask(), identity.Revoked)

	// A list that only looks like the CA's says nothing.
	forged := identitytest.NewCA(t, start, "below")
	set(empty, forged.List(t, start, time.Hour))
	wantOutcome(t, "with a list that another signed", ask(), identity.Unavailable)
	set(empty, below.List(t, start, time.Hour), forged.List(t, start, time.Hour, cert))
	if err := ask(); err != nil {
		t.Errorf("a list that another signed revokes: %v", err)
	}
}

func TestFilesThatCannotBeUsedDoNotOpen(t *testing.T) {
	f := newFleet(t, true)
	der, _ := pem.Decode(f.ca.List(t, start, time.Hour))
	delta := &x509.RevocationList{ThisUpdate: start, NextUpdate: start.Add(time.Hour), ExtraExtensions: []pkix.Extension{{Id: []int{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}}
	open := func(ca, revoked []byte) error {
		writeFile(t, filepath.Join(f.dir, "ca.pem"), ca)
		writeFile(t, f.revoked, revoked)
		tokens, err := identity.OpenTokens(t.Context(), identity.TokensConfig{Register: memory.New(nil).Register("tokens")})
		if err != nil {
			t.Fatal(err)
		}
		a, err := identity.New(identity.Options{Tokens: tokens, Config: f.config})
		if err == nil {
			return a.Close()
		}
		return err
	}
	good, err := os.ReadFile(filepath.Join(f.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	list := f.ca.List(t, start, time.Hour)
	for what, c := range map[string]struct {
		ca, revoked []byte
		want        string
	}{
		"as they should be":         {good, list, ""},
		"with a list in DER":        {good, der.Bytes, ""},
		"with a text before":        {append([]byte("# the CA\n"), good...), list, ""},
		"no certificate":            {nil, list, "it holds no certificate"},
		"a key for a certificate":   {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), list, `"PRIVATE KEY", not "CERTIFICATE"`},
		"half a certificate":        {good[:len(good)/2], list, "it holds no certificate"},
		"one and a half":            {append(good[:len(good):len(good)], good[:len(good)/2]...), list, "or a broken one"},
		"too large":                 {append(good[:len(good):len(good)], make([]byte, 1<<20)...), list, "more than 1048576 bytes"},
		"no list":                   {good, nil, "malformed crl"},
		"a certificate for a list":  {good, good, `"CERTIFICATE", not "X509 CRL"`},
		"half a list":               {good, list[:len(list)/2], "it is no PEM"},
		"a list and a half":         {good, append(list[:len(list):len(list)], list[:len(list)/2]...), "it is no PEM"},
		"a list of changes":         {good, sealList(t, f.ca, delta), "2.5.29.27 is critical"},
		"a list that ends nowhere":  {good, sealList(t, f.ca, &x509.RevocationList{ThisUpdate: start}), "until when"},
		"more lists than there are": {good, []byte(strings.Repeat(string(list), 65)), "more than 64 lists"},
	} {
		err := open(c.ca, c.revoked)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", what, err, c.want)
		}
	}
}
