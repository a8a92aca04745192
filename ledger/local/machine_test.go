package local_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// A site is what machines and the world around them have in common: the
// ledger's keys and policy, and the witness's key.
type site struct {
	dir string // of configuration, keys and policy, which no fault befalls
	key proofs.SigningKey
}

const siteOrigin = "example.com/power"

func newSite(t *testing.T) *site {
	t.Helper()
	key, err := proofs.GenerateKey("witness.example/power", proofs.Ed25519Cosignature, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &site{dir: t.TempDir(), key: key}
}

// A machine is a computer with a simulated file system, on which a ledger has
// all its stores. Its durable steps are taken one at a time, whichever store
// takes them, so that a power cut between two of them is one moment for all.
// The witness is another machine, which goes on.
type machine struct {
	site    *site
	plan    *fault.Plan // of the steps that fail; nil: none does
	fs      *memfs.FS
	witness *memory.World
	answers *answers

	// before is called before each durable step, while nothing else happens.
	before func(step string)

	// lies says of a file or directory that its syncs do nothing.
	lies func(name string) bool

	mu sync.Mutex // held during a durable step
}

func (s *site) newMachine(plan *fault.Plan) *machine {
	return &machine{site: s, plan: plan, fs: memfs.New(plan), witness: memory.New(nil), answers: newAnswers()}
}

// cut returns the machine as it is after a power cut at this moment: with what
// was synced, and if rng is not nil with any part of the rest. The old one can
// go on, in a history in which the power stayed. The world remembers: the
// witness, and what callers were told.
func (m *machine) cut(rng *mathrand.Rand) *machine {
	return m.with(func() *memfs.FS { return m.fs.Crash(rng) })
}

// with returns the machine with another file system. Where the old one goes on
// meanwhile, its disk may be ahead of what the world has seen, and never behind.
func (m *machine) with(fs func() *memfs.FS) *machine {
	after := &machine{site: m.site, plan: m.plan, answers: m.answers.clone(), witness: m.witness.Restart()}
	after.fs = fs()
	return after
}

// restart returns the machine as it is after its process was killed.
func (m *machine) restart() *machine { return m.with(m.fs.Restart) }

// options are how a ledger is made and opened on the machine.
func (m *machine) options() (local.Options, error) {
	w, err := witness.New(context.Background(), witness.Config{
		Keys: []proofs.SigningKey{m.site.key}, Registers: m.witness.Registers("witness"),
	})
	if err != nil {
		return local.Options{}, err
	}
	known, err := m.site.log()
	if err != nil {
		return local.Options{}, err
	}
	if known != nil {
		err = w.SetLogs([]witness.Log{{Key: *known, Origin: siteOrigin, QPD: 1<<31 - 1, Contact: "test"}})
	}
	own := &stepFS{FS: m.fs, machine: m}
	o := local.Options{Witnesses: []ledger.Witness{{Names: []string{"w"}, Cosigner: w}}}
	return local.On(o, own, pebbleFS{FS: own, root: filepath.Join(m.site.dir, "data")}), err
}

// log returns the ledger's key, or nil before there is one.
func (s *site) log() (*proofs.Key, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "policy"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := proofs.ParsePolicy(text)
	if err != nil {
		return nil, err
	}
	return &p.Logs[0].Key, nil
}

// create makes the ledger, or goes on where an attempt was interrupted.
func (m *machine) create(ctx context.Context) error {
	o, err := m.options()
	if err != nil {
		return err
	}
	policy := fmt.Sprintf("witness w %s\nquorum w\n", m.site.key.Key())
	return local.Init(ctx, m.site.dir, local.InitOptions{Origin: siteOrigin, Policy: policy, Options: o})
}

// open opens the ledger by the ordinary start-up path.
func (m *machine) open(ctx context.Context) (*local.Directory, error) {
	o, err := m.options()
	if err != nil {
		return nil, err
	}
	return local.Open(ctx, m.site.dir, local.Config{}, o)
}

// A stepFS takes the durable steps of a machine's file system.
type stepFS struct {
	*memfs.FS
	machine *machine
}

func (f *stepFS) step(op, name string, do func() error) error {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	if f.machine.before != nil {
		f.machine.before(op + " " + name)
	}
	if strings.HasPrefix(op, "sync") && f.machine.lies != nil && f.machine.lies(name) {
		return nil
	}
	return do()
}

func (f *stepFS) open(name string, do func() (disk.File, error)) (disk.File, error) {
	file, err := do()
	if err != nil {
		return nil, err
	}
	return &stepFile{File: file, fs: f, name: name}, nil
}

func (f *stepFS) Open(name string) (disk.File, error) {
	return f.open(name, func() (disk.File, error) { return f.FS.Open(name) })
}

func (f *stepFS) Create(name string) (disk.File, error) {
	return f.open(name, func() (file disk.File, err error) {
		err = f.step("create", name, func() error {
			file, err = f.FS.Create(name)
			return err
		})
		return file, err
	})
}

func (f *stepFS) Mkdir(name string) error {
	return f.step("mkdir", name, func() error { return f.FS.Mkdir(name) })
}

func (f *stepFS) Rename(old, new string) error {
	return f.step("rename", new, func() error { return f.FS.Rename(old, new) })
}

func (f *stepFS) Remove(name string) error {
	return f.step("remove", name, func() error { return f.FS.Remove(name) })
}

func (f *stepFS) SyncDir(name string) error {
	return f.step("syncdir", name, func() error { return f.FS.SyncDir(name) })
}

// A stepFile is an open file of a stepFS.
type stepFile struct {
	disk.File
	fs   *stepFS
	name string
}

func (f *stepFile) WriteAt(b []byte, offset int64) (n int, err error) {
	err = f.fs.step("write", f.name, func() error {
		n, err = f.File.WriteAt(b, offset)
		return err
	})
	return n, err
}

func (f *stepFile) Truncate(size int64) error {
	return f.fs.step("truncate", f.name, func() error { return f.File.Truncate(size) })
}

func (f *stepFile) Sync() error {
	return f.fs.step("sync", f.name, func() error { return f.File.Sync() })
}
