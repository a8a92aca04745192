package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A ledger goes on closing payloads while it is exported, and did since an
// earlier export. So once all is written the auditor judges it. Where sealed
// records are gone without a reason there is a newer checkpoint that knows one;
// where some are there that should be gone the ledger has them no more. They
// are read again, under the newest checkpoint.

// maxRounds bounds how often an export is made again in part. What is wrong
// then, is wrong with the ledger: audit says so.
const maxRounds = 4

// settle reports whether the sealed records are as the entries say that they
// should be. If not, it prepares the next round.
func (e *exporter) settle(ctx context.Context) (bool, error) {
	if e.vault == nil {
		return true, nil
	}
	stale, err := e.judgeRecords(ctx)
	if e.rounds++; err != nil || len(stale) == 0 || e.rounds == maxRounds {
		return true, err
	}
	old := e.have == e.view.Checkpoint.Size && maps.Equal(stale, e.stale) // nothing has changed
	e.stale, e.have = stale, e.view.Checkpoint.Size
	if old {
		return true, nil
	}
	return false, e.renew(ctx)
}

// judgeRecords returns the bundles that have sealed records which should be
// gone, or lack some which should be there.
func (e *exporter) judgeRecords(ctx context.Context) (map[uint64]bool, error) {
	files := exportFS{os.DirFS(e.dir), e.view.Signed}
	r, err := audit.Run(ctx, files, audit.Options{Policy: e.policy, Workers: e.workers, MaxFindings: 1 << 20})
	if err != nil {
		return nil, err
	}
	stale := make(map[uint64]bool)
	for _, f := range r.Findings {
		switch f.Kind {
		case audit.RecordMissing, audit.RecordHeld, audit.RecordRemains:
			for b := f.Index / proofs.TileWidth; b <= max(f.Index, f.Last)/proofs.TileWidth; b++ {
				stale[uint64(b)] = true
			}
		}
	}
	return stale, nil
}

// An exportFS is an export that is about to get its checkpoint.
type exportFS struct {
	fs.FS
	checkpoint []byte
}

// Open implements fs.FS. Receipts, and what was replaced, are not judged.
func (x exportFS) Open(name string) (fs.File, error) {
	replaced := strings.HasPrefix(name, audit.VaultDir+"/") && strings.HasSuffix(name, partSuffix)
	switch {
	case name == audit.CheckpointFile:
		return memoryFileInfo{name: name, size: int64(len(x.checkpoint))}.open(bytes.Clone(x.checkpoint)), nil
	case name == audit.ReceiptsDir || replaced:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return x.FS.Open(name)
}

const partSuffix = ".p"

// removeReplaced removes the partial files of sealed records that are in larger
// files now, with all that may have been closed since.
func (e *exporter) removeReplaced() error {
	if e.vault == nil {
		return nil
	}
	last, _ := proofs.BundleIn(e.view.Checkpoint.Size, e.view.Checkpoint.Size/proofs.TileWidth)
	now := audit.VaultPath(last)
	changed := make(map[string]bool)
	err := fs.WalkDir(os.DirFS(e.dir), audit.VaultDir, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || name == now || !strings.HasSuffix(path.Dir(name), partSuffix) {
			return err
		}
		if _, err := strconv.Atoi(d.Name()); err != nil {
			return nil // it is none of ours
		}
		changed[path.Dir(name)] = true
		return os.Remove(e.path(name))
	})
	for _, dir := range slices.Sorted(maps.Keys(changed)) {
		err = errors.Join(err, command.SyncDir(e.path(dir)))
		_ = os.Remove(e.path(dir)) // if nothing is left in it
	}
	return err
}
