package proofs

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
)

// NewSigningKey returns the signing key of type t, named name, whose secret
// signer keeps: an agent, a token or a service outside of this process. The
// type is [Ed25519] or [Ed25519Cosignature].
//
// The signer's public key is an [ed25519.PublicKey], and it signs the message
// itself, as Ed25519 of RFC 8032 does. It bounds the time that it takes. It is
// not trusted: a signature of it is checked before anybody sees it, and the
// errors of a key that was not signed with match [ErrUnsigned].
//
// The error matches [ErrMalformed] where name, type or public key cannot be.
func NewSigningKey(name string, t KeyType, signer crypto.Signer) (k SigningKey, err error) {
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok || t != Ed25519 && t != Ed25519Cosignature {
		return SigningKey{}, fmt.Errorf("%w: signing key: %v by a signer with a %T", ErrMalformed, t, signer.Public())
	}
	if k.key, err = newKey(name, t, public); err != nil {
		return SigningKey{}, fmt.Errorf("%w: signing key: %w", ErrMalformed, err)
	}
	k.ed25519 = checked(k.key, signer)
	k.sign = ed25519Signer(t, k.ed25519)
	return k, nil
}

// checked returns what signs with a signer and lets only good signatures by
// the key pass.
func checked(k Key, signer crypto.Signer) messageSigner {
	return func(message []byte) ([]byte, error) {
		signature, err := signer.Sign(nil, message, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnsigned, err)
		}
		if len(signature) != ed25519.SignatureSize || !ed25519.Verify([]byte(k.public), message, signature) {
			return nil, fmt.Errorf("%w: what the signer gave is no signature by %s", ErrUnsigned, k)
		}
		return signature, nil
	}
}
