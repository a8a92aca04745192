package query

import (
	"strings"
	"time"
)

// An instant is a time to any precision.
type instant struct {
	seconds  int64  // since 1970
	fraction string // of a second: decimal digits without zeros at the end
}

// parseTime reads a time as RFC 3339 has it, with T, t or a space before the
// hours. The seconds may be left out, and the offset, which is UTC then, or all
// but the date, which begins at 0:00 UTC. A leap second is the first one of
// the next minute.
func parseTime(text string) (t instant, ok bool) {
	if len(text) < len("2006-01-02") || text[4] != '-' || text[7] != '-' {
		return t, false
	}
	year, ok1 := twoDigits(text)
	years, ok2 := twoDigits(text[2:])
	month, ok3 := twoDigits(text[5:])
	day, ok4 := twoDigits(text[8:])
	year = year*100 + years
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !(ok1 && ok2 && ok3 && ok4) || month < 1 || month > 12 || day < 1 || date.Day() != day {
		return t, false
	}
	t.seconds = date.Unix()
	if len(text) == 10 {
		return t, true
	}
	if text[10]|0x20 != 't' && text[10] != ' ' {
		return t, false
	}
	rest, ok := t.clock(text[11:])
	return t, ok && t.offset(rest)
}

// clock adds hours, minutes and seconds, and returns what follows them.
func (t *instant) clock(text string) (rest string, ok bool) {
	hours, minutes, rest, ok := hoursMinutes(text)
	if !ok {
		return "", false
	}
	t.seconds += int64(hours)*3600 + int64(minutes)*60
	if !strings.HasPrefix(rest, ":") {
		return rest, true
	}
	seconds, ok := twoDigits(rest[1:])
	if !ok || seconds > 60 {
		return "", false
	}
	t.seconds += int64(seconds)
	rest = rest[3:]
	if strings.HasPrefix(rest, ".") {
		digits, end := scanDigits(rest, 1)
		if digits == "" {
			return "", false
		}
		t.fraction, rest = strings.TrimRight(digits, "0"), rest[end:]
	}
	return rest, true
}

// offset takes away the offset from UTC.
func (t *instant) offset(text string) (ok bool) {
	if text == "" || text == "Z" || text == "z" {
		return true
	}
	hours, minutes, rest, ok := hoursMinutes(text[1:])
	seconds := int64(hours)*3600 + int64(minutes)*60
	switch text[0] {
	case '+':
		t.seconds -= seconds
	case '-':
		t.seconds += seconds
	default:
		return false
	}
	return ok && rest == ""
}

func hoursMinutes(text string) (hours, minutes int, rest string, ok bool) {
	if len(text) < len("15:04") || text[2] != ':' {
		return 0, 0, "", false
	}
	hours, ok1 := twoDigits(text)
	minutes, ok2 := twoDigits(text[3:])
	return hours, minutes, text[5:], ok1 && ok2 && hours < 24 && minutes < 60
}

func twoDigits(text string) (n int, ok bool) {
	if len(text) < 2 || text[0]-'0' > 9 || text[1]-'0' > 9 {
		return 0, false
	}
	return int(text[0]-'0')*10 + int(text[1]-'0'), true
}

// append appends the sort key of an instant without its class.
func (t instant) append(dst []byte) []byte {
	dst = appendSeconds(dst, t.seconds)
	return pack(append(dst, t.fraction...), len(dst))
}
