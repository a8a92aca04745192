package retain

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// settingsClass is the class of the ledger's own settings.
const settingsClass = 0

// A ClassSetting is what a class is from an entry on.
type ClassSetting struct {
	Settings uint64 // index of the settings entry; 0: no entry has set it
	Body     proofs.ClassBody
}

// ClassAt returns what a class is for the entry at an index: what the latest
// settings entry before it says. Ok is false if none was there. Beyond
// [State.Size] it is what is in force now.
func (s *State) ClassAt(class uint16, index uint64) (c ClassSetting, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range slices.Backward(s.classes[class]) {
		if c.Settings < index {
			return c, true
		}
	}
	return ClassSetting{}, false
}

// Ledger returns how many custodians have to want what closes payloads, and
// the grace after the second one's approval.
func (s *State) Ledger() proofs.LedgerBody {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ledgerNow()
}

func (s *State) ledgerNow() proofs.LedgerBody {
	if s.ledger.Custodians == 0 {
		return proofs.LedgerBody{Custodians: 1}
	}
	return s.ledger
}

// classNow returns what the class of a bucket is now.
func (s *State) classNow(class uint16) ClassSetting {
	history := s.classes[class]
	return history[len(history)-1]
}

// class returns what a class is now; ok is false if no entry has set it.
func (s *State) class(class uint16) (c proofs.ClassBody, ok bool) {
	if len(s.classes[class]) == 0 {
		return c, false
	}
	return s.classNow(class).Body, true
}

// setClass adds to the history of a class.
func (s *State) setClass(c ClassSetting) {
	if s.classes == nil {
		s.classes = map[uint16][]ClassSetting{}
	}
	s.classes[c.Body.Class] = append(s.classes[c.Body.Class], c)
}

func (s *State) judgeSettings(index uint64, leaf *proofs.Leaf) (change func(), err error) {
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		return nil, err
	}
	if err := s.judgeRequest(body.Request, s.needsRequest(proofs.Settings, body), proofs.Settings, leaf.Time); err != nil {
		return nil, err
	}
	if body.Class != nil {
		if err := s.judgeClass(*body.Class); err != nil {
			return nil, err
		}
	}
	if body.Minimum != nil {
		if err := s.judgeMinimum(index, body.Minimum); err != nil {
			return nil, err
		}
	}
	return func() {
		s.use(body.Request, index)
		if body.Class != nil {
			s.setClass(ClassSetting{Settings: index, Body: *body.Class})
		}
		if body.Stream != nil {
			s.setStream(*body.Stream)
		}
		if body.Ledger != nil {
			s.ledger = *body.Ledger
		}
		if body.Custodians != nil {
			s.named = *body.Custodians
		}
		if body.Pruning != nil {
			s.pruning = body.Pruning.Days
		}
		if body.Minimum != nil {
			s.setMinimum(index, body.Minimum)
		}
	}, nil
}

func (s *State) judgeClass(next proofs.ClassBody) error {
	if next.Class == settingsClass && next.Days > 0 {
		return errors.New("class 0 keeps the ledger's settings, for ever")
	}
	if history := s.classes[next.Class]; len(history) > 0 && history[0].Body.Period != next.Period {
		return fmt.Errorf("class %d keeps its period, a %v: it counts its buckets", next.Class, history[0].Body.Period)
	}
	return nil
}

// weaker returns what settings take from what there is, as a clause; it is empty
// where they take nothing.
func (s *State) weaker(next proofs.SettingsBody) string {
	switch {
	case next.Class != nil:
		if was, ok := s.class(next.Class.Class); ok && next.Class.Shortens(was) {
			return fmt.Sprintf("class %d keeps its entries for less time", next.Class.Class)
		}
	case next.Stream != nil:
		if was, ok := s.streams[next.Stream.Stream]; ok {
			if why := next.Stream.Weakens(was, s.class); why != "" {
				return fmt.Sprintf("stream %d %s", next.Stream.Stream, why)
			}
		}
	case next.Ledger != nil && next.Ledger.Weakens(s.ledgerNow()):
		return "fewer custodians are needed, or for less time"
	case next.Custodians != nil && next.Custodians.Differs(s.named):
		return "other custodians are named"
	case next.Pruning != nil && next.Pruning.Weakens(proofs.PruningBody{Days: s.pruning}):
		return "public entries are pruned that were not, or earlier"
	}
	return ""
}

func (s *State) setStream(body proofs.StreamBody) {
	if s.streams == nil {
		s.streams = map[uint32]proofs.StreamBody{}
	}
	s.streams[body.Stream] = body
}
