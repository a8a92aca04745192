package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A ledger is what is judged: its files, and the checkpoint they are judged by.
type ledger struct {
	fsys     fs.FS
	files    proofs.FileReader
	policy   *proofs.Policy
	head     proofs.Checkpoint // believed: its signature was checked
	reader   *proofs.Reader    // of head; decides which of two files is wrong
	listable bool              // fsys can list its directories
	vault    bool              // there is a vault

	withholds *withholding
}

// wrong reports whether an error is about the files' content, and not about
// reading them.
func wrong(err error) bool {
	return errors.Is(err, proofs.ErrNotVerified) || errors.Is(err, proofs.ErrMalformed) || errors.Is(err, fs.ErrNotExist)
}

// why writes an error that is wrong as the end of a sentence.
func why(err error) string {
	s := err.Error()
	for _, sentinel := range []error{proofs.ErrMalformed, proofs.ErrNotVerified} {
		s = strings.ReplaceAll(s, sentinel.Error()+": ", "")
	}
	return s
}

// A place is where a tile, a bundle or the records of a bundle lie, with the
// width that they have in the tree of the head.
type place struct {
	path  func(width int) string
	width int
}

func tilePlace(t proofs.Tile) place {
	return place{func(w int) string { return proofs.Tile{Level: t.Level, Index: t.Index, Width: w}.Path() }, t.Width}
}

func bundlePlace(b proofs.Bundle) place {
	return place{func(w int) string { return proofs.Bundle{Index: b.Index, Width: w}.Path() }, b.Width}
}

func vaultPlace(b proofs.Bundle) place {
	return place{func(w int) string { return VaultPath(proofs.Bundle{Index: b.Index, Width: w}) }, b.Width}
}

// String returns the path of the file.
func (p place) String() string { return p.path(p.width) }

// read returns the bytes of the file of a place or, where that is partial and
// gone, of the full one that took its place; and the width it has.
func (l *ledger) read(ctx context.Context, p place) (b []byte, width int, err error) {
	b, err = l.files.ReadFile(ctx, p.String())
	if errors.Is(err, fs.ErrNotExist) && p.width < proofs.TileWidth {
		if full, errFull := l.files.ReadFile(ctx, p.path(proofs.TileWidth)); !errors.Is(errFull, fs.ErrNotExist) {
			return full, proofs.TileWidth, errFull
		}
	}
	return b, p.width, err
}

// leftovers lists the widths of the other files of a place, of which the file
// of the width used was judged: partial ones that were published at smaller
// sizes, and the full one where the log has grown beyond the head.
func (l *ledger) leftovers(p place, used int) (widths []int, err error) {
	if !l.listable {
		return nil, nil
	}
	full := p.path(proofs.TileWidth)
	all, err := partialWidths(l.fsys, full)
	if err != nil {
		return nil, fmt.Errorf("list %s.p: %w", full, err)
	}
	for _, w := range all {
		if w < p.width {
			widths = append(widths, w)
		}
	}
	if used < proofs.TileWidth {
		if _, err := fs.Stat(l.fsys, full); err == nil {
			widths = append(widths, proofs.TileWidth)
		}
	}
	return widths, nil
}
