package signing

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/proofs"
)

// Fingerprint returns the fingerprint of an Ed25519 key as ssh-add prints it:
// SHA256: and base64.
func Fingerprint(k proofs.Key) string {
	public, err := ssh.NewPublicKey(ed25519.PublicKey(k.Public()))
	if err != nil {
		panic("signing: the fingerprint of a key that is not Ed25519")
	}
	return ssh.FingerprintSHA256(public)
}

// Find returns the public key that the agent has under a fingerprint, as
// ssh-add prints it, or that a file in OpenSSH's format holds, such as
// id_ed25519.pub. It is an error where the agent does not have it, or cannot
// sign checkpoints with it.
func (a *Agent) Find(choice string) (ed25519.PublicKey, error) {
	fingerprint := choice
	if !strings.HasPrefix(choice, "SHA256:") {
		key, err := readPublicKey(choice)
		if err != nil {
			return nil, err
		}
		fingerprint = ssh.FingerprintSHA256(key)
	}
	var public ed25519.PublicKey
	err := a.ask(func(c agent.Agent) error {
		held, err := c.List()
		if err != nil {
			return noAnswer(err)
		}
		public, err = find(held, fingerprint)
		return err
	})
	return public, err
}

// readPublicKey reads the file of a public key.
func readPublicKey(path string) (ssh.PublicKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readAll(path, f)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, &FileError{path, errors.New("it is no file with a public key, such as id_ed25519.pub")}
	}
	if err := fit(key.Type()); err != nil {
		return nil, &FileError{path, err}
	}
	return key, nil
}

// fit refuses keys of types that checkpoints are not signed with.
func fit(algorithm string) error {
	switch algorithm {
	case ssh.KeyAlgoED25519:
		return nil
	case ssh.KeyAlgoSKED25519:
		return errors.New("it is a FIDO key, which never signs a checkpoint itself, but a hash of it with flags and a counter: nobody could verify that")
	}
	return errors.New("it is no key of the type ssh-ed25519, and no other type signs checkpoints")
}

// find returns the key with a fingerprint among those that an agent has.
func find(held []*agent.Key, fingerprint string) (ed25519.PublicKey, error) {
	if len(held) == 0 {
		return nil, errors.New("it has no key, or is locked")
	}
	for _, k := range held {
		if ssh.FingerprintSHA256(k) != fingerprint {
			continue
		}
		if err := fit(k.Type()); err != nil {
			return nil, fmt.Errorf("%s: %w", fingerprint, err)
		}
		key, err := ssh.ParsePublicKey(k.Blob)
		if err != nil {
			return nil, fmt.Errorf("%s: its public key is damaged", fingerprint)
		}
		return key.(ssh.CryptoPublicKey).CryptoPublicKey().(ed25519.PublicKey), nil
	}
	return nil, fmt.Errorf("it does not have the key %s", fingerprint)
}
