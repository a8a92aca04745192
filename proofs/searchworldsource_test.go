package proofs_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A searchWorld is a [proofs.SearchSource].

// refRoot is the root over hashes, as RFC 6962 says.
func refRoot(hashes []proofs.Hash) proofs.Hash {
	var d refTree
	for _, h := range hashes {
		d = append(d, h[:])
	}
	return refMTH(d)
}

func (w *searchWorld) ReadNodes(_ context.Context, ids []proofs.NodeID) (out []proofs.Hash, err error) {
	for _, id := range ids {
		out = append(out, w.nodes[id.Level][id.Index])
	}
	return out, nil
}

func (w *searchWorld) Leaves(_ context.Context, first, n uint64) ([][]byte, error) {
	return w.leaves[first : first+n], nil
}

func (w *searchWorld) Directory(context.Context) (uint64, []proofs.Hash, []proofs.Hash, error) {
	return w.made, w.small, w.large, nil
}

func (w *searchWorld) Segment(_ context.Context, id proofs.SegmentID, stream uint32) (proofs.DirectoryHead, []proofs.BucketRows, error) {
	var rows []proofs.BucketRows
	for _, r := range w.rows[id] {
		switch {
		case r.Stream != stream:
		case w.expired[r.Bucket] > 0:
			rows = append(rows, nil)
		default:
			rows = append(rows, r)
		}
	}
	return w.heads[id], rows, nil
}

func (w *searchWorld) FieldKey(bucket uint32, number uint16) (k proofs.SearchKey, ok bool) {
	if bucket == 1 && number == 4 && w.later > 0 {
		return proofs.SearchKey{Number: 4, Opened: w.later, Key: fieldKey(1, 4)}, true
	}
	at, known := w.opened[bucket]
	if !known || number > 4 || bucket != 3 && number > 3 || bucket == 2 && number > 1 {
		return k, false
	}
	return proofs.SearchKey{Number: number, Opened: at, Key: fieldKey(bucket, number)}, true
}

func (w *searchWorld) Tags(_ context.Context, index uint64) (proofs.SearchTags, error) {
	if w.unread[index] && w.expired[w.events[index].bucket] == 0 {
		return proofs.SearchTags{}, fmt.Errorf("vault: %w", proofs.ErrUnread)
	}
	return proofs.SearchTags{Index: index, Lists: w.events[index].lists}, nil
}

func (w *searchWorld) Expired(bucket uint32) uint64 { return w.expired[bucket] }

func (w *searchWorld) Erased(_ context.Context, index uint64) (uint64, error) {
	return w.erased[index], nil
}

func (w *searchWorld) Names(_ context.Context, stream uint32) ([]proofs.SearchNames, error) {
	if stream != 1 {
		return nil, nil
	}
	return w.names, nil
}

// prove proves a query under a checkpoint of all entries.
func (w *searchWorld) prove(t testing.TB, q proofs.SearchQuery, now bool) proofs.SearchProof {
	t.Helper()
	p, err := proofs.ProveSearch(t.Context(), q, w.checkpoint(), w.size(), now, w)
	if err != nil {
		t.Fatal(err)
	}
	return must(proofs.ParseSearchProof(must(proofs.FormatSearchProof(p))))
}

func (w *searchWorld) checkpoint() []byte {
	root := must(proofs.Root(context.Background(), w.size(), w))
	text := must(proofs.FormatCheckpoint(proofs.Checkpoint{Origin: testOrigin, Size: w.size(), Root: root}))
	return signedBy(text, seededKey(testOrigin, proofs.Ed25519))
}

func searchPolicy() *proofs.Policy {
	return must(proofs.ParsePolicy(fmt.Appendf(nil, "log %s\nquorum none\n", seededKey(testOrigin, proofs.Ed25519).Key())))
}
