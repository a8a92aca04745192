package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A ledger that lists checkpoints without end fills no memory.
func TestAListOfKeptCheckpointsIsBounded(t *testing.T) {
	f := newForgeries(t)
	served := f.forge("served", 10, "true")
	files := http.FileServer(http.Dir(served))
	for name, path := range map[string]func(n uint64) string{
		"of all sizes":        audit.CheckpointPath,
		"of one and the same": func(uint64) string { return audit.CheckpointPath(7) },
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/checkpoints" {
				files.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			for n := uint64(1); r.Context().Err() == nil; n++ {
				if _, err := fmt.Fprintln(w, path(n)); err != nil {
					return
				}
			}
		}))
		f.maxKept = 1000
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for _, args := range []string{"audit", "export " + filepath.Join(f.dir, "copy")} {
			status, _, stderr := f.runUntil(ctx, "", append(strings.Fields(args), "--url", server.URL)...)
			if status != command.Unknown || stderr != "cairn: kept checkpoints: there are more than 1000, and this takes no more\n" {
				t.Errorf("%s, %s: got status %d and %q", args, name, status, stderr)
			}
		}
		cancel()
		server.Close()
	}
}

func TestKeptCheckpointsInADirectoryAreBounded(t *testing.T) {
	f := newForgeries(t)
	dir := f.forge("log", 10, "true")
	for size := range uint64(5) {
		copyFile(t, filepath.Join(dir, "checkpoint"), filepath.Join(dir, audit.CheckpointPath(size+1)))
	}
	f.maxKept = 4
	status, _, stderr := f.run("", "export", "--url", dir, filepath.Join(f.dir, "copy"))
	if status != command.Unknown || !strings.Contains(stderr, "kept checkpoints: there are more than 4") {
		t.Errorf("got status %d and %q", status, stderr)
	}
}

// An export has its own checkpoint among the kept ones. Where the ledger keeps
// another of that size later, with cosignatures that are newer, an entry may name
// that one as the proof of an age.
func TestAnExportTakesTheCheckpointThatIsKeptLater(t *testing.T) {
	f := newForgeries(t)
	dir, copied := f.forge("served", 10, "true"), filepath.Join(f.dir, "copy")
	f.must("", "export", "--url", dir, copied)
	checkpoint, err := os.ReadFile(filepath.Join(dir, audit.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	c, err := proofs.ParseSignedCheckpoint(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	witness, err := proofs.GenerateKey("example.com/witness", proofs.Ed25519Cosignature, rand.NewChaCha8([32]byte{4}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := witness.SignCheckpoint(c.Note.Text, 1_800_000_000)
	if err != nil {
		t.Fatal(err)
	}
	c.Note.Signatures = append(c.Note.Signatures, s)
	want, kept := proofs.FormatSignedCheckpoint(c), filepath.FromSlash(audit.CheckpointPath(10))
	if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, kept)), 0o755), os.WriteFile(filepath.Join(dir, kept), want, 0o644)); err != nil {
		t.Fatal(err)
	}
	f.must("", "export", "--url", dir, copied)
	if got, err := os.ReadFile(filepath.Join(copied, kept)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got\n%s and error %v, want\n%s", got, err, want)
	}
	f.must("", "audit", copied)
}

// What is listed is shown as a directory would have it.
func TestKeptSizesAreADirectory(t *testing.T) {
	sizes := keptSizes{0, 1, 7, 999, 1000, 1001, 12_000, 999_999, 1_000_000, 1_002_003, 5_000_000_007, 1<<63 - 1}
	want := fstest.MapFS{}
	for _, size := range sizes {
		want[audit.CheckpointPath(size)] = new(fstest.MapFile)
	}
	got := &remoteFS{kept: sizes}
	err := fs.WalkDir(want, audit.CheckpointsDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		wanted, err := fs.ReadDir(want, path)
		if err != nil {
			return err
		}
		list, err := fs.ReadDir(got, path)
		if a, b := describe(list), describe(wanted); err != nil || a != b {
			t.Errorf("%s: got %s and error %v, want %s", path, a, err, b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"checkpoints/x002", "checkpoints/x01", "checkpoints/007", "checkpoints/x000/x001", "x001", "checkpointsx001", "tile"} {
		if list, err := fs.ReadDir(got, path); err == nil {
			t.Errorf("%s: got %v, want that it is not there", path, list)
		}
	}
}

// describe returns the names in a directory, those of directories with a slash.
func describe(list []fs.DirEntry) string {
	var b strings.Builder
	for _, d := range list {
		b.WriteString(" " + d.Name())
		if d.IsDir() {
			b.WriteByte('/')
		}
	}
	return b.String()
}
