package proofs

import (
	"slices"
	"sync"
)

// An Extractor finds the values of a stream's declared fields in its events,
// and divides events by the people that the values concern. It is safe for
// concurrent use.
//
// What it finds is committed in tags, and found again by whoever opens an
// event later: this is a specification as much as a description. The event
// is checked as by [CheckJSON]. A field's path selects any number of values
// in it: none, if a step finds nothing or a value of another type than it
// needs. Of what is selected
//
//   - a string has the value it stands for, in UTF-8: escapes are resolved,
//     and nothing is normalized;
//   - true, false and null have these words as values: a field that is null
//     differs from one that is absent;
//   - a number has its decimal digits as its value, in the form of RFC 8785
//     §3.2.2.3, so 1, 1.0 and 1e0 are equal. Where a double would have to round
//     the number, which RFC 8785 leaves to strings, all digits are kept:
//     9007199254740993 is not 9007199254740992, and 0.10000000000000001 not 0.1.
//     A number with an exponent beyond ±10⁹ is an error;
//   - an array has the value of each of its elements that is one of the above;
//   - an object has no value, nor has an object or array within such an array:
//     a path can lead into them, as $.items[*].id does.
//
// Strings and the rest are not told apart: "5158" has the value of 5158.
//
// Values are in the order of the fields as declared, and those of one field
// in the order of the event. A value that repeats within a field is dropped:
// tags say which values there are, not how often. More than [MaxFieldValues]
// different values of one field, or [MaxTags] of all together, are an error.
type Extractor struct {
	fields []Field
	about  []uint64    // of each field: a bit for the field that it is about, by index
	places []pathPlace // a tree: the first is the whole event
	idle   sync.Pool   // of *jsonScanner
}

// A pathPlace is where a path has come to after some of its steps. Places
// below it are named by their index.
type pathPlace struct {
	members  []memberPlace
	elements []elementPlace
	every    int32   // 0: none
	fields   []int32 // whose paths end here: indices of the declaration
}

type memberPlace struct {
	name  string
	place int32
}

type elementPlace struct{ index, place int32 }

// NewExtractor prepares the fields of a stream, in the order of their
// declaration. It checks them as [ValidateFields] does.
func NewExtractor(fields []Field) (*Extractor, error) {
	if err := ValidateFields(fields); err != nil {
		return nil, err
	}
	x := &Extractor{fields: append([]Field(nil), fields...), about: make([]uint64, len(fields)), places: make([]pathPlace, 1)}
	for i, f := range x.fields {
		if f.About != "" {
			x.about[i] = 1 << x.fieldNamed(f.About)
		}
		if f.Path == "" {
			continue
		}
		path, err := ParsePath(f.Path)
		if err != nil {
			return nil, err
		}
		at := int32(0)
		for _, step := range path {
			at = x.below(at, step)
		}
		x.places[at].fields = append(x.places[at].fields, int32(i))
	}
	return x, nil
}

// fieldNamed returns the index of a field, or -1.
func (x *Extractor) fieldNamed(name string) int {
	return slices.IndexFunc(x.fields, func(f Field) bool { return f.Name == name })
}

// below returns the place one step below another, and adds it if need be.
func (x *Extractor) below(at int32, step Step) int32 {
	p, next := &x.places[at], int32(len(x.places))
	switch step.Kind {
	case Member:
		for _, m := range p.members {
			if m.name == step.Name {
				return m.place
			}
		}
		p.members = append(p.members, memberPlace{step.Name, next})
	case Element:
		for _, e := range p.elements {
			if int(e.index) == step.Index {
				return e.place
			}
		}
		p.elements = append(p.elements, elementPlace{int32(step.Index), next})
	case Every:
		if p.every != 0 {
			return p.every
		}
		p.every = next
	}
	x.places = append(x.places, pathPlace{})
	return next
}

// Extract returns the values of the declared fields in an event. They may
// alias data. The errors match [ErrMalformed]: either data is not JSON as
// [CheckJSON] demands it, or a field named in the error has a value that
// cannot be told or has too many.
func (x *Extractor) Extract(data []byte) ([]FieldValue, error) {
	s := x.scanner(data)
	var values []FieldValue
	err := s.text()
	if err == nil {
		values = s.values()
	}
	s.reset()
	x.idle.Put(s)
	return values, err
}

// scanner returns one that is idle, or a new one.
func (x *Extractor) scanner(data []byte) *jsonScanner {
	s, ok := x.idle.Get().(*jsonScanner)
	if !ok {
		s = &jsonScanner{taker: taker{x: x, fields: make([]fieldFound, len(x.fields))}}
	}
	s.data = data
	return s
}
