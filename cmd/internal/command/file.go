package command

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// WriteFile writes a file durably, whole or not at all, in a directory that
// is made if need be. A file that was there is replaced.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := PlaceFile(dir, path, data, mode, true); err != nil {
		return err
	}
	return SyncDir(dir)
}

// PlaceFile writes a file under a temporary name in a directory of the same
// file system, and renames it. Synced, its content is durable before it has
// its name; the name is after [SyncDir].
func PlaceFile(tmpDir, path string, data []byte, mode fs.FileMode, synced bool) error {
	return PlaceWritten(tmpDir, path, mode, synced, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// PlaceWritten is [PlaceFile] of what a function writes, which need not be in
// memory at once.
func PlaceWritten(tmpDir, path string, mode fs.FileMode, synced bool, write func(io.Writer) error) error {
	for _, dir := range []string{tmpDir, filepath.Dir(path)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// Not os.CreateTemp, whose files have another mode than the user wants.
	tmp, err := os.OpenFile(filepath.Join(tmpDir, ".cairn-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = write(tmp)
	if synced {
		err = errors.Join(err, tmp.Sync())
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

// SyncDir makes the names in a directory durable, on systems where that is
// done so.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ReadFile reads a file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, path, limit)
}

// ReadAll reads all there is, at most limit bytes. Errors begin with the name.
func ReadAll(r io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, limit)
	}
	return b, nil
}

const maxPassphrase = 64 << 10 // bytes

// Passphrase returns what stands in a file or, where none is named, in
// CAIRN_PASSPHRASE: the one secret that the environment may hold. Where there
// is neither it returns the error for that.
func Passphrase(file string, env func(name string) string, missing error) (string, error) {
	if file == "" {
		if s := env("CAIRN_PASSPHRASE"); s != "" {
			return s, nil
		}
		return "", missing
	}
	b, err := ReadFile(file, maxPassphrase)
	if err != nil {
		return "", err
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", Usage("%s: it is empty", file)
	}
	return s, nil
}
