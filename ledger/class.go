package ledger

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// AddClass adds a retention class and returns the index of its settings entry.
func (s *Session) AddClass(ctx context.Context, c ClassConfig) (uint64, error) {
	l := s.l
	l.settings.Lock()
	defer l.settings.Unlock()
	if err := checkName("class", c.Name); err != nil {
		return 0, err
	}
	if _, ok := l.state.classNamed(c.Name); ok {
		return 0, client.NewProblem(client.AlreadyExists, fmt.Sprintf("there is a class %q", c.Name), "")
	}
	period, ok := map[string]proofs.Period{"day": proofs.Day, "month": proofs.Month, "": proofs.Month}[c.Period]
	if !ok {
		return 0, client.NewProblem(client.BadRequest, fmt.Sprintf("there is no period %q", c.Period), "a period is day or month")
	}
	number, err := l.state.nextClass()
	if err != nil {
		return 0, err
	}
	c.Period = period.String()
	x := c.settings(proofs.ClassBody{Class: number, Days: c.Days, Period: period})
	x.what = proofs.ActClassAdd
	return l.setSettings(ctx, x, x.act(s.caller))
}

// SetClass changes how long a class keeps entries, from here on and also of
// those that are there. Where two custodians are needed to keep them for less
// it is only requested, and the index is that of the request.
func (s *Session) SetClass(ctx context.Context, c ClassConfig) (index uint64, requested bool, err error) {
	return s.set(ctx, c)
}

func (c ClassConfig) setting(l *Ledger) (*setting, error) {
	old, ok := l.state.classNamed(c.Name)
	if !ok {
		return nil, client.NewProblem(client.NotFound, fmt.Sprintf("there is no class %q", c.Name), "add it with: cairnd retention add "+c.Name)
	}
	if c.Period != "" && c.Period != old.Body.Period.String() {
		return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("the class has buckets of a %v, which cannot be changed", old.Body.Period), "add another class")
	}
	return c.settings(proofs.ClassBody{Class: old.Body.Class, Days: c.Days, Period: old.Body.Period}), nil
}

func (c ClassConfig) settings(body proofs.ClassBody) *setting {
	x := &setting{what: proofs.ActClassSet, name: c.Name, config: c, names: proofs.ClassSettings{Name: c.Name}}
	x.body.Class = &body
	return x
}
