package proofs

import (
	"maps"
	"slices"
)

// StreamName returns what the settings in the proof call the stream; empty where
// they do not say.
func (v SearchVerdict) StreamName() (name string) {
	for _, s := range v.Names {
		if name != "" && s.Name != name {
			return "" // no ledger renames a stream
		}
		name = s.Name
	}
	return name
}

// FieldName returns the name that all of some fields have had, given by their
// rising numbers, and no other field, as the settings in the proof say: the
// last one, if there are several.
func (v SearchVerdict) FieldName(numbers []uint16) (name string, ok bool) {
	if v.StreamName() == "" {
		return "", false
	}
	for _, index := range slices.Backward(slices.Sorted(maps.Keys(v.Names))) {
		for _, f := range v.Names[index].Fields {
			if slices.Equal(v.called(f.Name), numbers) {
				return f.Name, true
			}
		}
	}
	return "", false
}

// called returns the numbers of the fields that have had a name, rising.
func (v SearchVerdict) called(name string) (numbers []uint16) {
	for _, s := range v.Names {
		for _, f := range s.Fields {
			if f.Name == name {
				numbers = append(numbers, f.Number)
			}
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}
