package ledger

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"

	"crypto/aes"
	"crypto/cipher"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A ring is what a hold keeps of a closing: the keys of single parts and lists
// of tags. It lies in objects named rings/<hold>/<closing>/<share>-<number>, each
//
//	opaque nonce[12];
//	opaque sealed[...];                 /* AES-256-GCM under the ring key of the hold */
//
// with the origin, a newline and the object's name as additional data, over
//
//	struct {
//	    uint64 index;                   /* rising */
//	    uint8  parts;                   /* and as many times: */
//	    select (known) { case 0: ; case 1: opaque key[32]; } part;
//	    uint8  lists;                   /* and as many times: */
//	    select (known) { case 0: ; case 1: opaque key[32]; opaque seed[32]; } list;
//	} entry[...];
//
// where known is a byte that is 1 where the key still could be derived. The
// ring key is in the key state, and destroyed when the hold is released.
type ring map[uint64]ringKeys

// ringKeys are the keys of one entry; nil where there is none.
type ringKeys struct {
	parts []*proofs.Key256
	tags  []*proofs.TagsKey
}

// ringEntries is how many entries one object of a ring has at most.
const ringEntries = 1 << 16

// rings keeps rings at hand that were read: those that were used last. As long
// as a closing is open its rings may not be whole, or not be there: what they
// lack other keys still open, and before these are destroyed all is forgotten.
type rings struct {
	mu      sync.Mutex
	held    map[retain.RingName]*heldRing
	entries int    // in them, and one for each
	uses    uint64 // so far
}

// A heldRing is a ring, which may be empty, and when it was used last.
type heldRing struct {
	ring
	used uint64
}

// maxRingEntries is how many entries of rings are kept at hand, of 300 bytes
// or so each; and one ring whatever it has.
const maxRingEntries = 1 << 17

// forget drops what is kept, after keys were destroyed.
func (r *rings) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.held)
	r.entries = 0
}

// find returns a ring that is at hand. The caller has the lock.
func (r *rings) find(name retain.RingName) (ring, bool) {
	h, ok := r.held[name]
	if !ok {
		return nil, false
	}
	r.uses++
	h.used = r.uses
	return h.ring, true
}

// keep keeps a ring at hand, in the place of those that were not used for the
// longest time. The caller has the lock.
func (r *rings) keep(name retain.RingName, x ring) {
	if r.held == nil {
		r.held = make(map[retain.RingName]*heldRing)
	}
	for r.entries+len(x)+1 > maxRingEntries && len(r.held) > 0 {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(r.held)), func(a, b retain.RingName) int {
			return cmp.Compare(r.held[a].used, r.held[b].used)
		})
		r.entries -= len(r.held[oldest].ring) + 1
		delete(r.held, oldest)
	}
	r.uses++
	r.held[name] = &heldRing{x, r.uses}
	r.entries += len(x) + 1
}

// rescue writes what a hold keeps of a closing into its ring. A ring that is
// there is whole: each object is written once.
func (l *Ledger) rescue(ctx context.Context, closing uint64, kept retain.Ring) error {
	w := ringWriter{l: l, name: retain.RingName{Hold: kept.Hold, Closing: closing}, share: kept.Closing}
	err := l.eachRecord(ctx, kept.Share, func(b *bucket, index uint64, raw []byte) error {
		keys, err := l.entryKeys(ctx, b, index, raw)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		return w.add(ctx, index, keys)
	})
	if err != nil {
		return err
	}
	return w.flush(ctx)
}

// entryKeys returns the keys of an entry's parts and lists of tags, as far as
// anything derives them.
func (l *Ledger) entryKeys(ctx context.Context, b *bucket, index uint64, raw []byte) (keys ringKeys, err error) {
	record, err := proofs.ParseRecord(raw)
	if err != nil {
		return keys, fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	held, err := l.heldKeys(ctx, b, index)
	if err != nil {
		return keys, err
	}
	bk, err := l.keys.bucket(b.Path)
	if err != nil && !errors.Is(err, errDestroyed) {
		return keys, err
	}
	for i, p := range record.Parts {
		key := held.part(i)
		if key == nil && bk != nil && p.Sealed != nil {
			k, err := proofs.SealedPartKey(p.Sealed, i, record.ID, &bk.seal, l.keys.sealKeys(b.Path.Stream))
			if err == nil {
				key = &k
			} else if !errors.Is(err, errDestroyed) {
				return keys, err
			}
		}
		keys.parts = append(keys.parts, key)
	}
	keys.tags, err = l.listKeys(b, record, held, bk)
	return keys, err
}

// listKeys returns the keys of a record's lists of tags, as far as a ring has
// them or those of the bucket derive them; nil: these are destroyed.
func (l *Ledger) listKeys(b *bucket, record proofs.Record, held ringKeys, bk *bucketKeys) (list []*proofs.TagsKey, err error) {
	for i, t := range record.Tags {
		key := held.list(i)
		if key == nil && bk != nil && t.Sealed != nil {
			k, err := proofs.SealedTagsKey(t.Sealed, i, record.ID, &bk.tags, l.keys.tagKeys(b.Path.Stream))
			if err == nil {
				key = &k
			} else if !errors.Is(err, errDestroyed) {
				return nil, err
			}
		}
		list = append(list, key)
	}
	return list, nil
}

func (k ringKeys) part(i int) *proofs.Key256 {
	if i >= len(k.parts) {
		return nil
	}
	return k.parts[i]
}

func (k ringKeys) list(i int) *proofs.TagsKey {
	if i >= len(k.tags) {
		return nil
	}
	return k.tags[i]
}

// merge fills in what other has.
func (k *ringKeys) merge(other ringKeys) {
	for len(k.parts) < len(other.parts) {
		k.parts = append(k.parts, nil)
	}
	for i, key := range other.parts {
		if k.parts[i] == nil {
			k.parts[i] = key
		}
	}
	for len(k.tags) < len(other.tags) {
		k.tags = append(k.tags, nil)
	}
	for i, key := range other.tags {
		if k.tags[i] == nil {
			k.tags[i] = key
		}
	}
}

// heldKeys returns the keys of an entry that are in rings.
func (l *Ledger) heldKeys(ctx context.Context, b *bucket, index uint64) (keys ringKeys, err error) {
	for _, name := range l.retain.Rings(b.Path.Stream, b.Number, index) {
		r, err := l.ring(ctx, name)
		if errors.Is(err, errDestroyed) {
			continue
		}
		if err != nil {
			return keys, err
		}
		keys.merge(r[index])
	}
	return keys, nil
}

// heldOf returns the keys of an entry that holds keep; most have none.
func (l *Ledger) heldOf(ctx context.Context, leaf proofs.Leaf, index uint64) (ringKeys, error) {
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return ringKeys{}, nil
	}
	return l.heldKeys(ctx, b, index)
}

// ring reads a ring. One that is not there is empty.
func (l *Ledger) ring(ctx context.Context, name retain.RingName) (ring, error) {
	l.rings.mu.Lock()
	defer l.rings.mu.Unlock()
	if r, ok := l.rings.find(name); ok {
		return r, nil
	}
	aead, err := l.ringAEAD(name.Hold)
	if err != nil {
		return nil, err
	}
	r := make(ring)
	for object, err := range l.cfg.Objects.List(ctx, ringPrefix(name)) {
		if err != nil {
			return nil, fmt.Errorf("ring: %w", err)
		}
		sealed, err := l.cfg.Objects.Read(ctx, object)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", object, err)
		}
		if err := r.open(aead, sealed, l.ringData(object)); err != nil {
			return nil, fmt.Errorf("%s: %w", object, err)
		}
	}
	l.rings.keep(name, r)
	return r, nil
}

// removeRings removes the rings of a hold, which nothing opens any more.
func (l *Ledger) removeRings(ctx context.Context, hold uint64) error {
	var names []string
	for name, err := range l.cfg.Objects.List(ctx, "rings/"+strconv.FormatUint(hold, 10)+"/") {
		if err != nil {
			return fmt.Errorf("rings: %w", err)
		}
		names = append(names, name)
	}
	for _, name := range names {
		if err := l.cfg.Objects.Remove(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func ringPrefix(name retain.RingName) string {
	return fmt.Sprintf("rings/%d/%d/", name.Hold, name.Closing)
}

func (l *Ledger) ringData(object string) []byte { return []byte(l.origin() + "\n" + object) }

// ringAEAD returns AES-256-GCM with random nonces under the ring key of a
// hold, which seals some objects for each closing.
func (l *Ledger) ringAEAD(hold uint64) (cipher.AEAD, error) {
	key, err := l.keys.hold(hold)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// A ringWriter writes the objects of one share of a ring.
type ringWriter struct {
	l       *Ledger
	name    retain.RingName
	share   uint64 // a release has several
	objects int
	entries int
	plain   []byte
}

func (w *ringWriter) add(ctx context.Context, index uint64, keys ringKeys) error {
	w.plain = appendRingEntry(w.plain, index, keys)
	if w.entries++; w.entries < ringEntries {
		return nil
	}
	return w.flush(ctx)
}

// flush writes an object. One that is there holds the same entries: what a
// closing keeps does not change.
func (w *ringWriter) flush(ctx context.Context) error {
	if w.entries == 0 {
		return nil
	}
	aead, err := w.l.ringAEAD(w.name.Hold)
	if err != nil {
		return err
	}
	object := fmt.Sprintf("%s%d-%d", ringPrefix(w.name), w.share, w.objects)
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(w.l.cfg.Rand, nonce); err != nil {
		return err
	}
	err = w.l.cfg.Objects.Put(ctx, object, aead.Seal(nonce, nonce, w.plain, w.l.ringData(object)))
	if errors.Is(err, storage.ErrExists) {
		err = w.checkThere(ctx, aead, object)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", object, err)
	}
	clear(w.plain)
	w.plain, w.entries = w.plain[:0], 0
	w.objects++
	return nil
}

// checkThere makes durable what an earlier attempt wrote, if it opens and has
// every key that this one has.
func (w *ringWriter) checkThere(ctx context.Context, aead cipher.AEAD, object string) error {
	sealed, err := w.l.cfg.Objects.Read(ctx, object)
	if err != nil {
		return err
	}
	there, ours := make(ring), make(ring)
	if err := there.open(aead, sealed, w.l.ringData(object)); err != nil {
		return err
	}
	if err := ours.parse(w.plain); err != nil {
		return err
	}
	for index, keys := range ours {
		for i, key := range keys.parts {
			if key != nil && there[index].part(i) == nil {
				return fmt.Errorf("%w: it lacks a key of entry %d", storage.ErrCorrupt, index)
			}
		}
	}
	return w.l.cfg.Objects.Put(ctx, object, sealed) // it may not be durable yet
}

// open adds what an object of a ring holds.
func (r ring) open(aead cipher.AEAD, sealed, data []byte) error {
	if len(sealed) < aead.NonceSize() {
		return storage.ErrCorrupt
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], data)
	if err != nil {
		return fmt.Errorf("it does not open with the ring key: %w", storage.ErrCorrupt)
	}
	return r.parse(plain)
}

func appendRingEntry(b []byte, index uint64, keys ringKeys) []byte {
	b = binary.BigEndian.AppendUint64(b, index)
	b = append(b, byte(len(keys.parts)))
	for _, k := range keys.parts {
		if k == nil {
			b = append(b, 0)
			continue
		}
		b = append(append(b, 1), k[:]...)
	}
	b = append(b, byte(len(keys.tags)))
	for _, k := range keys.tags {
		if k == nil {
			b = append(b, 0)
			continue
		}
		b = append(append(append(b, 1), k.Key[:]...), k.Seed[:]...)
	}
	return b
}

// parse reads what appendRingEntry writes, for several entries.
func (r ring) parse(b []byte) error {
	d := reader{rest: b}
	for len(d.rest) > 0 && !d.failed {
		index := d.uint(8)
		var keys ringKeys
		for range d.uint(1) {
			var key *proofs.Key256
			if d.uint(1) == 1 {
				key = new(proofs.Key256)
				copy(key[:], d.bytes(32))
			}
			keys.parts = append(keys.parts, key)
		}
		for range d.uint(1) {
			var key *proofs.TagsKey
			if d.uint(1) == 1 {
				key = new(proofs.TagsKey)
				copy(key.Key[:], d.bytes(32))
				copy(key.Seed[:], d.bytes(32))
			}
			keys.tags = append(keys.tags, key)
		}
		if !d.failed {
			r[index] = keys
		}
	}
	if d.failed {
		return fmt.Errorf("the ring is cut off: %w", storage.ErrCorrupt)
	}
	return nil
}

// eachRecord calls do with every record of the vault that is of a share.
func (l *Ledger) eachRecord(ctx context.Context, share retain.Share, do func(b *bucket, index uint64, raw []byte) error) error {
	for _, b := range l.bucketsWith(share) {
		first := share.Runs[0].First
		for record, err := range l.cfg.Vault.Scan(ctx, b.Number, first) {
			if err != nil {
				return fmt.Errorf("vault: bucket %d: %w", b.Number, err)
			}
			if record.Index > share.Runs[len(share.Runs)-1].Last {
				break
			}
			if !proofs.InRuns(share.Runs, record.Index) {
				continue
			}
			if err := do(b, record.Index, record.Data); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucketsWith returns the buckets that may have entries of a share, which is
// not empty, by their numbers.
func (l *Ledger) bucketsWith(share retain.Share) []*bucket {
	if share.Bucket > 0 {
		b, ok := l.state.bucketNumbered(share.Bucket)
		if !ok {
			return nil
		}
		return []*bucket{b}
	}
	var list []*bucket
	for _, b := range l.state.bucketsOf(share.Stream) {
		known, ok := l.retain.Bucket(b.Number)
		if ok && known.Count > 0 && known.First <= share.Runs[len(share.Runs)-1].Last && share.Runs[0].First <= known.Last {
			list = append(list, b)
		}
	}
	slices.Reverse(list)
	return list
}
