package fault_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/storage/fault"
)

func TestPlanCountsEveryStep(t *testing.T) {
	var p fault.Plan
	p.At(1, fault.Torn)
	got := []fault.Outcome{p.Next("a"), p.Next("b"), p.Next("c")}
	if want := []fault.Outcome{fault.Done, fault.Torn, fault.Done}; !slices.Equal(got, want) {
		t.Errorf("outcomes = %v, want %v", got, want)
	}
	if got, want := p.Steps(), []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("steps = %v, want %v", got, want)
	}
	if p.Struck() != 1 {
		t.Errorf("struck = %d, want 1", p.Struck())
	}
}

func TestNilPlanLetsEverythingHappen(t *testing.T) {
	var p *fault.Plan
	if got := p.Next("a"); got != fault.Done {
		t.Errorf("outcome = %v, want %v", got, fault.Done)
	}
	if p.Struck() != 0 || p.Steps() != nil {
		t.Errorf("a nil plan has %d faults and steps %q", p.Struck(), p.Steps())
	}
}

func TestErrorNamesStepAndOutcome(t *testing.T) {
	err := fault.Error("journal append", fault.Persisted)
	if !errors.Is(err, fault.ErrInjected) {
		t.Errorf("%v does not match ErrInjected", err)
	}
	if got, want := err.Error(), "journal append: failed but persisted: injected fault"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}

func ExamplePlan() {
	var p fault.Plan
	p.At(1, fault.Persisted)
	for _, step := range []string{"write", "sync", "rename"} {
		fmt.Println(step, p.Next(step))
	}
	// Output:
	// write done
	// sync failed but persisted
	// rename done
}
