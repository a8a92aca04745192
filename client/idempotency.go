package client

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// KeyFields are the fields that identify an event in its own words, such as
// eventID, or Hostname, Channel and RecordNumber. The idempotency key that
// they give an event is the same whoever computes it: the client before it
// sends, or the server for ?idempotency-field=.
//
// The key is "field:" and, in base64url without padding, the SHA-256 of
//
//	"cairn/v1 idempotency fields\n" ‖ for each field: uint32 length ‖ path ‖ uint32 length ‖ value
//
// with the paths in their canonical form ([proofs.FormatPath]) and in byte
// order, and values as [proofs.Extractor] has them. So neither the order of the
// fields nor the spelling of a path matters, and no two different lists of
// paths and values have the same key.
//
// Each field must have exactly one value in an event, and not null: an
// event that lacks one is not identified, and would be taken for another.
type KeyFields struct {
	paths     []string // canonical, in byte order
	extractor *proofs.Extractor
}

// ParseKeyFields reads a list of paths, separated by commas, in any spelling
// that [proofs.NormalizePath] takes. A comma within quotes separates nothing.
// At most [proofs.MaxFields] paths, none of them twice.
func ParseKeyFields(list string) (*KeyFields, error) {
	k := &KeyFields{}
	for _, spelling := range splitList(list) {
		path, err := proofs.NormalizePath(spelling)
		if err != nil {
			return nil, fmt.Errorf("idempotency field: %w", err)
		}
		k.paths = append(k.paths, path)
	}
	slices.Sort(k.paths)
	fields := make([]proofs.Field, len(k.paths))
	for i, path := range k.paths {
		if i > 0 && path == k.paths[i-1] {
			return nil, fmt.Errorf("%w: idempotency field: %s is there twice", proofs.ErrMalformed, path)
		}
		// Declared as a subject, a null shows: it names nobody.
		fields[i] = proofs.Field{Number: uint16(i + 1), Name: fmt.Sprintf("f%d", i), Path: path, Subject: true}
	}
	var err error
	if k.extractor, err = proofs.NewExtractor(fields); err != nil {
		return nil, fmt.Errorf("idempotency field: %w", err)
	}
	return k, nil
}

// splitList splits at commas that are not within quotes.
func splitList(list string) (items []string) {
	var quote byte
	start := 0
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quote == 0 && c == ',':
			items = append(items, list[start:i])
			start = i + 1
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && c == '\\':
			i++ // what it escapes is no quote
		case quote != 0 && c == quote:
			quote = 0
		}
	}
	return append(items, list[start:])
}

// String returns the paths in canonical form and order.
func (k *KeyFields) String() string { return strings.Join(k.paths, ",") }

// Key returns the idempotency key of an event, which must be strict JSON
// ([proofs.CheckJSON]). Its errors match [proofs.ErrMalformed].
func (k *KeyFields) Key(event []byte) (string, error) {
	values, err := k.extractor.Extract(event)
	if err != nil {
		return "", fmt.Errorf("idempotency field: %w", err)
	}
	hash := sha256.New()
	hash.Write([]byte("cairn/v1 idempotency fields\n"))
	for i, path := range k.paths {
		if len(values) == 0 || int(values[0].Number) != i+1 {
			return "", fmt.Errorf("%w: idempotency field: the event has no value at %s", proofs.ErrMalformed, path)
		}
		if !values[0].Subject {
			return "", fmt.Errorf("%w: idempotency field: the value at %s is null", proofs.ErrMalformed, path)
		}
		if len(values) > 1 && values[1].Number == values[0].Number {
			return "", fmt.Errorf("%w: idempotency field: the event has more than one value at %s", proofs.ErrMalformed, path)
		}
		for _, s := range [][]byte{[]byte(path), values[0].Value} {
			hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
			hash.Write(s)
		}
		values = values[1:]
	}
	return "field:" + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)), nil
}
