package witness

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what a witness measures of itself; the package comment lists
// them. None has the log as a label: there may be very many logs.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
	forks    prometheus.Counter
	logs     prometheus.GaugeFunc
	paused   prometheus.GaugeFunc
}

func newMetrics(w *Witness) *metrics {
	const namespace = "cairn_witness"
	return &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "requests_total", Help: "Requests to cosign a checkpoint, by the HTTP status of the answer.",
		}, []string{"status"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "cosign_seconds", Help: "Time to cosign a checkpoint, where it was cosigned.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}),
		forks: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "forks_total", Help: "Checkpoints refused because the log had signed another root for the same size.",
		}),
		logs: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "logs", Help: "Logs that are cosigned for.",
		}, func() float64 { return float64(len(*w.logs.Load())) }),
		paused: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "signing_paused", Help: "1 while a signing key cannot be used, so that nothing is cosigned.",
		}, func() float64 {
			if w.pause.paused() != "" {
				return 1
			}
			return 0
		}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	return errors.Join(r.Register(m.requests), r.Register(m.seconds), r.Register(m.forks), r.Register(m.logs), r.Register(m.paused))
}

func (m *metrics) answered(err error, d time.Duration) {
	m.requests.WithLabelValues(strconv.Itoa(status(err))).Inc()
	if err == nil {
		m.seconds.Observe(d.Seconds())
	}
}

// status returns the HTTP status that tells of err.
func status(err error) int {
	var refused *Error
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &refused):
		return refused.Status
	}
	return http.StatusInternalServerError
}
