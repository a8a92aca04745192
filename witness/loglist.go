package witness

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cairnlog/cairn/proofs"
)

const (
	// MaxLogList bounds a log list in bytes. Lists of 100,000 logs exist in
	// plans.
	MaxLogList = 64 << 20

	// MaxOrigin bounds an origin in bytes, which ML-DSA-44 cosignatures cannot
	// cover beyond (C2SP tlog-cosignature).
	MaxOrigin = 255
)

const logListHeader = "logs/v0"

// A Log is one key of a log that a witness cosigns for. A log that rotates
// its keys, or has one of each type, has several of them, with one origin.
type Log struct {
	Origin  string     // the first line of its checkpoints, at most MaxOrigin bytes
	Key     proofs.Key // Ed25519 or ML-DSA-44
	QPD     uint32     // the add-checkpoint requests a day that were agreed on, 1 to 2^31-1
	Contact string     // how people reach the log's operator
}

// ParseLogList reads a list of logs in the format that witness-network.org
// publishes (https://witness-network.org/log-list-format/): a line "logs/v0",
// and for each key
//
//	vkey <verifier key>
//	origin <origin>        only where it is not the key's name
//	qpd <number>
//	contact <text>
//
// in this order. White space around a line, empty lines and lines that begin
// with # are ignored. Beyond that format, a log may have ML-DSA-44 keys, and
// an origin may come several times with different keys. An error matches
// [proofs.ErrMalformed] and names the line.
func ParseLogList(b []byte) ([]Log, error) {
	if len(b) > MaxLogList {
		return nil, malformed("log list: %d bytes, at most %d are read", len(b), MaxLogList)
	}
	var p logListParser
	number := 0
	for line := range bytes.Lines(b) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if err := p.line(string(line)); err != nil {
			return nil, fmt.Errorf("log list: line %d: %w", number, err)
		}
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("log list: %w", err)
	}
	return p.logs, nil
}

// A logListParser is between two lines.
type logListParser struct {
	logs    []Log
	started bool
	last    string // the keyword before
}

func (p *logListParser) line(line string) error {
	if !p.started {
		p.started = line == logListHeader
		if !p.started {
			return malformed("%q does not stand before everything else", logListHeader)
		}
		p.last = "contact"
		return nil
	}
	keyword, value, ok := strings.Cut(line, " ")
	if !ok {
		return malformed("no keyword and value: %.40q", line)
	}
	if err := checkLine(value); err != nil {
		return fmt.Errorf("%s: %w", keyword, err)
	}
	if err := p.value(keyword, value); err != nil {
		return err
	}
	p.last = keyword
	return nil
}

// value takes the value of a keyword that may stand after the last one.
func (p *logListParser) value(keyword, value string) (err error) {
	var log *Log
	if len(p.logs) > 0 {
		log = &p.logs[len(p.logs)-1]
	}
	switch after := keyword + " after " + p.last; after {
	case "vkey after contact":
		key, err := proofs.ParseKey(value)
		if err == nil {
			p.logs = append(p.logs, Log{Origin: key.Name(), Key: key})
			err = p.logs[len(p.logs)-1].check()
		}
		return err
	case "origin after vkey":
		log.Origin = value
		return log.check()
	case "qpd after vkey", "qpd after origin":
		log.QPD, err = parseQPD(value)
		return err
	case "contact after qpd":
		log.Contact = value
		return log.checkListed()
	default:
		return malformed("%.40q cannot stand here", after)
	}
}

func (p *logListParser) end() error {
	switch {
	case !p.started:
		return malformed("no line %q", logListHeader)
	case p.last != "contact":
		return malformed("the last log is not complete")
	}
	return nil
}

// check refuses logs that cannot be cosigned for.
func (l *Log) check() error {
	switch {
	case !l.Key.IsLog():
		return malformed("%s: %v is not a key of a log", l.Key, l.Key.Type())
	case l.Origin == "" || len(l.Origin) > MaxOrigin:
		return malformed("origin of %d bytes, it has 1 to %d", len(l.Origin), MaxOrigin)
	}
	if err := checkLine(l.Origin); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	return nil
}

// checkListed refuses, beyond check, what cannot stand in a list.
func (l *Log) checkListed() error {
	if err := l.check(); err != nil {
		return err
	}
	switch {
	case l.QPD < 1 || l.QPD > math.MaxInt32:
		return malformed("qpd %d is not within 1..%d", l.QPD, math.MaxInt32)
	case l.Contact == "":
		return malformed("no contact")
	}
	if err := checkLine(l.Contact); err != nil {
		return fmt.Errorf("contact: %w", err)
	}
	return nil
}

// checkLine refuses what can stand neither in a line of a note nor on a
// terminal, and white space that a list would lose.
func checkLine(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return malformed("not UTF-8 without control characters")
	}
	if strings.TrimSpace(s) != s {
		return malformed("white space around %q", s)
	}
	return nil
}

func parseQPD(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n < 1 || strconv.FormatUint(n, 10) != s {
		return 0, malformed("qpd: not a canonical decimal number within 1..%d", math.MaxInt32)
	}
	return uint32(n), nil
}

// FormatLogList writes what [ParseLogList] reads. The error matches
// [proofs.ErrMalformed] where a log cannot be written.
func FormatLogList(logs []Log) ([]byte, error) {
	b := []byte(logListHeader + "\n")
	for _, l := range logs {
		if err := l.checkListed(); err != nil {
			return nil, fmt.Errorf("log %q: %w", l.Origin, err)
		}
		b = append(b, "\nvkey "+l.Key.String()+"\n"...)
		if l.Origin != l.Key.Name() {
			b = append(b, "origin "+l.Origin+"\n"...)
		}
		b = fmt.Appendf(b, "qpd %d\ncontact %s\n", l.QPD, l.Contact)
	}
	return b, nil
}
