package trillian

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"k8s.io/klog/v2"
)

// globals are what Trillian keeps once per process, and so must we: its
// logger, which must not be replaced while somebody logs, and its metrics.
var globals struct {
	once   sync.Once
	logger atomic.Pointer[slog.Logger]
}

// Contain sends what Trillian logs to logger from now on, and switches its
// metrics off. Opening a tree does so; a process that also uses Trillian in
// another way does it before.
func Contain(logger *slog.Logger) {
	globals.logger.Store(logger)
	globals.once.Do(func() {
		klog.SetSlogLogger(slog.New(klogHandler{}))
		log.InitMetrics(noMetrics{})
	})
}

// klogHandler passes records to the logger of the last tree that was opened.
type klogHandler struct {
	attrs []slog.Attr
}

func (klogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return globals.logger.Load().Enabled(ctx, level)
}

func (h klogHandler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, "trillian", r.PC)
	out.AddAttrs(slog.String("message", r.Message))
	out.AddAttrs(h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(a)
		return true
	})
	return globals.logger.Load().Handler().Handle(ctx, out)
}

func (h klogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return klogHandler{append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup does not group: klog's records have few attributes.
func (h klogHandler) WithGroup(string) slog.Handler { return h }

// noMetrics makes metrics that count nothing; Trillian's own inert ones take
// a lock and a map for each leaf.
type noMetrics struct{}

func (noMetrics) NewCounter(_, _ string, _ ...string) monitoring.Counter { return noMetric{} }

func (noMetrics) NewGauge(_, _ string, _ ...string) monitoring.Gauge { return noMetric{} }

func (noMetrics) NewHistogram(_, _ string, _ ...string) monitoring.Histogram { return noMetric{} }

func (noMetrics) NewHistogramWithBuckets(_, _ string, _ []float64, _ ...string) monitoring.Histogram {
	return noMetric{}
}

type noMetric struct{}

func (noMetric) Inc(...string)                    {}
func (noMetric) Dec(...string)                    {}
func (noMetric) Add(float64, ...string)           {}
func (noMetric) Set(float64, ...string)           {}
func (noMetric) Value(...string) float64          { return 0 }
func (noMetric) Observe(float64, ...string)       {}
func (noMetric) Info(...string) (uint64, float64) { return 0, 0 }
