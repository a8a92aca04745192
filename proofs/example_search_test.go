package proofs_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"

	"github.com/cairnlog/cairn/proofs"
)

// A smallLog has one stream with one field, actor, and too few entries for a
// directory: all of them are looked through.
type smallLog struct {
	leaves [][]byte
	tags   map[uint64]proofs.SearchTags
	key    proofs.Key256 // of the field
}

func newSmallLog(actors ...string) *smallLog {
	l := &smallLog{tags: make(map[uint64]proofs.SearchTags), key: proofs.FieldKey(&proofs.Key256{1}, 1)}
	opened, err := proofs.FormatBucket(proofs.BucketBody{
		Bucket: 1, Stream: 1, Class: 1, Keys: []proofs.FieldKeyBody{{Field: 1, Hash: proofs.FieldKeyHash(&l.key)}},
	})
	if err != nil {
		log.Fatal(err)
	}
	l.add(proofs.Leaf{Kind: proofs.BucketOpened, T: proofs.EmptyRoot(), Control: opened})
	for _, actor := range actors {
		seed := proofs.Key256(sha256.Sum256([]byte(actor)))
		tags := []proofs.Tag{proofs.MakeTag(1, &l.key, []byte(actor))}
		list := proofs.DisclosedTags{Seed: seed[:], Tags: proofs.AppendTags(nil, tags)}
		index := uint64(len(l.leaves))
		l.tags[index] = proofs.SearchTags{Index: index, Lists: []proofs.DisclosedTags{list}}
		l.add(proofs.Leaf{Stream: 1, Bucket: 1, T: proofs.TagsRoot(proofs.AppendTagCommitments(nil, &seed, tags))})
	}
	return l
}

func (l *smallLog) add(leaf proofs.Leaf) {
	leaf.Time = uint64(len(l.leaves))
	b, err := proofs.FormatLeaf(leaf)
	if err != nil {
		log.Fatal(err)
	}
	l.leaves = append(l.leaves, b)
}

// ReadNodes computes each node anew: a log keeps them.
func (l *smallLog) ReadNodes(ctx context.Context, ids []proofs.NodeID) (nodes []proofs.Hash, err error) {
	for _, id := range ids {
		if id.Level == 0 {
			nodes = append(nodes, proofs.LeafHash(l.leaves[id.Index]))
			continue
		}
		below, _ := l.ReadNodes(ctx, []proofs.NodeID{{Level: id.Level - 1, Index: 2 * id.Index}, {Level: id.Level - 1, Index: 2*id.Index + 1}})
		nodes = append(nodes, proofs.NodeHash(below[0], below[1]))
	}
	return nodes, nil
}

func (l *smallLog) Leaves(_ context.Context, first, n uint64) ([][]byte, error) {
	return l.leaves[first : first+n], nil
}

func (l *smallLog) FieldKey(bucket uint32, number uint16) (proofs.SearchKey, bool) {
	return proofs.SearchKey{Number: 1, Opened: 0, Key: l.key}, bucket == 1 && number == 1
}

func (l *smallLog) Tags(_ context.Context, index uint64) (proofs.SearchTags, error) {
	return l.tags[index], nil
}

func (l *smallLog) Directory(context.Context) (uint64, []proofs.Hash, []proofs.Hash, error) {
	return 0, nil, nil, nil // there is none
}

func (l *smallLog) Segment(context.Context, proofs.SegmentID, uint32) (proofs.DirectoryHead, []proofs.BucketRows, error) {
	return proofs.DirectoryHead{}, nil, nil
}

func (l *smallLog) Expired(uint32) uint64 { return 0 } // nothing is closed

func (l *smallLog) Erased(context.Context, uint64) (uint64, error) { return 0, nil }

func (l *smallLog) Names(context.Context, uint32) ([]proofs.SearchNames, error) { return nil, nil }

// A log proves which entries are alice's, and that there are no others. It is
// caught when it leaves one out.
func ExampleProveSearch() {
	ctx := context.Background()
	l := newSmallLog("alice", "bob", "alice", "carol")
	signer, err := proofs.GenerateKey("ledger.example", proofs.Ed25519, &seededRandom{seed: "example"})
	if err != nil {
		log.Fatal(err)
	}
	size := uint64(len(l.leaves))
	root, err := proofs.Root(ctx, size, l)
	if err != nil {
		log.Fatal(err)
	}
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: "ledger.example", Size: size, Root: root})
	if err != nil {
		log.Fatal(err)
	}
	signature, err := signer.SignCheckpoint(text, 0)
	if err != nil {
		log.Fatal(err)
	}
	checkpoint := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{signature}})

	query := proofs.SearchQuery{Stream: 1, End: size, Terms: []proofs.SearchTerm{{Values: []proofs.SearchValue{{Numbers: []uint16{1}, Value: []byte("alice")}}}}}
	proof, err := proofs.ProveSearch(ctx, query, checkpoint, size, true, l)
	if err != nil {
		log.Fatal(err)
	}
	file, err := proofs.FormatSearchProof(proof)
	if err != nil {
		log.Fatal(err)
	}

	// Somebody else, without the log. The query must be the one that was asked.
	policy, err := proofs.ParsePolicy(fmt.Appendf(nil, "log %s\nquorum none\n", signer.Key()))
	if err != nil {
		log.Fatal(err)
	}
	received, err := proofs.ParseSearchProof(file)
	if err != nil {
		log.Fatal(err)
	}
	verdict, err := received.Check(policy)
	fmt.Println(verdict.Hits, verdict.Complete, err)

	received.Tail = received.Tail[1:]
	_, err = received.Check(policy)
	fmt.Println(err)
	// Output:
	// [1 3] true <nil>
	// search proof: does not verify: the tags of entry 1 are not shown
}
