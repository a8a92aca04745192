package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// judgeReceipts judges the receipts beside the ledger.
func (a *auditor) judgeReceipts(ctx context.Context) error {
	if !a.listable {
		return nil
	}
	return ordered(ctx, a.o.Workers, a.receiptPaths(), a.judgeReceipt, func(f *Finding) error {
		a.report.Summary.Receipts++
		if f != nil {
			a.found.add(*f)
		}
		return nil
	})
}

// receiptPaths yields the paths of the receipts, a few hundred names at a time.
func (a *auditor) receiptPaths() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dir, err := a.fsys.Open(ReceiptsDir)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield("", err)
			return
		}
		defer dir.Close()
		d, ok := dir.(fs.ReadDirFile)
		if !ok {
			return
		}
		for {
			list, err := d.ReadDir(256)
			for _, e := range list {
				if strings.HasSuffix(e.Name(), ReceiptSuffix) && !yield(ReceiptsDir+"/"+e.Name(), nil) {
					return
				}
			}
			if err != nil {
				if err != io.EOF {
					yield("", fmt.Errorf("list %s: %w", ReceiptsDir, err))
				}
				return
			}
		}
	}
}

// judgeReceipt judges a receipt alone and then against the ledger's tree.
func (l *ledger) judgeReceipt(ctx context.Context, path string) (*Finding, error) {
	fail := func(kind FindingKind, index int64, format string, args ...any) (*Finding, error) {
		return &Finding{Kind: kind, Index: index, Path: path, Detail: fmt.Sprintf(format, args...)}, nil
	}
	b, err := l.files.ReadFile(ctx, path)
	if err != nil && !wrong(err) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var r proofs.Receipt
	if err == nil {
		r, err = proofs.ParseReceipt(b)
	}
	if err != nil {
		return fail(ReceiptInvalid, NoIndex, "The receipt is damaged: %v.", why(err))
	}
	index := int64(r.Index)
	v, err := l.policy.Check(r.Checkpoint)
	if err != nil {
		return fail(ReceiptInvalid, index, "The receipt's checkpoint is not signed as the policy demands, or was changed after it was: %v.", why(err))
	}
	if name, key, ok := damagedSignature(l.policy, r.Checkpoint); ok {
		return fail(ReceiptInvalid, index, "A signature in the receipt is damaged: the line by %q is that of the policy's key %s with its name or ID changed.", name, key)
	}
	c := v.Checkpoint
	switch {
	case c.Origin != l.head.Origin:
		return fail(ReceiptForeign, index, "The receipt is of another ledger, %q.", c.Origin)
	case c.Size > l.head.Size:
		return fail(ReceiptRollback, index, "The receipt shows a signed checkpoint of %d entries, and the ledger publishes one of %d: it was rolled back, or its files were cut short.", c.Size, l.head.Size)
	case r.Index >= c.Size:
		return fail(ReceiptInvalid, index, "The receipt is of entry %d, and its checkpoint has %d entries.", r.Index, c.Size)
	}
	leaf := proofs.LeafHash(r.Extra)
	if r.Extra == nil { // it is of whatever leaf the tree has there
		leaf, err = l.reader.LeafHash(ctx, r.Index)
	}
	if err == nil {
		if err := proofs.CheckInclusion(r.Index, c.Size, leaf, r.Proof, c.Root); err != nil {
			return fail(ReceiptInvalid, index, "The receipt does not show that entry %d is in the ledger: %v.", r.Index, why(err))
		}
	}
	root, errRoot := proofs.Root(ctx, c.Size, l.reader)
	if errRoot == nil && root != c.Root {
		return fail(ReceiptForeign, index, "The receipt's checkpoint of size %d is signed and is of another history than the one that is published: both are evidence of a fork.", c.Size)
	}
	for _, err := range []error{err, errRoot} {
		if err != nil && !wrong(err) {
			return nil, err
		}
	}
	return nil, nil // where tiles are damaged, that is another finding
}
