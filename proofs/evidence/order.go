package evidence

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// An order is what the lines of a file so far were, and so what may follow:
// one header, checkpoints by rising size, searches, attestations, the context and
// the entries each by rising index, one end. Writer and reader share it.
type order struct {
	origin      string
	section     section
	size        uint64 // of the last checkpoint
	last        uint64 // index of the last line of the context, or of the entries
	contextSize int    // bytes
	searchSize  int    // bytes
	counts      End
}

// A section is the kind of the last line.
type section int

const (
	atStart section = iota
	inHeader
	inCheckpoints
	inSearches
	inAttestations
	inContext
	inEntries
	atEnd
)

// take judges the next line, of so many bytes.
func (o *order) take(l Line, size int) error {
	switch {
	case o.section == atEnd:
		return malformed("something follows the end")
	case l.Header != nil:
		return o.header(l.Header)
	case o.section == atStart:
		return malformed("the file does not begin with its header")
	case l.Checkpoint != nil:
		return o.checkpoint(l.Checkpoint)
	case l.Search != nil:
		return o.search(size)
	case l.Attestation != nil:
		return o.attestation()
	case l.Context != nil:
		return o.context(l.Context, size)
	case l.Entry != nil:
		return o.entry(l.Entry)
	}
	return o.end(l.End)
}

func (o *order) header(h *Header) error {
	if o.section != atStart {
		return malformed("a second header")
	}
	o.origin, o.section = h.Origin, inHeader
	return nil
}

func (o *order) checkpoint(c *Checkpoint) error {
	signed, err := proofs.ParseSignedCheckpoint([]byte(c.Note))
	if err != nil {
		return err
	}
	switch {
	case o.section > inCheckpoints:
		return malformed("a checkpoint behind an entry")
	case signed.Origin != o.origin:
		return malformed("a checkpoint of %q, and the header says %q", signed.Origin, o.origin)
	case o.counts.Checkpoints == MaxCheckpoints:
		return malformed("more than %d checkpoints", MaxCheckpoints)
	case signed.Size <= o.size:
		return malformed("a checkpoint of size %d behind one of size %d", signed.Size, o.size)
	case (c.Consistency != nil) != (o.section == inCheckpoints):
		return malformed("checkpoint of size %d: each but the first has a proof of consistency", signed.Size)
	}
	o.section, o.size = inCheckpoints, signed.Size
	o.counts.Checkpoints++
	return nil
}

func (o *order) search(size int) error {
	o.searchSize += size
	switch {
	case o.section < inCheckpoints || o.section > inSearches:
		return malformed("a search comes before any checkpoint, or behind what follows searches")
	case o.counts.Searches == MaxSearches || o.searchSize > maxSearchBytes:
		return malformed("there are more than %d searches, or they have more than %d bytes", MaxSearches, maxSearchBytes)
	}
	o.section = inSearches
	o.counts.Searches++
	return nil
}

func (o *order) attestation() error {
	switch {
	case o.section < inSearches || o.section > inAttestations:
		return malformed("an attestation is not behind the searches")
	case o.counts.Attestations == MaxAttestations:
		return malformed("more than %d attestations", MaxAttestations)
	}
	o.section = inAttestations
	o.counts.Attestations++
	return nil
}

func (o *order) context(e *Entry, size int) error {
	if o.section > inContext {
		return malformed("context behind an entry")
	}
	o.contextSize += size
	if o.counts.Context == MaxContext || o.contextSize > maxContextBytes {
		return malformed("the context has more than %d entries, or %d bytes", MaxContext, maxContextBytes)
	}
	o.counts.Context++
	return o.index(inContext, e.Index)
}

func (o *order) entry(e *Entry) error {
	o.counts.Entries++
	return o.index(inEntries, e.Index)
}

// index judges the index of the next entry of a section.
func (o *order) index(s section, index uint64) error {
	switch {
	case o.section < inCheckpoints:
		return malformed("entry %d comes before any checkpoint", index)
	case index >= o.size:
		return malformed("entry %d is not covered by the last checkpoint, of size %d", index, o.size)
	case o.section == s && index <= o.last:
		return malformed("entry %d behind entry %d", index, o.last)
	}
	o.section, o.last = s, index
	return nil
}

func (o *order) end(n *End) error {
	switch o.section {
	case inSearches, inAttestations, inEntries:
	default:
		return malformed("it ends without an entry or a search")
	}
	o.section = atEnd
	counted := o.counts
	if counted.SHA256 = n.SHA256; *n != counted {
		return malformed("it has %s, and says that it has %s: lines were cut out or put in", counted.lines(), n.lines())
	}
	return nil
}

// lines says how many lines of each kind there are.
func (n End) lines() string {
	said := fmt.Sprintf("%d checkpoints, ", n.Checkpoints)
	if n.Searches+n.Attestations > 0 {
		said += fmt.Sprintf("%d searches, %d attestations, ", n.Searches, n.Attestations)
	}
	return said + fmt.Sprintf("%d entries of context and %d entries", n.Context, n.Entries)
}
