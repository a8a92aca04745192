package proofs

import (
	"fmt"
	"slices"
)

// The bounds of declared fields.
const (
	MaxFields      = 64  // of a stream
	MaxFieldName   = 64  // bytes
	MaxFieldValues = 255 // of one field in one event, repeats not counted
)

// A Field is declared by a stream, so that its values in the stream's events
// get tags. A number, once given to a field of a stream, never names another
// field there.
type Field struct {
	Number uint16 `json:"number"` // from 1

	// Name is what searches call the field: 1 to [MaxFieldName] of the
	// characters a-z 0-9 _ - . beginning with a letter or digit, and none of the
	// names that every entry has: stream, kind, bucket, source, sequence, time
	// and index.
	Name string `json:"name"`

	// Path is where the values are in an event, as [FormatPath] writes it.
	// Empty, the field's values only ever come beside the data of an event.
	Path string `json:"path"`

	// Subject says that the values name data subjects, whose erasure closes
	// what concerns them.
	Subject bool `json:"subject"`

	// About is the name of another field of the stream, which names data
	// subjects: this field's values concern those whom it names in the same
	// event. Empty: they concern nobody but whom they name themselves.
	About string `json:"about,omitempty"`
}

// A FieldValue is one canonical value of a declared field in an event.
type FieldValue struct {
	Number  uint16 // of the field
	Subject bool   // it names a data subject: the field does so, and this is not null
	Value   []byte
}

// ValidateFields checks the declared fields of one stream: each one's number,
// name and path, that no number or name is there twice, and that what a field
// is about is another one, which names data subjects.
func ValidateFields(fields []Field) error {
	if len(fields) > MaxFields {
		return fmt.Errorf("%w: %d fields are more than %d", ErrMalformed, len(fields), MaxFields)
	}
	numbers, names := make(map[uint16]bool), make(map[string]bool)
	for _, f := range fields {
		if err := validateFieldName(f.Name); err != nil {
			return err
		}
		if f.Number == 0 {
			return fmt.Errorf("%w: field %s: numbers begin at 1", ErrMalformed, f.Name)
		}
		if numbers[f.Number] || names[f.Name] {
			return fmt.Errorf("%w: field %s: its number %d or its name is there twice", ErrMalformed, f.Name, f.Number)
		}
		numbers[f.Number], names[f.Name] = true, true
		if f.Path == "" {
			continue
		}
		if _, err := ParsePath(f.Path); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	for _, f := range fields {
		namesThem := func(o Field) bool { return o.Subject && o.Name == f.About && o.Name != f.Name }
		if f.About != "" && !slices.ContainsFunc(fields, namesThem) {
			return fmt.Errorf("%w: field %s: it is about %q, and no other field of that name names data subjects", ErrMalformed, f.Name, f.About)
		}
	}
	return nil
}

func validateFieldName(name string) error {
	valid := len(name) >= 1 && len(name) <= MaxFieldName
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		valid = valid && (letter || i > 0 && (c == '_' || c == '-' || c == '.'))
	}
	if !valid {
		return fmt.Errorf("%w: field name %q: 1 to %d of a-z 0-9 _ - . are allowed, beginning with a letter or digit",
			ErrMalformed, name, MaxFieldName)
	}
	reserved := []string{"stream", "kind", "bucket", "source", "sequence", "time", "index"}
	if slices.Contains(reserved, name) {
		return fmt.Errorf("%w: field name %s: every entry has one already", ErrMalformed, name)
	}
	return nil
}

// ExtractFields returns the canonical values of the declared fields in an
// event, as an [Extractor] does, which is faster for many events.
func ExtractFields(data []byte, fields []Field) ([]FieldValue, error) {
	x, err := NewExtractor(fields)
	if err != nil {
		return nil, err
	}
	return x.Extract(data)
}
