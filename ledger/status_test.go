package ledger

import (
	"strings"
	"testing"
)

func TestStatusSaysWhatKeepsACopyFromForking(t *testing.T) {
	for name, c := range map[string]struct {
		copied, witnessed bool
		want              string
	}{
		"a copy of what was signed": {true, true, "a copy of the register \"signed\" is kept outside the data directory"},
		"a copy, and no witnesses":  {true, false, "a copy of the register \"signed\" is kept outside the data directory"},
		"witnesses alone":           {false, true, "no copy of the register \"signed\" is kept outside the data directory: only the witnesses stop a copied ledger from forking the log"},
		"neither":                   {false, false, "no copy of the register \"signed\" is kept outside the data directory, and the policy's quorum is none: nothing stops a copied ledger from forking the log"},
	} {
		w := newWorld(t)
		w.copied = c.copied
		if !c.witnessed {
			log, _, _ := strings.Cut(string(w.text), "\n")
			w.setPolicy(log + "\nquorum none\n")
			w.witnesses = nil
		}
		if got := w.started().Status().Fork; got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
