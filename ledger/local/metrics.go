package local

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/ledger/keystate"
)

// measure measures the key state until the directory is closed. The names and
// meanings are in the table of cairn-integrations(7).
func (d *Directory) measure(r prometheus.Registerer, s *keystate.Store) error {
	if r == nil {
		return nil
	}
	for _, g := range []struct {
		name, help string
		value      func() float64
	}{
		{"key_state_epoch", "How often keys were destroyed.", func() float64 { return float64(s.Current().Epoch) }},
		{"key_state_ready", "1 where keys can be destroyed, so that what is erased or expires is closed.", func() float64 {
			if s.Check() != nil {
				return 0
			}
			return 1
		}},
	} {
		gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "cairn", Name: g.name, Help: g.help}, g.value)
		if err := r.Register(gauge); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		d.closers = append(d.closers, registered{r, gauge})
	}
	return nil
}

// registered is a collector that is unregistered when it is closed, for the
// ledger's next life in this process.
type registered struct {
	registerer prometheus.Registerer
	collector  prometheus.Collector
}

func (r registered) Close() error {
	r.registerer.Unregister(r.collector)
	return nil
}
