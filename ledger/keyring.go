package ledger

import (
	"context"
	"crypto/aes"
	"errors"
	"fmt"
	"sync"

	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/proofs"
)

// errDestroyed means that what a key closed cannot be opened any more.
var errDestroyed = keytree.ErrDestroyed

// A keyring derives the keys of buckets and subjects and keeps those in use.
type keyring struct {
	tree *keytree.Tree

	mu       sync.RWMutex
	buckets  map[bucketPath]*bucketKeys
	subjects map[subjectID]subjectKeys
	retired  map[subjectRef]bool
	paused   map[subjectRef]bool
	resumed  chan struct{} // closed when nothing is paused any more; replaced then
	forgot   uint64        // how often what is kept was forgotten
}

// errPaused means that what is new about a subject has to wait a moment: see
// [keyring.pause].
var errPaused = errors.New("the subject's keys are about to be replaced")

const (
	maxSubjectKeys = 1 << 16 // how many subjects' keys are kept derived
	maxGenerations = 1 << 16 // how often one subject can be erased
)

type subjectID struct {
	stream uint32
	name   string
}

// A subjectRef is what a record says of a subject: one generation of it.
type subjectRef struct {
	stream uint32
	ref    proofs.SubjectRef
}

// subjectKeys are the keys of one generation of a data subject within a stream.
type subjectKeys struct {
	ref  proofs.SubjectRef
	seal proofs.Key256
	tags proofs.Key256
}

func newKeyring(s Secrets) *keyring {
	return &keyring{
		tree:     s.Tree,
		buckets:  make(map[bucketPath]*bucketKeys),
		subjects: make(map[subjectID]subjectKeys),
		retired:  make(map[subjectRef]bool),
		paused:   make(map[subjectRef]bool),
		resumed:  make(chan struct{}),
	}
}

// forget drops the keys that are kept derived. It is called once keys of the
// tree were destroyed: those that callers have in hand are their concern.
func (k *keyring) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.buckets)
	clear(k.subjects)
	k.forgot++
}

// forgotten returns how often what is kept was forgotten: since then subjects
// may have other generations.
func (k *keyring) forgotten() uint64 {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.forgot
}

// retire says that a generation of a subject is about to be destroyed: what
// is new about the subject is closed with the next one. What was closed with
// it can be opened as before.
func (k *keyring) retire(stream uint32, ref proofs.SubjectRef) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.retired[subjectRef{stream, ref}] = true
	clear(k.subjects)
	k.forgot++
}

// pause says that generations of a subject are to be destroyed once that is
// announced: until resume nothing is closed with them, and what is new about
// the subject waits. It must not be closed with the next generation: as long as
// nothing is announced a fresh start would take that one for unused. One
// erasure at a time pauses.
func (k *keyring) pause(stream uint32, refs []proofs.SubjectRef) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, ref := range refs {
		k.paused[subjectRef{stream, ref}] = true
	}
	clear(k.subjects)
	k.forgot++
}

// resume ends what pause began.
func (k *keyring) resume() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.paused)
	close(k.resumed)
	k.resumed = make(chan struct{})
}

// wait returns once nothing is paused, or the context ends.
func (k *keyring) wait(ctx context.Context) error {
	k.mu.RLock()
	paused, resumed := len(k.paused) > 0, k.resumed
	k.mu.RUnlock()
	if !paused {
		return nil
	}
	select {
	case <-resumed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takes says whether anything new is closed with a generation. Whoever admitted
// an event asks again before it gets its index.
func (k *keyring) takes(stream uint32, ref proofs.SubjectRef) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	id := subjectRef{stream, ref}
	return !k.retired[id] && !k.paused[id]
}

// bucket returns the keys of a bucket, or errDestroyed.
func (k *keyring) bucket(p bucketPath) (*bucketKeys, error) {
	k.mu.RLock()
	keys, forgot := k.buckets[p], k.forgot
	k.mu.RUnlock()
	if keys != nil {
		return keys, nil
	}
	path := keytree.Bucket(p.Stream, p.Class, p.Period)
	seal, err := k.tree.Derive(path.For(keytree.Sealing))
	if err != nil {
		return nil, err
	}
	tags, err := k.tree.Derive(path.For(keytree.Tags))
	if err != nil {
		return nil, err
	}
	dedup, err := k.tree.Derive(path.For(keytree.Deduplication))
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(dedup[:])
	if err != nil {
		return nil, fmt.Errorf("deduplication key: %w", err)
	}
	keys = &bucketKeys{seal: seal, tags: tags, dedup: block, fields: make(map[uint16]proofs.Key256)}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forgot == forgot { // else the key may be destroyed meanwhile
		k.buckets[p] = keys
	}
	return keys, nil
}

// hold returns the key of the ring of a hold, which is named by the index of
// the entry that made it, or errDestroyed.
func (k *keyring) hold(index uint64) (proofs.Key256, error) {
	key, err := k.tree.Derive(keytree.Hold(index).For(keytree.Sealing))
	return proofs.Key256(key), err
}

// subject returns the keys of a data subject that close what is new: those of
// its first generation that is neither destroyed nor retired. The error is
// errPaused while it is paused.
func (k *keyring) subject(stream uint32, name string) (subjectKeys, error) {
	id := subjectID{stream, name}
	k.mu.RLock()
	keys, ok := k.subjects[id]
	forgot := k.forgot
	k.mu.RUnlock()
	if ok {
		return keys, nil
	}
	keys, err := k.current(stream, name)
	if err != nil {
		return keys, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.paused[subjectRef{stream, keys.ref}] {
		return subjectKeys{}, errPaused
	}
	if len(k.subjects) >= maxSubjectKeys {
		clear(k.subjects)
	}
	if k.forgot == forgot {
		k.subjects[id] = keys
	}
	return keys, nil
}

// current finds the keys that subject returns, also where they are paused.
func (k *keyring) current(stream uint32, name string) (keys subjectKeys, err error) {
	for generation := range uint32(maxGenerations) {
		handle, err := k.tree.Handle(stream, []byte(name), generation)
		if err != nil {
			return keys, err
		}
		keys.ref = proofs.SubjectRef(handle)
		k.mu.RLock()
		retired := k.retired[subjectRef{stream, keys.ref}]
		k.mu.RUnlock()
		if retired {
			continue
		}
		keys.seal, err = k.sealKeys(stream)(keys.ref)
		if err == nil {
			keys.tags, err = k.tagKeys(stream)(keys.ref)
		}
		if !errors.Is(err, errDestroyed) {
			return keys, err
		}
	}
	return keys, fmt.Errorf("a data subject of stream %d: all %d generations are destroyed", stream, maxGenerations)
}

// generations returns the references to a data subject that records can have:
// those of all its generations up to the one that closes what is new, which is
// the last.
func (k *keyring) generations(stream uint32, name string) ([]proofs.SubjectRef, error) {
	last, err := k.current(stream, name)
	if err != nil {
		return nil, err
	}
	var refs []proofs.SubjectRef
	for generation := uint32(0); ; generation++ {
		handle, err := k.tree.Handle(stream, []byte(name), generation)
		if err != nil {
			return nil, err
		}
		refs = append(refs, proofs.SubjectRef(handle))
		if refs[generation] == last.ref {
			return refs, nil
		}
	}
}

// sealKeys returns the lookup of a stream's subject keys that close parts.
func (k *keyring) sealKeys(stream uint32) func(proofs.SubjectRef) (proofs.Key256, error) {
	return k.lookup(stream, keytree.Sealing)
}

// tagKeys returns the lookup of a stream's subject keys that close tags.
func (k *keyring) tagKeys(stream uint32) func(proofs.SubjectRef) (proofs.Key256, error) {
	return k.lookup(stream, keytree.Tags)
}

func (k *keyring) lookup(stream uint32, use keytree.Use) func(proofs.SubjectRef) (proofs.Key256, error) {
	return func(ref proofs.SubjectRef) (proofs.Key256, error) {
		key, err := k.tree.Derive(keytree.Subject(stream, keytree.Handle(ref)).For(use))
		return proofs.Key256(key), err
	}
}
