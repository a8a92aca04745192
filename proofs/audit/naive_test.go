package audit_test

import (
	"cmp"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A naive judges a ledger as the law is told: it goes through the entries one by
// one, and at each announcement through all entries before it, to see which of
// them no hold keeps. It remembers everything of every entry.
type naive struct {
	w       *writer
	found   []accused
	leaves  []proofs.Leaf
	buckets map[uint32]*naiveBucket
	classes map[uint16][]naiveClass
	streams map[uint32]*proofs.StreamBody
	ledger  proofs.LedgerBody
	used    map[uint64]bool
	holds   []*naiveHold
	parts   []uint64 // announcements of the erasure that is being announced
	blamed  bool     // its request was
	closing map[uint64]*naiveClosing
	order   []*naiveClosing
	keys    []proofs.KeysDestroyed
}

type naiveBucket struct {
	body    proofs.BucketBody
	entries []uint64
	expiry  uint64
	late    bool
	short   bool
}

type naiveClass struct {
	settings uint64
	body     proofs.ClassBody
}

type naiveHold struct {
	index    uint64
	streams  map[uint32]bool
	entries  map[uint64]bool
	released bool
}

func (h *naiveHold) covers(entry uint64, stream uint32) bool {
	return h.entries[entry] || h.streams[stream]
}

type naiveClosing struct {
	index uint64
	kind  proofs.Kind
	time  uint64
	done  uint64
	keys  int // how many completions were before it

	stream uint32
	closed map[uint64]uint64 // of each entry that it concerns, the moment at which it closed; 0: it is held
}

func (n *naive) accuse(kind audit.FindingKind, index uint64) {
	n.found = append(n.found, accused{kind: kind, index: int64(index)})
}

// judgeNaively returns what is wrong with the entries that a writer has
// published, and with its vault.
func judgeNaively(w *writer) *naive {
	n := &naive{w: w, buckets: map[uint32]*naiveBucket{}, classes: map[uint16][]naiveClass{}, streams: map[uint32]*proofs.StreamBody{}, ledger: proofs.LedgerBody{Custodians: 1},
		used: map[uint64]bool{}, closing: map[uint64]*naiveClosing{}}
	for i, b := range w.leaves {
		leaf := check(proofs.ParseLeaf(b))
		n.leaves = append(n.leaves, leaf)
		n.take(uint64(i), leaf)
		if leaf.Bucket > 0 {
			n.judgeClass(uint64(i), leaf)
			n.put(uint64(i), leaf.Bucket)
		}
	}
	for _, c := range n.order {
		if c.done == 0 && w.cosigned()*1e6 > c.time+day*1e6 {
			n.accuse(audit.ClosingOverdue, c.index)
		}
	}
	n.judgeVault()
	slices.SortFunc(n.found, compareAccused)
	return n
}

func compareAccused(a, b accused) int {
	return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.kind, b.kind), cmp.Compare(a.last, b.last), cmp.Compare(a.entries, b.entries))
}

func (n *naive) put(i uint64, bucket uint32) {
	b := n.buckets[bucket]
	if b.expiry > 0 {
		if !b.late {
			n.accuse(audit.BucketExpired, i)
		}
		b.late = true
		return
	}
	b.entries = append(b.entries, i)
}

// judgeClass accuses the first event of a bucket whose class is too short for
// its stream.
func (n *naive) judgeClass(i uint64, leaf proofs.Leaf) {
	b, s := n.buckets[leaf.Bucket], n.streams[leaf.Stream]
	if s == nil || b.short {
		return
	}
	in, known := n.classNow(b.body.Class)
	own, set := n.classNow(s.Class)
	if known && set && in.body.Days > 0 && (own.body.Days == 0 || in.body.Days < own.body.Days) {
		b.short = true
		n.accuse(audit.ClassShorter, i)
	}
}

func (n *naive) take(i uint64, leaf proofs.Leaf) {
	switch leaf.Kind {
	case proofs.BucketOpened:
		n.takeBucket(i, check(proofs.ParseBucket(leaf.Control)))
	case proofs.Settings:
		n.takeSettings(i, check(proofs.ParseSettings(leaf.Control)))
	case proofs.Hold:
		n.takeHold(i, check(proofs.ParseHold(leaf.Control)))
	case proofs.Release:
		b := check(proofs.ParseRelease(leaf.Control))
		if b.Done != nil {
			n.takeDone(i, leaf.Kind, *b.Done)
			return
		}
		n.needs(i, proofs.Release, b.Released.Request, true, true)
		c := n.announce(i, leaf)
		if h := n.hold(b.Released.Hold); h == nil {
			n.accuse(audit.HoldUnknown, i)
		} else {
			h.released = true
		}
		n.moment(c)
	case proofs.Erasure:
		b := check(proofs.ParseErasure(leaf.Control))
		if b.Done != nil {
			n.takeDone(i, leaf.Kind, *b.Done)
			return
		}
		n.takeErased(i, leaf, *b.Erased)
	case proofs.Expiry:
		b := check(proofs.ParseExpiry(leaf.Control))
		if b.Done != nil {
			n.takeDone(i, leaf.Kind, *b.Done)
			return
		}
		n.takeExpired(i, leaf, *b.Expired)
	}
}

func (n *naive) takeBucket(i uint64, body proofs.BucketBody) {
	body.Keys = nil
	if b := n.buckets[body.Bucket]; b != nil {
		if b.expiry > 0 {
			n.accuse(audit.BucketExpired, i)
		}
		return
	}
	for _, b := range n.buckets {
		if b.body.Stream == body.Stream && b.body.Class == body.Class && b.body.Period == body.Period {
			n.accuse(audit.BucketConflict, i)
			break
		}
	}
	n.buckets[body.Bucket] = &naiveBucket{body: body}
	if body.Stream == 0 && len(n.classes[body.Class]) == 0 {
		n.classes[body.Class] = []naiveClass{{0, proofs.ClassBody{Class: body.Class, Period: proofs.Month}}}
	}
}

func (n *naive) classNow(number uint16) (c naiveClass, ok bool) {
	if h := n.classes[number]; len(h) > 0 {
		return h[len(h)-1], true
	}
	return naiveClass{}, false
}

func (n *naive) takeSettings(i uint64, body proofs.SettingsBody) {
	needed := false
	if c := body.Class; c != nil {
		was, ok := n.classNow(c.Class)
		forEver := uint64(1) << 40
		length := func(days uint32) uint64 {
			if days == 0 {
				return forEver
			}
			return uint64(days)
		}
		needed = ok && length(c.Days) < length(was.body.Days)
	}
	if s := body.Stream; s != nil {
		needed = n.takesFrom(n.streams[s.Stream], *s)
		defer func() { n.streams[s.Stream] = s }()
	}
	if l := body.Ledger; l != nil {
		needed = l.Custodians < n.ledger.Custodians || l.Grace < n.ledger.Grace
	}
	n.needs(i, proofs.Settings, body.Request, needed, true)
	if c := body.Class; c != nil {
		next := *c
		if was, ok := n.classNow(c.Class); ok && was.body.Period != c.Period {
			n.accuse(audit.ClassConflict, i)
			next.Period = was.body.Period
		}
		n.classes[c.Class] = append(n.classes[c.Class], naiveClass{i, next})
	}
	if body.Ledger != nil {
		n.ledger = *body.Ledger
	}
}

// takesFrom reports whether a stream is less than it was; nil: it was not there.
func (n *naive) takesFrom(was *proofs.StreamBody, next proofs.StreamBody) bool {
	if was == nil {
		return false
	}
	length := func(class uint16) int { // 0: nobody has set it
		c, ok := n.classNow(class)
		switch {
		case !ok:
			return 0
		case c.body.Days == 0:
			return 1 << 40
		}
		return int(c.body.Days)
	}
	declared := map[proofs.FieldBody]int{}
	for _, f := range was.Fields {
		declared[f]++
	}
	for _, f := range next.Fields {
		declared[f]--
	}
	lost := false
	for _, count := range declared {
		lost = lost || count > 0
	}
	return lost || length(next.Class) < length(was.Class) || was.Reason && !next.Reason || was.Split && !next.Split
}

// needs judges the request of an act; last says that it uses it up.
func (n *naive) needs(i uint64, kind proofs.Kind, request uint64, needed, last bool) bool {
	before := len(n.found)
	if request == 0 {
		if needed && n.ledger.Custodians == 2 {
			n.accuse(audit.RequestMissing, i)
		}
		return len(n.found) == before
	}
	var asked *proofs.RequestBody
	if request < i && n.leaves[request].Kind == proofs.Administration {
		asked = check(proofs.ParseAdministration(n.leaves[request].Control)).Request
	}
	if asked == nil || asked.Kind != kind {
		n.accuse(audit.RequestMissing, i)
		return false
	}
	approvedBy, from, withdrawn := n.answers(request, asked.By, i)
	switch {
	case n.used[request]:
		n.accuse(audit.RequestUsed, i)
	case withdrawn || approvedBy == 0:
		n.accuse(audit.RequestUnapproved, i)
	case n.leaves[i].Time < from:
		n.accuse(audit.RequestEarly, i)
	}
	n.used[request] = n.used[request] || last
	return len(n.found) == before
}

// answers returns who approves a request at an entry, from when on it may be
// used, and whether it is withdrawn.
func (n *naive) answers(request, by, end uint64) (approvedBy, from uint64, withdrawn bool) {
	ledger := proofs.LedgerBody{Custodians: 1}
	for i, leaf := range n.leaves[:end] {
		if leaf.Kind == proofs.Settings {
			if s := check(proofs.ParseSettings(leaf.Control)); s.Ledger != nil {
				ledger = *s.Ledger
			}
		}
		if leaf.Kind != proofs.Administration || uint64(i) <= request {
			continue
		}
		b := check(proofs.ParseAdministration(leaf.Control))
		if a := b.Approval; a != nil && a.Request == request && a.By != by && approvedBy == 0 && !withdrawn {
			approvedBy, from = a.By, leaf.Time+uint64(ledger.Grace)*1e6
		}
		if a := b.Withdrawal; a != nil && a.Request == request {
			if a.By == by {
				withdrawn = true
			} else if a.By == approvedBy {
				approvedBy = 0
			}
		}
	}
	return approvedBy, from, withdrawn
}

// hold returns the hold that an entry made, if it is not released.
func (n *naive) hold(index uint64) *naiveHold {
	for _, h := range n.holds {
		if h.index == index && !h.released {
			return h
		}
	}
	return nil
}

func (n *naive) takeHold(i uint64, body proofs.HoldBody) {
	h := n.hold(body.Hold)
	if body.Hold == 0 {
		h = &naiveHold{index: i, streams: map[uint32]bool{}, entries: map[uint64]bool{}}
		n.holds = append(n.holds, h)
	}
	if h == nil {
		n.accuse(audit.HoldUnknown, i)
		return
	}
	if body.Stream > 0 {
		h.streams[body.Stream] = true
	}
	for _, r := range body.Holds {
		for e := r.First; e <= r.Last; e++ {
			h.entries[e] = true
		}
	}
}

func (n *naive) announce(i uint64, leaf proofs.Leaf) *naiveClosing {
	c := &naiveClosing{index: i, kind: leaf.Kind, time: leaf.Time, keys: len(n.keys), closed: map[uint64]uint64{}}
	n.closing[i] = c
	n.order = append(n.order, c)
	return c
}

// moment closes what no hold keeps now, of all that was announced.
func (n *naive) moment(at *naiveClosing) {
	for _, c := range n.order {
		for e, closed := range c.closed {
			if closed > 0 {
				continue
			}
			if !slices.ContainsFunc(n.holds, func(h *naiveHold) bool { return !h.released && h.covers(e, c.stream) }) {
				c.closed[e] = at.index
			}
		}
	}
}

func (n *naive) takeErased(i uint64, leaf proofs.Leaf, x proofs.ErasedBody) {
	if x.Part == 1 {
		n.parts, n.blamed = nil, false
	}
	var all []proofs.ErasedBody
	for _, p := range n.parts {
		all = append(all, *check(proofs.ParseErasure(n.leaves[p].Control)).Erased)
	}
	if len(all) > 0 || x.Part > 1 {
		if len(all) == 0 || uint32(len(all))+1 != x.Part || all[0].Parts != x.Parts || all[0].Stream != x.Stream || all[0].Request != x.Request {
			n.accuse(audit.ErasureBroken, i)
			return
		}
	}
	if !n.blamed {
		n.blamed = !n.needs(i, proofs.Erasure, x.Request, true, x.Part == x.Parts)
	}
	n.parts = append(n.parts, i)
	highest := int64(-1)
	for _, b := range all {
		for _, r := range b.Closes {
			highest = int64(r.Last)
		}
	}
	if len(x.Closes) > 0 && int64(x.Closes[0].First) <= highest {
		n.accuse(audit.ErasureBroken, i)
	}
	if k := len(x.Closes); k > 0 && x.Closes[k-1].Last >= n.parts[0] {
		n.accuse(audit.ErasureBroken, i)
	}
	if x.Part < x.Parts {
		return
	}
	n.parts = nil
	c := n.announce(i, leaf)
	c.stream = x.Stream
	for _, b := range append(all, x) {
		for _, r := range b.Closes {
			for e := r.First; e <= r.Last; e++ {
				c.closed[e] = 0
			}
		}
	}
	n.moment(c)
}

func (n *naive) takeExpired(i uint64, leaf proofs.Leaf, x proofs.ExpiredBody) {
	c := n.announce(i, leaf)
	defer n.moment(c)
	b := n.buckets[x.Bucket]
	if b == nil || b.expiry > 0 {
		n.accuse(audit.ExpiryFalse, i)
		return
	}
	b.expiry, c.stream = i, b.body.Stream
	for _, e := range b.entries {
		c.closed[e] = 0
	}
	if k := len(b.entries); k == 0 || x.First != b.entries[0] || x.Last != b.entries[k-1] || x.Count != uint64(k) {
		n.accuse(audit.ExpiryFalse, i)
	}
	class, _ := n.classNow(b.body.Class)
	forEver := class.body.Days == 0 || b.body.Class == 0
	if !forEver && x.Settings != class.settings {
		n.accuse(audit.ExpiryFalse, i)
	}
	if x.Now.Size > i {
		n.accuse(audit.ExpiryFalse, i)
	}
	if forEver {
		n.accuse(audit.ExpiryEarly, i)
		return
	}
	closed, ok := n.w.times[x.Closed]
	now, also := n.w.times[x.Now]
	if !ok || !also {
		n.accuse(audit.ExpiryUnproved, i)
		return
	}
	period := uint32(now / day)
	if class.body.Period == proofs.Month {
		period = monthOf(now)
	}
	if period <= b.body.Period || now < closed+uint64(class.body.Days)*day {
		n.accuse(audit.ExpiryEarly, i)
	}
}

func (n *naive) takeDone(i uint64, kind proofs.Kind, k proofs.KeysDestroyed) {
	c := n.closing[k.Announced]
	known := c != nil && c.kind == kind && c.done == 0
	if known {
		c.done = i
	} else {
		n.accuse(audit.DoneUnannounced, i)
	}
	highest := slices.MaxFunc(append([]proofs.KeysDestroyed{{}}, n.keys...), func(a, b proofs.KeysDestroyed) int { return cmp.Compare(a.Epoch, b.Epoch) })
	there := func(keys []proofs.KeysDestroyed) bool {
		return slices.ContainsFunc(keys, func(o proofs.KeysDestroyed) bool { return o.Epoch == k.Epoch })
	}
	switch {
	case len(n.keys) > 0 && k.Epoch < highest.Epoch:
		n.accuse(audit.KeyStateRollback, i)
	case len(n.keys) > 0 && k.Epoch == highest.Epoch && n.lastHash(k.Epoch) != k.State:
		n.accuse(audit.KeyStateConflict, i)
	case known && kind != proofs.Release && there(n.keys[:c.keys]):
		n.accuse(audit.KeyStateUnchanged, i)
	}
	n.keys = append(n.keys, k)
}

// lastHash returns the hash that was last said of an epoch.
func (n *naive) lastHash(epoch uint64) (h proofs.Hash) {
	for _, k := range n.keys {
		if k.Epoch == epoch {
			h = k.State
		}
	}
	return h
}
