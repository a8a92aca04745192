package query

import (
	"cmp"
	"fmt"
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
	if isPath && len(name) > 1 && strings.IndexByte(".[", name[1]) < 0 {
		return nil, p.fail(start, len(name), "a path begins with $. or $[", fmt.Sprintf("write $.%s, or put the text in double quotes to find it", name[1:]))
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
		case strings.ContainsRune(`:=<>()"`, r), unicode.IsSpace(r) && (r < utf8.RuneSelf || !isPath):
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

func ownNames() []string { return []string{nameAfter, nameBefore, nameIndex, nameStream, nameSource} }

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
	if slices.Contains(ownNames(), h.name) {
		if h.op != ":" {
			hint := map[string]string{nameAfter: "2026-01-31", nameBefore: "2026-02-01T10:00Z", nameIndex: "100..200"}[h.name]
			return p.fail(p.at-len(h.op), len(h.op), fmt.Sprintf("a colon is due after %s", h.name), "write "+h.name+":"+cmp.Or(hint, "NAME"))
		}
		return nil
	}
	if h.name[0] == '!' {
		return p.fail(h.offset, 1, "there is no !", "write - before what is excluded")
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
