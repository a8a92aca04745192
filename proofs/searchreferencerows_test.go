package proofs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

func (c *refChecker) segments(b refBytes, small, large []proofs.Hash) {
	leaves := [2]map[uint64]proofs.Hash{{}, {}}
	c.behind = c.start
	n := 0
	last := uint64(0)
	streams := make(map[uint64]uint64)
	for ; len(b) > 0; n++ {
		whole := b
		isLarge, number := b.number(1), b.number(8)
		refWant(isLarge < 2 && number < 1<<47, "segment")
		size := uint64(4096)
		if isLarge == 1 {
			size = 65536
		}
		low, high := number*size, (number+1)*size
		refWant(c.behind < c.stop && low <= c.behind && c.behind < high && (n == 0 || low == c.behind), "segments leave something out")
		c.behind = high
		firstTime, lastTime := b.number(8), b.number(8)
		refWant(last <= firstTime && firstTime <= lastTime, "times of a head")
		last = lastTime
		for index, l := range c.leaves {
			if index < low || index >= high {
				continue
			}
			refWant(l.time >= firstTime && l.time <= lastTime, "the time of a leaf")
			refWant(index != low || l.time == firstTime, "the time of the first leaf")
			refWant(index != high-1 || l.time == lastTime, "the time of the last leaf")
		}
		var buckets []refBucket
		b.list(3, func(b *refBytes) { buckets = append(buckets, refReadBucket(b)) })
		refRising(buckets, func(x refBucket) uint64 { return x.number })
		named := make(map[uint64]bool)
		for _, x := range buckets {
			stream, known := streams[x.number]
			refWant(x.number > 0 && (!known || stream == x.stream), "a bucket, or its stream")
			streams[x.number] = x.stream
			for _, p := range x.unread {
				refWant(p < size && !named[p], "an entry that is unread twice, or outside")
				named[p] = true
			}
		}
		var heeded []uint64
		b.list(3, func(b *refBytes) { heeded = append(heeded, b.number(8)) })
		refRising(heeded, func(i uint64) uint64 { return i })
		head := whole[:len(whole)-len(b)]
		hash := sha256.Sum256(append([]byte("cairn/v1 directory\n"), head...))
		leaves[isLarge][number] = sha256.Sum256(append([]byte{0}, hash[:]...))
		rows := refBytes(b.take(b.number(4)))
		for _, x := range buckets {
			if x.stream == c.stream {
				c.rows(&rows, low, high, x, heeded)
			}
		}
		refWant(len(rows) == 0, "too many rows")
	}
	if n == 0 {
		refWant(c.directory == 0 && len(small)+len(large) == 0, "a directory for nothing")
		return
	}
	l, ok := c.leaves[c.directory]
	refWant(ok && l.kind == 11, "no directory")
	body := refBytes(l.control)
	count := body.number(8)
	body.take(8)
	refWant(c.size > 2*4096 && c.directory >= (c.size-1)/4096*4096 && count == (c.size-1)/4096-1, "not the last directory")
	smallRoot, largeRoot := body.hash(), body.hash()
	refWant(refCheckSubset(leaves[0], count, small) == smallRoot, "small directories")
	refWant(refCheckSubset(leaves[1], count/16, large) == largeRoot, "large directories")
}

// A refBucket is a bucket of a head.
type refBucket struct {
	stream, number uint64
	rows           proofs.Hash
	unread         []uint64
}

func refReadBucket(b *refBytes) (x refBucket) {
	x = refBucket{stream: b.number(4), number: b.number(4), rows: b.hash()}
	b.list(3, func(b *refBytes) { x.unread = append(x.unread, b.number(2)) })
	refRising(x.unread, func(p uint64) uint64 { return p })
	return x
}

func (c *refChecker) rows(b *refBytes, low, high uint64, of refBucket, heeded []uint64) {
	bucket := of.number
	if expired := b.number(8); expired > 0 {
		refWant(c.expires(expired, bucket, low, high-1), "not expired")
		return
	}
	count := b.number(4)
	type row struct {
		number  uint64
		tag     string
		entries proofs.Hash
	}
	var shown []row
	leaves := make(map[uint64]proofs.Hash)
	b.list(4, func(b *refBytes) {
		r := row{number: b.number(4)}
		raw := b.take(50)
		r.tag, r.entries = string(raw[:18]), proofs.Hash(raw[18:])
		shown, leaves[r.number] = append(shown, r), sha256.Sum256(append([]byte{0}, raw...))
	})
	refRising(shown, func(r row) uint64 { return r.number })
	for i := range shown {
		refWant(i == 0 || shown[i-1].tag < shown[i].tag, "rows are not sorted")
	}
	root := refCheckSubset(leaves, count, b.hashes())
	hash := sha256.Sum256(append(binary.BigEndian.AppendUint32([]byte("cairn/v1 directory rows\n"), uint32(count)), root[:]...))
	refWant(hash == of.rows, "other rows")
	for _, p := range of.unread {
		c.takeUnread(low + p)
	}

	// What the shown rows say of every tag that is asked for.
	asked := make(map[string]bool)
	termTags := make([][]string, len(c.terms)) // those that there are
	for i, t := range c.terms {
		for _, at := range refAsked(t) {
			from, to, known := c.tagRange(at.number, bucket, high, at.value)
			none, there := false, false
			for i := 0; i <= len(shown); i++ { // between row i-1 and row i
				before := i == 0 || shown[i-1].tag < from
				behind := i == len(shown) || shown[i].tag > to
				last, next := int64(-1), int64(count)
				if i > 0 {
					last = int64(shown[i-1].number)
				}
				if i < len(shown) {
					next = int64(shown[i].number)
				}
				none = none || before && behind && next == last+1
				there = there || known && i < len(shown) && shown[i].tag == from
			}
			refWant(none || there, "nothing is said of a tag")
			if there {
				asked[from], termTags[i] = true, append(termTags[i], from)
			}
		}
	}
	positions := make(map[string]map[uint64]bool)
	found := refBytes(b.take(b.number(4)))
	for _, r := range shown {
		if asked[r.tag] {
			positions[r.tag] = refPositions(&found, r.entries)
		}
	}
	refWant(len(found) == 0, "entries of rows that are not asked for")
	for p := range uint64(65536) {
		all := true
		for _, tags := range termTags {
			all = all && slices.ContainsFunc(tags, func(tag string) bool { return positions[tag][p] })
		}
		if index := low + p; all {
			refWant(index < high, "outside")
			if index >= c.start && index < c.stop && index >= c.first && index < c.end {
				c.candidates[index] = append(c.candidates[index], refCandidate{bucket, heeded})
			}
		}
	}
}

// tagRange is the tag of a value, or all of its field where that is not known.
func (c *refChecker) tagRange(number, bucket, high uint64, value []byte) (from, to string, known bool) {
	if k, ok := c.keys[[2]uint64{bucket, number}]; ok && k.opened < high {
		tag := refTag(number, k.key, value)
		return tag, tag, true
	}
	field := string(binary.BigEndian.AppendUint16(nil, uint16(number)))
	return field + string(make([]byte, 16)), field + string(bytes.Repeat([]byte{255}, 16)), false
}

func refPositions(found *refBytes, entries proofs.Hash) map[uint64]bool {
	salt := found.take(32)
	raw := refBytes(found.take(found.number(4)))
	refWant(len(raw) > 0, "a row of no entry")
	refWant(sha256.Sum256(slices.Concat([]byte("rows\n"), salt, raw)) == entries, "other entries")
	positions := make(map[uint64]bool)
	for last := int64(-1); len(raw) > 0; {
		p := raw.number(2)
		refWant(int64(p) > last, "positions do not rise")
		last, positions[p] = int64(p), true
	}
	return positions
}

// A refField is a value of one field.
type refField struct {
	number uint64
	value  []byte
}

func refAsked(t refTerm) (all []refField) {
	for _, v := range t {
		for _, number := range v.numbers {
			all = append(all, refField{number, v.value})
		}
	}
	return all
}
