package ledger

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/proofs"
)

// printed returns all ways in which a value is printed, in lower case.
func printed(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", []any{v, struct{ V any }{v}})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Error("message", "value", v, slog.Group("group", "values", []any{v}))
	}
	return strings.ToLower(b.String())
}

// TestNothingPrintsAKey of all that holds keys, in fields of its own or of
// others.
func TestNothingPrintsAKey(t *testing.T) {
	secret := bytes.Repeat([]byte{0xa7}, 32)
	key := proofs.Key256(secret)
	secrets := Secrets{Tree: keytree.New(key), Master: key}
	w := newWorld(t)
	w.secrets = secrets
	l := w.started()
	ring := newKeyring(secrets)
	ring.subjects[subjectID{1, "alice"}] = subjectKeys{seal: key, tags: key}
	ring.buckets[bucketPath{Stream: 1}] = &bucketKeys{seal: key, tags: key, fields: map[uint16]proofs.Key256{1: key}}
	for name, v := range map[string]any{
		"secrets": secrets, "a pointer to secrets": &secrets, "a configuration": Config{Secrets: secrets, Keys: w.keys}, "a ledger": l,
		"a keyring": ring, "keys of a bucket": ring.buckets[bucketPath{Stream: 1}], "keys of a subject": ring.subjects[subjectID{1, "alice"}],
		"keys of subjects": ring.subjects, "a subject": subject{"alice", ring.subjects[subjectID{1, "alice"}]},
		"an admission": &admission{keys: ring.buckets[bucketPath{Stream: 1}]},
	} {
		text := printed(v)
		for _, form := range []string{
			"167 167 167", "167,167,167", "167, 167, 167", "a7a7a7", "0xa7, 0xa7, 0xa7", "a7 a7 a7", "247 247 247", "10100111 10100111",
			strings.ToLower(base64.StdEncoding.EncodeToString(secret)[:12]), strings.ToLower(fmt.Sprintf("%q", secret[:3])[1:12]),
		} {
			if strings.Contains(text, form) {
				t.Errorf("%s prints the secret:\n%s", name, text)
				break
			}
		}
	}
}
