package audit_test

import (
	"testing"
)

func TestACleanLedgerHasNoFindings(t *testing.T) {
	l := aLedger(t)
	r := l.audit(l.files, nil)
	for _, f := range r.Findings {
		t.Errorf("found: %v %d %v", f.Kind, f.Index, f)
	}
	if !r.OK() || r.State == nil {
		t.Errorf("OK %v, state %v", r.OK(), r.State)
	}
	t.Log(r.Summary)
}
