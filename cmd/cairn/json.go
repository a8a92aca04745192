package main

import (
	"bytes"
	"encoding/json"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// formatJSON returns the JSON of a value, on one line where there is no
// indentation. What is JSON already, such as a payload, stays as it is but for
// white space.
func formatJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return b.Bytes(), err
}

// printJSON prints what formatJSON returned. On a terminal everything in it
// that one might obey is escaped, as JSON escapes it in most cases.
func (p *program) printJSON(b []byte, err error) error {
	if err == nil && p.terminal(p.Stdout) {
		b = []byte(command.EscapeText(string(b)))
	}
	if err == nil {
		_, err = p.Stdout.Write(b)
	}
	return err
}
