package audit_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A gambler writes a ledger by chance: what an operator does in whatever
// order, and now and then what none should.
type gambler struct {
	*writer
	rnd   *rand.Rand
	cheat float64 // how often

	classOf                    map[uint32]uint16 // of streams
	holds, requests, announced []uint64
	shots                      []shot
	part                       *proofs.ErasedBody // of an erasure that goes on
	partStart, partEnd         uint64             // its first entry, and the last one that it names
}

// A shot is a ledger at a moment: what it published, and its vault then.
type shot struct {
	files fstest.MapFS
	want  []accused
}

func newGambler(t testing.TB, seed uint64, cheat float64) *gambler {
	g := &gambler{writer: newWriter(t, proofs.Ed25519Cosignature), rnd: rand.New(rand.NewPCG(seed, 7)), cheat: cheat, classOf: map[uint32]uint16{}}
	g.event(1, shortClass)
	g.event(2, longClass)
	g.publish()
	return g
}

func (g *gambler) cheats() bool { return g.rnd.Float64() < g.cheat }

// pick returns one of a list, or something that is not in it.
func (g *gambler) pick(list []uint64) uint64 {
	if len(list) == 0 || g.cheats() {
		return g.rnd.Uint64N(g.size())
	}
	return list[g.rnd.IntN(len(list))]
}

func (g *gambler) stream() uint32 { return 1 + g.rnd.Uint32N(2) }

// classFor returns a class for an event of a stream: one that is not shorter
// than its own.
func (g *gambler) classFor(stream uint32) uint16 {
	list := []uint16{shortClass, longClass, eternalClass}
	switch own := g.classOf[stream]; {
	case g.cheats():
	case own == longClass:
		list = list[1:]
	case own == eternalClass:
		list = list[2:]
	}
	return list[g.rnd.IntN(len(list))]
}

// some returns a few entries, by chance of a stream or of any.
func (g *gambler) some(stream uint32) (entries []uint64) {
	for i, b := range g.leaves {
		leaf := check(proofs.ParseLeaf(b))
		if leaf.Stream == stream && g.rnd.IntN(4) == 0 || leaf.Kind == proofs.Access && g.rnd.IntN(8) == 0 || g.cheats() && g.rnd.IntN(8) == 0 {
			entries = append(entries, uint64(i))
		}
	}
	return entries
}

// step does something.
func (g *gambler) step() {
	switch g.rnd.IntN(18) {
	case 0, 1, 2, 3:
		stream := g.stream()
		g.events(1+g.rnd.IntN(3), stream, g.classFor(stream))
		if g.cheats() && g.rnd.IntN(4) == 0 {
			g.drop(g.size() - 1)
		}
	case 4:
		g.access()
	case 5, 6:
		g.pass(g.rnd.Uint64N(30 * 60 * 60))
		if g.rnd.IntN(8) == 0 {
			g.pass(30 * day)
		}
		g.event(1, g.classFor(1))
		g.publish()
	case 7:
		x := g.hold(0, g.rnd.Uint32N(3), runs(g.some(g.stream())...)...)
		g.holds = append(g.holds, x)
	case 8:
		if len(g.holds) > 0 || g.cheats() {
			g.hold(g.pick(g.holds), g.rnd.Uint32N(2), runs(g.some(g.stream())...)...)
		}
	case 9:
		if len(g.holds) > 0 || g.cheats() {
			x := max(1, g.pick(g.holds))
			g.announced = append(g.announced, g.release(x, g.wish(proofs.Release)))
			if !g.cheats() {
				g.holds = slices.DeleteFunc(g.holds, func(h uint64) bool { return h == x })
			}
		}
	case 10, 11:
		g.expireOne()
	case 12:
		g.eraseSome()
	case 13:
		g.settings()
	case 14:
		if len(g.requests) > 0 && (g.part == nil || g.cheats()) {
			g.withdraw(max(1, g.pick(g.requests)), 70+g.rnd.Uint64N(3))
		}
	case 15, 16:
		g.finishOne()
	case 17:
		g.misuse()
	}
	if g.rnd.IntN(6) == 0 {
		g.take()
	}
}

// wish returns a request for an act: what is needed, or anything.
func (g *gambler) wish(kind proofs.Kind) uint64 {
	if g.cheats() {
		return g.rnd.Uint64N(2) * g.pick(g.requests)
	}
	r := g.request(kind, 71)
	g.requests = append(g.requests, r)
	switch g.approve(r, 72); {
	case g.cheats():
		g.withdraw(r, 70+g.rnd.Uint64N(4))
	case g.cheats():
		g.approve(r, 71)
	default:
		g.pass(maxGrace)
	}
	return r
}

const maxGrace = 20 // seconds

func (g *gambler) expireOne() {
	var ripe []uint32
	now := g.times[g.kept[len(g.kept)-1]]
	n := judgeNaively(g.writer)
	for path, b := range g.opened {
		if len(n.buckets[b].entries) == 0 || n.buckets[b].expiry > 0 && !g.cheats() {
			continue
		}
		x := g.expired(b)
		old := x.Closed.Size > x.Last && now >= g.times[x.Closed]+day && path[2]+1 < uint32(now/day)
		if (path[1] == shortClass && old || g.cheats()) && x.Closed.Size > x.Last {
			ripe = append(ripe, b)
		}
	}
	if len(ripe) == 0 {
		return
	}
	slices.Sort(ripe)
	g.announced = append(g.announced, g.expire(ripe[g.rnd.IntN(len(ripe))], func(x *proofs.ExpiredBody) {
		if !g.cheats() {
			return
		}
		switch g.rnd.IntN(6) {
		case 0:
			x.Now = x.Closed
		case 1:
			x.Now.Note[3] ^= 1
		case 2:
			x.Settings++
		case 3:
			x.First--
		case 4:
			x.Last = min(x.Last+1, x.Closed.Size-1)
		case 5:
			x.Bucket = 500
		}
	}))
}

func (g *gambler) eraseSome() {
	x := proofs.ErasedBody{Stream: g.stream(), Part: 1, Parts: 1 + g.rnd.Uint32N(2)}
	if g.part != nil && !g.cheats() {
		x = *g.part
		x.Part++
		g.part = nil
	} else {
		x.Request = g.wish(proofs.Erasure)
	}
	if g.cheats() {
		x.Part = min(x.Part+1, x.Parts)
	}
	x.Closes = runs(g.some(x.Stream)...)
	if x.Part > 1 && !g.cheats() { // go on where the part before it ended
		x.Closes = slices.DeleteFunc(x.Closes, func(r proofs.Run) bool { return r.First <= g.partEnd || r.Last >= g.partStart })
	}
	if x.Part == 1 {
		g.partStart, g.partEnd = g.size(), 0
	}
	if n := len(x.Closes); n > 0 {
		g.partEnd = x.Closes[n-1].Last
	}
	a := g.erase(x)
	if x.Part == x.Parts {
		g.announced = append(g.announced, a)
	} else {
		x.Closes = nil
		g.part = &x
	}
}

func (g *gambler) settings() {
	switch g.rnd.IntN(4) {
	case 3:
		s := proofs.StreamBody{Stream: 1 + g.rnd.Uint32N(2), Class: longClass, Reason: g.rnd.IntN(3) > 0, Split: g.rnd.IntN(3) > 0}
		if g.rnd.IntN(3) == 0 {
			s.Class = []uint16{shortClass, longClass, eternalClass, 999}[g.rnd.IntN(4)]
		}
		for n := range uint16(3) {
			if g.rnd.IntN(4) > 0 {
				s.Fields = append(s.Fields, proofs.FieldBody{Number: n + 1, Subject: n == 0 || g.rnd.IntN(5) == 0})
			}
		}
		g.writer.stream(s, g.wish(proofs.Settings))
		g.classOf[s.Stream] = s.Class
	case 0:
		g.custodians(uint8(1+g.rnd.IntN(2)), g.rnd.Uint32N(maxGrace), g.wish(proofs.Settings))
	case 1:
		g.class(longClass, 20+g.rnd.Uint32N(20), proofs.Day, g.wish(proofs.Settings))
	case 2:
		if g.cheats() {
			g.class(eternalClass, 0, proofs.Day, 0)
		}
	}
}

// misuse puts something where nothing belongs.
func (g *gambler) misuse() {
	if !g.cheats() {
		return
	}
	n := judgeNaively(g.writer)
	for _, number := range slices.Sorted(maps.Keys(n.buckets)) {
		b := n.buckets[number]
		if b.expiry == 0 || g.rnd.IntN(3) > 0 {
			continue
		}
		path := [3]uint32{b.body.Stream, uint32(b.body.Class), b.body.Period}
		switch {
		case g.rnd.IntN(3) == 0:
			g.open(number, path)
		case g.rnd.IntN(2) == 0:
			g.open(1000+uint32(g.size()), path)
		case path[0] == 0:
			g.put(proofs.Leaf{Kind: proofs.Access, Bucket: number})
		default:
			g.put(proofs.Leaf{Kind: proofs.Event, Stream: path[0], Bucket: number})
		}
	}
}

// finishOne completes what was announced, the first that is open, and takes
// from the vault what has to be gone then, or something else.
func (g *gambler) finishOne() {
	if len(g.announced) == 0 {
		return
	}
	a := g.announced[0]
	if !g.cheats() {
		g.announced = g.announced[1:]
	}
	if g.cheats() {
		a = g.rnd.Uint64N(g.size())
	}
	if g.rnd.IntN(2) == 0 {
		g.tidy(a) // before it is done
		g.take()
	}
	g.done(a, func(k *proofs.KeysDestroyed) {
		if g.cheats() {
			k.Epoch -= min(k.Epoch, g.rnd.Uint64N(3))
		}
		if g.cheats() {
			binary.BigEndian.PutUint64(k.State[:], k.Epoch+1)
		}
	})
	g.tidy(a)
}

// tidy takes out of the vault, of what a closing concerns, what may be gone
// now; and now and then what may not, or less.
func (g *gambler) tidy(announced uint64) {
	n := judgeNaively(g.writer)
	c := n.closing[announced]
	if c == nil {
		return
	}
	forget := g.cheats()
	for _, other := range n.order {
		if other != c && c.kind != proofs.Release {
			continue
		}
		for _, e := range slices.Sorted(maps.Keys(other.closed)) {
			if e < g.size() && n.leaves[e].Bucket > 0 && !forget {
				g.tidyEntry(e, n.fate(e))
			}
		}
	}
}

func (g *gambler) tidyEntry(e uint64, f naiveFate) {
	if g.cheats() {
		switch g.rnd.IntN(12) {
		case 0:
			g.drop(e)
			return
		case 1:
			g.scrub(e)
			return
		case 2, 3:
			return
		}
	}
	if f.may {
		g.drop(e)
	}
	if f.lacking || f.partly {
		g.scrub(e)
	}
}

// take publishes, and keeps what there is to be judged.
func (g *gambler) take() {
	g.publish()
	g.shots = append(g.shots, shot{g.copy(), judgeNaively(g.writer).found})
}

func (g *gambler) play(steps int) {
	for range steps {
		g.step()
	}
	g.take()
}

// Whatever a ledger does, the auditor finds what the naive judge finds, at each
// moment; and judging it bit by bit comes to the same as judging it at once.
func TestRandomLedgersAgainstANaiveJudge(t *testing.T) {
	kinds := map[audit.FindingKind]int{}
	resumed := 0
	for seed := range uint64(20) {
		cheat := []float64{0, 0.02, 0.05, 0.2}[seed%4]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := newGambler(t, seed, cheat)
			g.play(100)
			last := g.shots[len(g.shots)-1].files
			whole := g.audit(last, nil)
			for i, s := range g.shots {
				r := g.audit(s.files, nil)
				got := accusations(r)
				slices.SortFunc(got, compareAccused)
				if !slices.Equal(got, s.want) {
					t.Fatalf("moment %d: found\n%v\nwant\n%v\n%v", i, got, s.want, r.Findings)
				}
				for _, a := range got {
					kinds[a.kind]++
				}
				if cheat == 0 && slices.ContainsFunc(got, func(a accused) bool { return a.kind != audit.ClosingOverdue }) {
					t.Fatalf("an honest ledger is accused: %v", r.Findings)
				}
				if r.State == nil {
					continue
				}
				resumed++
				next := g.audit(last, check(audit.ParseState(audit.FormatState(r.State))))
				compareReports(t, next, whole)
			}
		})
	}
	t.Log(kinds, resumed)
	if len(kinds) < 15 || resumed < 150 {
		t.Errorf("%d kinds of findings came up, %d runs began with a state: too few to tell", len(kinds), resumed)
	}
}

// compareReports demands that a run from a state found what a whole one found.
func compareReports(t *testing.T, next, whole *audit.Report) {
	t.Helper()
	if !slices.Equal(next.Findings, whole.Findings) {
		t.Fatalf("from the state at %d: found\n%v\nwant\n%v", next.Summary.From, next.Findings, whole.Findings)
	}
	if (next.State == nil) != (whole.State == nil) || next.State != nil && !bytes.Equal(audit.FormatState(next.State), audit.FormatState(whole.State)) {
		t.Fatalf("from the state at %d: the next state is another one", next.Summary.From)
	}
	byLog := func(r audit.Retained) audit.Retained {
		r.GoneExpired, r.GoneErased, r.GoneUnderWay, r.KeptByHolds = 0, 0, 0, 0
		return r
	}
	if a, b := byLog(next.Summary.Retained), byLog(whole.Summary.Retained); a != b {
		t.Fatalf("from the state at %d: %+v\nwant %+v", next.Summary.From, a, b)
	}
}
