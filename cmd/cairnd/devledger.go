package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness"
	"github.com/cairnlog/cairn/witness/signing"
)

// The names of what "cairnd dev" makes.
const (
	devOrigin  = "cairn.localhost/dev" // and some random characters: two such logs are not one
	devWitness = "witness.localhost/dev"
)

// A devLedger is a ledger and a witness of its own in one directory. The
// witness vouches for nothing, since the same person runs both; it shows how
// witnessing works.
type devLedger struct {
	*local.Directory
	dir     string
	witness *disk.Dir         // its memory
	key     proofs.SigningKey // of the witness
}

// openDev opens the ledger in dir, and makes it first if there is none.
func openDev(ctx context.Context, dir string, log *slog.Logger, metrics prometheus.Registerer) (d *devLedger, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if !exists(dir, "witness.key") && slices.ContainsFunc([]string{local.ConfigFile, "policy", "keys", "keystate", "data"}, func(name string) bool { return exists(dir, name) }) {
		return nil, command.Usage("%s holds a ledger that cairnd dev did not make: it would get a witness and tokens that are for trying things", dir)
	}
	d = &devLedger{dir: dir}
	if d.key, err = devWitnessKey(filepath.Join(dir, "witness.key")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.witness, err = disk.Open(filepath.Join(dir, "witness"), disk.Options{Create: true}); err != nil {
		return d, err
	}
	w, err := d.newWitness(ctx)
	if err != nil {
		return d, err
	}
	var c Config
	if err := local.Decode(filepath.Join(dir, local.ConfigFile), &c); errors.Is(err, fs.ErrNotExist) {
		// Two places, or nothing could be erased. They protect from nothing, on one disk.
		c.KeyState.Places = []string{"keystate", "keystate-2"}
	} else if err != nil {
		return d, command.Usage("%w", err)
	}
	if err := c.check(); err != nil {
		return d, command.Usage("%s: %w", filepath.Join(dir, local.ConfigFile), err)
	}
	return d, d.openLedger(ctx, c.Config, w, local.Options{Logger: log, Metrics: metrics, KeyService: keyservice.Open})
}

// openLedger opens the ledger, and makes it first if there is none.
func (d *devLedger) openLedger(ctx context.Context, c local.Config, w *witness.Witness, o local.Options) error {
	origin, err := devName(d.dir, c)
	if err != nil {
		return err
	}
	o.Witnesses = []ledger.Witness{{Names: []string{"dev"}, Cosigner: w}}
	err = local.Init(ctx, d.dir, local.InitOptions{
		Origin: origin, Config: c, Policy: fmt.Sprintf("witness dev %s\nquorum dev\n", d.key.Key()),
		Options: local.Options{Logger: o.Logger, Witnesses: o.Witnesses, KeyService: o.KeyService},
	})
	if err != nil && !errors.Is(err, ledger.ErrExists) {
		return err
	}
	// The witness knows the log only now: its key was made by Init.
	policy, err := local.ReadPolicy(d.dir, c)
	if err != nil {
		return err
	}
	if err := addLogs(w, policy); err != nil {
		return err
	}
	d.Directory, err = local.Open(ctx, d.dir, c, o)
	return err
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func (d *devLedger) newWitness(ctx context.Context) (*witness.Witness, error) {
	registers, err := d.witness.Registers("registers")
	if err != nil {
		return nil, err
	}
	return witness.New(ctx, witness.Config{Keys: []proofs.SigningKey{d.key}, Registers: registers})
}

// addLogs lets the witness cosign for the log of a policy.
func addLogs(w *witness.Witness, p *proofs.Policy) error {
	var logs []witness.Log
	for _, l := range p.Logs {
		logs = append(logs, witness.Log{Key: l.Key, Origin: l.Key.Name(), QPD: 1<<31 - 1, Contact: "dev"})
	}
	return w.SetLogs(logs)
}

// Close closes the ledger and the witness.
func (d *devLedger) Close() error {
	var errs []error
	if d.Directory != nil {
		errs = append(errs, d.Directory.Close())
	}
	if d.witness != nil {
		errs = append(errs, d.witness.Close())
	}
	return errors.Join(errs...)
}

// devName returns the origin of the ledger in dir: that of its policy, or a
// new one. Verifiers remember logs by their origin.
func devName(dir string, c local.Config) (string, error) {
	p, err := local.ReadPolicy(dir, c)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return devOrigin + "-" + strings.ToLower(rand.Text()[:8]), nil
	case err != nil:
		return "", err
	case len(p.Logs) == 0:
		return "", errors.New("policy: it has no log")
	}
	return p.Logs[0].Key.Name(), nil
}

// devWitnessKey reads the witness's key, and makes it first if there is none.
func devWitnessKey(path string) (proofs.SigningKey, error) {
	keys, err := signing.ReadKeys(path, nil, signing.NewAgent("", 0))
	if err == nil {
		return keys[0], nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return proofs.SigningKey{}, err
	}
	key, err := proofs.GenerateKey(devWitness, proofs.Ed25519Cosignature, rand.Reader)
	if err != nil {
		return key, err
	}
	return key, os.WriteFile(path, signing.FormatKeys("signing key of a witness to try things with", []proofs.SigningKey{key}), 0o600)
}
