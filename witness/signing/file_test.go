package signing_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cairnlog/cairn/witness/signing"
)

// quick is a work factor that no real file may have.
const quick = 10

func secretFile(t *testing.T, data []byte, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret.key")
	must(t, os.WriteFile(path, data, mode))
	return path
}

func passphrase(s string) signing.Passphrase { return func() (string, error) { return s, nil } }

func TestFilesOfSecretsAreReadOrRefused(t *testing.T) {
	sealed, err := signing.Encrypt([]byte("content"), "horse", quick)
	must(t, err)
	none := errors.New("nobody knows it")
	for name, c := range map[string]struct {
		data       []byte
		mode       fs.FileMode
		passphrase signing.Passphrase
		want       string // of the error; empty: the content
	}{
		"in clear":                           {[]byte("content"), 0o600, nil, ""},
		"in clear, and read-only":            {[]byte("content"), 0o400, passphrase("horse"), ""},
		"encrypted":                          {sealed, 0o600, passphrase("horse"), ""},
		"readable by the group":              {[]byte("content"), 0o640, nil, "others can read it (mode 0640)"},
		"encrypted, readable by all":         {sealed, 0o644, passphrase("horse"), "others can read it (mode 0644)"},
		"encrypted, and no passphrase":       {sealed, 0o600, nil, "no passphrase was given"},
		"encrypted, with another passphrase": {sealed, 0o600, passphrase("cow"), "the passphrase does not open it"},
		"encrypted, with an empty one":       {sealed, 0o600, passphrase(""), "passphrase"},
		"encrypted, and damaged":             {append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1), 0o600, passphrase("horse"), "does not open it"},
		"encrypted, and cut off":             {sealed[:len(sealed)-1], 0o600, passphrase("horse"), "does not open it"},
		"larger than any":                    {make([]byte, 1<<20+1), 0o600, nil, "larger than"},
	} {
		path := secretFile(t, c.data, c.mode)
		got, err := signing.ReadFile(path, c.passphrase)
		var unfit *signing.FileError
		switch {
		case c.want == "" && (err != nil || string(got) != "content"):
			t.Errorf("%s: got %q, %v", name, got, err)
		case c.want != "" && (!errors.As(err, &unfit) || !has(err, path+": ") || !has(err, c.want) || got != nil):
			t.Errorf("%s: got %q, %v, want a FileError with %q", name, got, err, c.want)
		}
		encrypted, err := signing.IsEncrypted(path)
		if want := bytes.HasPrefix(c.data, []byte("age")); err != nil || encrypted != want {
			t.Errorf("%s: encrypted %v, %v, want %v", name, encrypted, err, want)
		}
	}
	_, err = signing.ReadFile(secretFile(t, sealed, 0o600), func() (string, error) { return "", none })
	if err != none {
		t.Errorf("got %v, want the passphrase's own error", err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := signing.ReadFile(missing, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is not there", err)
	}
	if _, err := signing.IsEncrypted(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is not there", err)
	}
}
