package proofs_test

import "github.com/cairnlog/cairn/proofs"

// announce adds a part of the announcement of an erasure in stream 1.
func (w *searchWorld) announce(part, parts uint32, entries ...uint64) uint64 {
	body := proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: part, Parts: parts, Closes: proofs.RunsOf(entries)}}
	return w.add(proofs.Leaf{Kind: proofs.Erasure, T: proofs.EmptyRoot(), Control: must(proofs.FormatErasure(body))})
}

// erase closes the lists of a number of entries, and makes directories anew.
func (w *searchWorld) erase(list int, entries ...uint64) {
	w.close(w.announce(1, 1, entries...), list, entries...)
}

// close is the erasure that an entry announced.
func (w *searchWorld) close(by uint64, list int, entries ...uint64) {
	for _, index := range entries {
		w.erased[index] = by
		e := w.events[index]
		var all []proofs.Hash
		for i, l := range e.lists {
			before := len(all)
			if l.Shown() {
				all = proofs.AppendTagCommitments(all, (*proofs.Key256)(l.Seed), tagsOf(l))
			} else {
				all = append(all, l.Commitments...)
			}
			if i == list {
				e.lists[i] = proofs.DisclosedTags{Commitments: all[before:]}
			}
		}
	}
	if !w.late {
		w.remake(entries)
	}
}

// remake makes the directories anew that have entries.
func (w *searchWorld) remake(entries []uint64) {
	changed := make(map[proofs.SegmentID]bool)
	for _, index := range entries {
		changed[proofs.SegmentID{Number: index / proofs.SegmentSize}] = true
		changed[proofs.SegmentID{Large: true, Number: index / proofs.SegmentSize / proofs.LargeSegments}] = true
	}
	var made []proofs.MadeDirectory
	for n := range w.small {
		if id := (proofs.SegmentID{Number: uint64(n)}); changed[id] {
			w.small[n] = w.make(uint64(n))
			made = append(made, proofs.MadeDirectory{Segment: id, Hash: w.small[n]})
		}
	}
	for n := range w.large {
		if id := (proofs.SegmentID{Large: true, Number: uint64(n)}); changed[id] {
			w.large[n] = w.merge(id)
			made = append(made, proofs.MadeDirectory{Segment: id, Hash: w.large[n]})
		}
	}
	if len(made) > 0 {
		w.commit(made)
	}
}

// expire closes a bucket, whose rows nobody has any more.
func (w *searchWorld) expire(bucket uint32) {
	w.announceExpiry(proofs.ExpiredBody{Bucket: bucket, Last: w.size() - 1})
	for _, e := range w.events {
		if e.bucket == bucket {
			e.lists = nil
		}
	}
}

func (w *searchWorld) announceExpiry(x proofs.ExpiredBody) {
	x.Count = 1
	x.Closed.Size, x.Now.Size = max(x.Closed.Size, x.Last+1), max(x.Now.Size, x.Last+1)
	control := must(proofs.FormatExpiry(proofs.ExpiryBody{Expired: &x}))
	w.expired[x.Bucket] = w.add(proofs.Leaf{Kind: proofs.Expiry, T: proofs.EmptyRoot(), Control: control})
}
