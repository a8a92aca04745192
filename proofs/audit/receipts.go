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
	b, err := l.files.ReadFile(ctx, path)
	if err != nil && !wrong(err) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var r proofs.Receipt
	if err == nil {
		r, err = proofs.ParseReceipt(b)
	}
	if err != nil {
		return &Finding{Kind: ReceiptInvalid, Index: NoIndex, Path: path, Detail: fmt.Sprintf("The receipt is damaged: %v.", why(err))}, nil
	}
	f := &Finding{Kind: ReceiptInvalid, Index: int64(r.Index), Path: path}
	v, err := l.policy.Check(r.Checkpoint)
	if err != nil {
		f.Detail = fmt.Sprintf("The receipt's checkpoint is not signed as the policy demands, or was changed after it was: %v.", why(err))
		return f, nil
	}
	if name, key, ok := damagedSignature(l.policy, r.Checkpoint); ok {
		f.Detail = fmt.Sprintf("A signature in the receipt is damaged: the line by %q is that of the policy's key %s with its name or ID changed.", name, key)
		return f, nil
	}
	f.Kind, f.Detail, err = l.compareReceipt(ctx, r, v.Checkpoint)
	if f.Kind == "" {
		f = nil
	}
	return f, err
}

// compareReceipt compares a receipt by a believed checkpoint with the ledger's
// tree. It returns no kind where nothing is wrong with it; where tiles are
// damaged, that is another finding.
func (l *ledger) compareReceipt(ctx context.Context, r proofs.Receipt, c proofs.Checkpoint) (kind FindingKind, detail string, err error) {
	switch {
	case c.Origin != l.head.Origin:
		return ReceiptForeign, fmt.Sprintf("The receipt is of another ledger, %q.", c.Origin), nil
	case c.Size > l.head.Size:
		return ReceiptRollback, fmt.Sprintf("The receipt shows a signed checkpoint of %d entries, and the ledger publishes one of %d: it was rolled back, or its files were cut short.", c.Size, l.head.Size), nil
	case r.Index >= c.Size:
		return ReceiptInvalid, fmt.Sprintf("The receipt is of entry %d, and its checkpoint has %d entries.", r.Index, c.Size), nil
	}
	leaf := proofs.LeafHash(r.Extra)
	if r.Extra == nil { // it is of whatever leaf the tree has there
		leaf, err = l.reader.LeafHash(ctx, r.Index)
	}
	if err == nil {
		if err := proofs.CheckInclusion(r.Index, c.Size, leaf, r.Proof, c.Root); err != nil {
			return ReceiptInvalid, fmt.Sprintf("The receipt does not show that entry %d is in the ledger: %v.", r.Index, why(err)), nil
		}
		var root proofs.Hash
		if root, err = proofs.Root(ctx, c.Size, l.reader); err == nil && root != c.Root {
			return ReceiptForeign, fmt.Sprintf("The receipt's checkpoint of size %d is signed and is of another history than the one that is published: both are evidence of a fork.", c.Size), nil
		}
	}
	if err != nil && !wrong(err) {
		return "", "", err
	}
	return "", "", nil
}
