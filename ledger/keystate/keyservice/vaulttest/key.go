package vaulttest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// A request is the body of one. What is not given is nil.
type request struct {
	Plaintext     string `json:"plaintext"`
	Ciphertext    string `json:"ciphertext"`
	MinDecryption *int   `json:"min_decryption_version"`
	MinEncryption *int   `json:"min_encryption_version"`
	MinAvailable  *int   `json:"min_available_version"`
}

// A key is a transit key of type aes256-gcm96 with its versions.
type key struct {
	Latest        int
	MinDecryption int
	MinEncryption int // 0: the latest
	MinAvailable  int
	Exportable    bool

	secrets map[int]cipher.AEAD
}

func newKey() *key {
	k := &key{MinDecryption: 1, secrets: make(map[int]cipher.AEAD)}
	k.rotate()
	return k
}

func (k *key) rotate() {
	secret := make([]byte, 32)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	k.Latest++
	k.secrets[k.Latest] = aead
}

// describe returns what Vault says of the key.
func (k *key) describe(name string) map[string]any {
	versions := make(map[string]int64)
	for v := k.MinDecryption; v <= k.Latest; v++ {
		versions[strconv.Itoa(v)] = 1764000000 // when it was made
	}
	return map[string]any{
		"name": name, "type": "aes256-gcm96", "derived": false, "supports_encryption": true, "supports_decryption": true,
		"deletion_allowed": false, "exportable": k.Exportable, "allow_plaintext_backup": false, "keys": versions,
		"latest_version": k.Latest, "min_decryption_version": k.MinDecryption, "min_encryption_version": k.MinEncryption,
		"min_available_version": k.MinAvailable,
	}
}

func invalid(format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func (k *key) do(operation, name string, r request) (any, *problem) {
	var p *problem
	switch operation {
	case "encrypt":
		return k.encrypt(r)
	case "decrypt":
		return k.decrypt(r)
	case "keys/rotate":
		k.rotate()
	case "keys/config":
		p = k.configure(r)
	case "keys/trim":
		p = k.trim(r)
	default:
		return nil, &problem{http.StatusNotFound, "unsupported path"}
	}
	if p != nil {
		return nil, p
	}
	return k.describe(name), nil
}

func (k *key) encrypt(r request) (any, *problem) {
	plain, err := base64.StdEncoding.DecodeString(r.Plaintext)
	if err != nil {
		return nil, invalid("failed to base64-decode plaintext")
	}
	nonce := make([]byte, 12)
	rand.Read(nonce)
	sealed := k.secrets[k.Latest].Seal(nonce, nonce, plain, nil)
	return map[string]any{
		"ciphertext": fmt.Sprintf("vault:v%d:%s", k.Latest, base64.StdEncoding.EncodeToString(sealed)), "key_version": k.Latest,
	}, nil
}

func (k *key) decrypt(r request) (any, *problem) {
	rest, ok := strings.CutPrefix(r.Ciphertext, "vault:v")
	if !ok {
		return nil, invalid("invalid ciphertext: no prefix")
	}
	number, encoded, ok := strings.Cut(rest, ":")
	if !ok {
		return nil, invalid("invalid ciphertext: wrong number of fields")
	}
	version, err := strconv.Atoi(number)
	switch {
	case err != nil:
		return nil, invalid("invalid ciphertext: version number could not be decoded")
	case version > k.Latest:
		return nil, invalid("invalid ciphertext: version is too new")
	case version < k.MinDecryption:
		return nil, invalid("ciphertext or signature version is disallowed by policy (too old)")
	case k.secrets[version] == nil:
		return nil, invalid("no such key version found")
	}
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(sealed) < 12 {
		return nil, invalid("invalid ciphertext: could not decode base64")
	}
	plain, err := k.secrets[version].Open(nil, sealed[:12], sealed[12:], nil)
	if err != nil {
		return nil, invalid("cipher: message authentication failed")
	}
	return map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plain)}, nil
}

func (k *key) configure(r request) *problem {
	decryption, encryption := k.MinDecryption, k.MinEncryption
	if r.MinDecryption != nil {
		if decryption = max(1, *r.MinDecryption); decryption > k.Latest {
			return invalid("cannot set min decryption version of %d, latest key version is %d", decryption, k.Latest)
		}
	}
	if r.MinEncryption != nil {
		if encryption = *r.MinEncryption; encryption > k.Latest {
			return invalid("cannot set min encryption version of %d, latest key version is %d", encryption, k.Latest)
		}
	}
	switch {
	case encryption > 0 && encryption < decryption:
		return invalid("cannot set min encryption/decryption values; min encryption version of %d must be greater than or equal to min decryption version of %d", encryption, decryption)
	case k.MinAvailable > encryption:
		return invalid("min encryption version should not be less than min available version")
	case k.MinAvailable > decryption:
		return invalid("min decryption version should not be less then min available version")
	}
	k.MinDecryption, k.MinEncryption = decryption, encryption
	return nil
}

func (k *key) trim(r request) *problem {
	if r.MinAvailable == nil {
		return invalid("missing min_available_version")
	}
	least := *r.MinAvailable
	switch {
	case least < k.MinAvailable:
		return invalid("minimum available version cannot be decremented")
	case k.MinEncryption == 0:
		return invalid("minimum available version cannot be set when minimum encryption version is not set")
	case least > k.MinEncryption:
		return invalid("minimum available version cannot be greater than minmum encryption version")
	case least > k.MinDecryption:
		return invalid("minimum available version cannot be greater than minimum decryption version")
	case least <= 0:
		return invalid("minimum available version should be positive")
	}
	k.MinAvailable = least
	maps.DeleteFunc(k.secrets, func(version int, _ cipher.AEAD) bool { return version < least })
	return nil
}
