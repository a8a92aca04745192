package keyservice

import (
	"context"
	"fmt"
	"net/url"

	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/awskms"        // awskms://
	_ "gocloud.dev/secrets/azurekeyvault" // azurekeyvault://
	_ "gocloud.dev/secrets/gcpkms"        // gcpkms://

	"github.com/cairnlog/cairn/ledger/keystate"
)

// maxName bounds a URL, in bytes: the files of a key state hold it.
const maxName = 255

// Check refuses what is not a URL of a key service that [Open] knows.
func Check(service string) error {
	_, err := parse(service)
	return err
}

// Open returns the wrapper of a key service by its URL, which is also its
// name. It does not ask the service yet. A Vault URL with destroy=versions
// gives one that implements [keystate.Versions].
func Open(ctx context.Context, service string) (keystate.Wrapper, error) {
	u, err := parse(service)
	if err != nil {
		return nil, err
	}
	if u.Scheme == vaultScheme {
		return openVault(service, u)
	}
	keeper, err := secrets.OpenKeeper(ctx, service)
	if err != nil {
		return nil, fmt.Errorf("key service: %w", err)
	}
	return &cloud{service, keeper}, nil
}

func parse(service string) (*url.URL, error) {
	u, err := url.Parse(service)
	if err != nil || len(service) > maxName {
		return nil, fmt.Errorf("key service: %q is not a URL of at most %d bytes", service, maxName)
	}
	switch u.Scheme {
	case "awskms", "gcpkms", "azurekeyvault":
		return u, nil
	case vaultScheme:
		_, err := parseVault(u)
		return u, err
	}
	return nil, fmt.Errorf("key service: %q is not hashivault://, awskms://, gcpkms:// or azurekeyvault://", service)
}

// A cloud is a key service that gocloud.dev/secrets opens.
type cloud struct {
	name   string
	keeper *secrets.Keeper
}

func (c *cloud) Name() string { return c.name }

func (c *cloud) Wrap(ctx context.Context, cell []byte) ([]byte, error) {
	return c.keeper.Encrypt(ctx, cell)
}

func (c *cloud) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	return c.keeper.Decrypt(ctx, wrapped)
}

// Format prints the name, whatever the verb, and no credentials.
func (c *cloud) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.name) }
