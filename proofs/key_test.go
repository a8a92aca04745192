package proofs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"filippo.io/mldsa"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
)

var keyTypes = []proofs.KeyType{proofs.Ed25519, proofs.Ed25519Cosignature, proofs.MLDSA44}

func TestKeysComeBackFromTheirText(t *testing.T) {
	for _, typ := range keyTypes {
		k := seededKey("example.com/log", typ)
		key, err := proofs.ParseKey(k.Key().String())
		if err != nil || key != k.Key() {
			t.Errorf("%v: ParseKey(String()) = %v, %v; want the same key", typ, key, err)
		}
		again, err := proofs.ParseSigningKey(k.Secret())
		if err != nil || again.Key() != k.Key() || again.Secret() != k.Secret() {
			t.Errorf("%v: ParseSigningKey(Secret()) = %v, %v; want the same key", typ, again, err)
		}
	}
}

func TestKeysAreTextInJSON(t *testing.T) {
	k := seededKey("example.com/log", proofs.Ed25519).Key()
	b, err := json.Marshal([]proofs.Key{k})
	if want := `["` + k.String() + `"]`; err != nil || string(b) != want {
		t.Errorf("got %s, %v; want %s", b, err, want)
	}
	var again []proofs.Key
	if err := json.Unmarshal(b, &again); err != nil || again[0] != k {
		t.Errorf("got %v, %v; want %v", again, err, k)
	}
	if err := json.Unmarshal([]byte(`["a+00000000+AQ=="]`), &again); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("error %v, want ErrMalformed", err)
	}
}

func TestKeyTypesSayWhomTheyServe(t *testing.T) {
	for typ, want := range map[proofs.KeyType]struct{ log, witness bool }{
		proofs.Ed25519: {log: true}, proofs.Ed25519Cosignature: {witness: true}, proofs.MLDSA44: {log: true, witness: true},
	} {
		k := seededKey("example.com/w", typ).Key()
		wantEqual(t, typ.String()+" serves logs", k.IsLog(), want.log)
		wantEqual(t, typ.String()+" serves witnesses", k.IsWitness(), want.witness)
	}
}

func TestThePublicKeyOfAnMLDSASeedIsTheLibrarys(t *testing.T) {
	for i := range 200 {
		seed := make([]byte, mldsa.PrivateKeySize)
		(&seededRandom{seed: fmt.Sprint(i)}).Read(seed)
		want := must(mldsa.NewPrivateKey(mldsa.MLDSA44(), seed)).PublicKey().Bytes()
		got := must(proofs.GenerateKey("w", proofs.MLDSA44, &seededRandom{seed: fmt.Sprint(i)})).Key().Public()
		if string(got) != string(want) {
			t.Fatalf("seed %x: public key %x, want %x", seed, got, want)
		}
	}
}

func TestKeysOfOtherLibrariesAreRead(t *testing.T) {
	skey, vkey, err := note.GenerateKey(&seededRandom{seed: "x/mod"}, "example.com/log")
	if err != nil {
		t.Fatal(err)
	}
	mldsaSkey, mldsaVkey, err := fnote.GenerateMLDSAKey("example.com/log")
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{skey, vkey}, {mldsaSkey, mldsaVkey}} {
		k, err := proofs.ParseSigningKey(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "verifier key", k.Key().String(), pair[1])
		wantEqual(t, "signing key", k.Secret(), pair[0])
	}
}

func TestPrintingASigningKeyShowsNoSecret(t *testing.T) {
	for _, typ := range keyTypes {
		k := seededKey("example.com/log", typ)
		secret := seedOf(k)
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("key", "key", k, "field", struct{ Key proofs.SigningKey }{k})
		printed := []string{log.String()}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			printed = append(printed, fmt.Sprintf(verb, k), fmt.Sprintf(verb, &k), fmt.Sprintf(verb, struct{ key proofs.SigningKey }{k}))
		}
		hexSecret := fmt.Sprintf("%x", secret)
		for _, p := range printed {
			if strings.Contains(p, secret) || strings.Contains(strings.ToLower(p), hexSecret) || strings.Contains(p, "PRIVATE") {
				t.Errorf("%v: printed as %s", typ, p)
			}
		}
		wantEqual(t, "String", k.String(), k.Key().String())
		wantEqual(t, "%#v", fmt.Sprintf("%#v", k), k.Key().String())
	}
}

func TestSigningKeysAreRefused(t *testing.T) {
	k := seededKey("example.com/log", proofs.Ed25519)
	id := fmt.Sprintf("%08x", k.Key().ID())
	for name, skey := range map[string]string{
		"another prefix":            strings.Replace(k.Secret(), "PRIVATE", "private", 1),
		"the ID of another key":     strings.Replace(k.Secret(), id, "00000000", 1),
		"an ID in upper case":       strings.Replace(k.Secret(), id, strings.ToUpper(id), 1),
		"the verifier key":          k.Key().String(),
		"a name with a space":       strings.Replace(k.Secret(), "example.com/log", "example.com log", 1),
		"a byte of seed too many":   strings.TrimSuffix(k.Secret(), "=") + "A",
		"a newline at its end":      k.Secret() + "\n",
		"an unknown signature type": "PRIVATE+KEY+a+00000000+" + strings.Repeat("A", 43) + "=",
		"nothing":                   "",
	} {
		got, err := proofs.ParseSigningKey(skey)
		if !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, %v; want ErrMalformed", name, got, err)
			continue
		}
		if secret := seedOf(k); strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
}

func TestKeysAreNotGeneratedForBadNamesTypesOrRandomness(t *testing.T) {
	for name, typ := range map[string]proofs.KeyType{
		"": proofs.Ed25519, "a b": proofs.MLDSA44, "a+b": proofs.Ed25519Cosignature, "a": 0x05, "b": 0x02,
		strings.Repeat("n", 256): proofs.MLDSA44,
	} {
		if k, err := proofs.GenerateKey(name, typ, &seededRandom{}); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("GenerateKey(%q, %v) = %v, %v; want ErrMalformed", name, typ, k, err)
		}
	}
	if k, err := proofs.GenerateKey("a", proofs.Ed25519, strings.NewReader("short")); err == nil {
		t.Errorf("GenerateKey with five random bytes = %v, want an error", k)
	}
}

func TestTheZeroKeysDoNothing(t *testing.T) {
	text := checkpointText(1)
	for _, s := range []proofs.Signature{{}, {Bytes: []byte{1}}} {
		if _, err := (proofs.Key{}).CheckSignature(text, s); !errors.Is(err, proofs.ErrNotVerified) {
			t.Errorf("CheckSignature(%v) by the zero Key: error %v, want ErrNotVerified", s, err)
		}
	}
	if s, err := (proofs.SigningKey{}).SignCheckpoint(text, 1); err == nil {
		t.Errorf("the zero SigningKey signs %v", s)
	}
	wantEqual(t, "zero Key", (proofs.Key{}).String(), "")
	wantEqual(t, "zero SigningKey", (proofs.SigningKey{}).Secret(), "")
}
