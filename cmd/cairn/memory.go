package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
)

// A memoryFile is a storage.Register in a file, which is locked for each call
// only: commands that run at the same time share it.
type memoryFile struct {
	path string
	wait time.Duration // for another command's call to end
}

const lockWait = 10 * time.Second

// Load implements storage.Register.
func (m memoryFile) Load(ctx context.Context) (value []byte, err error) {
	err = m.do(ctx, func(r storage.Register) (err error) {
		value, err = r.Load(ctx)
		return err
	})
	return value, err
}

// Swap implements storage.Register.
func (m memoryFile) Swap(ctx context.Context, old, new []byte) error {
	return m.do(ctx, func(r storage.Register) error { return r.Swap(ctx, old, new) })
}

func (m memoryFile) do(ctx context.Context, f func(storage.Register) error) error {
	deadline := time.Now().Add(m.wait)
	for {
		r, err := disk.OpenRegister(m.path)
		if err == nil {
			return errors.Join(f(r), r.Close())
		}
		if !errors.Is(err, storage.ErrLocked) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// memoryPath returns the file that remembers a log's checkpoints: the one
// that was asked for, or one for each log in the user's state directory.
func (p *program) memoryPath(origin string) (string, error) {
	if path := first(p.memory, p.env("CAIRN_STATE")); path != "" {
		return path, nil
	}
	dir := p.env("XDG_STATE_HOME")
	if dir == "" {
		home := p.env("HOME")
		if home == "" {
			return "", command.Usage("there is no home directory to remember checkpoints in: give a file with --state")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	name := sha256.Sum256([]byte(origin)) // an origin may have any character
	return filepath.Join(dir, "cairn", hex.EncodeToString(name[:])), nil
}

// openMemory returns the register of a log, in a directory that is made if
// need be.
func openMemory(path string) (storage.Register, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, command.Hinted(fmt.Errorf("state: %w", err), "give a file in a directory that can be written with --state")
	}
	return memoryFile{path: path, wait: lockWait}, nil
}

// evidenceSaver returns what saves evidence about a source beside a file; run
// tells where. A directory of an earlier size accuses nobody: it does not claim
// to be the latest. It may be called from many goroutines.
func (p *program) evidenceSaver(s *source, memory string) func(context.Context, client.Evidence) error {
	return func(_ context.Context, e client.Evidence) error {
		if s.log == nil && e.What == client.Rollback {
			return nil
		}
		b, err := client.FormatEvidence(e)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		path := fmt.Sprintf("%s.%s-%x.json", memory, e.What, sum[:6])
		if err := command.WriteFile(path, b, publicMode); err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if !slices.Contains(p.evidence, path) {
			p.evidence = append(p.evidence, path)
		}
		return nil
	}
}

// first returns the first string that is not empty.
func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
