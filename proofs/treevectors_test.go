package proofs_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// runVectors runs a file of public test vectors. Judge returns what the
// package says to one of them; other programs' judgements go to agree.
func runVectors[V any](t *testing.T, topic string, judge func(t *testing.T, v V) error) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", topic+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []json.RawMessage
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) == 0 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, raw := range vectors {
		var meta struct{ Name, Verdict, Error, Why string }
		var v V
		if err := errors.Join(json.Unmarshal(raw, &meta), json.Unmarshal(raw, &v)); err != nil {
			t.Fatal(err)
		}
		t.Run(meta.Name, func(t *testing.T) {
			err := judge(t, v)
			want := map[string]error{"malformed": proofs.ErrMalformed, "does not verify": proofs.ErrNotVerified}[meta.Error]
			switch {
			case meta.Verdict == "ok" && err != nil:
				t.Errorf("refused: %v", err)
			case meta.Verdict == "reject" && (want == nil || !errors.Is(err, want) || meta.Why == ""):
				t.Errorf("got %v, want %q because %q", err, meta.Error, meta.Why)
			case meta.Verdict != "ok" && meta.Verdict != "reject":
				t.Errorf("verdict %q", meta.Verdict)
			}
		})
	}
}

// A hexText is bytes in hexadecimal.
type hexText []byte

func (h *hexText) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

func (h hexText) hash(t *testing.T) proofs.Hash {
	t.Helper()
	if len(h) != proofs.HashSize {
		t.Fatalf("a hash of %d bytes", len(h))
	}
	return proofs.Hash(h)
}

func hashList(t *testing.T, list []hexText) (hashes []proofs.Hash) {
	t.Helper()
	for _, h := range list {
		hashes = append(hashes, h.hash(t))
	}
	return hashes
}

func TestInclusionVectors(t *testing.T) {
	type vector struct {
		Index uint64    `json:"index,string"`
		Size  uint64    `json:"size,string"`
		Leaf  hexText   `json:"leaf_hash"`
		Proof []hexText `json:"proof"`
		Root  hexText   `json:"root"`
	}
	runVectors(t, "inclusion", func(t *testing.T, v vector) error {
		leaf, root, path := v.Leaf.hash(t), v.Root.hash(t), hashList(t, v.Proof)
		err := proofs.CheckInclusion(v.Index, v.Size, leaf, path, root)
		if ref := refCheckInclusion(v.Index, v.Size, leaf, path, root); ref != (err == nil) {
			t.Errorf("the RFC says %v", ref)
		}
		if v.Index < 1<<63 && peersAcceptInclusion(v.Index, v.Size, leaf, path, root) != (err == nil) {
			t.Error("merkle or x/mod says otherwise")
		}
		return err
	})
}

func TestConsistencyVectors(t *testing.T) {
	type vector struct {
		OldSize uint64    `json:"old_size,string"`
		NewSize uint64    `json:"new_size,string"`
		OldRoot hexText   `json:"old_root"`
		NewRoot hexText   `json:"new_root"`
		Proof   []hexText `json:"proof"`
	}
	runVectors(t, "consistency", func(t *testing.T, v vector) error {
		oldRoot, newRoot, path := v.OldRoot.hash(t), v.NewRoot.hash(t), hashList(t, v.Proof)
		err := proofs.CheckConsistency(v.OldSize, v.NewSize, oldRoot, newRoot, path)
		if ref := refCheckConsistency(v.OldSize, v.NewSize, oldRoot, newRoot, path); ref != (err == nil) {
			t.Errorf("the RFC says %v", ref)
		}
		if v.OldSize > 0 && peersAcceptConsistency(v.OldSize, v.NewSize, oldRoot, newRoot, path) != (err == nil) {
			t.Error("merkle or x/mod says otherwise")
		}
		return err
	})
}

// A place is what the path of a tile or bundle says.
type place struct {
	Level uint8
	Index uint64 `json:",string"`
	Width int
}

func TestTileVectors(t *testing.T) {
	type vector struct {
		Path   *string
		Tile   place
		Bytes  hexText
		Width  int
		Hashes []hexText
	}
	runVectors(t, "tile", func(t *testing.T, v vector) error {
		if v.Path != nil {
			tile, err := proofs.ParseTilePath(*v.Path)
			if want := (proofs.Tile{Level: v.Tile.Level, Index: v.Tile.Index, Width: v.Tile.Width}); err == nil && (tile != want || tile.Path() != *v.Path) {
				t.Errorf("got %+v, want %+v", tile, want)
			}
			return err
		}
		hashes, err := proofs.ParseTile(v.Bytes, v.Width)
		if err == nil && !bytes.Equal(proofs.FormatTile(hashes), proofs.FormatTile(hashList(t, v.Hashes))) {
			t.Errorf("got %v, want %x", hashes, v.Hashes)
		}
		return err
	})
}

func TestBundleVectors(t *testing.T) {
	type vector struct {
		Path    *string
		Bundle  place
		Bytes   hexText
		Width   int
		Entries []hexText
	}
	runVectors(t, "bundle", func(t *testing.T, v vector) error {
		if v.Path != nil {
			b, err := proofs.ParseBundlePath(*v.Path)
			if want := (proofs.Bundle{Index: v.Bundle.Index, Width: v.Bundle.Width}); err == nil && (b != want || b.Path() != *v.Path) {
				t.Errorf("got %+v, want %+v", b, want)
			}
			return err
		}
		entries, err := proofs.ParseBundle(v.Bytes, v.Width)
		for i, e := range entries {
			if !bytes.Equal(e, v.Entries[i]) {
				t.Errorf("entry %d is %x, want %x", i, e, v.Entries[i])
			}
		}
		if err == nil && len(entries) != len(v.Entries) {
			t.Errorf("%d entries, want %d", len(entries), len(v.Entries))
		}
		return err
	})
}
