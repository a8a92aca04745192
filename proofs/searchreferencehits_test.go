package proofs_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// expires tells whether an entry announces that entries of a bucket expire.
func (c *refChecker) expires(announced, bucket, first, last uint64) bool {
	l, ok := c.leaves[announced]
	if !ok || l.kind != 5 || l.control[0] != 1 {
		return false
	}
	b := refBytes(l.control[1:])
	is := b.number(4) == bucket
	from, to := b.number(8), b.number(8)
	b.take(16 + 40)
	return is && from <= last && to >= first && b.number(8) <= announced
}

// erases tells whether an entry announces an erasure of another, with all its
// parts behind it.
func (c *refChecker) erases(announced, index uint64) bool {
	var before []uint64 // stream, request and number of parts
	for at, part := announced, uint64(0); ; at++ {
		l, ok := c.leaves[at]
		if !ok || at == announced && l.kind != 8 {
			return false
		}
		if l.kind != 8 || l.control[0] != 1 {
			if at == announced {
				return false
			}
			continue
		}
		b := refBytes(l.control[1:])
		stream, request, number, parts := b.number(4), b.number(8), b.number(4), b.number(4)
		if at == announced {
			inRuns := false
			b.list(2, func(b *refBytes) {
				first, last := b.number(8), b.number(8)
				inRuns = inRuns || first <= index && index <= last
			})
			if !inRuns || stream != c.stream || index >= announced {
				return false
			}
			before = []uint64{stream, request, parts}
		} else if number != part+1 || !slices.Equal(before, []uint64{stream, request, parts}) {
			return false
		}
		if part = number; part == parts {
			return true
		}
	}
}

func (c *refChecker) mustBeClosed(index, bucket uint64, heeded []uint64) {
	announced, ok := c.closed[index]
	if ok && announced == 0 {
		c.takeUnread(index)
		delete(c.closed, index)
		return
	}
	erased := ok && c.erases(announced, index)
	refWant(ok && (erased && !slices.Contains(heeded, announced) || !erased && c.expires(announced, bucket, index, index)), "nothing closed it")
	delete(c.closed, index)
}

// takeUnread takes note of an entry that the ledger could not read.
func (c *refChecker) takeUnread(index uint64) {
	l, shown := c.leaves[index]
	inside := index >= c.start && index < c.stop && index >= c.first && index < c.end
	if inside && (!shown || c.asks(index, l)) {
		c.unread[index] = true
	}
}

func (c *refChecker) tail(b refBytes) {
	last := int64(-1)
	for index := c.behind; index < c.stop; index++ {
		l, ok := c.leaves[index]
		refWant(ok, "an entry of the tail is not shown")
		if l.stream != c.stream || l.t == sha256.Sum256(nil) {
			continue
		}
		refWant(b.number(8) == index && int64(index) > last, "another entry of the tail")
		last = int64(index)
		var commitments refTree
		tags := make(map[string]bool)
		hidden, lists := false, 0
		b.list(4, func(b *refBytes) {
			lists++
			shown := b.number(1)
			refWant(shown < 2, "shown")
			if shown == 0 {
				list := b.hashes()
				hidden = true
				for _, h := range list {
					commitments = append(commitments, h[:])
				}
				refWant(len(list) > 0, "an empty list")
				return
			}
			seed := b.take(32)
			n := 0
			b.list(4, func(b *refBytes) {
				tag := b.take(18)
				opening := refMAC(seed, binary.BigEndian.AppendUint16(nil, uint16(len(commitments))))
				h := refMAC(opening[:], tag)
				commitments = append(commitments, h[:])
				tags[string(tag)] = true
				n++
			})
			refWant(n > 0 && n <= 1024, "tags")
		})
		if hidden || lists == 0 {
			announced, ok := c.closed[index]
			refWant(!hidden || !ok || announced > 0, "tags of an unread entry")
			c.mustBeClosed(index, l.bucket, nil)
		}
		if lists == 0 {
			continue
		}
		refWant(len(commitments) <= 1024 && refMTH(commitments) == l.t, "other tags")
		if c.hasAll(index, l.bucket, tags) && c.asks(index, l) {
			c.answer[index] = true
		}
	}
	refWant(len(b) == 0, "too much of the tail")
}

func (c *refChecker) hasAll(index, bucket uint64, tags map[string]bool) bool {
	for _, t := range c.terms {
		has := false
		for tag := range tags {
			number := uint64(tag[0])<<8 | uint64(tag[1])
			for _, v := range t {
				if !slices.Contains(v.numbers, number) {
					continue
				}
				k, ok := c.keys[[2]uint64{bucket, number}]
				refWant(ok && k.opened < index, "no key")
				has = has || refTag(number, k.key, v.value) == tag
			}
		}
		if !has {
			return false
		}
	}
	return true
}

func (c *refChecker) asks(index uint64, l refLeaf) bool {
	return index >= c.first && index < c.end && l.time >= c.from && (c.until == 0 || l.time < c.until)
}

func (c *refChecker) judgeHits() {
	for index, list := range c.candidates {
		for _, x := range list {
			opened, ok := c.hits[index]
			l, shown := c.leaves[index]
			if !ok {
				if !shown || c.asks(index, l) {
					c.mustBeClosed(index, x.bucket, x.heeded)
				}
				continue
			}
			delete(c.hits, index)
			refWant(shown && l.stream == c.stream && l.bucket == x.bucket && c.asks(index, l), "a hit of something else")
			for _, t := range c.terms {
				number, position, count := opened.number(2), opened.number(2), opened.number(2)
				opening, path := opened.take(32), opened.hashes()
				k, ok := c.keys[[2]uint64{x.bucket, number}]
				refWant(ok && k.opened < index, "no key of a hit")
				refWant(slices.ContainsFunc(t, func(v refValue) bool {
					commitment := refMAC(opening, []byte(refTag(number, k.key, v.value)))
					leaf := sha256.Sum256(append([]byte{0}, commitment[:]...))
					return slices.Contains(v.numbers, number) && refCheckInclusion(position, count, leaf, path, l.t)
				}), "a tag of a hit")
			}
			refWant(len(*opened) == 0, "too much of a hit")
			c.answer[index] = true
		}
	}
	refWant(len(c.hits) == 0, "a hit that is none")
}

func (c *refChecker) names(b *refBytes) {
	var order []uint64
	b.list(4, func(b *refBytes) {
		index := b.number(8)
		order = append(order, index)
		l, ok := c.leaves[index]
		refWant(ok && l.kind == 2, "no settings")
		body, err := proofs.ParseSettings(l.control)
		refWant(err == nil && body.Stream != nil && uint64(body.Stream.Stream) == c.stream, "other settings")
		d, err := proofs.ParseDisclosure(b.take(b.number(3)))
		refWant(err == nil && d.Check(proofs.Leaf{C: l.c, T: l.t}) == nil, "names")
		payload, err := d.Payload()
		refWant(err == nil, "names are not shown")
		_, err = proofs.CheckStreamSettings(payload.Data, *body.Stream)
		refWant(err == nil, "other names")
	})
	refRising(order, func(i uint64) uint64 { return i })
}
