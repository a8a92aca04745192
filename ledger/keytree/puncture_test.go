package keytree_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
)

var errStore = errors.New("disk full")

func TestPunctureStoresBeforeItForgets(t *testing.T) {
	tree := keytree.New([32]byte{1})
	gone := keytree.Bucket(1, 2, 3).For(keytree.Tags)
	before := must(tree.Derive(gone))
	hash := tree.Hash()
	var offered [2][]byte
	for i := range offered {
		err := tree.Puncture(func(state []byte) error {
			offered[i] = bytes.Clone(state)
			return errStore
		}, keytree.Bucket(1, 2, 3))
		if !errors.Is(err, errStore) {
			t.Fatalf("got %v, want what the store said", err)
		}
		if key, err := tree.Derive(gone); err != nil || key != before || tree.Hash() != hash || tree.Epoch() != 0 {
			t.Fatalf("nothing was stored, and the tree changed: %v", err)
		}
	}
	if !bytes.Equal(offered[0], offered[1]) {
		t.Error("the second attempt offered other bytes")
	}
	var kept []byte
	err := tree.Puncture(func(state []byte) error {
		kept = state
		if !bytes.Equal(state, offered[0]) {
			t.Error("the third attempt offered other bytes")
		}
		if key, err := tree.Derive(gone); err != nil || key != before {
			t.Errorf("forgotten before it was stored: %v", err)
		}
		return nil
	}, keytree.Bucket(1, 2, 3))
	if _, derr := tree.Derive(gone); err != nil || !errors.Is(derr, keytree.ErrDestroyed) || tree.Epoch() != 1 {
		t.Errorf("stored: %v, derived: %v, epoch %d", err, derr, tree.Epoch())
	}
	if !bytes.Equal(keytree.Format(tree), offered[0]) {
		t.Error("what was stored is not the state")
	}
	if !bytes.Equal(kept, make([]byte, len(kept))) {
		t.Error("the state that the store was given is still there")
	}
}

func TestPunctureOfWhatIsDestroyedChangesNothing(t *testing.T) {
	tree := keytree.New([32]byte{1})
	puncture(t, tree, keytree.Buckets(1, 2, 0, 100)...)
	hash := tree.Hash()
	for name, paths := range map[string][]keytree.Path{
		"nothing":              nil,
		"the same range":       keytree.Buckets(1, 2, 0, 100),
		"a bucket within":      {keytree.Bucket(1, 2, 99)},
		"a key of such":        {keytree.Bucket(1, 2, 0).For(keytree.Tags)},
		"a range within":       keytree.Buckets(1, 2, 3, 50),
		"a range of no length": keytree.Buckets(1, 2, 200, 200),
	} {
		err := tree.Puncture(func([]byte) error { return errStore }, paths...)
		if err != nil || tree.Hash() != hash || tree.Epoch() != 1 {
			t.Errorf("%s: %v, epoch %d", name, err, tree.Epoch())
		}
	}
}

// What the tree keeps at hand for a key is forgotten with it.
func TestPunctureForgetsWhatIsAtHand(t *testing.T) {
	for name, paths := range map[string][]keytree.Path{
		"one key":    {keytree.Bucket(1, 2, 3).For(keytree.Sealing)},
		"the bucket": {keytree.Bucket(1, 2, 3)},
		"a range":    keytree.Buckets(1, 2, 0, 1000),
		"everything": {{}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := keytree.New([32]byte{1})
			must(tree.Derive(keytree.Bucket(1, 2, 3).For(keytree.Sealing)))
			must(tree.Derive(keytree.Bucket(1, 2, 4).For(keytree.Sealing)))
			puncture(t, tree, paths...)
			if _, err := tree.Derive(keytree.Bucket(1, 2, 3).For(keytree.Sealing)); !errors.Is(err, keytree.ErrDestroyed) {
				t.Errorf("got %v", err)
			}
		})
	}
	tree := keytree.New([32]byte{1})
	puncture(t, tree, keytree.Path{})
	if _, err := tree.Handle(1, []byte("alice"), 0); !errors.Is(err, keytree.ErrDestroyed) {
		t.Errorf("handle: %v", err)
	}
	if got := keytree.Format(tree); len(got) != 13 || tree.Epoch() != 1 {
		t.Errorf("nothing is left, and the state is %x", got)
	}
}

// Some derive while others destroy: nobody ever gets a wrong key, nor one
// whose destruction was reported.
func TestDeriveWhileKeysAreDestroyed(t *testing.T) {
	root := [32]byte{1}
	tree := keytree.New(root)
	const periods = 200
	var wants [periods][32]byte
	for i := range wants {
		wants[i] = [32]byte(refKey(root[:], place{Stream: 1, Class: 2, Period: uint32(i), Use: "sealing"}.bits()))
	}
	var deriving sync.WaitGroup
	var mu sync.Mutex
	reported := 0 // periods below are destroyed
	done := make(chan struct{})
	for range 4 {
		deriving.Go(func() {
			for i := 0; ; i = (i + 1) % periods {
				select {
				case <-done:
					return
				default:
				}
				mu.Lock()
				least := reported
				mu.Unlock()
				key, err := tree.Derive(keytree.Bucket(1, 2, uint32(i)).For(keytree.Sealing))
				if err == nil && (key != wants[i] || i < least) || err != nil && !errors.Is(err, keytree.ErrDestroyed) {
					t.Errorf("period %d with those below %d destroyed: %x, %v", i, least, key, err)
					return
				}
			}
		})
	}
	for i := range uint32(periods) {
		puncture(t, tree, keytree.Buckets(1, 2, 0, i+1)...)
		mu.Lock()
		reported = int(i) + 1
		mu.Unlock()
	}
	close(done)
	deriving.Wait()
}
