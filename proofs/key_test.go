package proofs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/mldsa"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// A testRandom is a stream of bytes that its label decides.
type testRandom struct {
	label string
	n     uint64
}

func (r *testRandom) Read(p []byte) (int, error) {
	for i := 0; i < len(p); {
		block := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(r.label), r.n))
		r.n++
		i += copy(p[i:], block[:])
	}
	return len(p), nil
}

// testKey makes the same key for the same name and type every time.
func testKey(t testing.TB, name string, typ KeyType) SigningKey {
	t.Helper()
	k, err := GenerateKey(name, typ, &testRandom{label: fmt.Sprintf("%s %d", name, typ)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyTextComesBack(t *testing.T) {
	for _, typ := range []KeyType{Ed25519, Ed25519Cosignature, MLDSA44} {
		k := testKey(t, "example.com/log", typ)
		key, err := ParseKey(k.Key().String())
		if err != nil || key != k.Key() {
			t.Errorf("%v: ParseKey(String()) = %v, %v, want the same key", typ, key, err)
		}
		again, err := ParseSigningKey(k.Secret())
		if err != nil || again.Key() != k.Key() || again.Secret() != k.Secret() {
			t.Errorf("%v: ParseSigningKey(Secret()) = %v, %v, want the same key", typ, again, err)
		}
	}
}

func TestPublicKeyOfASeedIsTheLibrarys(t *testing.T) {
	random := &testRandom{label: "seeds"}
	for range 200 {
		var seed [mldsaSeedSize]byte
		random.Read(seed[:])
		library, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seed[:])
		if err != nil {
			t.Fatal(err)
		}
		if got, want := mldsaPublic(seed), library.PublicKey().Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("seed %x: public key %x, want %x", seed, got, want)
		}
	}
}

func TestKeysOfOtherLibrariesAreRead(t *testing.T) {
	random := &testRandom{label: "x/mod"}
	skey, vkey, err := note.GenerateKey(random, "example.com/log")
	if err != nil {
		t.Fatal(err)
	}
	checkPair(t, "golang.org/x/mod", skey, vkey)
	skey, vkey, err = fnote.GenerateMLDSAKey("example.com/log")
	if err != nil {
		t.Fatal(err)
	}
	checkPair(t, "transparency-dev/formats", skey, vkey)
}

func checkPair(t *testing.T, library, skey, vkey string) {
	t.Helper()
	k, err := ParseSigningKey(skey)
	if err != nil {
		t.Fatalf("%s: %v", library, err)
	}
	if got := k.Key().String(); got != vkey {
		t.Errorf("%s: verifier key %s, want %s", library, got, vkey)
	}
	if k.Secret() != skey {
		t.Errorf("%s: the signing key does not come back", library)
	}
}

func TestPrintingASigningKeyShowsNoSecret(t *testing.T) {
	k := testKey(t, "example.com/log", Ed25519)
	secret := k.Secret()[strings.LastIndex(k.Secret(), "+")+1:]
	inside := struct{ key SigningKey }{k}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, got := range []string{fmt.Sprintf(verb, k), fmt.Sprintf(verb, &k), fmt.Sprintf(verb, inside)} {
			if strings.Contains(got, secret) || strings.Contains(got, "PRIVATE") {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
	if got, want := fmt.Sprintf("%#v", k), k.Key().String(); got != want {
		t.Errorf("%%#v prints %s, want %s", got, want)
	}
	_, err := ParseSigningKey(strings.Replace(k.Secret(), "PRIVATE", "private", 1))
	if !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v, want ErrMalformed without the secret", err)
	}
}
