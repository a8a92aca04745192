package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// path returns where a file of the export lies.
func (e *exporter) path(name string) string { return filepath.Join(e.dir, filepath.FromSlash(name)) }

func (e *exporter) has(name string) bool {
	_, err := os.Stat(e.path(name))
	return err == nil
}

func (e *exporter) read(name string) ([]byte, error) { return os.ReadFile(e.path(name)) }

// partialDir holds files that are not whole yet, until the export is.
const partialDir = ".partial"

// write writes a file, which has its name once it is whole. The name itself
// is durable after sync.
func (e *exporter) write(name string, data []byte) error {
	if err := command.PlaceFile(e.path(partialDir), e.path(name), data, publicMode, true); err != nil {
		return err
	}
	e.written.Add(1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dirs == nil {
		e.dirs = make(map[string]bool)
	}
	for rel := filepath.Dir(filepath.FromSlash(name)); ; rel = filepath.Dir(rel) {
		e.dirs[filepath.Join(e.dir, rel)] = true
		if rel == "." {
			return nil
		}
	}
}

// sync makes all names durable that were written.
func (e *exporter) sync() error {
	for dir := range e.dirs {
		if err := command.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// records writes the sealed records of a bundle's entries, each of which must
// be the one that its leaf commits to.
func (e *exporter) records(ctx context.Context, b proofs.Bundle) error {
	data, err := e.vault(ctx, b)
	if err != nil {
		return err
	}
	leaves, err := e.leaves(ctx, b)
	if err != nil {
		return err
	}
	rest := data
	for i, leaf := range leaves {
		var record []byte
		if record, rest, err = cutRecord(rest); err != nil {
			return err
		}
		if len(record) == 0 {
			continue // it is not held: audit says why it may be missing
		}
		if err := checkRecord(record, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", b.Index*proofs.TileWidth+uint64(i), err)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: sealed records: %d bytes after the last", proofs.ErrMalformed, len(rest))
	}
	return e.write(audit.VaultPath(b), data)
}

// cutRecord cuts the first record of a vault file: see audit.FormatVault.
func cutRecord(b []byte) (record, rest []byte, err error) {
	if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
		return nil, nil, fmt.Errorf("%w: sealed records: cut off", proofs.ErrMalformed)
	}
	n := int(binary.BigEndian.Uint32(b))
	return b[4 : 4+n], b[4+n:], nil
}

func checkRecord(b, leafBytes []byte) error {
	record, err := proofs.ParseRecord(b)
	if err != nil {
		return err
	}
	leaf, err := proofs.ParseLeaf(leafBytes)
	if err != nil {
		return err
	}
	return proofs.CheckRecord(record, leaf)
}

// writeReceipts writes a receipt for each event of a bundle that has none.
func (e *exporter) writeReceipts(ctx context.Context, b proofs.Bundle) error {
	leaves, err := e.leaves(ctx, b)
	if err != nil {
		return err
	}
	for i, leafBytes := range leaves {
		leaf, err := proofs.ParseLeaf(leafBytes)
		if err != nil {
			return err
		}
		index := b.Index*proofs.TileWidth + uint64(i)
		path := receiptPath(audit.ReceiptsDir, index)
		if leaf.Kind != proofs.Event || e.has(path) {
			continue
		}
		receipt, err := makeReceipt(ctx, e.view, index, leafBytes)
		if err != nil {
			return err
		}
		if err := e.write(path, receipt); err != nil {
			return err
		}
	}
	return nil
}

// receiptPath returns the name of an entry's receipt in a directory.
func receiptPath(dir string, index uint64) string {
	return fmt.Sprintf("%s/%d%s", dir, index, audit.ReceiptSuffix)
}
