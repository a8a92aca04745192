package ledger

import (
	"errors"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/proofs"
)

func newTestKeyring() *keyring { return newKeyring(Secrets{Tree: keytree.New([32]byte{1})}) }

func destroy(t *testing.T, k *keyring, paths ...keytree.Path) {
	t.Helper()
	if err := k.tree.Puncture(func([]byte) error { return nil }, paths...); err != nil {
		t.Fatal(err)
	}
	k.forget()
}

func subjectOf(t *testing.T, k *keyring, name string) subjectKeys {
	t.Helper()
	keys, err := k.subject(1, name)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestErasedSubjectGetsKeysAgain: other ones, so that what is new about the
// person can be recorded, and what was recorded stays closed.
func TestErasedSubjectGetsKeysAgain(t *testing.T) {
	k := newTestKeyring()
	bob := subjectOf(t, k, "bob")
	var was []subjectKeys
	for range 4 {
		keys := subjectOf(t, k, "alice")
		for _, old := range was {
			if keys.ref == old.ref || keys.seal == old.seal || keys.tags == old.tags {
				t.Fatalf("after %d erasures the subject has keys that it had", len(was))
			}
			if _, err := k.sealKeys(1)(old.ref); !errors.Is(err, errDestroyed) {
				t.Errorf("opening what was erased: got %v, want errDestroyed", err)
			}
		}
		was = append(was, keys)
		refs, err := k.generations(1, "alice")
		if err != nil || len(refs) != len(was) {
			t.Fatalf("got %d generations, %v, want %d", len(refs), err, len(was))
		}
		for i, old := range was {
			if refs[i] != old.ref {
				t.Errorf("generation %d is %x, want %x", i, refs[i], old.ref)
			}
		}
		destroy(t, k, keytree.Subject(1, keytree.Handle(keys.ref)))
	}
	if got := subjectOf(t, k, "bob"); got != bob {
		t.Error("another subject has other keys")
	}
}

// TestHalfDestroyedGenerationTakesNothing: no key may be missing that what is
// new is closed with.
func TestHalfDestroyedGenerationTakesNothing(t *testing.T) {
	for _, use := range []keytree.Use{keytree.Sealing, keytree.Tags} {
		k := newTestKeyring()
		first := subjectOf(t, k, "alice")
		destroy(t, k, keytree.Subject(1, keytree.Handle(first.ref)).For(use))
		if got := subjectOf(t, k, "alice"); got.ref == first.ref {
			t.Errorf("without its key for %s the generation is in use", use)
		}
	}
}

// TestRetiredGenerationOpensOnly: between the announcement and the end of an
// erasure its keys are there, and close nothing more.
func TestRetiredGenerationOpensOnly(t *testing.T) {
	k := newTestKeyring()
	first := subjectOf(t, k, "alice")
	if !k.takes(1, first.ref) {
		t.Error("it is retired before it was")
	}
	k.retire(1, first.ref)
	if k.takes(1, first.ref) || !k.takes(2, first.ref) {
		t.Error("it is not retired, or in another stream too")
	}
	next := subjectOf(t, k, "alice")
	if next.ref == first.ref {
		t.Error("the retired generation closes what is new")
	}
	if key, err := k.sealKeys(1)(first.ref); err != nil || key != first.seal {
		t.Errorf("what is there does not open: %v", err)
	}
	destroy(t, k, keytree.Subject(1, keytree.Handle(first.ref)))
	if got := subjectOf(t, k, "alice"); got != next {
		t.Error("once it is destroyed, another generation closes what is new")
	}
}

// TestNothingIsAtHandOfWhatIsDestroyed: what the ring keeps goes with the
// tree's keys.
func TestNothingIsAtHandOfWhatIsDestroyed(t *testing.T) {
	k := newTestKeyring()
	path := bucketPath{Stream: 1, Class: 2, Period: 3}
	if _, err := k.bucket(path); err != nil {
		t.Fatal(err)
	}
	ring, err := k.hold(4711)
	if err != nil || ring == (proofs.Key256{}) {
		t.Fatalf("got ring key %x, %v", ring, err)
	}
	destroy(t, k, keytree.Bucket(1, 2, 3), keytree.Hold(4711))
	if _, err := k.bucket(path); !errors.Is(err, errDestroyed) {
		t.Errorf("bucket: got %v, want errDestroyed", err)
	}
	if _, err := k.hold(4711); !errors.Is(err, errDestroyed) {
		t.Errorf("hold: got %v, want errDestroyed", err)
	}
	destroy(t, k, keytree.Path{})
	if _, err := k.subject(1, "alice"); !errors.Is(err, errDestroyed) {
		t.Errorf("a subject of an empty tree: got %v, want errDestroyed", err)
	}
	if _, err := k.generations(1, "alice"); !errors.Is(err, errDestroyed) {
		t.Errorf("its generations: got %v, want errDestroyed", err)
	}
}
