package query

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// String returns the canonical form of a query that [Parse] made: it is parsed
// to the same Expr, and any text that is parsed to that has this form. Ages are
// times in it.
func (q *Query) String() string { return Format(q.Expr) }

// Format returns the canonical form of an expression. It is parsed back to the
// same if [Parse] could make it.
func Format(e Expr) string { return string(appendExpr(nil, e, loosest)) }

// How closely what is around an expression binds.
const (
	loosest  = 0 // nothing is
	conjunct = 1 // it is in an And
	closest  = 2 // it is negated
)

func appendExpr(b []byte, e Expr, around int) []byte {
	switch e := e.(type) {
	case And:
		return appendList(b, All{}, e.List, " ", around >= conjunct, conjunct)
	case Or:
		if len(e.List) > 1 && oneField(e.List) {
			return appendGroup(b, e.List)
		}
		return appendList(b, Not{All{}}, e.List, " or ", around >= conjunct, conjunct)
	case Not:
		return appendExpr(append(b, '-'), e.Of, closest)
	case Field:
		return appendValue(append(appendName(b, e), e.operation()...), e, false)
	case Word:
		return appendWord(b, e)
	case Phrase:
		return appendStar(appendQuoted(b, strings.Join(e.Words, " ")), e.Prefix)
	}
	return appendOwn(b, e)
}

// appendList appends expressions with an operator between them. Only those
// that are made by hand are empty.
func appendList(b []byte, empty Expr, list []Expr, operator string, parentheses bool, around int) []byte {
	if len(list) == 0 {
		return appendExpr(b, empty, closest)
	}
	if parentheses {
		b = append(b, '(')
	}
	for i, e := range list {
		if i > 0 {
			b = append(b, operator...)
		}
		if _, isAnd := e.(And); isAnd && operator == " or " {
			b = appendExpr(b, e, loosest)
		} else {
			b = appendExpr(b, e, around)
		}
	}
	if parentheses {
		b = append(b, ')')
	}
	return b
}

// appendOwn appends a condition on what every entry has.
func appendOwn(b []byte, e Expr) []byte {
	switch e := e.(type) {
	case After:
		return appendTime(append(b, "after:"...), e.Time)
	case Before:
		return appendTime(append(b, "before:"...), e.Time)
	case Indices:
		b = strconv.AppendUint(append(b, "index:"...), e.First, 10)
		if e.First == e.Last {
			return b
		}
		if b = append(b, ".."...); e.Last == math.MaxUint64 {
			return b
		}
		return strconv.AppendUint(b, e.Last, 10)
	case Stream:
		return appendText(append(b, "stream:"...), e.Name)
	case Source:
		return appendText(append(b, "source:"...), e.Name)
	}
	return append(b, '*') // All
}

// oneField reports whether all of a list are values of one field.
func oneField(list []Expr) bool {
	first, ok := list[0].(Field)
	for _, e := range list {
		f, isField := e.(Field)
		ok = ok && isField && f.Name == first.Name && f.Path == first.Path && f.operation() == ":"
	}
	return ok
}

// appendGroup appends several values of one field.
func appendGroup(b []byte, list []Expr) []byte {
	for i, e := range list {
		f := e.(Field)
		if i == 0 {
			b = append(appendName(b, f), ":("...)
		} else {
			b = append(b, " or "...)
		}
		b = appendValue(b, f, true)
	}
	return append(b, ')')
}

func appendName(b []byte, f Field) []byte { return append(append(b, f.Name...), f.Path...) }

func (f Field) operation() string {
	switch f.Op {
	case Less:
		return "<"
	case LessEqual:
		return "<="
	case Greater:
		return ">"
	case GreaterEqual:
		return ">="
	}
	return ":"
}

// appendValue appends the value of a field, within parentheses or not.
func appendValue(b []byte, f Field, group bool) []byte {
	switch f.Op {
	case Present:
		return append(b, '*')
	case Within:
		return append(b, f.Value...)
	}
	_, err := netip.ParsePrefix(f.Value)
	quotes := f.Op == Equal && (err == nil || isForeign(f.Value)) || group && !plainInGroup(f.Value)
	if quotes || !plain(f.Value) {
		b = appendQuoted(b, f.Value)
	} else {
		b = append(b, f.Value...)
	}
	return appendStar(b, f.Op == Prefix)
}

func appendWord(b []byte, w Word) []byte {
	if plainInGroup(w.Text) {
		b = append(b, w.Text...)
	} else {
		b = appendQuoted(b, w.Text)
	}
	return appendStar(b, w.Prefix)
}

func appendText(b []byte, text string) []byte {
	if plain(text) {
		return append(b, text...)
	}
	return appendQuoted(b, text)
}

func appendStar(b []byte, star bool) []byte {
	if star {
		return append(b, '*')
	}
	return b
}

// plain reports whether a value needs no quotes.
func plain(value string) bool {
	for _, r := range value {
		if r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(`_-.:/\@+,%#$&;=~`, r)) {
			continue
		}
		return false
	}
	return value != "" && value[0] != '=' && (value[0] != ':' || isNetwork(value))
}

// plainInGroup reports whether a value needs no quotes where operators and
// negations can stand.
func plainInGroup(value string) bool {
	switch operator(strings.ToLower(value)) {
	case and, or, not:
		return false
	}
	return plain(value) && value[0] != '-' && value[len(value)-1] != ',' && (!strings.ContainsAny(value, ":=") || isNetwork(value))
}

// appendQuoted appends a text in double quotes.
func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"')
}

func appendTime(b []byte, micros uint64) []byte {
	t := time.UnixMicro(int64(micros)).UTC()
	if micros%86400e6 == 0 {
		return t.AppendFormat(b, time.DateOnly)
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.999999Z")
}
