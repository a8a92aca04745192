package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// writeFile writes a file durably, whole or not at all, in a directory that
// is made if need be. A file that was there is replaced.
func writeFile(path string, data []byte) error {
	if err := placeFile(filepath.Dir(path), path, data, true); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// placeFile writes a file under a temporary name in a directory of the same
// file system, and renames it. Synced, its content is durable before it has
// its name; the name is after syncDir.
func placeFile(tmpDir, path string, data []byte, synced bool) error {
	for _, dir := range []string{tmpDir, filepath.Dir(path)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	tmp, err := os.CreateTemp(tmpDir, ".cairn-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if synced {
		err = errors.Join(err, tmp.Sync())
	}
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// syncDir makes the names in a directory durable, on systems where that is
// done so.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readBounded reads all there is, at most limit bytes.
func readBounded(r io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, limit)
	}
	return b, nil
}

// readFile reads a file of at most limit bytes; "-" is the standard input.
func (p *program) readFile(path string, limit int64) ([]byte, error) {
	if path == "-" {
		return readBounded(p.stdin, "standard input", limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readBounded(f, path, limit)
}

// output writes data to a file, or to stdout where there is none or it is "-".
func (p *program) output(path string, data []byte) error {
	if path == "" || path == "-" {
		_, err := p.stdout.Write(data)
		return err
	}
	return writeFile(path, data)
}
