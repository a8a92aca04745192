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
	p.Hits = listOf(d, "hits", func(d *decoder) SearchHit {
		return SearchHit{Index: d.uint64("hit"), Opened: listOf(d, "opened", (*decoder).openedTag)}
	})
	d.rising("hits", len(p.Hits), func(i int) uint64 { return p.Hits[i].Index })
	p.Tail = listOf(d, "tail", func(d *decoder) SearchTags {
		return SearchTags{Index: d.uint64("entry"), Lists: listOf(d, "lists", (*decoder).searchTags)}
	})
	d.rising("tail", len(p.Tail), func(i int) uint64 { return p.Tail[i].Index })
	p.Names = listOf(d, "names", func(d *decoder) SearchNames {
		return SearchNames{Index: d.uint64("settings"), Disclosure: slices.Clone(d.vector("disclosure", 3, 0, 1<<24-1))}
	})
	if err := d.end(); err != nil {
		return SearchProof{}, err
	}
	return p, nil
}

// listOf reads what appendList writes.
func listOf[T any](d *decoder, field string, item func(*decoder) T) (items []T) {
	list := &decoder{format: d.format, rest: d.vector(field, 4, 0, MaxSearchProof)}
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
	q.Terms = listOf(d, "terms", func(d *decoder) (t SearchTerm) {
		for range d.count("numbers", maxTermNumbers) {
			t.Numbers = append(t.Numbers, d.uint16("number"))
		}
		d.rising("numbers", len(t.Numbers), func(i int) uint64 { return uint64(t.Numbers[i]) })
		t.Value = slices.Clone(d.vector("value", 2, 0, maxTermValue-1))
		if d.err == nil && len(t.Numbers) == 0 {
			d.fail("numbers", "there are none")
		}
		return t
	})
	switch {
	case d.err != nil:
	case len(q.Terms) == 0 || len(q.Terms) > MaxTerms:
		d.fail("terms", "none, or too many")
	case q.First > q.End || q.Until > 0 && q.From > q.Until:
		d.fail("query", "it ends before it begins")
	}
	return q
}

func (d *decoder) searchKeys() SearchKeys {
	k := SearchKeys{Bucket: d.uint32("bucket")}
	k.Keys = listOf(d, "keys", func(d *decoder) SearchKey {
		return SearchKey{Number: d.uint16("number"), Opened: d.uint64("opened"), Key: d.key("key")}
	})
	d.rising("keys", len(k.Keys), func(i int) uint64 { return uint64(k.Keys[i].Number) })
	return k
}

func (d *decoder) searchSegment() SearchSegment {
	return SearchSegment{Head: d.directoryHead(), Rows: listOf(d, "rows", (*decoder).searchRows)}
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
		return f
	})
	return r
}

func (d *decoder) openedTag() OpenedTag {
	return OpenedTag{
		Number: d.uint16("number"), Position: d.uint16("position"), Count: d.uint16("count"),
		Opening: d.key("opening"), Path: d.hashList("path"),
	}
}

func (d *decoder) searchTags() (t DisclosedTags) {
	if !d.bool("shown") {
		t.Commitments = d.hashList("commitments")
		return t
	}
	t.Seed = slices.Clone(d.bytes("seed", len(Key256{})))
	b := d.vector("tags", 4, 0, MaxTags*sealedTagSize)
	if len(b)%sealedTagSize != 0 {
		d.fail("tags", "not a multiple of 18 bytes")
	}
	t.Tags = slices.Clone(b)
	return t
}
