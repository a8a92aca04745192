package peers

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// A servedWitness is our witness with keys of both types, served.
type servedWitness struct {
	*witness.Witness
	URL            string
	Ed25519, MLDSA proofs.Key
	statuses       chan int // of its answers; those that nobody waits for are lost
}

func serveWitness(t *testing.T) servedWitness {
	t.Helper()
	ed, err := proofs.GenerateKey("witness.localhost/ed25519", proofs.Ed25519Cosignature, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ml, err := proofs.GenerateKey("witness.localhost/mldsa", proofs.MLDSA44, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.New(t.Context(), witness.Config{
		Keys:      []proofs.SigningKey{ml, ed},
		Registers: memory.New(nil).Registers("witness"),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := servedWitness{Witness: w, Ed25519: ed.Key(), MLDSA: ml.Key(), statuses: make(chan int, 1000)}
	handler := w.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		recorded := &statusRecorder{ResponseWriter: rw, status: http.StatusOK}
		handler.ServeHTTP(recorded, req)
		select {
		case s.statuses <- recorded.status:
		default:
		}
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// answered waits until the witness has answered with a status.
func (w servedWitness) answered(t *testing.T, status int) bool {
	t.Helper()
	for {
		select {
		case got := <-w.statuses:
			if got == status {
				return true
			}
		case <-time.After(time.Minute):
			return false
		}
	}
}

// trust has the witness cosign for the log with the keys.
func (w servedWitness) trust(t *testing.T, keys ...proofs.Key) {
	t.Helper()
	var logs []witness.Log
	for _, k := range keys {
		logs = append(logs, witness.Log{Origin: k.Name(), Key: k, QPD: 1000, Contact: "peers"})
	}
	if err := w.SetLogs(logs); err != nil {
		t.Fatal(err)
	}
}

// policyFor demands a log's signature and the witness's Ed25519 cosignature.
func (w servedWitness) policyFor(log proofs.Key) []byte { return policyOf(log, w) }

// policyOf demands a log's signature and the Ed25519 cosignatures of all the
// witnesses, whose URLs it gives.
func policyOf(log proofs.Key, witnesses ...servedWitness) []byte {
	p := &proofs.Policy{Logs: []proofs.PolicyLog{{Key: log}}, Quorum: "all-of-them"}
	group := proofs.PolicyGroup{Name: p.Quorum, Threshold: len(witnesses)}
	for i, w := range witnesses {
		name := string(rune('a' + i))
		p.Witnesses = append(p.Witnesses, proofs.PolicyWitness{Name: name, Key: w.Ed25519, URL: w.URL})
		group.Members = append(group.Members, name)
	}
	p.Groups = []proofs.PolicyGroup{group}
	return proofs.FormatPolicy(p)
}
