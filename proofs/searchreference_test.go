package proofs_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// This and its neighbours judge search proofs as their comments say, byte by byte, slowly
// and with nothing of the package but the checkpoint's signature and the names
// in settings. It panics with refRefused where a proof is refused.

type refRefused string

func refWant(ok bool, why string) {
	if !ok {
		panic(refRefused(why))
	}
}

// A refBytes is read from the front.
type refBytes []byte

func (b *refBytes) take(n uint64) []byte {
	refWant(n <= uint64(len(*b)), "cut off")
	out := (*b)[:n]
	*b = (*b)[n:]
	return out
}

func (b *refBytes) number(size uint64) (n uint64) {
	for _, x := range b.take(size) {
		n = n<<8 | uint64(x)
	}
	return n
}

func (b *refBytes) hash() proofs.Hash { return proofs.Hash(b.take(32)) }

// list reads items up to the end of a list whose length takes some bytes.
func (b *refBytes) list(width uint64, item func(b *refBytes)) {
	for rest := refBytes(b.take(b.number(width))); len(rest) > 0; {
		item(&rest)
	}
}

func (b *refBytes) hashes() (list []proofs.Hash) {
	b.list(4, func(b *refBytes) { list = append(list, b.hash()) })
	return list
}

func refRising[T any](list []T, of func(T) uint64) {
	for i := range list {
		refWant(i == 0 || of(list[i-1]) < of(list[i]), "a list does not rise")
	}
}

type refLeaf struct {
	kind                 byte
	time, stream, bucket uint64
	c, t                 proofs.Hash
	control              []byte
}

func refParseLeaf(raw []byte) (l refLeaf) {
	b := refBytes(raw)
	refWant(b.number(1) == 1, "version of a leaf")
	l.kind, l.time, l.stream, l.bucket = byte(b.number(1)), b.number(8), b.number(4), b.number(4)
	if b.number(1) == 1 {
		b.take(16)
	}
	l.c, l.t = b.hash(), b.hash()
	l.control = b.take(b.number(2))
	refWant(len(b) == 0, "a leaf goes on")
	return l
}

// refSubsetRoot is the root that leaves and the roots of subtrees without any of
// them lead to.
func refSubsetRoot(leaves map[uint64]proofs.Hash, lo, hi uint64, proof *[]proofs.Hash) proofs.Hash {
	switch {
	case len(leaves) == 0:
		refWant(len(*proof) > 0, "subset: too few hashes")
		h := (*proof)[0]
		*proof = (*proof)[1:]
		return h
	case hi-lo == 1:
		return leaves[lo]
	}
	k := lo + uint64(refSplit(int(hi-lo)))
	left, right := make(map[uint64]proofs.Hash), make(map[uint64]proofs.Hash)
	for i, h := range leaves {
		if i < k {
			left[i] = h
		} else {
			right[i] = h
		}
	}
	h := refSubsetRoot(left, lo, k, proof)
	return refNode(h, refSubsetRoot(right, k, hi, proof))
}

func refCheckSubset(leaves map[uint64]proofs.Hash, size uint64, proof []proofs.Hash) (root proofs.Hash) {
	for i := range leaves {
		refWant(i < size, "subset: a leaf outside")
	}
	if root = sha256.Sum256(nil); size > 0 {
		root = refSubsetRoot(leaves, 0, size, &proof)
	}
	refWant(len(proof) == 0, "subset: too many hashes")
	return root
}

func refMAC(key []byte, parts ...[]byte) proofs.Hash {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return proofs.Hash(m.Sum(nil))
}

// refTag is uint16 field ‖ tag.
func refTag(field uint64, key, value []byte) string {
	h := refMAC(key, value)
	return string(binary.BigEndian.AppendUint16(nil, uint16(field))) + string(h[:16])
}

// A refTerm is values of which an entry has one.
type refTerm []refValue

type refValue struct {
	numbers []uint64
	value   []byte
}

type refKey struct {
	opened uint64
	key    []byte
}

type refChecker struct {
	stream, first, end, from, until uint64
	terms                           []refTerm
	start, stop                     uint64
	size                            uint64
	leaves                          map[uint64]refLeaf
	order                           []uint64 // of leaves
	keys                            map[[2]uint64]refKey
	directory, behind               uint64
	closed                          map[uint64]uint64
	hits                            map[uint64]*refBytes // what is opened of each
	answer                          map[uint64]bool
	candidates                      map[uint64][]refCandidate
	unread                          map[uint64]bool
}

type refCandidate struct {
	bucket uint64
	heeded []uint64
}

// refCheckSearch returns the hits that a proof shows, what is said to be unread,
// and whether they are all of the tree.
func refCheckSearch(raw []byte, policy *proofs.Policy) (hits, unread []uint64, complete bool, why string) {
	defer func() {
		if r, ok := recover().(refRefused); ok {
			why = "refused: " + string(r)
		}
	}()
	c := &refChecker{
		leaves: make(map[uint64]refLeaf), keys: make(map[[2]uint64]refKey), closed: make(map[uint64]uint64),
		hits: make(map[uint64]*refBytes), answer: make(map[uint64]bool), candidates: make(map[uint64][]refCandidate),
		unread: make(map[uint64]bool),
	}
	complete = c.check(refBytes(raw), policy)
	unread = slices.Sorted(maps.Keys(c.unread))
	return slices.Sorted(maps.Keys(c.answer)), unread, complete && len(unread) == 0, ""
}

func (c *refChecker) check(b refBytes, policy *proofs.Policy) (complete bool) {
	refWant(string(b.take(22)) == "cairn/v1 search proof\n", "label")
	c.query(&b)
	c.start, c.stop = b.number(8), b.number(8)
	v, err := policy.Check(b.take(b.number(3)))
	refWant(err == nil, "checkpoint")
	c.size = v.Checkpoint.Size
	c.entries(&b, v.Checkpoint.Root)
	complete = c.bounds()
	c.readKeys(&b)
	c.directory = b.number(8)
	segments := refBytes(b.take(b.number(4)))
	small, large := b.hashes(), b.hashes()
	var hitOrder []uint64
	b.list(4, func(b *refBytes) {
		index := b.number(8)
		opened := refBytes(b.take(b.number(4)))
		refWant(len(opened) > 0, "a hit that shows nothing")
		c.hits[index], hitOrder = &opened, append(hitOrder, index)
	})
	refRising(hitOrder, func(i uint64) uint64 { return i })
	tail := refBytes(b.take(b.number(4)))
	var closed []uint64
	b.list(4, func(b *refBytes) {
		index := b.number(8)
		c.closed[index], closed = b.number(8), append(closed, index)
	})
	refRising(closed, func(i uint64) uint64 { return i })
	c.segments(segments, small, large)
	c.tail(tail)
	c.judgeHits()
	refWant(len(c.closed) == 0, "something is closed that is not looked for")
	c.names(&b)
	refWant(len(b) == 0, "it goes on")
	return complete
}

func (c *refChecker) query(b *refBytes) {
	c.stream, c.first, c.end, c.from, c.until = b.number(4), b.number(8), b.number(8), b.number(8), b.number(8)
	refWant(c.first <= c.end && (c.until == 0 || c.from <= c.until), "query")
	total, values := 0, 0
	b.list(4, func(b *refBytes) {
		var t refTerm
		b.list(4, func(b *refBytes) {
			var v refValue
			b.list(1, func(b *refBytes) { v.numbers = append(v.numbers, b.number(2)) })
			refRising(v.numbers, func(n uint64) uint64 { return n })
			v.value = b.take(b.number(2))
			total += len(v.value)
			refWant(len(v.numbers) > 0 && len(v.numbers) <= 64, "numbers")
			t, values = append(t, v), values+1
		})
		refWant(len(t) > 0, "a term without values")
		c.terms = append(c.terms, t)
	})
	refWant(len(c.terms) > 0 && len(c.terms) <= 16 && values <= 64 && total <= 65535, "terms")
}

func (c *refChecker) entries(b *refBytes, root proofs.Hash) {
	hashes := make(map[uint64]proofs.Hash)
	b.list(4, func(b *refBytes) {
		index := b.number(8)
		raw := b.take(b.number(2))
		c.leaves[index], c.order = refParseLeaf(raw), append(c.order, index)
		hashes[index] = sha256.Sum256(append([]byte{0}, raw...))
	})
	refRising(c.order, func(i uint64) uint64 { return i })
	refWant(refCheckSubset(hashes, c.size, b.hashes()) == root, "the entries are not in the tree")
	for i, index := range c.order {
		refWant(i == 0 || c.leaves[c.order[i-1]].time <= c.leaves[index].time, "times go back")
	}
}

func (c *refChecker) bounds() (complete bool) {
	refWant(c.start <= c.stop && c.stop <= c.size, "bounds")
	if c.start > c.first {
		l, ok := c.leaves[c.start-1]
		refWant(ok && l.time < c.from, "the start")
	}
	l, ok := c.leaves[c.stop]
	return c.stop >= c.end || c.stop == c.size || ok && c.until > 0 && l.time >= c.until
}

func (c *refChecker) readKeys(b *refBytes) {
	var buckets []uint64
	b.list(4, func(b *refBytes) {
		bucket := b.number(4)
		buckets = append(buckets, bucket)
		var numbers []uint64
		b.list(4, func(b *refBytes) {
			number, opened, key := b.number(2), b.number(8), b.take(32)
			numbers = append(numbers, number)
			l, ok := c.leaves[opened]
			refWant(ok && l.kind == 4, "a key of no bucket")
			body := refBytes(l.control)
			refWant(body.number(4) == bucket && body.number(4) == c.stream, "a key of another bucket")
			body.take(2 + 4)
			found := false
			hash := sha256.Sum256(append([]byte("cairn/v1 field key hash\n"), key...))
			body.list(2, func(b *refBytes) {
				is := b.number(2) == number
				found = b.hash() == hash && is || found
			})
			asked := false
			for _, v := range slices.Concat(c.terms...) {
				asked = asked || slices.Contains(v.numbers, number)
			}
			refWant(found && asked, "another key, or one that is not asked for")
			c.keys[[2]uint64{bucket, number}] = refKey{opened, key}
		})
		refWant(len(numbers) > 0, "no keys")
		refRising(numbers, func(n uint64) uint64 { return n })
	})
	refRising(buckets, func(n uint64) uint64 { return n })
}
