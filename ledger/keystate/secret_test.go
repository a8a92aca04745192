package keystate

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// TestNothingPrintsAKey of all that holds keys, in fields of its own or of
// others.
func TestNothingPrintsAKey(t *testing.T) {
	secret := [32]byte(bytes.Repeat([]byte{0xa7}, 32))
	const passphrase = "correct horse"
	tree := keytree.New(secret)
	o := Options{Places: []Place{{Name: "here", FS: memfs.New(nil)}}, Wrapper: Passphrase(passphrase, 4), Rand: bytes.NewReader(secret[:])}
	s, err := Create(context.Background(), o, tree)
	if err != nil {
		t.Fatal(err)
	}
	e := &epoch{number: 1, cell: formatCell(cell{bytes: secret[:]}), tree: tree}
	forms := []string{
		"167 167 167", "167,167,167", "167, 167, 167", "a7a7a7", "0xa7, 0xa7, 0xa7", "a7 a7 a7", "247 247 247", "10100111 10100111",
		strings.ToLower(base64.StdEncoding.EncodeToString(secret[:])[:12]), `\xa7\xa7`, passphrase, fmt.Sprintf("%x", passphrase),
	}
	for name, v := range map[string]any{
		"a store": s, "options": Options{Wrapper: o.Wrapper}, "a wrapper": o.Wrapper, "a cell": cell{bytes: secret[:]},
		"an epoch": e, "what a place holds": held{whole: e}, "a tree": tree,
	} {
		var b bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b"} {
			fmt.Fprintf(&b, verb+"\n"+verb+"\n", v, []any{v, struct{ V any }{v}})
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			slog.New(h).Error("message", "value", v, slog.Group("group", "values", []any{v}))
		}
		for _, form := range forms {
			if text := strings.ToLower(b.String()); strings.Contains(text, form) {
				t.Errorf("%s prints a secret as %s:\n%s", name, form, text)
			}
		}
	}
}
