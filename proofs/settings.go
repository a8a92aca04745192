package proofs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// SettingsMediaType is the media type of the part that a settings entry
// seals: [StreamSettings] or [ClassSettings] as JSON.
const SettingsMediaType = "application/vnd.cairn.settings+json"

// ClassSettings names a retention class. The rest is in the clear body of the
// entry: [ClassBody].
type ClassSettings struct {
	Name string `json:"name"`
}

// StreamSettings name a stream and its declared fields. With them, the
// payload and the field keys, anybody can compute T again. The rest is in the
// clear body of the entry: [StreamBody].
type StreamSettings struct {
	Name   string  `json:"name"`
	Fields []Field `json:"fields"`
}

// Body returns the clear side of the declared fields.
func (s StreamSettings) Body() []FieldBody {
	var fields []FieldBody
	for _, f := range s.Fields {
		fields = append(fields, FieldBody{Number: f.Number, Subject: f.Subject})
	}
	return fields
}

// CheckStreamSettings checks that the names in a settings entry's payload
// belong to its clear body.
func CheckStreamSettings(payload []byte, body StreamBody) (StreamSettings, error) {
	var s StreamSettings
	if err := parseSettingsJSON(payload, &s); err != nil {
		return s, fmt.Errorf("%w: stream settings: %v", ErrMalformed, err)
	}
	if err := ValidateFields(s.Fields); err != nil {
		return s, fmt.Errorf("stream settings: %w", err)
	}
	fields := s.Body()
	if len(fields) != len(body.Fields) {
		return s, fmt.Errorf("%w: stream settings: %d fields are named and %d declared", ErrNotVerified, len(fields), len(body.Fields))
	}
	for i := range fields {
		if fields[i] != body.Fields[i] {
			return s, fmt.Errorf("%w: stream settings: field %d is not the declared one", ErrNotVerified, fields[i].Number)
		}
	}
	return s, nil
}

// ParseClassSettings reads the payload of a class's settings entry.
func ParseClassSettings(payload []byte) (ClassSettings, error) {
	var s ClassSettings
	if err := parseSettingsJSON(payload, &s); err != nil {
		return s, fmt.Errorf("%w: class settings: %v", ErrMalformed, err)
	}
	return s, nil
}

// parseSettingsJSON reads settings in the one form in which encoding/json
// writes them, so that no two readers can understand them differently.
func parseSettingsJSON(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return err
	}
	again, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return errors.New("not written in the one form")
	}
	return nil
}
