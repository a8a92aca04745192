package retain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// Load reads what [State.Save] writes and nothing else. Its errors match
// [proofs.ErrMalformed]. It does not find out whether the state is that of a
// ledger's entries: a snapshot must come from where nobody else writes.
func Load(b []byte) (*State, error) {
	if len(b) > MaxSaved {
		return nil, fmt.Errorf("%w: state of retention: %d bytes are more than %d", proofs.ErrMalformed, len(b), MaxSaved)
	}
	var saved snapshot
	if err := json.Unmarshal(b, &saved); err != nil {
		return nil, fmt.Errorf("%w: state of retention: %v", proofs.ErrMalformed, err)
	}
	s := &State{size: saved.Size}
	for _, load := range []func(*snapshot) error{s.loadBuckets, s.loadClasses, s.loadStreams, s.loadRequests, s.loadHolds, s.loadClosings, s.loadErased, s.loadPruning} {
		if err := load(&saved); err != nil {
			return nil, fmt.Errorf("%w: state of retention: %v", proofs.ErrMalformed, err)
		}
	}
	if again, err := s.Save(); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: state of retention: not canonical", proofs.ErrMalformed)
	}
	return s, nil
}

// behind reports whether an index is of an applied entry and behind another.
func (s *State) behind(index, before uint64) bool { return index > before && index < s.size }

func (s *State) loadBuckets(saved *snapshot) error {
	for i, b := range saved.Buckets {
		p := path{b.Stream, b.Class, b.Period}
		_, twin := s.paths[p]
		used := b.Count > 0 && b.First <= b.Last && b.Last < s.size && b.Count-1 <= b.Last-b.First
		unused := b.Count == 0 && b.First == 0 && b.Last == 0 && b.Time == 0 && b.Expiry == 0
		if twin || !used && !unused || b.Expiry > 0 && !s.behind(b.Expiry, b.Last) {
			return fmt.Errorf("bucket %d: it cannot be so", i+1)
		}
		keys, err := loadFieldKeys(b)
		if err != nil {
			return fmt.Errorf("bucket %d: %w", i+1, err)
		}
		s.addBucket(bucket{p, b.First, b.Last, b.Count, b.Time, b.Expiry, keys})
	}
	return nil
}

// loadFieldKeys returns the keys that a bucket committed to.
func loadFieldKeys(b savedBucket) (keys []proofs.FieldKeyBody, err error) {
	last := uint16(0)
	for _, k := range b.Keys {
		if k.Field <= last || len(k.Hash) != len(proofs.Hash{}) || b.Expiry > 0 {
			return nil, errors.New("its field keys cannot be so")
		}
		last = k.Field
		keys = append(keys, proofs.FieldKeyBody{Field: k.Field, Hash: proofs.Hash(k.Hash)})
	}
	return keys, nil
}

func (s *State) loadClasses(saved *snapshot) error {
	for _, c := range saved.Classes {
		history := s.classes[c.Class]
		next := ClassSetting{c.Settings, proofs.ClassBody{Class: c.Class, Days: c.Days, Period: c.Period}}
		first := len(history) == 0
		switch {
		case c.Period != proofs.Day && c.Period != proofs.Month || s.judgeClass(next.Body) != nil,
			c.Settings >= s.size,
			c.Settings == 0 && (!first || c.Days > 0 || c.Period != proofs.Month),
			!first && c.Settings <= history[len(history)-1].Settings:
			return fmt.Errorf("class %d: it cannot be so", c.Class)
		}
		s.setClass(next)
	}
	for i, b := range s.buckets {
		if len(s.classes[b.class]) == 0 {
			return fmt.Errorf("bucket %d is of class %d, which is not there", i+1, b.class)
		}
	}
	if l := saved.Ledger; l != nil {
		if l.Custodians != 1 && l.Custodians != 2 {
			return fmt.Errorf("%d custodians", l.Custodians)
		}
		s.ledger = proofs.LedgerBody(*l)
	}
	return nil
}

func (s *State) loadStreams(saved *snapshot) error {
	for _, x := range saved.Streams {
		body := proofs.StreamBody{Stream: x.Stream, Class: x.Class, Closed: x.Closed, Reason: x.Reason, Split: x.Split}
		last := uint16(0)
		for _, f := range x.Fields {
			if f.Number <= last {
				return fmt.Errorf("stream %d: its fields do not rise", x.Stream)
			}
			last = f.Number
			body.Fields = append(body.Fields, proofs.FieldBody(f))
		}
		if x.Stream == 0 {
			return errors.New("stream 0 is the ledger's own, and has no settings")
		}
		s.setStream(body) // that they rise shows when they are saved again
	}
	return nil
}

func (s *State) loadRequests(saved *snapshot) error {
	for i, by := range saved.Named {
		if len(saved.Named) < 2 || len(saved.Named) > proofs.MaxNamed || i > 0 && by <= saved.Named[i-1] {
			return errors.New("custodians who cannot be named so")
		}
	}
	s.named = proofs.CustodiansBody{Named: saved.Named}
	before := uint64(0)
	for _, r := range saved.Requests {
		kind := r.Kind == proofs.Settings || r.Kind == proofs.Erasure || r.Kind == proofs.Release
		approved := r.Approval > r.Index && r.ApprovedBy != r.By
		if !approved && (r.Approval > 0 || r.ApprovedBy > 0 || r.From > 0) ||
			!kind || !s.behind(r.Index, before) || r.Approval >= s.size ||
			r.Withdrawn > 0 && !s.behind(r.Withdrawn, max(r.Index, r.Approval)) ||
			r.Used > 0 && (!approved || r.Withdrawn > 0 || !s.behind(r.Used, r.Approval)) {
			return fmt.Errorf("request %d: it cannot be so", r.Index)
		}
		before = r.Index
		request := Request(r)
		s.requests = append(s.requests, &request)
	}
	return nil
}

func (s *State) loadHolds(saved *snapshot) error {
	before := uint64(0)
	for _, h := range saved.Holds {
		x := &hold{index: h.Index, released: h.Released}
		since := h.Index - 1
		for _, c := range h.Claims {
			runs, err := c.Runs.load()
			if err != nil {
				return fmt.Errorf("hold %d: %w", h.Index, err)
			}
			if !s.behind(c.Since, since) || !streamsRise(c.Streams) {
				return fmt.Errorf("hold %d: its claims cannot be so", h.Index)
			}
			since = c.Since
			x.claims = append(x.claims, claim{c.Since, cover{c.Streams, runs}})
		}
		if !s.behind(h.Index, before) || len(h.Claims) == 0 || h.Released > 0 && !s.behind(h.Released, since) {
			return fmt.Errorf("hold %d: it cannot be so", h.Index)
		}
		before = h.Index
		s.holds = append(s.holds, x)
	}
	return nil
}

func streamsRise(streams []uint32) bool {
	before := uint32(0)
	for _, n := range streams {
		if n <= before {
			return false
		}
		before = n
	}
	return true
}

func (s *State) loadClosings(saved *snapshot) error {
	before := uint64(0)
	releases := 0
	for _, c := range saved.Closings {
		runs, err := c.Runs.load()
		if err != nil {
			return fmt.Errorf("closing %d: %w", c.Index, err)
		}
		x := &closing{index: c.Index, kind: c.Kind, request: c.Request, stream: c.Stream, bucket: c.Bucket, hold: c.Hold, runs: runs, done: c.Done}
		for _, k := range c.Keepers {
			x.keepers = append(x.keepers, keeper{k.Hold, k.At})
		}
		if !s.behind(c.Index, before) || !s.isClosing(x) || !s.isKept(x) || x.done && (len(s.open) > 0 || len(x.keepers) == 0) {
			return fmt.Errorf("closing %d: it cannot be so", c.Index)
		}
		before = c.Index
		if x.kind == proofs.Release {
			releases++
		}
		s.addClosing(x)
		if !x.done {
			s.open = append(s.open, x)
		}
	}
	for _, h := range s.holds {
		if h.released > 0 {
			releases--
		}
	}
	if releases != 0 {
		return errors.New("holds and their releases do not match")
	}
	if d := saved.Destroyed; d != nil {
		if !s.behind(d.Announced, 0) || len(d.State) != proofs.HashSize {
			return fmt.Errorf("the keys destroyed at %d: it cannot be so", d.Announced)
		}
		s.destroyed = proofs.KeysDestroyed{Announced: d.Announced, Epoch: d.Epoch, State: proofs.Hash(d.State)}
	}
	return nil
}

// isClosing reports whether a closing is what its kind has.
func (s *State) isClosing(c *closing) bool {
	switch c.kind {
	case proofs.Expiry:
		b, err := s.bucket(c.bucket)
		return err == nil && b.expiry == c.index && b.stream == c.stream && c.request == 0 && c.hold == 0 && c.runs == nil
	case proofs.Erasure:
		return c.stream > 0 && c.bucket == 0 && c.hold == 0 && c.request < c.index &&
			(len(c.runs) == 0 || c.runs[len(c.runs)-1].Last < c.index)
	case proofs.Release:
		h := s.hold(c.hold)
		return h != nil && h.released == c.index && c.stream == 0 && c.bucket == 0 && c.request < c.index && c.runs == nil && !c.done
	}
	return false
}

// isKept reports whether the keepers of a closing can be so.
func (s *State) isKept(c *closing) bool {
	last := keeper{}
	for _, k := range c.keepers {
		rises := k.at > last.at || k.at == last.at && k.hold > last.hold
		if s.hold(k.hold) == nil || !rises || k.hold >= k.at || k.at < c.index || k.at >= s.size || c.kind == proofs.Release {
			return false
		}
		last = k
	}
	return true
}

func (s *State) loadErased(saved *snapshot) (err error) {
	if s.spans, err = s.loadSpans(saved.Erased); err != nil {
		return err
	}
	e := saved.Erasing
	if e == nil {
		return nil
	}
	x := &erasing{stream: e.Stream, request: e.Request, first: e.First, part: e.Part, parts: e.Parts}
	if x.runs, err = e.Runs.load(); err != nil {
		return fmt.Errorf("erasure from entry %d on: %w", e.First, err)
	}
	if x.spans, err = s.loadSpans(e.Spans); err != nil {
		return err
	}
	n := len(x.runs)
	if !s.behind(e.First, 0) || e.Stream == 0 || e.Part == 0 || e.Part >= e.Parts || e.Request >= e.First || n > 0 && x.runs[n-1].Last >= e.First {
		return fmt.Errorf("erasure from entry %d on: it cannot be so", e.First)
	}
	s.erasing = x
	return nil
}

func (s *State) loadSpans(saved []savedSpan) (spans []span, err error) {
	before := uint64(0)
	for _, x := range saved {
		if !s.behind(x.Index, before) || x.Stream == 0 || x.First > x.Last || x.Last >= x.Index {
			return nil, fmt.Errorf("erasure at entry %d: it cannot be so", x.Index)
		}
		before = x.Index
		spans = append(spans, span{x.Index, x.Stream, x.First, x.Last})
	}
	return spans, nil
}
