package main

import (
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// erasedOf is what is not shown of a payload in parts.
type erasedOf struct {
	Parts  int `json:"parts"`
	Values int `json:"values"` // of the event, each of which null stands for
}

// erasedFrom counts what of a payload is not shown. The payload was put
// together from the rest; nil: all is shown.
func erasedFrom(d *proofs.Disclosure, payload proofs.Part) *erasedOf {
	x := erasedOf{Values: len(payload.Gaps)}
	for _, p := range d.Parts {
		if !p.Shown() {
			x.Parts++
		}
	}
	if x.Parts == 0 {
		return nil
	}
	return &x
}

func (x erasedOf) String() string {
	switch x.Values {
	case 0:
		return "part of what came beside the event erased"
	case 1:
		return "1 value erased"
	}
	return fmt.Sprintf("%d values erased", x.Values)
}

// seeReasons says where it is said why something was erased.
func seeReasons(reasons []uint64) string {
	switch len(reasons) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(": see entry %d", reasons[0])
	}
	var list []string
	for _, index := range reasons {
		list = append(list, fmt.Sprint(index))
	}
	return ": see entries " + strings.Join(list, ", ")
}
