package query

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Parse reads a query. Times that it gives as an age, as in after:-24h, count
// back from now. Its error is an [*Error].
func Parse(text string, now time.Time) (*Query, error) {
	p := parser{text: text, now: now}
	if len(text) > MaxQuery {
		return nil, p.fail(MaxQuery, 1, fmt.Sprintf("the query is longer than %d bytes", MaxQuery), "ask in several queries")
	}
	if at := invalid(text); at < len(text) {
		return nil, p.fail(at, 1, "the query is not UTF-8", "")
	}
	q := &Query{Expr: All{}, text: text}
	if p.space(); p.at < len(text) {
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.at < len(text) { // nothing else ends an expression
			return nil, p.fail(p.at, 1, "no parenthesis is open here", "leave it out, or put the text in double quotes")
		}
		q.Expr, q.names, q.spans = e, p.names, p.spans
	}
	if len(q.String()) > MaxQuery {
		return nil, p.fail(0, len(text), fmt.Sprintf("the query is longer than %d bytes with all that it stands for", MaxQuery), "ask in several queries")
	}
	return q, nil
}

// invalid returns where a text stops being UTF-8, or its length.
func invalid(text string) int {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return i
		}
	}
	return len(text)
}

// A parser reads a query from its front.
type parser struct {
	text  string
	at    int // the next byte
	now   time.Time
	depth int // of parentheses and negations
	terms int
	group *head // whose values the open parentheses list; nil: they hold expressions
	names []fieldName
	spans []span
}

// A span is where a part of a query stands in its text.
type span struct{ offset, length int }

// A fieldName is the name of a declared field as it stands in a query.
type fieldName struct {
	name   string
	offset int
}

func (p *parser) fail(offset, length int, problem, hint string) *Error {
	return &Error{Query: p.text, Offset: offset, Length: length, Problem: visible(problem), Hint: visible(hint)}
}

func (p *parser) rest() string { return p.text[p.at:] }

func (p *parser) space() {
	p.at = len(p.text) - len(strings.TrimLeftFunc(p.rest(), unicode.IsSpace))
}

// ends reports whether the text, or the parentheses, end here.
func (p *parser) ends() bool { return p.at == len(p.text) || p.text[p.at] == ')' }

// bare returns what comes next up to a space, quote or parenthesis.
func (p *parser) bare() string {
	text := p.rest()
	if end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`()"`, r) }); end >= 0 {
		return text[:end]
	}
	return text
}

// An operator is a word that combines expressions.
type operator string

const (
	none operator = ""
	and  operator = "and"
	or   operator = "or"
	not  operator = "not"
)

// operator returns the operator that comes next, in any case.
func (p *parser) operator() operator {
	switch o := operator(strings.ToLower(p.bare())); o {
	case and, or, not:
		return o
	}
	return none
}

// skip goes over an operator.
func (p *parser) skip(o operator) {
	p.at += len(o)
	p.space()
}

// or reads expressions with "or" between them.
func (p *parser) or() (Expr, error) {
	var list []Expr
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		if inner, ok := e.(Or); ok {
			list = append(list, inner.List...)
		} else {
			list = append(list, e)
		}
		if p.operator() != or {
			break
		}
		p.skip(or)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return Or{list}, nil
}

// and reads expressions with "and", or nothing, between them.
func (p *parser) and() (Expr, error) {
	var list []Expr
	for {
		e, err := p.unary()
		if err != nil {
			return nil, err
		}
		if inner, ok := e.(And); ok {
			list = append(list, inner.List...)
		} else {
			list = append(list, e)
		}
		if o := p.operator(); o == and {
			p.skip(and)
		} else if o == or || p.ends() {
			break
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return And{list}, nil
}

// unary reads one term, or its negation.
func (p *parser) unary() (Expr, error) {
	if p.ends() {
		return nil, p.fail(p.at, 1, "something to search for is due here", `write "and", "or" and "not" in double quotes to find the words`)
	}
	start, o := p.at, p.operator()
	switch {
	case o == not:
		p.skip(not)
	case o != none:
		return nil, p.fail(start, len(o), fmt.Sprintf("%q stands between two things to search for", o), fmt.Sprintf(`write "%s" in double quotes to find the word`, o))
	case p.text[p.at] == '-':
		if p.at++; p.at == len(p.text) || unicode.IsSpace(p.next()) {
			return nil, p.fail(start, 1, "nothing follows the minus, which excludes what it is written to", "leave no space after it, or leave it out")
		}
	default:
		return p.term()
	}
	if err := p.enter(start, p.at-start); err != nil {
		return nil, err
	}
	e, err := p.unary()
	p.depth--
	if inner, ok := e.(Not); ok {
		return inner.Of, err
	}
	return Not{e}, err
}

// enter counts what holds other expressions.
func (p *parser) enter(offset, length int) error {
	if p.depth++; p.depth > MaxNesting {
		return p.fail(offset, length, fmt.Sprintf("parentheses and negations nest more than %d deep", MaxNesting), "")
	}
	return nil
}

// parentheses reads an expression in parentheses.
func (p *parser) parentheses() (Expr, error) {
	start := p.at
	if err := p.enter(start, 1); err != nil {
		return nil, err
	}
	p.at++
	p.space()
	var e Expr
	if p.at < len(p.text) {
		if p.ends() {
			return nil, p.fail(start, p.at+1-start, "nothing stands between the parentheses", "leave them out, or put the text in double quotes")
		}
		var err error
		if e, err = p.or(); err != nil {
			return nil, err
		}
	}
	if p.at == len(p.text) {
		return nil, p.fail(start, 1, "the parenthesis is not closed", "write ) where it ends, or put the text in double quotes")
	}
	p.at++
	p.space()
	p.depth--
	return e, nil
}

// term reads what is neither combined nor negated, and the space after it.
func (p *parser) term() (Expr, error) {
	if p.text[p.at] == '(' {
		return p.parentheses()
	}
	if p.terms++; p.terms > MaxTerms {
		return nil, p.fail(p.at, 1, fmt.Sprintf("the query has more than %d terms", MaxTerms), "ask in several queries")
	}
	start := p.at
	if p.group != nil {
		return p.leaf(start, p.group)
	}
	h, err := p.head()
	if err != nil {
		return nil, err
	}
	if h == nil || p.at == len(p.text) || p.text[p.at] != '(' {
		return p.leaf(start, h)
	}
	if h.op != ":" {
		return nil, p.fail(p.at, 1, fmt.Sprintf("one value is due after %s", h.op), fmt.Sprintf("write (%s%sA or %s%sB)", h.text, h.op, h.text, h.op))
	}
	p.terms--
	p.group = h
	e, err := p.parentheses()
	p.group = nil
	return e, err
}

// leaf reads what a term has behind its head, or words where it has none, and
// keeps where the term stands.
func (p *parser) leaf(start int, h *head) (e Expr, err error) {
	if h == nil {
		e, err = p.words()
	} else {
		e, err = p.value(h)
	}
	p.spans = append(p.spans, span{start, len(strings.TrimRightFunc(p.text[start:p.at], unicode.IsSpace))})
	return e, err
}
