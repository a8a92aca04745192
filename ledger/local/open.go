package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/pebbleindex"
	"github.com/cairnlog/cairn/storage/trillian"
	"github.com/cairnlog/cairn/witness/signing"
)

// Options are what a configuration file cannot say.
type Options struct {
	Passphrase signing.Passphrase    // nil: key files are not encrypted
	SSHAgent   string                // socket of the ssh-agent, where the configuration names none
	Witnesses  []ledger.Witness      // beside those that the policy gives URLs of
	Clock      func() time.Time      // nil: time.Now
	Logger     *slog.Logger          // nil: nothing is logged
	Metrics    prometheus.Registerer // nil: nothing is measured

	// KeyService returns the wrapper of a key service's URL, such as
	// keyservice.Open, which links the libraries of all clouds. Nil: none is
	// known.
	KeyService func(ctx context.Context, url string) (keystate.Wrapper, error)

	parts parts
}

// parts are the options of what lies in the data directory and in the places of
// the key state. The tests put it on a file system that fails and loses power.
type parts struct {
	disk  disk.Options
	index pebbleindex.Options
	tree  trillian.EmbeddedOptions
	place func(path string) (disk.FS, error) // of the key state

	workFactor int // of the passphrase's scrypt, as a power of two; tests make it small
}

// A Directory is an open ledger with all that it is made of.
type Directory struct {
	Ledger *ledger.Ledger

	// Tokens is a register in the data directory for whoever authenticates
	// the ledger's users.
	Tokens storage.Register

	// KeyState keeps the key tree and destroys its keys.
	KeyState *keystate.Store

	Policy     *proofs.Policy
	PolicyText []byte

	closers []io.Closer // in the order of opening
}

// Open opens the ledger of a configuration whose file is in dir.
func Open(ctx context.Context, dir string, c Config, o Options) (*Directory, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	c = c.resolve(dir)
	d, cfg, err := openKeys(ctx, c, o, false)
	if err != nil {
		return nil, err
	}
	if err = d.openRest(ctx, &cfg, c, o, false); err == nil {
		d.Ledger, err = ledger.Open(ctx, cfg)
	}
	if err == nil {
		err = d.measure(o.Metrics, d.KeyState)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close closes the ledger and everything under it.
func (d *Directory) Close() error {
	var errs []error
	if d.Ledger != nil {
		errs = append(errs, d.Ledger.Close())
		d.Ledger = nil
	}
	for i := len(d.closers) - 1; i >= 0; i-- {
		errs = append(errs, d.closers[i].Close())
	}
	d.closers = nil
	return errors.Join(errs...)
}

// openKeys begins to open a ledger, of a configuration with absolute paths: it
// opens its keys. With create, a key state that is missing is made.
func openKeys(ctx context.Context, c Config, o Options, create bool) (d *Directory, cfg ledger.Config, err error) {
	d = &Directory{}
	cfg = ledger.Config{
		Heartbeat: c.Heartbeat.time(), KeepCheckpoint: c.KeepCheckpoint.time(), WitnessTimeout: c.WitnessTimeout.time(),
		Limits: ledger.Limits{Payload: c.MaxPayload, Batch: c.MaxBatch, Queue: c.MaxQueue},
		Clock:  o.Clock, Logger: o.Logger, Metrics: o.Metrics,
	}
	if err := readKeys(&cfg, c, o); err != nil {
		return d, cfg, err
	}
	if err := d.openKeyState(ctx, &cfg, c, o, create); err != nil {
		return d, cfg, errors.Join(err, d.Close())
	}
	return d, cfg, nil
}

// openRest opens every part of a ledger but its keys. With create, parts that
// are missing are made.
func (d *Directory) openRest(ctx context.Context, cfg *ledger.Config, c Config, o Options, create bool) error {
	if err := d.readPolicy(cfg, c.Policy, o.Witnesses); err != nil {
		return err
	}
	p := o.parts
	p.disk.Create, p.index.Create, p.tree.Create = create, create, create
	p.index.Logger, p.tree.Logger = o.Logger, o.Logger
	p.tree.Dir = filepath.Join(c.Data, "tree")
	if err := d.openStorage(cfg, c, p); err != nil {
		return err
	}
	return d.openTree(ctx, cfg, c, p)
}

func readKeys(cfg *ledger.Config, c Config, o Options) (err error) {
	if cfg.Keys, err = readSigningKeys(c.Keys, o.Passphrase, c.agent(o)); err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	secretsPath := filepath.Join(c.Keys, secretsFile)
	data, err := signing.ReadFile(secretsPath, o.Passphrase)
	if err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	if cfg.Secrets.Master, err = parseSecrets(data); err != nil {
		return fmt.Errorf("secrets: %s: %w", secretsPath, err)
	}
	return nil
}

// openStorage opens what is in the data directory but the tree.
func (d *Directory) openStorage(cfg *ledger.Config, c Config, p parts) error {
	dir, err := disk.Open(c.Data, p.disk)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, dir)
	if cfg.Journal, err = dir.Journal("journal", cfg.Secrets.Derive("journal")); err != nil {
		return err
	}
	if cfg.Vault, err = dir.Vault("vault"); err != nil {
		return err
	}
	if cfg.Objects, err = dir.Objects("objects"); err != nil {
		return err
	}
	if !c.Search.Off {
		cfg.Search = &search.Config{FS: dir.Below("search"), CacheBytes: c.Search.Cache}
	}
	registers, err := dir.Registers("registers")
	if err != nil {
		return err
	}
	cfg.Registers, d.Tokens = registers, registers.Register("tokens")
	index, err := pebbleindex.Open(filepath.Join(c.Data, "index"), p.index)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, index)
	cfg.Index = index
	if c.SignedCopy == "" {
		return nil
	}
	signed, err := disk.OpenRegister(c.SignedCopy)
	if err != nil {
		return fmt.Errorf("signed_copy: %w", err)
	}
	d.closers = append(d.closers, signed)
	cfg.SignedCopy = signed
	return nil
}

func (d *Directory) openTree(ctx context.Context, cfg *ledger.Config, c Config, p parts) (err error) {
	var t *trillian.Tree
	if c.Tree != "" {
		t, err = dialTree(ctx, c, p)
	} else {
		t, err = trillian.OpenEmbedded(ctx, p.tree)
	}
	if errors.Is(err, trillian.ErrExists) {
		return fmt.Errorf("%w: %w", ledger.ErrExists, err)
	}
	if err != nil {
		return err
	}
	d.closers = append(d.closers, t)
	cfg.Tree = newLeafCache(tree{t})
	return nil
}

// dialTree opens a tree in a Trillian log server.
func dialTree(ctx context.Context, c Config, p parts) (*trillian.Tree, error) {
	secured, err := c.treeTLS()
	if err != nil {
		return nil, err
	}
	return trillian.Dial(ctx, c.Tree, trillian.DialOptions{TLS: secured, ShadowDir: filepath.Join(c.Data, "shadow"), Logger: p.tree.Logger})
}
