package identity

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	maxCertificatesFile = 1 << 20  // bytes
	maxRevokedFile      = 32 << 20 // bytes
	maxLists            = 64
)

// revocations are lists of revoked certificates (RFC 5280 §5).
type revocations struct {
	byIssuer map[string][]*revocationList // by the issuer's name in DER
}

// A revocationList is one list. Whether a certificate signed it is found out
// when it is needed: the CA's file may not hold those on the way.
type revocationList struct {
	list    *x509.RevocationList
	serials map[string]struct{}

	mu     sync.Mutex
	signed map[[sha256.Size]byte]bool // by the hash of the certificate that may have signed it
}

var errRevoked = errors.New("it is revoked")

// parseRevocations reads lists, each a block of PEM, or one in DER.
func parseRevocations(data []byte) (*revocations, error) {
	r := &revocations{byIssuer: make(map[string][]*revocationList)}
	count := 0
	add := func(der []byte) error {
		if count++; count > maxLists {
			return fmt.Errorf("there are more than %d lists", maxLists)
		}
		l, err := parseRevocationList(der)
		if err != nil {
			return fmt.Errorf("list %d: %w", count, err)
		}
		issuer := string(l.list.RawIssuer)
		r.byIssuer[issuer] = append(r.byIssuer[issuer], l)
		return nil
	}
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		return r, add(data)
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("a block of PEM is %q, not \"X509 CRL\"", block.Type)
		}
		if err := add(block.Bytes); err != nil {
			return nil, err
		}
	}
	if count == 0 || len(bytes.TrimSpace(data)) > 0 {
		return nil, errors.New("it is no PEM")
	}
	return r, nil
}

// parseRevocationList reads a list that is whole: one that says something
// critical that we do not know, as one of changes or of a part does, is
// refused.
func parseRevocationList(der []byte) (*revocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	if list.NextUpdate.IsZero() {
		return nil, errors.New("it does not say until when it holds")
	}
	for _, e := range list.Extensions {
		if e.Critical {
			return nil, fmt.Errorf("its extension %v is critical and not known here", e.Id)
		}
	}
	l := &revocationList{list: list, serials: make(map[string]struct{}), signed: make(map[[sha256.Size]byte]bool)}
	for _, revoked := range list.RevokedCertificateEntries {
		for _, e := range revoked.Extensions {
			if e.Critical {
				return nil, fmt.Errorf("the extension %v of an entry is critical and not known here", e.Id)
			}
		}
		l.serials[string(revoked.SerialNumber.Bytes())] = struct{}{}
	}
	return l, nil
}

// check refuses a chain of which a certificate, but its last, is revoked or not
// covered by a list that holds now.
func (r *revocations) check(chain []*x509.Certificate, now time.Time) error {
	for i := range len(chain) - 1 {
		if err := r.checkOne(chain[i], chain[i+1], now); err != nil {
			return fmt.Errorf("certificate %X of %s: %w", chain[i].SerialNumber, chain[i].Issuer, err)
		}
	}
	return nil
}

func (r *revocations) checkOne(c, issuer *x509.Certificate, now time.Time) error {
	covered, late := false, false
	for _, l := range r.byIssuer[string(c.RawIssuer)] {
		if !l.isOf(issuer) {
			continue
		}
		// Of what is revoked a list that is out of date tells too.
		if _, revoked := l.serials[string(c.SerialNumber.Bytes())]; revoked {
			return errRevoked
		}
		holds := !now.Before(l.list.ThisUpdate) && now.Before(l.list.NextUpdate)
		covered, late = covered || holds, late || !holds
	}
	switch {
	case covered:
		return nil
	case late:
		return errors.New("the CA's list of revoked certificates is out of date")
	}
	return errors.New("there is no list of revoked certificates of its issuer")
}

// isOf reports whether a certificate signed the list, and may.
func (l *revocationList) isOf(issuer *x509.Certificate) bool {
	hash := sha256.Sum256(issuer.Raw)
	l.mu.Lock()
	defer l.mu.Unlock()
	signed, ok := l.signed[hash]
	if !ok {
		signed = issuer.IsCA && l.list.CheckSignatureFrom(issuer) == nil
		l.signed[hash] = signed
	}
	return signed
}
