package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	tessera "github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
)

// newTesseraClient returns what Tessera's client fetches with, and the
// verifier of the ledger's Ed25519 key.
func newTesseraClient(t *testing.T, l *servedLedger) (*tessera.HTTPFetcher, note.Verifier) {
	t.Helper()
	root, err := url.Parse(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	fetcher, err := tessera.NewHTTPFetcher(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(l.key(t, proofs.Ed25519).String())
	if err != nil {
		t.Fatal(err)
	}
	return fetcher, verifier
}

// TestTesseraTracksLedger has the LogStateTracker of Tessera's client follow
// the ledger from one checkpoint to the next, with a proof that it made from
// our tiles.
func TestTesseraTracksLedger(t *testing.T) {
	l := newLedger(t, 300)
	fetcher, verifier := newTesseraClient(t, l)
	tracker, err := tessera.NewLogStateTracker(t.Context(), fetcher.ReadTile, nil, verifier, origin, tessera.UnilateralConsensus(fetcher.ReadCheckpoint))
	if err != nil {
		t.Fatalf("Tessera's tracker does not accept our first checkpoint: %v", err)
	}
	_, old := l.checkpoint(t)
	if got := tracker.Latest(); got.Size != old.Size || !bytes.Equal(got.Hash, old.Root[:]) {
		t.Fatalf("Tessera's tracker believes size %d and root %x, want %d and %s", got.Size, got.Hash, old.Size, old.Root)
	}
	l.append(t, 300)
	_, now := l.checkpoint(t)

	l.damage("tile/0/001")
	var inconsistent tessera.ErrInconsistency
	if _, _, _, err := tracker.Update(t.Context()); !errors.As(err, &inconsistent) {
		t.Errorf("Tessera's tracker says %v with a flipped bit in tile/0/001", err)
	}
	l.damage("")

	_, theirs, _, err := tracker.Update(t.Context())
	if err != nil {
		t.Fatalf("Tessera's tracker does not accept that size %d extends size %d: %v", now.Size, old.Size, err)
	}
	if got := tracker.Latest(); got.Size != now.Size || !bytes.Equal(got.Hash, now.Root[:]) {
		t.Errorf("Tessera's tracker believes size %d and root %x, want %d and %s", got.Size, got.Hash, now.Size, now.Root)
	}
	hashes, err := l.ProveConsistency(t.Context(), old.Size, now.Size)
	if err != nil {
		t.Fatal(err)
	}
	ours := make([][]byte, len(hashes))
	for i, h := range hashes {
		ours[i] = h[:]
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, old.Size, now.Size, ours, old.Root[:], now.Root[:]); err != nil {
		t.Errorf("transparency-dev/merkle does not accept our consistency proof: %v\ngot  %x\nwant %x", err, ours, theirs)
	}
}

// TestTesseraReadsEntries has Tessera's client stream the entry bundles, and
// its ProofBuilder prove each entry from our tiles.
func TestTesseraReadsEntries(t *testing.T) {
	l := newLedger(t, 600)
	if err := tesseraReads(t, l); err != nil {
		t.Errorf("Tessera's client finds fault with our entries: %v", err)
	}
	for _, path := range []string{"tile/0/001", "tile/entries/001"} {
		l.damage(path)
		if err := tesseraReads(t, l); err == nil {
			t.Errorf("Tessera's client finds no fault with a flipped bit in %s", path)
		}
	}
}

// tesseraReads has Tessera's client read every entry and prove that it is in
// the tree.
func tesseraReads(t *testing.T, l *servedLedger) error {
	ctx := t.Context()
	fetcher, verifier := newTesseraClient(t, l)
	c, _, _, err := tessera.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, origin)
	if err != nil {
		return err
	}
	builder, err := tessera.NewProofBuilder(ctx, c.Size, fetcher.ReadTile)
	if err != nil {
		return err
	}
	size := func(context.Context) (uint64, error) { return c.Size, nil }
	bundles := tessera.EntryBundles(ctx, 2, size, fetcher.ReadEntryBundle, 0, c.Size)
	n := uint64(0)
	for entry, err := range tessera.Entries(bundles, unbundle) {
		if err != nil {
			return err
		}
		hashes, err := builder.InclusionProof(ctx, n)
		if err != nil {
			return err
		}
		leafHash := rfc6962.DefaultHasher.HashLeaf(entry.Entry)
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, n, c.Size, leafHash, hashes, c.Hash); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		if leaf, ok := l.Leaves[n]; entry.Index != n || ok && !bytes.Equal(entry.Entry, leaf) {
			return fmt.Errorf("entry %d is %x, we appended %x as entry %d", entry.Index, entry.Entry, leaf, n)
		}
		n++
	}
	if n != c.Size {
		return fmt.Errorf("read %d of %d entries", n, c.Size)
	}
	return nil
}

// unbundle has Tessera parse an entry bundle.
func unbundle(data []byte) ([][]byte, error) {
	var b api.EntryBundle
	err := b.UnmarshalText(data)
	return b.Entries, err
}
