package ledger

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// actMetrics count who did something, and who was refused.
type actMetrics struct {
	acts    *prometheus.CounterVec
	refused *prometheus.CounterVec

	recorded atomic.Uint64 // acts, since the start
	attempts atomic.Uint64 // that were refused, since the start
}

func newActMetrics() *actMetrics {
	m := &actMetrics{
		acts:    prometheus.NewCounterVec(counter("acts_total", "Acts recorded, by the kind of their entries: access or administration."), []string{"kind"}),
		refused: prometheus.NewCounterVec(counter("attempts_refused_total", "Attempts that were refused, by the kind of problem; of many, one act records the number."), []string{"problem"}),
	}
	for _, kind := range []proofs.Kind{proofs.Access, proofs.Administration} {
		m.acts.WithLabelValues(kind.String()) // from the start, so that the first is a change
	}
	return m
}

func (m *actMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.acts, m.refused}
}

// sequenced counts the acts of a batch that is durable.
func (m *actMetrics) sequenced(b *batch) {
	for _, e := range b.entries {
		leaf, err := proofs.ParseLeaf(e.leaf)
		if err != nil || leaf.Kind != proofs.Access && leaf.Kind != proofs.Administration {
			continue
		}
		m.acts.WithLabelValues(leaf.Kind.String()).Inc()
		m.recorded.Add(1)
	}
}

// refuse counts an attempt that was refused.
func (m *actMetrics) refuse(why *client.Problem) {
	m.refused.WithLabelValues(string(why.Code())).Inc()
	m.attempts.Add(1)
}
