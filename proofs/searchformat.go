package proofs

import (
	"encoding/binary"
	"fmt"
)

const (
	searchProofLabel = "cairn/v1 search proof\n"
	maxDisclosure    = 1<<24 - 1
)

// appendList appends a list: its length in bytes, in four bytes, and the items.
func appendList[T any](b []byte, items []T, item func([]byte, T) []byte) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, x := range items {
		b = item(b, x)
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func appendHash(b []byte, h Hash) []byte { return append(b, h[:]...) }

// FormatSearchProof returns the canonical bytes of a proof.
func FormatSearchProof(p SearchProof) ([]byte, error) {
	if err := p.checkSizes(); err != nil {
		return nil, err
	}
	b := append([]byte(nil), searchProofLabel...)
	b = appendSearchQuery(b, p.Query)
	b = appendUint64s(b, p.Start, p.Stop)
	b = appendVector(b, 3, p.Checkpoint)
	b = appendList(b, p.Entries, func(b []byte, e SearchEntry) []byte {
		return appendVector(appendUint64s(b, e.Index), 2, e.Leaf)
	})
	b = appendList(b, p.Inclusion, appendHash)
	b = appendList(b, p.Keys, appendSearchKeys)
	b = appendUint64s(b, p.Directory)
	b = appendList(b, p.Segments, appendSearchSegment)
	b = appendList(b, p.Small, appendHash)
	b = appendList(b, p.Large, appendHash)
	b = appendList(b, p.Hits, func(b []byte, h SearchHit) []byte {
		return appendList(appendUint64s(b, h.Index), h.Opened, appendOpenedTag)
	})
	b = appendList(b, p.Tail, func(b []byte, t SearchTags) []byte {
		return appendList(appendUint64s(b, t.Index), t.Lists, appendSearchTags)
	})
	b = appendList(b, p.Closed, func(b []byte, c ClosedEntry) []byte { return appendUint64s(b, c.Index, c.Announced) })
	b = appendList(b, p.Names, func(b []byte, n SearchNames) []byte {
		return appendVector(appendUint64s(b, n.Index), 3, n.Disclosure)
	})
	if _, err := ParseSearchProof(b); err != nil {
		return nil, err
	}
	return b, nil
}

// checkSizes checks that everything fits where it has to be written: whether
// it is right is for the parser to say.
func (p SearchProof) checkSizes() error {
	bad := func(what string) error { return fmt.Errorf("%w: search proof: %s", ErrMalformed, what) }
	if err := p.Query.check(); err != nil {
		return err
	}
	if len(p.Checkpoint) > MaxNoteSize {
		return bad("the checkpoint is too long")
	}
	for _, e := range p.Entries {
		if len(e.Leaf) > MaxLeafSize {
			return bad("a leaf is too long")
		}
	}
	for _, s := range p.Segments {
		if _, err := FormatDirectoryHead(s.Head); err != nil {
			return err
		}
	}
	for _, t := range p.Tail {
		for _, list := range t.Lists {
			if list.Shown() && (len(list.Seed) != len(Key256{}) || len(list.Tags)%sealedTagSize != 0) {
				return bad("a list of tags, or its seed, has a size of neither")
			}
		}
	}
	for _, n := range p.Names {
		if len(n.Disclosure) > maxDisclosure {
			return bad("names are too long")
		}
	}
	return nil
}

func appendSearchQuery(b []byte, q SearchQuery) []byte {
	b = binary.BigEndian.AppendUint32(b, q.Stream)
	b = appendUint64s(b, q.First, q.End, q.From, q.Until)
	return appendList(b, q.Terms, func(b []byte, t SearchTerm) []byte {
		return appendList(b, t.Values, func(b []byte, v SearchValue) []byte {
			b = append(b, byte(2*len(v.Numbers)))
			for _, n := range v.Numbers {
				b = binary.BigEndian.AppendUint16(b, n)
			}
			return appendVector(b, 2, v.Value)
		})
	})
}

func appendSearchKeys(b []byte, k SearchKeys) []byte {
	return appendList(binary.BigEndian.AppendUint32(b, k.Bucket), k.Keys, func(b []byte, k SearchKey) []byte {
		b = binary.BigEndian.AppendUint16(b, k.Number)
		return append(appendUint64s(b, k.Opened), k.Key[:]...)
	})
}

func appendSearchSegment(b []byte, s SearchSegment) []byte {
	return appendList(appendDirectoryHead(b, s.Head), s.Rows, func(b []byte, r SearchRows) []byte {
		b = appendUint64s(b, r.Expired)
		if r.Expired > 0 {
			return b
		}
		b = binary.BigEndian.AppendUint32(b, r.Count)
		b = appendList(b, r.Shown, func(b []byte, x SearchRow) []byte {
			return x.Row.append(binary.BigEndian.AppendUint32(b, x.Number))
		})
		b = appendList(b, r.Proof, appendHash)
		return appendList(b, r.Found, func(b []byte, f FoundRow) []byte {
			return appendList(append(b, f.Salt[:]...), f.Positions, binary.BigEndian.AppendUint16)
		})
	})
}

func appendOpenedTag(b []byte, o OpenedTag) []byte {
	b = binary.BigEndian.AppendUint16(b, o.Number)
	b = binary.BigEndian.AppendUint16(b, o.Position)
	b = binary.BigEndian.AppendUint16(b, o.Count)
	return appendList(append(b, o.Opening[:]...), o.Path, appendHash)
}

func appendSearchTags(b []byte, t DisclosedTags) []byte {
	b = append(b, boolByte(t.Shown()))
	if !t.Shown() {
		return appendList(b, t.Commitments, appendHash)
	}
	return appendList(append(b, t.Seed...), parseTags(t.Tags), func(b []byte, t Tag) []byte { return AppendTags(b, []Tag{t}) })
}
