package ledger

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// metrics are what a ledger measures of itself. Their names and meanings are
// a table in cairn-integrations(7).
type metrics struct {
	entries      prometheus.Counter
	batches      prometheus.Counter
	batchSize    prometheus.Histogram
	bytes        prometheus.Counter
	cosigning    prometheus.Histogram
	publications prometheus.Counter
	witnesses    *prometheus.CounterVec
	refused      *prometheus.CounterVec
	who          *actMetrics
	closings     *prometheus.HistogramVec

	all []prometheus.Collector
}

func newMetrics(l *Ledger) *metrics {
	m := &metrics{
		entries: prometheus.NewCounter(counter("entries_total", "Entries sequenced, control entries included.")),
		batches: prometheus.NewCounter(counter("batches_total", "Batches sequenced, each with one sync of the journal.")),
		bytes:   prometheus.NewCounter(counter("journal_bytes_total", "Bytes of leaves and sealed records journalled.")),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "cairn", Name: "batch_entries", Help: "Entries in a batch.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
		cosigning: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "cairn", Name: "cosign_seconds", Help: "Time from a signed checkpoint to the quorum of cosignatures.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		publications: prometheus.NewCounter(counter("checkpoints_published_total", "Checkpoints published, also with fresh cosignatures only.")),
		witnesses: prometheus.NewCounterVec(counter("witness_answers_total", "Answers of witnesses, by outcome: cosigned or failed."),
			[]string{"witness", "outcome"}),
		refused: prometheus.NewCounterVec(counter("events_refused_total", "Events refused, by the kind of problem."), []string{"problem"}),
	}
	m.closings = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "cairn", Name: "closing_seconds", Help: "Time to close what was announced, by its kind: expiry, erasure or release.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
	}, []string{"kind"})
	for _, kind := range []proofs.Kind{proofs.Expiry, proofs.Erasure, proofs.Release} {
		m.closings.WithLabelValues(kind.String())
	}
	m.who = newActMetrics()
	m.all = append(append(l.gauges(), m.who.collectors()...), m.closings, m.entries, m.batches, m.bytes, m.batchSize, m.cosigning, m.publications, m.witnesses, m.refused)
	return m
}

func counter(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: "cairn", Name: name, Help: help}
}

// gauges returns what is read when somebody asks.
func (l *Ledger) gauges() (all []prometheus.Collector) {
	gauge := func(name, help string, value func(client.Sizes, error) float64) {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "cairn", Name: name, Help: help}, func() float64 {
			return value(l.progress.snapshot())
		}))
	}
	gauge("size_sequenced", "Entries that are durable in order.", func(s client.Sizes, _ error) float64 { return float64(s.Sequenced) })
	gauge("size_integrated", "Entries that are in the tree.", func(s client.Sizes, _ error) float64 { return float64(s.Integrated) })
	gauge("size_signed", "Entries that a signed checkpoint covers.", func(s client.Sizes, _ error) float64 { return float64(s.Signed) })
	gauge("size_published", "Entries that a published checkpoint covers.", func(s client.Sizes, _ error) float64 { return float64(s.Published) })
	gauge("queue_entries", "Events that wait for their batch.", func(client.Sizes, error) float64 { return float64(l.queue.depth()) })
	gauge("closings_open", "Expiries, erasures and releases that are announced and not done.", func(client.Sizes, error) float64 { return float64(len(l.retain.Open())) })
	gauge("holds", "Holds that are not over.", func(client.Sizes, error) float64 { return float64(len(l.retain.Holds())) })
	gauge("requests_open", "What custodians asked for and is neither done nor withdrawn.", func(client.Sizes, error) float64 { return float64(len(l.retain.Requests())) })
	gauge("signing_paused", "1 while a signing key cannot be used, so that nothing is signed.", func(client.Sizes, error) float64 {
		if l.signer.paused() != "" {
			return 1
		}
		return 0
	})
	gauge("stopped", "1 where the ledger has stopped by itself and takes nothing more.", func(_ client.Sizes, err error) float64 {
		if err != nil {
			return 1
		}
		return 0
	})
	return append(all, l.indexer.gauges()...)
}

// register registers everything; where it cannot, nothing.
func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	for i, c := range m.all {
		if err := r.Register(c); err != nil {
			for _, c := range m.all[:i] {
				r.Unregister(c)
			}
			return fmt.Errorf("metrics: %w", err)
		}
	}
	return nil
}

// unregister makes room for the ledger's next life in this process.
func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.all {
		r.Unregister(c)
	}
}

func (m *metrics) sequenced(b *batch) {
	m.entries.Add(float64(len(b.entries)))
	m.batches.Inc()
	m.batchSize.Observe(float64(len(b.entries)))
	m.bytes.Add(float64(b.bytes()))
	m.who.sequenced(b)
}

func (m *metrics) cosigned(d time.Duration) { m.cosigning.Observe(d.Seconds()) }

func (m *metrics) closed(kind proofs.Kind, took time.Duration) {
	m.closings.WithLabelValues(kind.String()).Observe(took.Seconds())
}

func (m *metrics) published() { m.publications.Inc() }

func (m *metrics) answered(witness string, a answer) {
	outcome := "cosigned"
	if a.err != nil {
		outcome = "failed"
	}
	m.witnesses.WithLabelValues(witness, outcome).Inc()
}

func (m *metrics) refuse(p *client.Problem) { m.refused.WithLabelValues(string(p.Code())).Inc() }
