package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cairnlog/cairn/proofs"
)

const (
	maxKeys    = 64 // of an issuer
	maxAlike   = 4  // keys of one ID that are tried
	minRSABits = 2048
	maxRSABits = 8192
)

// A keySet is an issuer's keys as they were fetched. It never changes.
type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time
}

// parseKeySet reads a set of keys (RFC 7517 §5). Those that are not for
// signatures, not public, too weak or of an unknown kind are left out.
func parseKeySet(data []byte) ([]jose.JSONWebKey, error) {
	if err := proofs.CheckJSON(data); err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("it is no set of keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("it has more than %d keys", maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) == nil && k.Valid() && (k.Use == "" || k.Use == "sig") && isStrong(k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no key that signatures can be checked with")
	}
	return keys, nil
}

// isStrong reports whether a key is public, and of a size that is strong and
// that is quick to check with.
func isStrong(k jose.JSONWebKey) bool {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSABits && key.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// find returns the keys that can have made a signature: of the algorithm, and
// of the ID. Without an ID there must be one alone (OpenID Connect Core §10.1).
func (s *keySet) find(id, algorithm string) []jose.JSONWebKey {
	if s == nil {
		return nil
	}
	var found []jose.JSONWebKey
	for _, k := range s.keys {
		if (id == "" || k.KeyID == id) && (k.Algorithm == "" || k.Algorithm == algorithm) && fits(k, algorithm) {
			found = append(found, k)
		}
	}
	if id == "" && len(found) > 1 {
		return nil
	}
	return found[:min(len(found), maxAlike)]
}

// fits reports whether a key is one of an algorithm (RFC 7518 §3, RFC 8037).
func fits(k jose.JSONWebKey, algorithm string) bool {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[key.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// check returns the payload of a token that one of the keys signed.
func (s *keySet) check(t *jwt, algorithms []jose.SignatureAlgorithm) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(t.raw, algorithms)
	if err != nil {
		return nil, err
	}
	for _, k := range s.find(t.key, t.algorithm) {
		if payload, err := signed.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key of the issuer made its signature")
}

// A verified is a token whose signature was checked, as the library asks for it
// ([github.com/coreos/go-oidc/v3/oidc.KeySet]).
type verified struct {
	token   *jwt
	payload []byte
}

// VerifySignature returns the payload of the token.
func (v verified) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	if raw != v.token.raw {
		return nil, errors.New("it is another token")
	}
	return v.payload, nil
}
