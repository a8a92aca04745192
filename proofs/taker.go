package proofs

import (
	"bytes"
	"fmt"
)

// A taker is the part of a scanner that knows of declared fields.
type taker struct {
	x      *Extractor // nil: there are no fields
	active []activePlace
	found  []foundValue
	fields []fieldFound
	arena  []byte    // values that the data does not have literally
	split  *splitter // nil: values are wanted, not where they are
}

// A selection is the range of taker.active that applies to one value.
type selection struct{ from, to int }

func (p selection) none() bool { return p.from == p.to }

// An activePlace is a place that the value being read is at. If the value is
// an element of an array that a path selected as a whole, it gives the
// array's fields their values, but nothing below it does.
type activePlace struct {
	place   int32
	element bool
}

// A foundValue is one of a field; before is 1 + the index of its previous one.
type foundValue struct {
	before int32
	null   bool   // null itself, not the string
	mark   uint64 // values with different marks differ
	value  []byte
}

// A fieldFound sums up a field's values; last is 1 + the index of the last one.
type fieldFound struct{ count, last int32 }

// root selects what applies to the whole event.
func (t *taker) root() selection {
	if t.x == nil || len(t.x.places) == 1 && len(t.x.places[0].fields) == 0 {
		return selection{}
	}
	t.active = append(t.active, activePlace{})
	return selection{0, 1}
}

// leave forgets what was selected for a value below.
func (t *taker) leave(p selection) {
	if !p.none() {
		t.active = t.active[:p.from]
	}
}

// member selects what applies to the member whose name is text, of an object
// that p applies to.
func (t *taker) member(p selection, text []byte) selection {
	below := selection{from: len(t.active), to: len(t.active)}
	for i := p.from; i < p.to; i++ {
		a := t.active[i]
		if a.element {
			continue
		}
		place := &t.x.places[a.place]
		for j := range place.members {
			if place.members[j].name == string(text) {
				t.active = append(t.active, activePlace{place: place.members[j].place})
			}
		}
		if place.every != 0 {
			t.active = append(t.active, activePlace{place: place.every})
		}
	}
	below.to = len(t.active)
	return below
}

// element selects what applies to the i-th element of an array that p applies to.
func (t *taker) element(p selection, index int) selection {
	below := selection{from: len(t.active), to: len(t.active)}
	for i := p.from; i < p.to; i++ {
		a := t.active[i]
		if a.element {
			continue
		}
		place := &t.x.places[a.place]
		if len(place.fields) > 0 {
			t.active = append(t.active, activePlace{place: a.place, element: true})
		}
		for _, e := range place.elements {
			if int(e.index) == index {
				t.active = append(t.active, activePlace{place: e.place})
			}
		}
		if place.every != 0 {
			t.active = append(t.active, activePlace{place: place.every})
		}
	}
	below.to = len(t.active)
	return below
}

// fieldAt returns the name of a field whose path ends at a value, or "".
func (t *taker) fieldAt(p selection) string {
	for _, a := range t.active[p.from:p.to] {
		if fields := t.x.places[a.place].fields; len(fields) > 0 {
			return t.x.fields[fields[0]].Name
		}
	}
	return ""
}

func (s *jsonScanner) takeString(p selection, str jsonString) error {
	raw := s.data[str.start:str.end]
	if !str.escaped || s.fieldAt(p) == "" {
		return s.take(p, raw, false)
	}
	start := len(s.arena)
	s.arena = appendUnescaped(s.arena, raw)
	return s.take(p, s.arena[start:len(s.arena):len(s.arena)], false)
}

func (s *jsonScanner) takeNumber(p selection, number []byte, integer bool) error {
	// Up to 21 digits are canonical as they are.
	if s.fieldAt(p) == "" || integer && len(number) <= 21 && string(number) != "-0" {
		return s.take(p, number, false)
	}
	start := len(s.arena)
	var ok bool
	if s.arena, ok = appendNumber(s.arena, number); !ok {
		return fmt.Errorf("%w: field %s: the exponent of a number is beyond ±%d: send it as a string",
			ErrMalformed, s.fieldAt(p), maxExponent)
	}
	return s.take(p, s.arena[start:len(s.arena):len(s.arena)], false)
}

// take gives a value to every field whose path ends at it.
func (t *taker) take(p selection, value []byte, null bool) error {
	if t.split != nil {
		return t.takeSubject(p, value, null)
	}
	for _, a := range t.active[p.from:p.to] {
		for _, field := range t.x.places[a.place].fields {
			if err := t.add(field, value, null); err != nil {
				return err
			}
		}
	}
	return nil
}

// add gives a field a value, unless it has it.
func (t *taker) add(field int32, value []byte, null bool) error {
	f, mark := &t.fields[field], nameMark(value)
	for i := f.last; i > 0; i = t.found[i-1].before {
		if v := &t.found[i-1]; v.mark == mark && bytes.Equal(v.value, value) {
			v.null = v.null && null // the string "null" is equal, and may name somebody
			return nil
		}
	}
	if f.count == MaxFieldValues {
		return fmt.Errorf("%w: field %s: more than %d different values: declare a narrower path",
			ErrMalformed, t.x.fields[field].Name, MaxFieldValues)
	}
	if len(t.found) == MaxTags {
		return fmt.Errorf("%w: field %s: the event's fields have more than %d values together: declare fewer or narrower paths",
			ErrMalformed, t.x.fields[field].Name, MaxTags)
	}
	t.found = append(t.found, foundValue{f.last, null, mark, value})
	f.count, f.last = f.count+1, int32(len(t.found))
	return nil
}

// values returns what was found, in the order of the fields.
func (t *taker) values() []FieldValue {
	if len(t.found) == 0 {
		return nil
	}
	values := make([]FieldValue, len(t.found))
	end := int32(0)
	for i, f := range t.fields {
		end += f.count
		at := end
		for j := f.last; j > 0; j = t.found[j-1].before {
			at--
			v, field := t.found[j-1], t.x.fields[i]
			values[at] = FieldValue{Number: field.Number, Subject: field.Subject && !v.null, Value: v.value}
		}
	}
	return values
}

// reset forgets an event and its values.
func (s *jsonScanner) reset() {
	clear(s.found)
	clear(s.fields)
	s.data, s.arena, s.split = nil, nil, nil
	s.at, s.depth = 0, 0
	s.names, s.scratch, s.active, s.found = s.names[:0], s.scratch[:0], s.active[:0], s.found[:0]
}
