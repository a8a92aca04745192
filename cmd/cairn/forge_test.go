package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// cmdForge writes a directory with a ledger of a log that signs whatever it is
// told to: the first entry is always the same, all others say of what history
// they are, from a place on that the name of the history gives: "false@3"
// begins to differ from "true" with entry 3. It also writes forged.policy.
func cmdForge(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(forge(ts.MkAbs(args[0]), size, args[2], ts.MkAbs("forged.policy")))
}

// cmdPromise writes the promise of an entry by the log that forge makes, of
// the history in which all entries are true.
func cmdPromise(ts *testscript.TestScript, _ bool, args []string) {
	index, err := strconv.ParseUint(args[1], 10, 63)
	ts.Check(err)
	key, err := forgedKey()
	ts.Check(err)
	leaf, err := forgedLeaf(key, int(index), "true")
	ts.Check(err)
	note, err := key.SignPromise(proofs.PromiseText{
		Origin: forgedOrigin, State: "sequenced", Start: index, End: index + 1, Root: proofs.LeafHash(leaf), Time: 1_700_000_000_000_000,
	})
	ts.Check(err)
	b, err := client.FormatPromisedEntry(client.PromisedEntry{Index: index, Leaf: leaf, Promise: proofs.Promise{Note: note}})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

const forgedOrigin = "example.com/forged"

func forgedKey() (proofs.SigningKey, error) {
	return proofs.GenerateKey(forgedOrigin, proofs.Ed25519, rand.NewChaCha8([32]byte{3}))
}

func forge(dir string, size int, history, policy string) error {
	key, err := forgedKey()
	if err != nil {
		return err
	}
	var name string
	var from int
	if _, err := fmt.Sscanf(history, "false@%d", &from); err == nil {
		name = "false"
	}
	var leaves [][]byte
	for i := range size {
		said := "true"
		if name != "" && i >= from {
			said = name
		}
		leaf, err := forgedLeaf(key, i, said)
		if err != nil {
			return err
		}
		leaves = append(leaves, leaf)
	}
	files, err := staticLog(key, leaves)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for path, data := range files {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			return err
		}
	}
	return os.WriteFile(policy, fmt.Appendf(nil, "log %s\nquorum none\n", key.Key()), 0o644)
}

func forgedLeaf(key proofs.SigningKey, i int, said string) ([]byte, error) {
	l := proofs.Leaf{Kind: proofs.Administration, Time: uint64(i), C: sha256.Sum256([]byte(said)), T: proofs.EmptyRoot()}
	if i == 0 {
		body, err := proofs.FormatCreated(proofs.CreatedBody{Origin: forgedOrigin, Keys: key.Key().String()})
		if err != nil {
			return nil, err
		}
		l.Kind, l.Control, l.C = proofs.Created, body, proofs.Record{}.Commitment()
	}
	return proofs.FormatLeaf(l)
}

// staticLog returns the files of a log of at most 256 entries.
func staticLog(key proofs.SigningKey, leaves [][]byte) (map[string][]byte, error) {
	size := uint64(len(leaves))
	var hashes []proofs.Hash
	for _, l := range leaves {
		hashes = append(hashes, proofs.LeafHash(l))
	}
	bundle, err := proofs.FormatBundle(leaves)
	if err != nil {
		return nil, err
	}
	root, err := proofs.Root(context.Background(), size, subtrees(hashes))
	if err != nil {
		return nil, err
	}
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: forgedOrigin, Size: size, Root: root})
	if err != nil {
		return nil, err
	}
	s, err := key.SignCheckpoint(text, 0)
	if err != nil {
		return nil, err
	}
	t, _ := proofs.TileIn(size, 0, 0)
	b, _ := proofs.BundleIn(size, 0)
	return map[string][]byte{
		t.Path():             proofs.FormatTile(hashes),
		b.Path():             bundle,
		audit.CheckpointFile: proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{s}}),
	}, nil
}

// subtrees are the leaf hashes of a tree, from which it makes every node.
type subtrees []proofs.Hash

func (s subtrees) ReadNodes(_ context.Context, ids []proofs.NodeID) (nodes []proofs.Hash, err error) {
	for _, id := range ids {
		level := s[id.Index<<id.Level : (id.Index+1)<<id.Level]
		for len(level) > 1 {
			var above []proofs.Hash
			for i := 0; i < len(level); i += 2 {
				above = append(above, proofs.NodeHash(level[i], level[i+1]))
			}
			level = above
		}
		nodes = append(nodes, level[0])
	}
	return nodes, nil
}
