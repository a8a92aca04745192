package identity

import (
	"encoding/json"
	"errors"
	"strings"
)

const (
	maxClaim  = 256  // bytes of a claim's name or JSON pointer
	maxValues = 4096 // elements of a claim
)

// checkClaim refuses what names no claim.
func checkClaim(name string) error {
	switch {
	case name == "":
		return errors.New("it is empty")
	case len(name) > maxClaim:
		return errors.New("it is longer than 256 bytes")
	}
	if well := strings.NewReplacer("~0", "", "~1", ""); name[0] == '/' && strings.Contains(well.Replace(name), "~") {
		return errors.New("a ~ in a JSON pointer is written ~0, and a / in a name ~1")
	}
	return nil
}

// values returns what a claim says: the strings, true and false that it is, or
// that its elements are. Other values are none.
func (c claims) values(name string) []string {
	raw, ok := c[name]
	if strings.HasPrefix(name, "/") {
		raw, ok = c.point(name)
	}
	if !ok {
		return nil
	}
	var list []json.RawMessage // apart from raw: what is read into it overwrites it
	if raw[0] != '[' {
		list = append(list, raw)
	} else if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var values []string
	for _, v := range list[:min(len(list), maxValues)] {
		var s string
		switch {
		case v[0] == '"' && json.Unmarshal(v, &s) == nil:
			values = append(values, s)
		case string(v) == "true", string(v) == "false":
			values = append(values, string(v))
		}
	}
	return values
}

// point follows a JSON pointer (RFC 6901) through objects.
func (c claims) point(pointer string) (raw json.RawMessage, ok bool) {
	for name := range strings.SplitSeq(pointer[1:], "/") {
		if c == nil {
			return nil, false
		}
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
		if raw, ok = c[name]; !ok {
			return nil, false
		}
		c = nil
		if raw[0] == '{' && json.Unmarshal(raw, &c) != nil {
			return nil, false
		}
	}
	return raw, ok
}
