package keyservice

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/cairnlog/cairn/ledger/keystate"
)

const vaultScheme = "hashivault"

// A vault is a key of a Vault transit engine.
type vault struct {
	name   string // the URL
	client *vaultClient
	key    vaultKey
}

// A vaultKey is what a hashivault URL says.
type vaultKey struct {
	name      string
	engine    string // where the transit engine is mounted
	tokenFile string
	destroy   bool // versions, which are this ledger's alone
}

// parseVault reads a hashivault URL.
func parseVault(u *url.URL) (k vaultKey, err error) {
	k = vaultKey{name: path.Join(u.Host, u.Path), engine: "transit"}
	if k.name == "" || strings.Contains(k.name, "/") || u.User != nil || u.Fragment != "" {
		return k, fmt.Errorf("key service: %q is not hashivault://KEY", u)
	}
	for param, values := range u.Query() {
		switch {
		case len(values) != 1 || values[0] == "":
			return k, fmt.Errorf("key service: %q: %s is given twice, or empty", u, param)
		case param == "engine":
			k.engine = strings.Trim(values[0], "/")
		case param == "token_file":
			k.tokenFile = values[0]
		case param == "destroy" && values[0] == "versions":
			k.destroy = true
		default:
			return k, fmt.Errorf("key service: %q: %s=%s is not engine=PATH, token_file=FILE or destroy=versions", u, param, values[0])
		}
	}
	return k, nil
}

// versionedVault is a vault whose versions are destroyed.
type versionedVault struct{ *vault }

var _ keystate.Versions = versionedVault{}

func openVault(name string, u *url.URL) (keystate.Wrapper, error) {
	key, err := parseVault(u)
	if err != nil {
		return nil, err
	}
	client, err := newVaultClient(os.Getenv, key.tokenFile)
	if err != nil {
		return nil, err
	}
	v := &vault{name, client, key}
	if key.destroy {
		return versionedVault{v}, nil
	}
	return v, nil
}

func (v *vault) Name() string { return v.name }

// Format prints the name, whatever the verb, and no token.
func (v *vault) Format(f fmt.State, _ rune) { fmt.Fprint(f, v.name) }

func (v *vault) Wrap(ctx context.Context, cell []byte) ([]byte, error) {
	var answer struct {
		Ciphertext string `json:"ciphertext"`
	}
	err := v.client.post(ctx, v.path("encrypt", ""), map[string]any{"plaintext": base64.StdEncoding.EncodeToString(cell)}, &answer)
	if err != nil {
		return nil, err
	}
	if _, err := versionOf(answer.Ciphertext); err != nil {
		return nil, err
	}
	return []byte(answer.Ciphertext), nil
}

func (v *vault) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	var answer struct {
		Plaintext string `json:"plaintext"`
	}
	if err := v.client.post(ctx, v.path("decrypt", ""), map[string]any{"ciphertext": string(wrapped)}, &answer); err != nil {
		return nil, err
	}
	cell, err := base64.StdEncoding.Strict().DecodeString(answer.Plaintext)
	if err != nil {
		return nil, errors.New("vault: what it decrypted is not base64")
	}
	return cell, nil
}

// Rotate implements [keystate.Versions].
func (v versionedVault) Rotate(ctx context.Context) error {
	if _, err := v.read(ctx); err != nil {
		return err
	}
	return v.client.post(ctx, v.path("keys", "rotate"), nil, nil)
}

// Trim implements [keystate.Versions]. Vault trims at once.
func (v versionedVault) Trim(ctx context.Context, wrapped []byte) (effective time.Time, err error) {
	version, err := versionOf(string(wrapped))
	if err != nil {
		return effective, err
	}
	k, err := v.read(ctx)
	if err != nil || k.Available >= version {
		return effective, err
	}
	// Trim goes as far as both let it, and is what destroys: the first alone
	// can be taken back.
	least := map[string]any{"min_decryption_version": version, "min_encryption_version": version}
	if err := v.client.post(ctx, v.path("keys", "config"), least, nil); err != nil {
		return effective, err
	}
	if err := v.client.post(ctx, v.path("keys", "trim"), map[string]any{"min_available_version": version}, nil); err != nil {
		return effective, err
	}
	if k, err = v.read(ctx); err == nil && k.Available != version {
		err = fmt.Errorf("vault: versions of the key %s from %d on are there after it was told to trim all before %d", v.key.name, k.Available, version)
	}
	return effective, err
}

// A transitKey is what Vault says of a key.
type transitKey struct {
	Available       int  `json:"min_available_version"`
	Exportable      bool `json:"exportable"`
	PlaintextBackup bool `json:"allow_plaintext_backup"`
}

// read asks what the key is, and refuses one of which copies can be had.
func (v versionedVault) read(ctx context.Context) (k transitKey, err error) {
	if err := v.client.get(ctx, v.path("keys", ""), &k); err != nil {
		return k, err
	}
	if k.Exportable || k.PlaintextBackup {
		return k, fmt.Errorf("vault: the key %s can be exported or backed up in clear, so destroying its versions destroys no copy of them: make one that cannot", v.key.name)
	}
	return k, nil
}

// path returns the path of an operation on the key.
func (v *vault) path(operation, what string) string {
	return path.Join("/v1", v.key.engine, operation, url.PathEscape(v.key.name), what)
}

// versionOf returns the version of the key that made a ciphertext, which is
// vault:v<version>:<base64>.
func versionOf(ciphertext string) (int, error) {
	rest, ok := strings.CutPrefix(ciphertext, "vault:v")
	number, _, ok2 := strings.Cut(rest, ":")
	version, err := strconv.Atoi(number)
	if !ok || !ok2 || err != nil || version < 1 || strconv.Itoa(version) != number {
		return 0, errors.New("vault: its ciphertext is not of the form vault:v<version>:<base64>")
	}
	return version, nil
}
