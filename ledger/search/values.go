package search

import (
	"bytes"
	"strings"

	"github.com/cairnlog/cairn/client/query"
)

// field returns what has a value of a field that fits.
func (e *evaluator) field(f query.Field) (fit, error) {
	numbers, ok := e.Fields(e.id.Bucket, f)
	if !ok {
		all, err := e.all()
		return fit{none(), all}, err
	}
	if f.Op == query.Equal {
		return e.equal(numbers, f.Value)
	}
	var sure, maybe union
	for _, number := range numbers {
		if err := e.values(section{fieldKind, number}, f, &sure, &maybe); err != nil {
			return fit{}, err
		}
	}
	certain := exactly(sure.set())
	if maybe.empty() {
		return certain, nil
	}
	return certain.or(fit{none(), maybe.set()}, e.span()), nil
}

// equal returns what has a value in one of the fields.
func (e *evaluator) equal(numbers []uint16, value string) (fit, error) {
	f := exactly(none())
	key := appendKey(nil, []byte(value))
	for _, number := range numbers {
		o, err := e.row(section{fieldKind, number}, key)
		if err != nil {
			return f, err
		}
		if len(value) > MaxValue {
			o.sure = none()
		}
		f = f.or(o, e.span())
	}
	return f, nil
}

// values gathers the rows of values that fit, and of long ones that may.
func (e *evaluator) values(id section, f query.Field, sure, maybe *union) error {
	all := func([]byte) *union { return sure }
	long := func([]byte) *union { return maybe }
	switch f.Op {
	case query.Present:
		return e.gather(id, nil, nil, all)
	case query.Prefix:
		return e.prefixed(id, f.Value, sure, maybe)
	}
	first, end := keyRange(f)
	if err := e.gather(id, first, end, all); err != nil {
		return err
	}
	return e.gather(id, []byte{longClass}, nil, long)
}

// prefixed gathers the rows of values that begin with prefix: texts are side by
// side, values of other classes may be anywhere among theirs.
func (e *evaluator) prefixed(id section, prefix string, sure, maybe *union) error {
	begins := func(key []byte) *union {
		value, whole := keyValue(key)
		switch {
		case bytes.HasPrefix(value, []byte(prefix)):
			return sure
		case !whole && strings.HasPrefix(prefix, string(value)):
			return maybe
		}
		return nil
	}
	if prefix == "" || strings.IndexByte("-:0123456789abcdefABCDEF", prefix[0]) >= 0 {
		if err := e.gather(id, nil, []byte{byte(query.Text)}, begins); err != nil {
			return err
		}
	}
	text := append([]byte{byte(query.Text)}, prefix...)
	if err := e.gather(id, text, prefixEnd(text), func([]byte) *union { return sure }); err != nil {
		return err
	}
	return e.gather(id, []byte{longClass}, nil, begins)
}

// gather adds the rows from a key on and before another to the union that to
// returns for their keys, which may be nil.
func (e *evaluator) gather(id section, first, end []byte, to func(key []byte) *union) error {
	rows, err := e.rows(id, first, end)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		ok, err := rows.next()
		if err == nil && n%1024 == 0 {
			err = e.ctx.Err()
		}
		if !ok || err != nil {
			return err
		}
		key, p := rows.row()
		u := to(key)
		if u == nil {
			continue
		}
		if p.n == 1 && p.list == nil {
			u.addOne(p.only, e.span())
			continue
		}
		s, err := p.set()
		if err != nil {
			return err
		}
		u.add(s, e.span())
	}
}
