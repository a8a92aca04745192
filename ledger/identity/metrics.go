package identity

import "github.com/prometheus/client_golang/prometheus"

// metrics are what an authenticator measures. Their names and meanings are a
// table in cairn-integrations(7).
type metrics struct {
	logins  *prometheus.CounterVec
	fetches *prometheus.CounterVec
}

// newMetrics registers the metrics; with nil they are counted for nobody.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "cairn", Name: "logins_total", Help: "Requests asked who they come from, by the kind of credential and how that ended.",
		}, []string{"kind", "outcome"}),
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "cairn", Name: "oidc_key_fetches_total", Help: "Times that an issuer was asked for its keys, by the issuer's name in the configuration and outcome: fetched or failed.",
		}, []string{"issuer", "outcome"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.logins, m.fetches} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) login(k Kind, o Outcome) { m.logins.WithLabelValues(string(k), string(o)).Inc() }

func (m *metrics) fetch(issuer string, err error) {
	outcome := "fetched"
	if err != nil {
		outcome = "failed"
	}
	m.fetches.WithLabelValues(issuer, outcome).Inc()
}
