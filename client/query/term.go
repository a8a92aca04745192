package query

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cairnlog/cairn/proofs"
)

// A head is what stands before the values of a field: its name or path, and
// how the values are compared.
type head struct {
	text   string // the name or path as it is written
	offset int
	name   string // of a field, or one of the names that every entry has
	path   string // canonical
	op     string // : < <= > >=
}

// head reads a name or path and its operation. It returns nil, and reads
// nothing, where a text stands that has none.
func (p *parser) head() (*head, error) {
	start := p.at
	if p.text[start] == '"' {
		return nil, nil
	}
	isPath := p.text[start] == '$'
	end := start + nameLength(p.rest(), isPath)
	name := p.text[start:end]
	if end == len(p.text) || strings.IndexByte(":=<>", p.text[end]) < 0 {
		if isPath && len(name) > 1 && strings.IndexByte(".[", name[1]) >= 0 {
			return nil, p.fail(start, len(name), "a path is followed by : and a value", fmt.Sprintf("%s:* has any value; to find the text put it in double quotes", name))
		}
		return nil, nil
	}
	h := &head{text: name, offset: start, name: name}
	p.at = end
	if err := p.comparison(h); err != nil {
		return nil, err
	}
	if isPath {
		path, err := proofs.NormalizePath(name)
		if err != nil {
			why := strings.TrimPrefix(err.Error(), proofs.ErrMalformed.Error()+": ")
			return nil, p.fail(start, len(name), why, "")
		}
		h.name, h.path = "", path
		return h, nil
	}
	return h, p.checkName(h)
}

// nameLength returns how long the name or path is that a text begins with. It
// takes in whatever could be meant as one.
func nameLength(text string, isPath bool) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case isPath && r == '[':
			i += bracketLength(text[i:])
			continue
		case strings.ContainsRune(`:=<>()"`, r), r < utf8.RuneSelf && unicode.IsSpace(r), !isPath && unicode.IsSpace(r):
			return i
		}
		i += size
	}
	return len(text)
}

// bracketLength returns how long a step of a path in brackets is.
func bracketLength(text string) int {
	quote := byte(0)
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == 0 && c == ']':
			return i + 1
		}
	}
	return len(text)
}

// comparison reads the operation after a name.
func (p *parser) comparison(h *head) error {
	rest := p.rest()
	run := rest[:len(rest)-len(strings.TrimLeft(rest, ":=<>"))]
	op := strings.TrimRight(run, ":") // what follows is of the value, as in ::1
	if op == "" {
		op = ":"
	} else if run == op+":" {
		op = run
	}
	length := len(op)
	p.at += length
	switch op {
	case ":", "<", "<=", ">", ">=":
		h.op = op
		if h.text == "" {
			return p.fail(p.at-length, length, fmt.Sprintf("a name is due before %s", op), "write name"+op+"value without spaces, or put the text in double quotes")
		}
		return nil
	case "=", "==":
		if name, ok := strings.CutSuffix(h.text, "!"); ok {
			return p.fail(h.offset, len(h.text)+length, "there is no !=", "write -"+name+":value to exclude a value")
		}
		return p.fail(p.at-length, length, "values are given after a colon", "write "+cmp.Or(h.text, "name")+":value without spaces")
	}
	hint := h.text + ":value, and values that begin so in double quotes"
	switch strings.Trim(op, ":") {
	case "<", "<=", ">", ">=":
		hint = h.text + strings.Trim(op, ":") + "value"
	case "=<", "=>":
		hint = h.text + op[1:] + "=value"
	}
	return p.fail(p.at-length, length, fmt.Sprintf("there is no %s", op), "write "+hint)
}

// Names that every entry has. They are no names of fields.
const (
	nameAfter  = "after"
	nameBefore = "before"
	nameIndex  = "index"
	nameStream = "stream"
	nameSource = "source"
)

// own says of each name that every entry has, and that no term is for, what
// to write instead.
func own(name string) (hint string, ok bool) {
	switch name {
	case "time":
		return "write after:2026-01-31 and before:2026-02-01T10:00Z", true
	case "kind":
		return "searches find events; cairn history shows the other entries", true
	case "bucket", "sequence":
		return "write index:100..200 for entries by their place", true
	}
	return "", false
}

// checkName judges a name that is no path.
func (p *parser) checkName(h *head) error {
	if hint, ok := own(h.name); ok {
		return p.fail(h.offset, len(h.name), fmt.Sprintf("entries are not searched by %s", h.name), hint)
	}
	if slices.Contains([]string{nameAfter, nameBefore, nameIndex, nameStream, nameSource}, h.name) {
		if h.op != ":" {
			hint := map[string]string{nameAfter: "2026-01-31", nameBefore: "2026-02-01T10:00Z", nameIndex: "100..200"}[h.name]
			return p.fail(p.at-len(h.op), len(h.op), fmt.Sprintf("a colon is due after %s", h.name), "write "+h.name+":"+cmp.Or(hint, "NAME"))
		}
		return nil
	}
	for i, r := range h.name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if letter || i > 0 && strings.ContainsRune("_-.", r) {
			continue
		}
		hint := "put the text in double quotes to find it as it is"
		if path, err := proofs.NormalizePath(h.name); err == nil && !strings.ContainsAny(h.name, `/\`) {
			hint = fmt.Sprintf("write %s%s for a member of events, or put the text in double quotes to find it", path, h.op)
		}
		return p.fail(h.offset+i, utf8.RuneLen(r), fmt.Sprintf("%q is in no name of a field", r), hint)
	}
	if len(h.name) > proofs.MaxFieldName {
		return p.fail(h.offset, len(h.name), fmt.Sprintf("names of fields have at most %d bytes", proofs.MaxFieldName), "put the text in double quotes to find it as it is")
	}
	p.names = append(p.names, fieldName{h.name, h.offset})
	return nil
}

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
		end := strings.IndexFunc(p.rest(), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`()"`, r) })
		if end < 0 {
			end = len(p.rest())
		}
		l.text, l.prefix = strings.CutSuffix(p.rest()[:end], "*")
		p.at += end
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
	return p.fail(p.at, size, "a space is due before it", "put a text that has parentheses or quotes in it in double quotes, and write \"\" for a quote within")
}

// checkBare judges a value without quotes.
func (p *parser) checkBare(l literal, what string) error {
	if l.text == "" && !l.prefix {
		return p.fail(l.offset, 1, what+" is due here", `leave no space before it; "" is the empty value, and * is any`)
	}
	if star := strings.IndexByte(l.text, '*'); star >= 0 {
		return p.fail(l.offset+star, 1, "a * stands only at the end, for whatever follows", "put the text in double quotes if it has the * itself")
	}
	if at := strings.IndexAny(l.text, ":=<>"); at >= 0 && p.group != nil && !isNetwork(l.text) {
		return p.fail(l.offset+at, 1, fmt.Sprintf("a value with a %c in it stands in double quotes here", l.text[at]), "the parentheses hold values of "+p.group.text+"; close them before another field")
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
		if n, err := netip.ParsePrefix(l.text); err == nil && !l.quoted {
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
	for _, w := range textWords(l.text) {
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
