package httpapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what an API measures of itself. Their names and meanings are a
// table in cairn-integrations(7).
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	under    prometheus.Gauge
	refused  *prometheus.CounterVec
	damage   prometheus.Counter
}

func newMetrics(a *API, r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "cairn", Name: "http_requests_total", Help: "Requests answered, by route and status; the status is cut where the server broke its answer off.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "cairn", Name: "http_request_seconds", Help: "Time from the header of a request to the end of its answer, by route.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}, []string{"route"}),
		under: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "cairn", Name: "http_requests_under_way", Help: "Requests that are not yet answered, tails included.",
		}),
	}
	m.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "cairn", Name: "http_events_refused_total", Help: "Events of batches refused before the ledger saw them, by the kind of problem.",
	}, []string{"problem"})
	m.damage = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: "cairn", Name: "http_damage_total", Help: "Times that what a request needed was stored and found damaged: sealed records, tiles, checkpoints.",
	})
	tails := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "cairn", Name: "http_tails", Help: "Tails that are followed.",
	}, func() float64 { return float64(len(a.tails)) })
	revocations := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "cairn", Name: "http_revocations_unrecorded", Help: "Tokens that were revoked, and that no entry tells of yet.",
	}, func() float64 { return float64(len(a.identities.Tokens().Unrecorded())) })
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.under, m.refused, m.damage, tails, revocations} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// observe counts a request; its status is cut where its answer has no end.
func (m *metrics) observe(route, status string, took time.Duration) {
	m.requests.WithLabelValues(route, status).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// serveMetrics serves what was gathered in the formats of Prometheus. Its gate
// bounds how many gather, however long that takes.
func (a *API) serveMetrics(g prometheus.Gatherer) func(*call) error {
	h := promhttp.HandlerFor(g, promhttp.HandlerOpts{})
	return func(c *call) error {
		h.ServeHTTP(c.w, c.Request)
		return nil
	}
}
