package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A remoteFS is a ledger's server as a file system, for audit: its public
// files, the kept checkpoints if they could be listed, and its sealed records
// if they are asked for. Only what is listed can be listed.
type remoteFS struct {
	ctx   context.Context // of the one audit that it serves
	files proofs.FileReader
	kept  keptSizes
	vault vaultSource
}

// A vaultSource gives the sealed record of each of a bundle's entries, empty
// where there is none; nil: they are not asked for.
type vaultSource func(context.Context, proofs.Bundle) iter.Seq2[[]byte, error]

// Open implements fs.FS.
func (r *remoteFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name == audit.VaultDir && r.vault != nil || name == audit.CheckpointsDir && len(r.kept) > 0 {
		return memoryFileInfo{name: name, dir: true}.open(nil), nil
	}
	if place, ok := strings.CutPrefix(name, audit.VaultDir+"/"); ok && r.vault != nil {
		b, err := proofs.ParseBundlePath("tile/entries/" + place)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return openRecords(name, r.vault(r.ctx, b))
	}
	return r.opened(name)(r.files.ReadFile(r.ctx, name))
}

func (r *remoteFS) opened(name string) func([]byte, error) (fs.File, error) {
	return func(b []byte, err error) (fs.File, error) {
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return memoryFileInfo{name: path.Base(name), size: int64(len(b))}.open(b), nil
	}
}

// ReadDir implements fs.ReadDirFS for what is known: the kept checkpoints.
func (r *remoteFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if r.kept == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("a server's files cannot be listed")}
	}
	if name == "." {
		return nil, nil
	}
	var entries []fs.DirEntry
	names := r.kept.names(name)
	for _, base := range slices.Sorted(maps.Keys(names)) {
		entries = append(entries, fs.FileInfoToDirEntry(memoryFileInfo{name: base, dir: names[base]}))
	}
	if entries == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return entries, nil
}

// A memoryFileInfo describes a file that is in memory.
type memoryFileInfo struct {
	name string
	size int64
	dir  bool
}

func (i memoryFileInfo) Name() string       { return i.name }
func (i memoryFileInfo) Size() int64        { return i.size }
func (i memoryFileInfo) ModTime() time.Time { return time.Time{} }
func (i memoryFileInfo) IsDir() bool        { return i.dir }
func (i memoryFileInfo) Sys() any           { return nil }
func (i memoryFileInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

func (i memoryFileInfo) open(b []byte) fs.File { return openFile{i, bytes.NewReader(b)} }

// An openFile is a file that is in memory.
type openFile struct {
	info memoryFileInfo
	*bytes.Reader
}

func (f openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f openFile) Close() error               { return nil }

// A recordsFile is a vault file of which one record is in memory.
type recordsFile struct {
	info memoryFileInfo
	next func() ([]byte, error, bool)
	stop func()
	buf  bytes.Buffer
}

// openRecords opens the vault file of records, whose size is not known.
func openRecords(name string, records iter.Seq2[[]byte, error]) (fs.File, error) {
	f := &recordsFile{info: memoryFileInfo{name: path.Base(name)}}
	f.next, f.stop = iter.Pull2(records)
	if err := f.fill(); err != nil && err != io.EOF {
		f.stop()
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f, nil
}

// fill takes the next record into memory.
func (f *recordsFile) fill() error {
	record, err, ok := f.next()
	switch {
	case !ok:
		return io.EOF
	case err != nil:
		return err
	}
	return audit.WriteRecord(&f.buf, record)
}

func (f *recordsFile) Read(b []byte) (int, error) {
	for f.buf.Len() == 0 {
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
	return f.buf.Read(b)
}

func (f *recordsFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *recordsFile) Close() error               { f.stop(); return nil }
