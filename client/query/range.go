package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// time reads a ledger time: a date, a date and a time, or an age.
func (p *parser) time(l literal) (micros uint64, err error) {
	if l.prefix {
		return 0, p.fail(l.offset+l.length-1, 1, "a * is in no time", "")
	}
	at := int64(0)
	if age, ok := parseAge(l.text); ok {
		at = p.now.UnixMicro() - age
	} else if t, ok := parseTime(l.text); !ok {
		hint := "write 2026-01-31, 2026-01-31T10:00Z, or -24h for an age"
		if _, ok := parseAge("-" + l.text); ok {
			hint = fmt.Sprintf("write -%s for an age", l.text)
		}
		return 0, p.fail(l.offset, l.length, fmt.Sprintf("%q is no time", l.text), hint)
	} else if len(t.fraction) > 6 {
		return 0, p.fail(l.offset, l.length, "the ledger's time is in microseconds", "leave out all but six digits of the fraction")
	} else {
		part, _ := strconv.ParseInt((t.fraction + "000000")[:6], 10, 64) // digits, as parseTime says
		at = t.seconds*1e6 + part
	}
	if at < 0 || at >= endOfTime {
		return 0, p.fail(l.offset, l.length, "that is not in the years from 1970 to 9999", "")
	}
	return uint64(at), nil
}

const (
	endOfTime = 253402300800_000000 // the year 10000, in microseconds since 1970
	maxAge    = 1 << 60             // more microseconds than there are until then
)

// parseAge reads an age such as -24h or -1d12h, in microseconds. One above
// maxAge is maxAge.
func parseAge(text string) (micros int64, ok bool) {
	rest, ok := strings.CutPrefix(text, "-")
	if !ok || rest == "" {
		return 0, false
	}
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil || digits == len(rest) {
			return 0, false
		}
		unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[rest[digits]]
		if unit == 0 {
			return 0, false
		}
		if n > (maxAge-micros)/unit.Microseconds() {
			micros = maxAge
		} else {
			micros += n * unit.Microseconds()
		}
		rest = rest[digits+1:]
	}
	return micros, true
}

// indices reads an index or a range of them.
func (p *parser) indices(l literal) (Expr, error) {
	first, last, isRange := strings.Cut(l.text, "..")
	if !isRange {
		last = first
	}
	r := Indices{0, math.MaxUint64}
	var err error
	if first != "" {
		r.First, err = strconv.ParseUint(first, 10, 64)
	}
	if last != "" && err == nil {
		r.Last, err = strconv.ParseUint(last, 10, 64)
	}
	if err != nil || l.prefix || first == "" && last == "" {
		return nil, p.fail(l.offset, l.length, fmt.Sprintf("%q is no range of indices", p.text[l.offset:l.offset+l.length]), "write index:7, index:100..200, index:100.. or index:..200")
	}
	if r.First > r.Last {
		return nil, p.fail(l.offset, l.length, "the range ends before it begins", fmt.Sprintf("did you mean index:%d..%d?", r.Last, r.First))
	}
	return r, nil
}
