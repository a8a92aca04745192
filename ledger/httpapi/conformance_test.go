package httpapi_test

import (
	"testing"

	"github.com/cairnlog/cairn/client/logtest"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

func TestLogLaw(t *testing.T) {
	s := serve(t, local.Config{MaxBatch: 100, MaxPayload: 100 << 10}, httpapi.Limits{})
	s.addStream(t, ledger.StreamConfig{Name: "other"})
	subject := logtest.Subject{Stream: ledger.DefaultStream, Other: "other", Policy: s.Policy, MaxPayload: 100 << 10, MaxBatch: 100}
	t.Run("in process", func(t *testing.T) {
		subject := subject
		subject.Writer, subject.Reader = s.Ledger.As(ledger.Caller{Name: "writer"}), s.Ledger.As(ledger.Caller{Name: "reader"})
		logtest.Run(t, subject)
	})
	t.Run("over HTTP", func(t *testing.T) {
		subject := subject
		subject.Writer, subject.Reader = s.as(t, identity.Writer), s.as(t, identity.Reader)
		logtest.Run(t, subject)
	})
}
