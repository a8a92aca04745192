package signing_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
)

// someKeys returns a key of every kind.
func someKeys(t testing.TB) []proofs.SigningKey {
	t.Helper()
	a := signing.NewAgent("", 0)
	keys := []proofs.SigningKey{agentKey(t, a, proofs.Ed25519, 1), agentKey(t, a, proofs.Ed25519Cosignature, 2)}
	for _, typ := range []proofs.KeyType{proofs.Ed25519, proofs.Ed25519Cosignature, proofs.MLDSA44} {
		k, err := proofs.GenerateKey("example.com/log", typ, rand.Reader)
		must(t, err)
		keys = append(keys, k)
	}
	return keys
}

func TestKeysAreReadAsTheyWereWritten(t *testing.T) {
	keys := someKeys(t)
	data := signing.FormatKeys("keys of a test", keys)
	got, err := signing.ReadKeys(secretFile(t, data, 0o600), nil, signing.NewAgent("", 0))
	must(t, err)
	same := func(a, b proofs.SigningKey) bool { return a.Key() == b.Key() && a.Secret() == b.Secret() }
	if !slices.EqualFunc(got, keys, same) {
		t.Errorf("got %v, want %v", got, keys)
	}
	for _, line := range []string{"# keys of a test\n", "\n# " + signing.Fingerprint(keys[0].Key()) + "\nssh-agent " + keys[0].Key().String() + "\n"} {
		if !strings.Contains(string(data), line) {
			t.Errorf("got\n%swant %q in it", data, line)
		}
	}
	spaced := strings.ReplaceAll(string(data), "\n", "  \r\n\n# ssh-agent nothing\n")
	if again, err := signing.ParseKeys([]byte(spaced), signing.NewAgent("", 0)); err != nil || !slices.EqualFunc(again, keys, same) {
		t.Errorf("with spaces and comments: got %v, %v", again, err)
	}
}

func TestFilesOfKeysThatAreNoneAreRefused(t *testing.T) {
	keys := someKeys(t)
	secret := keys[2].Secret()
	vkey, postQuantum := keys[0].Key().String(), keys[4].Key().String()
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                  {"", "it holds no key"},
		"comments alone":           {"# " + secret + "\n\n", "it holds no key"},
		"a key with something":     {"#\n" + secret + " x\n", "line 2: "},
		"two keys in a line":       {secret + secret, "line 1: "},
		"a verifier key alone":     {vkey, "line 1: "},
		"an agent and no key":      {"\n\nssh-agent\n", "line 3: "},
		"an agent's key, damaged":  {"ssh-agent " + strings.Replace(vkey, "+", "+0", 1), "line 1: what follows ssh-agent is no verifier key"},
		"an agent and a secret":    {"ssh-agent " + secret, "line 1: what follows ssh-agent is no verifier key"},
		"an agent for ML-DSA-44":   {"ssh-agent " + postQuantum, "line 1: malformed"},
		"an agent with two spaces": {"ssh-agent  " + vkey, "line 1: "},
		"another word":             {"pkcs11 " + vkey, "line 1: "},
		"bytes that are no text":   {"\xff\x00", "line 1: "},
	} {
		path := secretFile(t, []byte(c.text), 0o600)
		got, err := signing.ReadKeys(path, nil, signing.NewAgent("", 0))
		var unfit *signing.FileError
		if !errors.As(err, &unfit) || !has(err, path+": "+c.want) || got != nil {
			t.Errorf("%s: got %v, %v, want a FileError with %q", name, got, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), materialOf(secret)) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
}

// materialOf returns what is secret of PRIVATE+KEY+name+id+base64, in which there can
// be a plus sign too.
func materialOf(secret string) string { return strings.SplitN(secret, "+", 5)[4] }

func TestNothingThatIsPrintedShowsASecret(t *testing.T) {
	keys := someKeys(t)
	printed := fmt.Sprintf("%v %+v %#v", keys, struct{ Keys []proofs.SigningKey }{keys}, keys)
	for _, k := range keys {
		if s := k.Secret(); s != "" && strings.Contains(printed, materialOf(s)) {
			t.Errorf("printed as %s", printed)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add(signing.FormatKeys("keys of a test", someKeys(f)))
	f.Add([]byte("# nothing\n"))
	f.Add([]byte("ssh-agent a+00000000+AQ=="))
	agent := signing.NewAgent("", 0)
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := signing.ParseKeys(data, agent)
		if err != nil {
			return
		}
		text := signing.FormatKeys("c", keys)
		again, err := signing.ParseKeys(text, agent)
		if err != nil || !bytes.Equal(signing.FormatKeys("c", again), text) {
			t.Errorf("%q becomes %q and then %v, %v", data, text, again, err)
		}
	})
}
