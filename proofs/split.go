package proofs

import (
	"fmt"
	"slices"
)

// Split divides an event into parts that can be closed one by one, as a stream
// does whose settings say so ([StreamBody]). The part that comes in is the
// whole event, and its subjects, if there are any, are those that all of it
// concerns. Its data must be JSON as [CheckJSON] demands it.
//
// A value in the data concerns
//
//   - whom it names: the values of a field that names data subjects, one by
//     one, but not null and the empty string;
//   - whom a field names in this event, in the data or beside it, that its own
//     field is about: all of what the path selects, arrays and objects too.
//
// Whatever lies within a value that concerns somebody is part of that: the
// outermost value then concerns all whom anything within it concerns, and is
// closed as soon as one of them is erased. A given field concerns people as a
// value does. Names of members, and what no field declares, concern nobody.
//
// The first of the parts that come out holds the event with gaps: in place of
// each value that concerns somebody it has the word null. Each further part
// holds the values and the given fields that concern the same people. The
// idempotency key and the producer's signature, by which guesses at values
// could be tested (many a key is a hash), are in a part that concerns all of
// them. The subjects of each part are those whom it concerns, and the part is
// for all of their keys. [JoinParts] has the event again, to the byte.
//
// There are never more parts than a record can hold: where values concern too many
// different sets of people, those that concern several concern all of these. An
// event with more than [MaxGaps] values that concern somebody is one gap. More
// than 31 people, or names of more than 1,024 bytes, are an error. All errors
// match [ErrMalformed].
func (x *Extractor) Split(p Part) ([]Part, error) {
	if len(p.Gaps) > 0 || len(p.Pieces) > 0 || len(p.Places) > 0 {
		return nil, fmt.Errorf("%w: split: the event is in parts already", ErrMalformed)
	}
	if len(p.Fields) > maxPlaces {
		return nil, fmt.Errorf("%w: split: %d given fields are more than %d", ErrMalformed, len(p.Fields), maxPlaces)
	}
	sp := &splitter{}
	common := subjectSet(0) // whom all of it concerns
	for _, name := range p.Subjects {
		set, err := sp.add([]byte(name))
		if err != nil {
			return nil, fmt.Errorf("split: %w", err)
		}
		common |= set
	}
	if err := x.scan(p.Data, sp); err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	given, err := x.givenSets(p.Fields, sp)
	if err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	if sp.over {
		sp.ranges = []eventRange{sp.all}
	}
	v := newDivision(p, sp, given, common)
	if len(v.parts[0].Data) > MaxPartData { // nulls are longer than what they stand for
		sp.ranges = []eventRange{sp.all}
		v = newDivision(p, sp, given, common)
	}
	return v.parts, nil
}

// scan finds which bytes concern whom.
func (x *Extractor) scan(data []byte, sp *splitter) error {
	s := x.scanner(data)
	s.split = sp
	err := s.text()
	s.reset()
	x.idle.Put(s)
	return err
}

// givenSets returns whom each given field concerns because it names them, and
// adds these to those whom declared fields name.
func (x *Extractor) givenSets(fields []GivenField, sp *splitter) ([]eventRange, error) {
	given := make([]eventRange, len(fields))
	for i, g := range fields {
		f := x.fieldNamed(g.Name)
		if f < 0 {
			return nil, fmt.Errorf("%w: the stream declares no field %q", ErrMalformed, g.Name)
		}
		given[i].about = x.about[f]
		if !x.fields[f].Subject || len(g.Value) == 0 {
			continue
		}
		set, err := sp.add(g.Value)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", g.Name, err)
		}
		sp.named[f] |= set
		given[i].subjects = set
	}
	return given, nil
}

// A division is an event on its way into parts.
type division struct {
	event Part
	sp    *splitter
	parts []Part
	sets  []subjectSet // whom each part concerns besides those whom all concerns
}

func newDivision(p Part, sp *splitter, given []eventRange, common subjectSet) *division {
	v := &division{event: p, sp: sp, parts: []Part{p}, sets: []subjectSet{0}}
	sets := make([]subjectSet, 0, len(sp.ranges)+len(given))
	for _, list := range [][]eventRange{sp.ranges, given} {
		for _, r := range list {
			sets = append(sets, (r.subjects|sp.about(r.about))&^common)
		}
	}
	joinSets(sets)
	v.cut(sets[:len(sp.ranges)])
	v.give(sets[len(sp.ranges):])
	everybody := subjectSet(0)
	for _, s := range sets {
		everybody |= s
	}
	if everybody != 0 && (p.IdempotencyKey != "" || len(p.Signature) > 0) {
		v.parts[0].IdempotencyKey, v.parts[0].Signature = "", nil
		to := v.part(everybody)
		to.IdempotencyKey, to.Signature = p.IdempotencyKey, p.Signature
	}
	return v
}

// part returns the part that concerns a set.
func (v *division) part(set subjectSet) *Part {
	i := slices.Index(v.sets, set)
	if i < 0 {
		i = len(v.parts)
		v.sets = append(v.sets, set)
		subjects := append(slices.Clone(v.event.Subjects), v.sp.list(set)...)
		v.parts = append(v.parts, Part{Subjects: subjects})
	}
	return &v.parts[i]
}

// cut moves the values that concern somebody.
func (v *division) cut(sets []subjectSet) {
	data, at := v.event.Data, 0
	var rest []byte
	var gaps []uint32
	for i, r := range v.sp.ranges {
		if sets[i] == 0 {
			continue
		}
		to := v.part(sets[i])
		to.Pieces = append(to.Pieces, Piece{Gap: uint32(len(gaps)), Length: uint32(r.end - r.start)})
		to.Data = append(to.Data, data[r.start:r.end]...)
		rest = append(rest, data[at:r.start]...)
		gaps = append(gaps, uint32(len(rest)))
		rest = append(rest, gapText...)
		at = r.end
	}
	if len(gaps) > 0 {
		v.parts[0].Gaps, v.parts[0].Data = gaps, append(rest, data[at:]...)
	}
}

// give moves the given fields that concern somebody.
func (v *division) give(sets []subjectSet) {
	var rest []GivenField
	for i, f := range v.event.Fields {
		if sets[i] == 0 {
			rest = append(rest, f)
			continue
		}
		to := v.part(sets[i])
		to.Fields, to.Places = append(to.Fields, f), append(to.Places, uint16(i))
	}
	v.parts[0].Fields = rest
}

// A Concern is values of declared fields in one event that concern the same
// data subjects, or nobody.
type Concern struct {
	Subjects []string
	Values   []FieldValue
}

// Concerns divides the values of an event, given ones included, by whom they
// concern, as [Extractor.Split] does: first those that concern nobody, if
// there are any. Each concern is one list of tags at most, closed by the keys of
// its subjects and of those whom the whole event concerns; there are never more
// than a record can hold.
func (x *Extractor) Concerns(values []FieldValue) ([]Concern, error) {
	var index subjectIndex
	sets, fields := make([]subjectSet, len(values)), make([]int, len(values))
	for i, v := range values {
		f := slices.IndexFunc(x.fields, func(f Field) bool { return f.Number == v.Number })
		if f < 0 {
			return nil, fmt.Errorf("%w: the stream declares no field of number %d", ErrMalformed, v.Number)
		}
		fields[i] = f
		if !v.Subject || len(v.Value) == 0 {
			continue
		}
		set, err := index.add(v.Value)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", x.fields[f].Name, err)
		}
		index.named[f] |= set
		sets[i] = set
	}
	for i, f := range fields {
		sets[i] |= index.about(x.about[f])
	}
	joinSets(sets)
	return concernsOf(values, sets, &index), nil
}

func concernsOf(values []FieldValue, sets []subjectSet, index *subjectIndex) []Concern {
	var concerns []Concern
	var different []subjectSet
	if slices.Contains(sets, 0) {
		concerns, different = make([]Concern, 1), make([]subjectSet, 1)
	}
	for i, v := range values {
		at := slices.Index(different, sets[i])
		if at < 0 {
			at = len(concerns)
			different = append(different, sets[i])
			concerns = append(concerns, Concern{Subjects: index.list(sets[i])})
		}
		concerns[at].Values = append(concerns[at].Values, v)
	}
	return concerns
}
