package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
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
	return e.writeWith(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeWith is write of what a function writes.
func (e *exporter) writeWith(name string, write func(io.Writer) error) error {
	if err := command.PlaceWritten(e.path(partialDir), e.path(name), publicMode, true, write); err != nil {
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
// be the one that its leaf commits to. It has one of them in memory.
func (e *exporter) records(ctx context.Context, b proofs.Bundle) error {
	leaves, err := e.leaves(ctx, b)
	if err != nil {
		return err
	}
	return e.writeWith(audit.VaultPath(b), func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<16)
		i := 0
		for record, err := range e.vault(ctx, b) {
			if err == nil && len(record) > 0 { // else it is not held: audit finds it
				err = checkRecord(record, leaves[i])
			}
			if err != nil {
				return fmt.Errorf("entry %d: %w", b.Index*proofs.TileWidth+uint64(i), err)
			}
			if err := audit.WriteRecord(out, record); err != nil {
				return err
			}
			i++
		}
		return out.Flush()
	})
}

// recordsIn yields the records of a bundle's vault file in a directory.
func recordsIn(dir string) func(context.Context, proofs.Bundle) iter.Seq2[[]byte, error] {
	return func(_ context.Context, b proofs.Bundle) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			file, err := os.Open(filepath.Join(dir, filepath.FromSlash(audit.VaultPath(b))))
			if err != nil {
				yield(nil, err)
				return
			}
			defer file.Close()
			records := audit.NewRecordReader(file)
			for range b.Width {
				record, err := records.Next()
				if !yield(record, err) || err != nil {
					return
				}
			}
			if err := records.End(); err != nil {
				yield(nil, err)
			}
		}
	}
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
