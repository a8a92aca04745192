package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A Sampling says which payloads to open, to see whether what should open
// does. Events should open unless an entry says that something of them is
// closed, and no hold keeps it.
//
// Of these the sample is the [Sampling.Count] with the lowest ranks. The rank
// of an entry is the SHA-256 of
//
//	"cairn/v1 audit sample\n" ‖ root of the checkpoint ‖ index (uint64, big-endian) ‖ seed
//
// Whoever has the same checkpoint and the seed draws the same sample; whoever
// does not know the seed before can't tell what it will be. So nobody who lost
// payloads, or let them get lost, should know it.
type Sampling struct {
	Count int    // how many; 0: all
	Seed  string // any bytes

	// Open returns what the ledger, or who has read it, shows of an event. It
	// is called by [Sampling.Workers] goroutines at once. Its errors say what
	// they match: [ErrGone], [ErrDisabled], [ErrForbidden], [ErrNotShown] or
	// [ErrUnopened]; any other ends the run. What it returns is checked.
	Open    func(ctx context.Context, index uint64) (*proofs.Disclosure, error)
	Workers int // 0: one a processor
}

// What [Sampling.Open] can say of an event.
var (
	ErrGone      = errors.New("the payload is gone")             // is found wrong, unless an entry says why
	ErrDisabled  = errors.New("the payload is to be erased")     // is found wrong, unless an erasure is approved
	ErrForbidden = errors.New("the payload may not be read")     // then none of its stream is asked for; where others of it open it is found wrong
	ErrNotShown  = errors.New("nobody shows it")                 // proves nothing
	ErrUnopened  = errors.New("the payload could not be opened") // is found wrong
)

const sampleLabel = "cairn/v1 audit sample\n"

// A rank decides which entries are drawn: the first eight bytes of the hash.
// Of two that have the same the first entry has the lower one.
func (s *Sampling) rank(root proofs.Hash, index uint64) uint64 {
	b := append([]byte(sampleLabel), root[:]...)
	b = binary.BigEndian.AppendUint64(b, index)
	h := sha256.Sum256(append(b, s.Seed...))
	return binary.BigEndian.Uint64(h[:])
}

// A Sample is what became of a sampling.
type Sample struct {
	Seed       string `json:"seed"`
	ShouldOpen uint64 `json:"should_open"` // events that should, in the streams that may be read
	Sampled    uint64 `json:"sampled"`     // those of them that were drawn
	Opened     uint64 `json:"opened"`      // and did
	Closed     uint64 `json:"closed"`      // and were closed for a published reason since
	Disabled   uint64 `json:"disabled"`    // and are not shown while an erasure is approved and not done, as the ledger says: whom it is about nobody else can tell
	NotShown   uint64 `json:"not_shown"`   // and nobody showed them

	// Entries are the indices that were drawn, unless that was all.
	Entries []uint64 `json:"entries,omitempty"`

	// ForbiddenStreams are the numbers of the streams that may not be read;
	// ForbiddenEntries is how many events of them should open.
	ForbiddenStreams []uint32 `json:"forbidden_streams,omitempty"`
	ForbiddenEntries uint64   `json:"forbidden_entries,omitempty"`

	// WouldShow is how many events must have been lost so that a sample of as
	// many as were opened would have shown it with a probability of 95 % or more,
	// if nobody who lost them knew the seed before; 0 where something did not
	// open or was not shown, or nothing was opened.
	WouldShow uint64 `json:"would_show,omitempty"`
}

// String returns what was opened in a sentence or two.
func (s *Sample) String() string {
	var b strings.Builder
	switch {
	case s.ShouldOpen == 0 && s.ForbiddenEntries > 0:
		b.WriteString("Opened: nothing.")
	case s.ShouldOpen == 0:
		b.WriteString("Opened: nothing, since there is no event that should open.")
	case s.Sampled == s.ShouldOpen:
		fmt.Fprintf(&b, "Opened: all %d events that should open were asked for: %s.", s.ShouldOpen, s.outcome())
	default:
		fmt.Fprintf(&b, "Opened: %d of %d events that should open were sampled, with the seed %q: %s.", s.Sampled, s.ShouldOpen, s.Seed, s.outcome())
	}
	if s.WouldShow > 0 && s.Opened < s.ShouldOpen {
		fmt.Fprintf(&b, " Had %d of them (%.2g %%) been lost, this would have been seen with a probability of 95 %%.",
			s.WouldShow, 100*float64(s.WouldShow)/float64(s.ShouldOpen))
	}
	if s.ForbiddenEntries > 0 {
		fmt.Fprintf(&b, " Another %d events that should open are of %d streams that may not be read.", s.ForbiddenEntries, len(s.ForbiddenStreams))
	}
	return b.String()
}

// outcome says what became of those that were drawn.
func (s *Sample) outcome() string {
	if s.Opened == s.Sampled {
		return "all opened"
	}
	words := []string{fmt.Sprintf("%d opened", s.Opened)}
	for _, w := range []struct {
		n    uint64
		what string
	}{
		{s.Sampled - s.Opened - s.Closed - s.Disabled - s.NotShown, "did not"},
		{s.Closed, "were closed meanwhile for a published reason"},
		{s.Disabled, "are disabled, says the ledger, by an erasure that is approved and not done"},
		{s.NotShown, "were shown by nobody"},
	} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	return strings.Join(words, ", ")
}

// wouldShow returns the smallest number of lost entries out of all of which a
// sample without repetition has at least one with a probability of 95 %.
func wouldShow(all, sampled uint64) (lost uint64) {
	if sampled == 0 {
		return 0
	}
	missed := 1.0
	for lost = 0; missed > 0.05 && lost < all; lost++ {
		if left := all - lost; left <= sampled {
			return lost + 1
		}
		missed *= float64(all-sampled-lost) / float64(all-lost)
	}
	return lost
}
