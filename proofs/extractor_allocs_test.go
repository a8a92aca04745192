//go:build !race

package proofs_test

import (
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// The race detector allocates on its own, so this is a test of ordinary builds.
func TestExtractAllocatesOnlyItsAnswer(t *testing.T) {
	x := must(proofs.NewExtractor(cloudTrailFields(t)))
	event := realEvents(t, "cloudtrail-s3-exfiltration.zip", 1)[0]
	if n := testing.AllocsPerRun(100, func() { must(x.Extract(event)) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}
