package ledgertest_test

import (
	"context"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

func TestWorldWitnessesWhileItsWitnessSpeaks(t *testing.T) {
	w := ledgertest.Open(t, local.Config{})
	log := w.Ledger.As(ledger.Caller{Name: "tester"})
	one := []client.Event{{Data: []byte(`{"n":1}`), IdempotencyKey: "1"}}
	got, err := log.Append(t.Context(), "default", one, client.Witnessed)
	if err != nil || got[0].State != client.Witnessed {
		t.Fatalf("got %+v and error %v, want witnessed", got, err)
	}
	receipt, err := proofs.ParseReceipt(got[0].Receipt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.Check(w.Policy, got[0].Leaf); err != nil {
		t.Errorf("receipt: %v", err)
	}
	w.Witness.Silence(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	one[0].IdempotencyKey = "2"
	got, err = log.Append(ctx, "default", one, client.Witnessed)
	if err != nil || got[0].State == client.Witnessed {
		t.Fatalf("with a silent witness: got %+v and error %v, want a weaker state", got, err)
	}
	w.Witness.Silence(false)
	got, err = log.Append(t.Context(), "default", one, client.Witnessed)
	if err != nil || got[0].State != client.Witnessed || !got[0].Duplicate {
		t.Errorf("with the witness back: got %+v and error %v, want the same entry witnessed", got, err)
	}
}
