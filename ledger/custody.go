package ledger

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A CustodyConfig says how many custodians have to want what cannot be undone,
// and what makes later evidence or retention weaker.
type CustodyConfig struct {
	Custodians uint8  `json:"custodians"`      // 1 or 2
	Grace      uint32 `json:"grace,omitempty"` // seconds between the approval of the second and the act; at most 14 days
}

const secondsPerDay = 24 * 60 * 60

// MaxGrace is the longest grace in seconds. Whoever sets it does so alone, and
// it holds for taking it back, too: it must not keep anybody from being erased
// within the time that laws give.
const MaxGrace = 14 * secondsPerDay

// Custody returns how many custodians are needed.
func (l *Ledger) Custody() CustodyConfig {
	b := l.retain.Ledger()
	return CustodyConfig{Custodians: b.Custodians, Grace: b.Grace}
}

// SetCustody says how many custodians have to want erasures, releases of holds,
// shorter retention, and whatever takes something from a stream. Where two are
// needed already, to need one or a shorter grace is only requested.
func (s *Session) SetCustody(ctx context.Context, c CustodyConfig) (index uint64, requested bool, err error) {
	return s.set(ctx, c)
}

func (c CustodyConfig) setting(*Ledger) (*setting, error) {
	if c.Custodians < 1 || c.Custodians > 2 {
		return nil, client.NewProblem(client.BadRequest, "one custodian or two can be needed", "")
	}
	if c.Grace > MaxGrace {
		return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("a grace of %d seconds is longer than %d days", c.Grace, MaxGrace/secondsPerDay), "a longer one could not be taken back before it is over")
	}
	x := &setting{what: proofs.ActLedgerSet, name: "custody", config: c, names: proofs.LedgerSettings{}}
	x.body.Ledger = &proofs.LedgerBody{Custodians: c.Custodians, Grace: c.Grace}
	return x, nil
}
