package proofs

import "slices"

// ParseSearchProof reads what [FormatSearchProof] writes and nothing else. What
// it says is for [SearchProof.Check] to judge.
func ParseSearchProof(b []byte) (SearchProof, error) {
	d := &decoder{format: "search proof", rest: b}
	if len(b) > MaxSearchProof {
		d.fail("length", "too large")
	}
	if label := d.bytes("label", len(searchProofLabel)); d.err == nil && string(label) != searchProofLabel {
		d.fail("label", "is another one")
	}
	var p SearchProof
	p.Query = d.searchQuery()
	p.Start, p.Stop = d.uint64("start"), d.uint64("stop")
	if d.err == nil && p.Start > p.Stop {
		d.fail("stop", "is before the start")
	}
	p.Checkpoint = slices.Clone(d.vector("checkpoint", 3, 0, MaxNoteSize))
	p.Entries = listOf(d, "entries", func(d *decoder) SearchEntry {
		return SearchEntry{Index: d.uint64("index"), Leaf: slices.Clone(d.vector("leaf", 2, 0, MaxLeafSize))}
	})
	d.rising("entries", len(p.Entries), func(i int) uint64 { return p.Entries[i].Index })
	p.Inclusion = d.hashList("inclusion")
	p.Keys = listOf(d, "keys", (*decoder).searchKeys)
	d.rising("keys", len(p.Keys), func(i int) uint64 { return uint64(p.Keys[i].Bucket) })
	p.Directory = d.uint64("directory")
	p.Segments = listOf(d, "segments", (*decoder).searchSegment)
	p.Small, p.Large = d.hashList("small"), d.hashList("large")
	p.Hits = listOf(d, "hits", (*decoder).searchHit)
	d.rising("hits", len(p.Hits), func(i int) uint64 { return p.Hits[i].Index })
	p.Tail = listOf(d, "tail", func(d *decoder) SearchTags {
		return SearchTags{Index: d.uint64("entry"), Lists: listOf(d, "lists", (*decoder).tagList)}
	})
	d.rising("tail", len(p.Tail), func(i int) uint64 { return p.Tail[i].Index })
	p.Closed = listOf(d, "closed", func(d *decoder) ClosedEntry {
		return ClosedEntry{Index: d.uint64("closed"), Announced: d.uint64("announced")}
	})
	d.rising("closed", len(p.Closed), func(i int) uint64 { return p.Closed[i].Index })
	p.Names = listOf(d, "names", func(d *decoder) SearchNames {
		return SearchNames{Index: d.uint64("settings"), Disclosure: slices.Clone(d.vector("disclosure", 3, 0, maxDisclosure))}
	})
	d.rising("names", len(p.Names), func(i int) uint64 { return p.Names[i].Index })
	if err := d.end(); err != nil {
		return SearchProof{}, err
	}
	return p, nil
}

// listOf reads what appendList writes. Every item takes so many bytes that a list
// takes at most a few times the memory of its bytes.
func listOf[T any](d *decoder, field string, item func(*decoder) T) []T {
	return boundedListOf(d, field, MaxSearchProof, item)
}

// boundedListOf reads a list that is at most max bytes long.
func boundedListOf[T any](d *decoder, field string, max int, item func(*decoder) T) (items []T) {
	list := &decoder{format: d.format, rest: d.vector(field, 4, 0, max)}
	for len(list.rest) > 0 {
		items = append(items, item(list))
	}
	d.inner(*list)
	return items
}

// rising demands that numbers rise.
func (d *decoder) rising(field string, n int, number func(int) uint64) {
	for i := 1; i < n && d.err == nil; i++ {
		if number(i) <= number(i-1) {
			d.fail(field, "they do not rise")
		}
	}
}

// some demands that a list is not empty.
func (d *decoder) some(field string, n int) {
	if d.err == nil && n == 0 {
		d.fail(field, "there are none")
	}
}

func (d *decoder) hashList(field string) []Hash {
	return listOf(d, field, func(d *decoder) Hash { return d.hash(field) })
}

func (d *decoder) key(field string) (k Key256) {
	copy(k[:], d.bytes(field, len(k)))
	return k
}

func (d *decoder) searchQuery() SearchQuery {
	q := SearchQuery{
		Stream: d.uint32("stream"), First: d.uint64("first"), End: d.uint64("end"),
		From: d.uint64("from"), Until: d.uint64("until"),
	}
	const maxTermsSize = MaxTerms*4 + MaxSearchValues*(1+2*maxValueNumbers+2) + maxSearchedBytes
	q.Terms = boundedListOf(d, "terms", maxTermsSize, func(d *decoder) SearchTerm {
		return SearchTerm{boundedListOf(d, "values", maxTermsSize, (*decoder).searchValue)}
	})
	if err := q.check(); d.err == nil && err != nil {
		d.err, d.rest = err, nil
	}
	return q
}

func (d *decoder) searchValue() (v SearchValue) {
	numbers := &decoder{format: d.format, rest: d.vector("numbers", 1, 2, 2*maxValueNumbers)}
	for len(numbers.rest) > 0 {
		v.Numbers = append(v.Numbers, numbers.uint16("number"))
	}
	d.inner(*numbers)
	v.Value = slices.Clone(d.vector("value", 2, 0, maxSearchedBytes))
	return v
}

func (d *decoder) searchKeys() SearchKeys {
	k := SearchKeys{Bucket: d.uint32("bucket")}
	k.Keys = listOf(d, "keys", func(d *decoder) SearchKey {
		return SearchKey{Number: d.uint16("number"), Opened: d.uint64("opened"), Key: d.key("key")}
	})
	d.rising("keys", len(k.Keys), func(i int) uint64 { return uint64(k.Keys[i].Number) })
	d.some("keys", len(k.Keys))
	return k
}

func (d *decoder) searchSegment() SearchSegment {
	s := SearchSegment{Head: d.directoryHead()}
	n := 0
	s.Rows = listOf(d, "rows", func(d *decoder) SearchRows {
		if n++; n > len(s.Head.Buckets) {
			d.fail("rows", "there are fewer buckets")
		}
		return d.searchRows()
	})
	return s
}

func (d *decoder) searchRows() SearchRows {
	r := SearchRows{Expired: d.uint64("expired")}
	if r.Expired > 0 {
		return r
	}
	r.Count = d.uint32("count")
	r.Shown = listOf(d, "shown", func(d *decoder) SearchRow {
		x := SearchRow{Number: d.uint32("row"), Row: DirectoryRow{Tag: Tag{Field: d.uint16("field")}}}
		copy(x.Row.Tag.Value[:], d.bytes("tag", TagSize))
		x.Row.Entries = d.hash("entries")
		return x
	})
	d.rising("shown", len(r.Shown), func(i int) uint64 { return uint64(r.Shown[i].Number) })
	r.Proof = d.hashList("proof")
	r.Found = listOf(d, "found", func(d *decoder) FoundRow {
		f := FoundRow{Salt: d.key("salt"), Positions: listOf(d, "positions", func(d *decoder) uint16 { return d.uint16("position") })}
		d.rising("positions", len(f.Positions), func(i int) uint64 { return uint64(f.Positions[i]) })
		d.some("positions", len(f.Positions))
		return f
	})
	return r
}

func (d *decoder) searchHit() SearchHit {
	h := SearchHit{Index: d.uint64("hit"), Opened: listOf(d, "opened", (*decoder).openedTag)}
	d.some("opened", len(h.Opened))
	return h
}

func (d *decoder) openedTag() OpenedTag {
	return OpenedTag{
		Number: d.uint16("number"), Position: d.uint16("position"), Count: d.uint16("count"),
		Opening: d.key("opening"), Path: d.hashList("path"),
	}
}

func (d *decoder) tagList() (t DisclosedTags) {
	if !d.bool("shown") {
		t.Commitments = d.hashList("commitments")
		d.some("commitments", len(t.Commitments))
		return t
	}
	t.Seed = slices.Clone(d.bytes("seed", len(Key256{})))
	b := d.vector("tags", 4, 0, MaxTags*sealedTagSize)
	if d.err == nil && len(b)%sealedTagSize != 0 {
		d.fail("tags", "not a multiple of 18 bytes")
	}
	d.some("tags", len(b))
	t.Tags = slices.Clone(b)
	return t
}
