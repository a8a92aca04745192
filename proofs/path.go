package proofs

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of a path.
const (
	MaxPath      = 512 // bytes
	MaxPathSteps = 32  // names, indices and wildcards
	maxPathIndex = 1e9 // an index is below
)

// A Path says where in an event a declared field has its values. It is the
// part of JSONPath (RFC 9535) in which each step names children: a member by
// its name, an element by its index from 0, or every child of an object or array.
//
//	$.userIdentity.arn    $['@timestamp']    $.resources[*].ARN    $.Records[0]
//
// A path has one canonical form, the one that is committed in a stream's
// settings: names are written .name if they are made of letters, digits,
// underscores and characters beyond ASCII and do not begin with a digit
// (member-name-shorthand, RFC 9535 §2.5.1.1), and otherwise ['name'] with the
// escapes of normalized paths (§2.7); every child is [*].
type Path []Step

// A Step goes from a value to some of its children.
type Step struct {
	Kind  StepKind
	Name  string // of a [Member]
	Index int    // of an [Element], from 0
}

// A StepKind says which children a [Step] goes to.
type StepKind uint8

// The kinds of steps.
const (
	Member  StepKind = 1 // the member of an object that has the name
	Element StepKind = 2 // the element of an array at the index
	Every   StepKind = 3 // every member of an object or element of an array
)

// ParsePath reads the canonical form of a path, and no other. [NormalizePath]
// makes it of what people write.
func ParsePath(path string) (Path, error) {
	p, err := readPath(path, path)
	if err != nil {
		return nil, err
	}
	canonical, err := FormatPath(p)
	if err != nil {
		return nil, err
	}
	if canonical != path {
		return nil, fmt.Errorf("%w: path %q: not canonical, that is %s", ErrMalformed, path, canonical)
	}
	return p, nil
}

// FormatPath returns the canonical form of a path. It refuses what [ParsePath]
// would not read back.
func FormatPath(p Path) (string, error) {
	b := []byte{'$'}
	for _, s := range p {
		switch {
		case s.Kind == Every:
			b = append(b, "[*]"...)
		case s.Kind == Element && 0 <= s.Index && s.Index < maxPathIndex:
			b = append(strconv.AppendInt(append(b, '['), int64(s.Index), 10), ']')
		case s.Kind == Member && isShorthand(s.Name):
			b = append(append(b, '.'), s.Name...)
		case s.Kind == Member && utf8.ValidString(s.Name):
			b = append(appendQuoted(append(b, '['), s.Name), ']')
		default:
			return "", fmt.Errorf("%w: path: %+v is no step", ErrMalformed, s)
		}
	}
	if len(b) > MaxPath || len(p) > MaxPathSteps {
		return "", fmt.Errorf("%w: path: %d bytes and %d steps, at most %d and %d are allowed",
			ErrMalformed, len(b), len(p), MaxPath, MaxPathSteps)
	}
	return string(b), nil
}

// NormalizePath returns the canonical form of a path as people write it: any
// spelling that RFC 9535 has for it, and also without the "$." in front and
// with other characters in names than the RFC has there, as in
// userIdentity.arn, EventID or @timestamp.
func NormalizePath(path string) (string, error) {
	rooted := path
	if path != "$" && !strings.HasPrefix(path, "$.") && !strings.HasPrefix(path, "$[") {
		rooted = "$." + path
		if strings.HasPrefix(path, "[") {
			rooted = "$" + path
		}
	}
	p, err := readPath(path, rooted)
	if err != nil {
		return "", err
	}
	return FormatPath(p)
}

// readPath reads a path in any spelling of [NormalizePath].
func readPath(given, path string) (Path, error) {
	r := pathReader{given: given, rest: path}
	if len(path) > 2+2*MaxPath {
		return nil, r.fail("too long")
	}
	if !utf8.ValidString(path) {
		return nil, r.fail("not UTF-8")
	}
	if !r.skip("$") {
		return nil, r.fail("does not begin with $")
	}
	var p Path
	for r.rest != "" {
		step, err := r.step()
		if err != nil {
			return nil, err
		}
		if p = append(p, step); len(p) > MaxPathSteps {
			return nil, r.fail(fmt.Sprintf("more than %d steps", MaxPathSteps))
		}
	}
	return p, nil
}

// A pathReader consumes a path from the front.
type pathReader struct {
	given string // as it was given, for errors
	rest  string
}

func (r *pathReader) fail(why string) error {
	given := r.given
	if len(given) > MaxPath {
		given = given[:MaxPath]
	}
	return fmt.Errorf("%w: path %q: %s", ErrMalformed, given, why)
}

func (r *pathReader) skip(prefix string) bool {
	rest, ok := strings.CutPrefix(r.rest, prefix)
	r.rest = rest
	return ok
}

// blanks skips what RFC 9535 §2.1.1 allows within brackets.
func (r *pathReader) blanks() { r.rest = strings.TrimLeft(r.rest, " \t\n\r") }

func (r *pathReader) step() (Step, error) {
	switch {
	case r.skip(".."):
		return Step{}, r.fail("descendants (..) cannot be declared: name each step")
	case r.skip(".*"):
		return Step{Kind: Every}, nil
	case r.skip("."):
		end := strings.IndexAny(r.rest, ".[")
		if end < 0 {
			end = len(r.rest)
		}
		name := r.rest[:end]
		r.rest = r.rest[end:]
		if name == "" || strings.ContainsAny(name, " \t\n\r'\"\\]*()?,:") || hasControl(name) {
			return Step{}, r.fail(fmt.Sprintf("%q cannot stand there as a name: write ['name'] with the name in quotes", name))
		}
		return Step{Kind: Member, Name: name}, nil
	case r.skip("["):
		r.blanks()
		step, err := r.bracketed()
		if err != nil {
			return Step{}, err
		}
		if r.blanks(); !r.skip("]") {
			return Step{}, r.fail("']' is due: a step in brackets is one name, one index or *")
		}
		return step, nil
	}
	return Step{}, r.fail("'.' or '[' is due")
}

// bracketed reads what stands between the brackets of a step.
func (r *pathReader) bracketed() (Step, error) {
	if r.skip("*") {
		return Step{Kind: Every}, nil
	}
	if r.rest != "" && (r.rest[0] == '\'' || r.rest[0] == '"') {
		name, err := r.quoted()
		return Step{Kind: Member, Name: name}, err
	}
	end := 0
	for end < len(r.rest) && r.rest[end]-'0' <= 9 {
		end++
	}
	digits := r.rest[:end]
	r.rest = r.rest[end:]
	index, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || index >= maxPathIndex || len(digits) > 1 && digits[0] == '0' {
		return Step{}, r.fail("a step in brackets is a name in quotes, * or an index below 1000000000 without zeros in front")
	}
	return Step{Kind: Element, Index: int(index)}, nil
}

// quoted reads a string literal (RFC 9535 §2.3.1.1).
func (r *pathReader) quoted() (string, error) {
	quote := r.rest[0]
	var name []byte
	for i := 1; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == quote:
			r.rest = r.rest[i+1:]
			return string(name), nil
		case c < ' ':
			return "", r.fail("a control character in a name: escape it")
		case c == '\\':
			var size int
			if name, size = appendPathEscape(name, r.rest[i:], quote); size == 0 {
				return "", r.fail("no escape sequence of a name begins so: " + strconv.Quote(r.rest[i:min(i+12, len(r.rest))]))
			}
			i += size - 1
		default:
			name = append(name, c)
		}
	}
	return "", r.fail("a name without the quote at its end")
}

// appendPathEscape appends what the escape sequence at the front of b stands
// for, and returns its size, or 0 if it is none.
func appendPathEscape(dst []byte, b string, quote byte) ([]byte, int) {
	if len(b) >= 2 && (b[1] == quote || strings.IndexByte(`bfnrt/\`, b[1]) >= 0) {
		if b[1] == '\'' {
			return append(dst, '\''), 2
		}
		return appendUnescaped(dst, []byte(b[:2])), 2
	}
	s := jsonScanner{data: []byte(b[:min(len(b), 12)])}
	if !strings.HasPrefix(b, `\u`) || s.escape() != nil {
		return dst, 0
	}
	return appendUnescaped(dst, s.data[:s.at]), s.at
}

// isShorthand says whether a name can be written without quotes.
func isShorthand(name string) bool {
	for i, c := range name {
		ok := c >= 0x80 || c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9'
		if !ok {
			return false
		}
	}
	return name != "" && utf8.ValidString(name)
}

// appendQuoted appends a name as a normalized path has it (RFC 9535 §2.7).
func appendQuoted(b []byte, name string) []byte {
	const short = "\bb\ff\nn\rr\tt''\\\\"
	b = append(b, '\'')
	for i := range len(name) {
		c := name[i]
		at := -1
		for j := 0; j < len(short); j += 2 {
			if short[j] == c {
				at = j + 1
			}
		}
		switch {
		case at >= 0:
			b = append(b, '\\', short[at])
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '\'')
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
