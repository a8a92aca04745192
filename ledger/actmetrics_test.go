package ledger

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cairnlog/cairn/client"
)

// Status and metrics count what the history has, and each refused attempt.
func TestActsAndRefusalsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.create()
	c, registry := w.config(), prometheus.NewRegistry()
	c.Metrics = registry
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	index := appendEvents(t, l.As(Caller{Name: "app"}), client.Witnessed, event(1))[0].Index
	for range 3 {
		if _, err := l.As(Caller{Name: "alice"}).Entry(t.Context(), index); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		refusedRead(t, l, Caller{Name: "eve"})
	}
	if _, err := operator(l).AddStream(t.Context(), StreamConfig{Name: "billing"}); err != nil {
		t.Fatal(err)
	}
	if s := l.Status(); s.Acts != 6 || s.Refused != 4 || int(s.Acts) != len(history(t, l, client.HistoryQuery{})) {
		t.Errorf("the status counts %d acts and %d refused attempts, want the start, three reads, one refusal and a stream, and 4", s.Acts, s.Refused)
	}
	want := strings.NewReader(`
# HELP cairn_acts_total Acts recorded, by the kind of their entries: access or administration.
# TYPE cairn_acts_total counter
cairn_acts_total{kind="access"} 5
cairn_acts_total{kind="administration"} 2
# HELP cairn_attempts_refused_total Attempts that were refused, by the kind of problem; of many, one act records the number.
# TYPE cairn_attempts_refused_total counter
cairn_attempts_refused_total{problem="forbidden"} 4
`) // with that the history was looked at
	if err := testutil.GatherAndCompare(registry, want, "cairn_acts_total", "cairn_attempts_refused_total"); err != nil {
		t.Error(err)
	}
}
