package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A literal is a value as it stands in a query.
type literal struct {
	text   string
	quoted bool
	prefix bool // a * follows
	offset int
	length int // in the query
}

// literal reads a value, and the space after it.
func (p *parser) literal(what string) (literal, error) {
	l := literal{offset: p.at}
	if p.at < len(p.text) && p.text[p.at] == '"' {
		text, err := p.quoted()
		if err != nil {
			return l, err
		}
		l.text, l.quoted = text, true
		if l.prefix = strings.HasPrefix(p.rest(), "*"); l.prefix {
			p.at++
		}
	} else {
		bare := p.bare()
		l.text, l.prefix = strings.CutSuffix(bare, "*")
		p.at += len(bare)
		if err := p.checkBare(l, what); err != nil {
			return l, err
		}
	}
	l.length = p.at - l.offset
	if p.at < len(p.text) && p.text[p.at] != ')' && !unicode.IsSpace(p.next()) {
		return l, p.stuck(l)
	}
	p.space()
	return l, nil
}

func (p *parser) next() rune {
	r, _ := utf8.DecodeRuneInString(p.rest())
	return r
}

// stuck says what is wrong with what follows a value at once.
func (p *parser) stuck(l literal) error {
	_, size := utf8.DecodeRuneInString(p.rest())
	if l.quoted && p.text[p.at-1] == '"' && strings.HasSuffix(l.text, `\`) {
		return p.fail(p.at-1, 1, "the quote ends here: a backslash is a character like others", `write "" for a quote within quotes`)
	}
	if l.quoted {
		return p.fail(p.at, size, "a space or ) is due after the quote", `write "" for a quote within quotes`)
	}
	return p.fail(p.at, size, "a space is due before it", `put a text that has parentheses or quotes in it in double quotes, and write "" for a quote within`)
}

// checkBare judges a value without quotes.
func (p *parser) checkBare(l literal, what string) error {
	if l.text == "" && !l.prefix {
		return p.fail(l.offset, 1, what+" is due here", "leave no space before it, or put all of the text in double quotes to find it")
	}
	if star := strings.IndexByte(l.text, '*'); star >= 0 {
		return p.fail(l.offset+star, 1, "a * stands only at the end, for whatever follows", "put the text in double quotes if it has the * itself")
	}
	if at := strings.IndexAny(l.text, ":=<>"); at >= 0 && p.group != nil && !isNetwork(l.text) {
		return p.fail(l.offset+at, 1, fmt.Sprintf("a value with a %c in it stands in double quotes here", l.text[at]), "the parentheses hold values of "+p.group.text+"; close them before another field")
	}
	if list, ok := strings.CutSuffix(l.text, ","); ok && p.group != nil {
		return p.fail(l.offset+len(list), 1, "or is due between values", "write "+p.group.text+":(A or B), and values that end so in double quotes")
	}
	if r, size := utf8.DecodeRuneInString(l.text); strings.ContainsRune("'‘’“”„«»`", r) {
		return p.fail(l.offset, size, "no quote begins so", `write double quotes: "`+strings.Trim(l.text, "'‘’“”„«»`")+`"`)
	}
	return nil
}

// quoted reads a text in double quotes, in which "" stands for one.
func (p *parser) quoted() (string, error) {
	var b strings.Builder
	for i := p.at + 1; i < len(p.text); i++ {
		if p.text[i] != '"' {
			b.WriteByte(p.text[i])
			continue
		}
		if i+1 == len(p.text) || p.text[i+1] != '"' {
			p.at = i + 1
			return b.String(), nil
		}
		b.WriteByte('"')
		i++
	}
	return "", p.fail(p.at, 1, "the quote is not closed", `write " where it ends, and "" for a quote within`)
}
