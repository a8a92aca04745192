package retain

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// MaxSaved is the longest snapshot in bytes.
const MaxSaved = 32 << 20

// ErrTooLarge means that the state does not fit a snapshot: it can be made
// again from the entries.
var ErrTooLarge = fmt.Errorf("state of retention is larger than %d bytes", MaxSaved)

// A snapshot is a State as JSON: the members below in their order, those that
// are zero left out. Lists rise as in the State.
type snapshot struct {
	Size      uint64          `json:"size"`
	Buckets   []savedBucket   `json:"buckets,omitempty"` // from number 1
	Classes   []savedClass    `json:"classes,omitempty"`
	Streams   []savedStream   `json:"streams,omitempty"`
	Ledger    *savedLedger    `json:"ledger,omitempty"`
	Named     []uint64        `json:"named,omitempty"`
	Holds     []savedHold     `json:"holds,omitempty"`
	Closings  []savedClosing  `json:"closings,omitempty"`
	Erasing   *savedErasing   `json:"erasing,omitempty"`
	Erased    []savedSpan     `json:"erased,omitempty"`
	Requests  []savedRequest  `json:"requests,omitempty"`
	Destroyed *savedDestroyed `json:"destroyed,omitempty"`
	Pruning   *savedPruning   `json:"pruning,omitempty"`
}

type savedBucket struct {
	Stream uint32 `json:"stream,omitempty"`
	Class  uint16 `json:"class,omitempty"`
	Period uint32 `json:"period,omitempty"`
	First  uint64 `json:"first,omitempty"`
	Last   uint64 `json:"last,omitempty"`
	Count  uint64 `json:"count,omitempty"`
	Time   uint64 `json:"time,omitempty"`
	Expiry uint64 `json:"expiry,omitempty"`

	Keys []savedFieldKey `json:"keys,omitempty"`
}

type savedFieldKey struct {
	Field uint16 `json:"field"`
	Hash  []byte `json:"hash"`
}

// A savedClass is one setting of a class.
type savedClass struct {
	Class    uint16        `json:"class"`
	Settings uint64        `json:"settings,omitempty"`
	Days     uint32        `json:"days,omitempty"`
	Period   proofs.Period `json:"period"`
}

// A savedStream is a stream as it is now.
type savedStream struct {
	Stream uint32       `json:"stream"`
	Class  uint16       `json:"class,omitempty"`
	Closed bool         `json:"closed,omitempty"`
	Reason bool         `json:"reason,omitempty"`
	Split  bool         `json:"split,omitempty"`
	Fields []savedField `json:"fields,omitempty"`
}

type savedField struct {
	Number  uint16 `json:"number"`
	Subject bool   `json:"subject,omitempty"`
}

type savedLedger struct {
	Custodians uint8  `json:"custodians"`
	Grace      uint32 `json:"grace,omitempty"`
}

type savedHold struct {
	Index    uint64       `json:"index"`
	Released uint64       `json:"released,omitempty"`
	Claims   []savedClaim `json:"claims"`
}

type savedClaim struct {
	Since   uint64    `json:"since"`
	Streams []uint32  `json:"streams,omitempty"`
	Runs    savedRuns `json:"runs,omitempty"`
}

type savedClosing struct {
	Index   uint64        `json:"index"`
	Kind    proofs.Kind   `json:"kind"`
	Done    bool          `json:"done,omitempty"`
	Request uint64        `json:"request,omitempty"`
	Stream  uint32        `json:"stream,omitempty"`
	Bucket  uint32        `json:"bucket,omitempty"`
	Hold    uint64        `json:"hold,omitempty"`
	Runs    savedRuns     `json:"runs,omitempty"`
	Keepers []savedKeeper `json:"keepers,omitempty"`
}

type savedKeeper struct {
	Hold uint64 `json:"hold"`
	At   uint64 `json:"at"`
}

type savedErasing struct {
	Stream  uint32      `json:"stream"`
	Request uint64      `json:"request,omitempty"`
	First   uint64      `json:"first"`
	Part    uint32      `json:"part"`
	Parts   uint32      `json:"parts"`
	Runs    savedRuns   `json:"runs,omitempty"`
	Spans   []savedSpan `json:"spans,omitempty"`
}

type savedSpan struct {
	Index  uint64 `json:"index"`
	Stream uint32 `json:"stream"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
}

type savedRequest struct {
	Index      uint64      `json:"index"`
	Kind       proofs.Kind `json:"kind"`
	By         uint64      `json:"by,omitempty"`
	Approval   uint64      `json:"approval,omitempty"`
	ApprovedBy uint64      `json:"approved_by,omitempty"`
	From       uint64      `json:"from,omitempty"`
	Withdrawn  uint64      `json:"withdrawn,omitempty"`
	Used       uint64      `json:"used,omitempty"`
}

type savedDestroyed struct {
	Announced uint64 `json:"announced"`
	Epoch     uint64 `json:"epoch,omitempty"`
	State     []byte `json:"state"`
}

// savedRuns are runs as a list of numbers, two for each: how far its first
// index is behind the last one before it, and how far its last is behind that.
type savedRuns []uint64

func saveRuns(runs []proofs.Run) (saved savedRuns) {
	before := uint64(0)
	for _, r := range runs {
		saved = append(saved, r.First-before, r.Last-r.First)
		before = r.Last
	}
	return saved
}

func (saved savedRuns) load() (runs []proofs.Run, err error) {
	if len(saved)%2 != 0 {
		return nil, errors.New("runs are pairs")
	}
	before := uint64(0)
	for pair := range slices.Chunk(saved, 2) {
		r := proofs.Run{First: before + pair[0]}
		r.Last = r.First + pair[1]
		if r.First < before || r.Last < r.First || len(runs) > 0 && pair[0] < 2 {
			return nil, errors.New("runs do not rise, or are more than needed")
		}
		runs, before = append(runs, r), r.Last
	}
	return runs, nil
}

// Save returns a snapshot: canonical JSON that [Load] reads. The error is
// [ErrTooLarge].
func (s *State) Save() ([]byte, error) {
	b, err := json.Marshal(s.snapshot())
	if err != nil {
		return nil, err
	}
	if len(b) > MaxSaved {
		return nil, ErrTooLarge
	}
	return b, nil
}

func (s *State) snapshot() snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := snapshot{Size: s.size}
	for _, b := range s.buckets {
		var keys []savedFieldKey
		for _, k := range b.keys {
			keys = append(keys, savedFieldKey{k.Field, k.Hash[:]})
		}
		out.Buckets = append(out.Buckets, savedBucket{b.stream, b.class, b.period, b.first, b.last, b.count, b.time, b.expiry, keys})
	}
	for _, n := range slices.Sorted(maps.Keys(s.classes)) {
		for _, c := range s.classes[n] {
			out.Classes = append(out.Classes, savedClass{n, c.Settings, c.Body.Days, c.Body.Period})
		}
	}
	for _, n := range slices.Sorted(maps.Keys(s.streams)) {
		out.Streams = append(out.Streams, saveStream(s.streams[n]))
	}
	if s.ledger.Custodians > 0 {
		out.Ledger = &savedLedger{s.ledger.Custodians, s.ledger.Grace}
	}
	out.Named = s.named.Named
	for _, h := range s.holds {
		out.Holds = append(out.Holds, h.save())
	}
	for _, c := range s.closings {
		out.Closings = append(out.Closings, c.save())
	}
	if e := s.erasing; e != nil {
		out.Erasing = &savedErasing{e.stream, e.request, e.first, e.part, e.parts, saveRuns(e.runs), saveSpans(e.spans)}
	}
	out.Erased = saveSpans(s.spans)
	for _, r := range s.requests {
		out.Requests = append(out.Requests, savedRequest(*r))
	}
	if d := s.destroyed; d.Announced > 0 {
		out.Destroyed = &savedDestroyed{d.Announced, d.Epoch, d.State[:]}
	}
	out.Pruning = s.savePruning()
	return out
}

func saveStream(s proofs.StreamBody) savedStream {
	out := savedStream{s.Stream, s.Class, s.Closed, s.Reason, s.Split, nil}
	for _, f := range s.Fields {
		out.Fields = append(out.Fields, savedField(f))
	}
	return out
}

func (h *hold) save() savedHold {
	out := savedHold{Index: h.index, Released: h.released}
	for _, c := range h.claims {
		out.Claims = append(out.Claims, savedClaim{c.since, c.streams, saveRuns(c.runs)})
	}
	return out
}

func (c *closing) save() savedClosing {
	out := savedClosing{c.index, c.kind, c.done, c.request, c.stream, c.bucket, c.hold, saveRuns(c.runs), nil}
	for _, k := range c.keepers {
		out.Keepers = append(out.Keepers, savedKeeper{k.hold, k.at})
	}
	return out
}

func saveSpans(spans []span) (saved []savedSpan) {
	for _, x := range spans {
		saved = append(saved, savedSpan{x.index, x.stream, x.first, x.last})
	}
	return saved
}
