package query

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// value reads one value and makes a condition of it.
func (p *parser) value(h *head) (Expr, error) {
	l, err := p.literal("a value")
	if err != nil {
		return nil, err
	}
	switch h.name {
	case nameAfter, nameBefore:
		t, err := p.time(l)
		if h.name == nameAfter {
			return After{t}, err
		}
		return Before{t}, err
	case nameIndex:
		return p.indices(l)
	case nameStream, nameSource:
		if l.prefix || l.text == "" {
			return nil, p.fail(l.offset, l.length, "the name of a "+h.name+" is due, as a whole", fmt.Sprintf("several are written %s:(A or B)", h.name))
		}
		if h.name == nameStream {
			return Stream{l.text}, nil
		}
		return Source{l.text}, nil
	}
	return p.field(h, l)
}

// field makes a condition on the values of a field.
func (p *parser) field(h *head, l literal) (Expr, error) {
	f := Field{Name: h.name, Path: h.path, Value: l.text}
	switch h.op {
	case "<":
		f.Op = Less
	case "<=":
		f.Op = LessEqual
	case ">":
		f.Op = Greater
	case ">=":
		f.Op = GreaterEqual
	}
	if f.Op != 0 && l.prefix {
		return nil, p.fail(l.offset+l.length-1, 1, fmt.Sprintf("a whole value is due after %s", h.op), "put the text in double quotes if it has the * itself")
	}
	switch {
	case f.Op != 0:
	case l.prefix && l.text == "":
		f.Op = Present
	case l.prefix:
		f.Op = Prefix
	default:
		f.Op = Equal
		if l.quoted {
			break
		}
		if err := p.foreign(h, l); err != nil {
			return nil, err
		}
		if n, err := netip.ParsePrefix(l.text); err == nil {
			f.Op, f.Value = Within, n.Masked().String()
		}
	}
	return f, nil
}

// words reads a word or a phrase.
func (p *parser) words() (Expr, error) {
	if o := p.rest(); strings.HasPrefix(o, "&&") || strings.HasPrefix(o, "||") || o[0] == '!' {
		return nil, p.sign()
	}
	l, err := p.literal("a word")
	if err != nil {
		return nil, err
	}
	var words []string
	for _, w := range plainWords([]byte(l.text)) {
		words = append(words, string(w))
	}
	if last, _ := utf8.DecodeLastRuneInString(l.text); !isWord(last) {
		l.prefix = l.prefix && l.text == ""
	}
	p.terms += max(len(words)-1, 0)
	switch {
	case p.terms > MaxTerms:
		return nil, p.fail(l.offset, l.length, fmt.Sprintf("the query has more than %d terms", MaxTerms), "ask in several queries")
	case l.prefix && l.text == "" && !l.quoted:
		return All{}, nil
	case len(words) == 0:
		return nil, p.fail(l.offset, l.length, "there is no word in it", "words are made of letters and digits; name:value compares a field as it is")
	case len(words) == 1:
		return Word{words[0], l.prefix}, nil
	}
	return Phrase{words, l.prefix}, nil
}

// sign says what to write for the operators of other languages.
func (p *parser) sign() error {
	switch p.text[p.at] {
	case '&':
		return p.fail(p.at, 2, "there is no &&", "write and, or nothing between the two")
	case '|':
		return p.fail(p.at, 2, "there is no ||", "write or")
	}
	return p.fail(p.at, 1, "there is no !", "write - before what is excluded")
}
