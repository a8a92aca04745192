package audit

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// format appends the lines of a state about what is closed and kept.
func (r *retention) format(b []byte) []byte {
	for _, n := range slices.Sorted(maps.Keys(r.classes)) {
		c := r.classes[n]
		b = fmt.Appendf(b, "class %d %d %d %d\n", n, c.settings, c.days, c.period)
	}
	for _, n := range slices.Sorted(maps.Keys(r.streams)) {
		b = append(appendStream(b, r.streams[n]), '\n')
	}
	b = fmt.Appendf(b, "ledger %d %d\n", r.ledger.Custodians, r.ledger.Grace)
	b = r.pruning.format(b)
	b = r.directories.format(b)
	if len(r.custodians.Named) > 0 {
		b = append(b, "named"...)
		for _, by := range r.custodians.Named {
			b = fmt.Appendf(b, " %d", by)
		}
		b = append(b, '\n')
	}
	if k := r.keyState; k != nil {
		b = fmt.Appendf(b, "keystate %d %v %d\n", k.epoch, k.hash, k.entry)
	}
	for _, n := range slices.Sorted(maps.Keys(r.buckets)) {
		x := r.buckets[n]
		b = fmt.Appendf(b, "bucket %d %d %d %d %d %d %d", n, x.stream, x.class, x.period, x.first, x.last, x.count)
		b = append(appendClosing(b, x.expiry), '\n')
		b = appendFieldKeys(b, n, x.keys)
	}
	for _, n := range slices.Sorted(maps.Keys(r.requests)) {
		x := r.requests[n]
		b = fmt.Appendf(b, "request %d %d %d %d %d %d %d %d\n", n, x.kind, x.by, x.approval, x.approvedBy, x.from, x.withdrawn, x.used)
	}
	for _, x := range r.holds {
		b = append(appendClosing(fmt.Appendf(b, "hold %d", x.index), x.release), '\n')
		for _, c := range x.claims {
			b = append(appendRuns(fmt.Appendf(b, "claim %d %d", c.since, c.stream), c.runs), '\n')
		}
	}
	for _, x := range r.erasures {
		b = appendClosing(fmt.Appendf(b, "erasure %d", x.stream), x.closing)
		b = appendUnread(append(appendRuns(b, x.runs), '\n'), x.unread)
	}
	if x := r.erasing; x != nil {
		b = fmt.Appendf(b, "erasing %d %d %d %d %d %t", x.first, x.stream, x.request, x.part, x.parts, x.accused)
		b = appendUnread(append(appendRuns(b, x.runs), '\n'), x.unread)
	}
	return b
}

// appendUnread appends the line of the erasure before it that says what could not
// be read.
func appendUnread(b []byte, runs []proofs.Run) []byte {
	if len(runs) == 0 {
		return b
	}
	return append(appendRuns(append(b, "unread"...), runs), '\n')
}

func appendStream(b []byte, s proofs.StreamBody) []byte {
	b = fmt.Appendf(b, "stream %d %d %t %t %t", s.Stream, s.Class, s.Closed, s.Reason, s.Split)
	for _, f := range s.Fields {
		b = fmt.Appendf(b, " %d:%t", f.Number, f.Subject)
	}
	return b
}

func appendFieldKeys(b []byte, bucket uint32, keys []proofs.FieldKeyBody) []byte {
	if len(keys) == 0 {
		return b
	}
	b = fmt.Appendf(b, "keys %d", bucket)
	for _, k := range keys {
		b = fmt.Appendf(b, " %d:%v", k.Field, k.Hash)
	}
	return append(b, '\n')
}

func appendClosing(b []byte, x *closing) []byte {
	if x == nil {
		return b
	}
	b = fmt.Appendf(b, " %d:%d:%d", x.announced, x.time, x.done)
	if k := x.before; k != nil {
		b = fmt.Appendf(b, ":%d:%v:%d", k.epoch, k.hash, k.entry)
	}
	return b
}

func appendRuns(b []byte, runs []proofs.Run) []byte {
	for _, r := range runs {
		b = fmt.Appendf(b, " %d-%d", r.First, r.Last)
	}
	return b
}

// parse reads a line of a state about what is closed and kept. That it is in
// the one form, and in its place, shows when it is formatted again.
func (r *retention) parse(keyword string, words []string) error {
	l := line{words: words}
	switch keyword {
	case "class":
		r.classes[uint16(l.number(16))] = class{l.number(63), uint32(l.number(32)), proofs.Period(l.number(8))}
	case "stream":
		r.parseStream(&l)
	case "ledger":
		r.ledger = proofs.LedgerBody{Custodians: uint8(l.number(8)), Grace: uint32(l.number(32))}
	case "controls":
		r.pruning.controls = l.hash()
	case "pruning":
		p := &r.pruning
		p.days, p.minimum, p.entry, p.now, p.withheld = uint32(l.number(32)), l.number(63), l.number(63), l.number(63), l.number(63)
	case "directories":
		r.directories.amended, r.directories.anew = l.number(63), l.number(63)
	case "segment":
		r.directories.small.append(l.hash())
	case "large":
		r.directories.large.append(l.hash())
	case "named":
		for len(l.words) > 0 && !l.bad {
			r.custodians.Named = append(r.custodians.Named, l.number(64))
		}
	case "keystate":
		r.keyState = &keyState{epoch: l.number(64), hash: l.hash(), entry: l.number(63)}
	case "keys":
		r.parseFieldKeys(&l)
	case "bucket":
		r.parseBucket(&l)
	case "request":
		r.requests[l.number(63)] = &request{
			kind: proofs.Kind(l.number(8)), by: l.number(64), approval: l.number(63), approvedBy: l.number(64),
			from: l.number(64), withdrawn: l.number(63), used: l.number(63),
		}
	case "hold":
		r.holds = append(r.holds, &hold{index: l.number(63), release: r.parseClosing(&l, proofs.Release)})
	case "claim":
		if n := len(r.holds); n > 0 {
			x := r.holds[n-1]
			x.claims = append(x.claims, claim{l.number(63), uint32(l.number(32)), l.runs()})
		}
	case "erasure":
		stream := uint32(l.number(32))
		if x := r.parseClosing(&l, proofs.Erasure); x != nil {
			r.erasures = append(r.erasures, &erasure{x, stream, l.runs(), nil})
		}
	case "erasing":
		r.erasing = &erasing{
			first: l.number(63), stream: uint32(l.number(32)), request: l.number(64),
			part: uint32(l.number(32)), parts: uint32(l.number(32)), accused: l.bool(), runs: l.runs(),
		}
	case "unread":
		if n := len(r.erasures); r.erasing != nil {
			r.erasing.unread = l.runs()
		} else if n > 0 {
			r.erasures[n-1].unread = l.runs()
		}
	default:
		return fmt.Errorf("unknown keyword %q", keyword)
	}
	if l.bad || len(l.words) > 0 {
		return fmt.Errorf("not a %s", keyword)
	}
	return nil
}

func (r *retention) parseStream(l *line) {
	s := proofs.StreamBody{Stream: uint32(l.number(32)), Class: uint16(l.number(16)), Closed: l.bool(), Reason: l.bool(), Split: l.bool()}
	for len(l.words) > 0 && !l.bad {
		field := line{words: strings.Split(l.word(), ":")}
		s.Fields = append(s.Fields, proofs.FieldBody{Number: uint16(field.number(16)), Subject: field.bool()})
		l.bad = l.bad || field.bad || len(field.words) > 0
	}
	r.streams[s.Stream] = s
}

func (r *retention) parseBucket(l *line) {
	n := uint32(l.number(32))
	x := &bucket{bucketPath: bucketPath{uint32(l.number(32)), uint16(l.number(16)), uint32(l.number(32))},
		first: l.number(63), last: l.number(63), count: l.number(63)}
	x.expiry = r.parseClosing(l, proofs.Expiry)
	r.buckets[n], r.paths[x.bucketPath] = x, n
}

func (r *retention) parseFieldKeys(l *line) {
	b := r.buckets[uint32(l.number(32))]
	if b == nil || b.expiry != nil {
		l.bad = true
		return
	}
	for len(l.words) > 0 && !l.bad {
		key := line{words: strings.Split(l.word(), ":")}
		k := proofs.FieldKeyBody{Field: uint16(key.number(16)), Hash: key.hash()}
		rises := k.Field > 0 && (len(b.keys) == 0 || k.Field > b.keys[len(b.keys)-1].Field)
		l.bad = l.bad || key.bad || len(key.words) > 0 || !rises
		b.keys = append(b.keys, k)
	}
}

// parseClosing reads the closing at the end of a line, if there is one.
func (r *retention) parseClosing(l *line, kind proofs.Kind) *closing {
	if len(l.words) == 0 {
		return nil
	}
	part := line{words: strings.Split(l.words[0], ":")}
	l.words = l.words[1:]
	x := &closing{kind: kind, announced: part.number(63), time: part.number(63), done: part.number(63)}
	if len(part.words) > 0 {
		x.before = &keyState{epoch: part.number(64), hash: part.hash(), entry: part.number(63)}
	}
	l.bad = l.bad || part.bad || len(part.words) > 0
	if x.done == 0 {
		r.opened[x.announced] = x
	}
	return x
}

// A line is the words of a line while they are read.
type line struct {
	words []string
	bad   bool
}

func (l *line) word() string {
	if len(l.words) == 0 {
		l.bad = true
		return ""
	}
	w := l.words[0]
	l.words = l.words[1:]
	return w
}

func (l *line) number(bits int) uint64 {
	n, err := strconv.ParseUint(l.word(), 10, bits)
	l.bad = l.bad || err != nil
	return n
}

func (l *line) hash() (h proofs.Hash) {
	b, err := base64.StdEncoding.DecodeString(l.word())
	l.bad = l.bad || err != nil || copy(h[:], b) != len(h) || len(b) != len(h)
	return h
}

func (l *line) bool() bool {
	b, err := strconv.ParseBool(l.word())
	l.bad = l.bad || err != nil
	return b
}

// runs reads all words that are left.
func (l *line) runs() (runs []proofs.Run) {
	for len(l.words) > 0 {
		run := line{words: strings.Split(l.word(), "-")}
		r := proofs.Run{First: run.number(64), Last: run.number(64)}
		l.bad = l.bad || run.bad || len(run.words) > 0 || r.First > r.Last
		runs = append(runs, r)
	}
	return runs
}

// clone returns a copy that grows on its own.
func (r *retention) clone() retention {
	c := newRetention()
	c.ledger, c.keyState, c.pruning = r.ledger, r.keyState, r.pruning
	c.custodians, c.directories = r.custodians, r.directories.clone()
	maps.Copy(c.classes, r.classes)
	maps.Copy(c.streams, r.streams)
	maps.Copy(c.paths, r.paths)
	for n, x := range r.requests {
		c.requests[n] = new(*x)
	}
	for n, x := range r.buckets {
		b := *x
		b.expiry = c.cloneClosing(x.expiry)
		c.buckets[n] = &b
	}
	for _, x := range r.holds {
		c.holds = append(c.holds, &hold{x.index, slices.Clip(slices.Clone(x.claims)), c.cloneClosing(x.release)})
	}
	for _, x := range r.erasures {
		c.erasures = append(c.erasures, &erasure{c.cloneClosing(x.closing), x.stream, x.runs, x.unread})
	}
	if r.erasing != nil {
		e := *r.erasing
		e.runs, e.unread = slices.Clip(e.runs), slices.Clip(e.unread)
		c.erasing = &e
	}
	return c
}

func (r *retention) cloneClosing(x *closing) *closing {
	if x == nil {
		return nil
	}
	c := *x
	if c.done == 0 {
		r.opened[c.announced] = &c
	}
	return &c
}
