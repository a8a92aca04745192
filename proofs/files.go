package proofs

import (
	"context"
	"fmt"
	"io"
	"io/fs"
)

// MaxFileSize is the size in bytes of the largest file that a log serves
// under its prefix, a full bundle of the largest entries.
const MaxFileSize = MaxBundleSize

// A FileReader gives the files of a log by the paths of C2SP tlog-tiles,
// relative to the log's prefix: "checkpoint", "tile/0/x001/234.p/5". Where a
// file does not exist the error matches [fs.ErrNotExist]. It reads no more
// than [MaxFileSize] bytes and is safe for concurrent use. What it returns is
// not believed.
type FileReader interface {
	ReadFile(ctx context.Context, path string) ([]byte, error)
}

// FS returns a reader of the log whose files lie in fsys: an export, a mirror
// or a backup.
func FS(fsys fs.FS) FileReader { return fsReader{fsys} }

type fsReader struct{ fsys fs.FS }

func (r fsReader) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := r.fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	if info.Size() > MaxFileSize {
		return nil, fmt.Errorf("%w: %s: %d bytes are more than %d", ErrMalformed, path, info.Size(), MaxFileSize)
	}
	// One byte more than expected, so that the end shows without another read,
	// and what grew meanwhile is not read without a bound.
	b := make([]byte, info.Size()+1)
	n, err := io.ReadFull(f, b)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%w: %s: it grew while it was read", ErrMalformed, path)
	case err != io.ErrUnexpectedEOF && err != io.EOF:
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b[:n:n], nil
}
