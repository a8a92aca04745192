package witness_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// add has a checkpoint cosigned, or fails the test.
func (b *bench) add(t testing.TB, old uint64, h history, size uint64, keys ...proofs.SigningKey) []byte {
	t.Helper()
	cosignatures, err := b.ask(t, old, h, size, keys...)
	must(t, err)
	return cosignatures
}

func (b *bench) ask(t testing.TB, old uint64, h history, size uint64, keys ...proofs.SigningKey) ([]byte, error) {
	t.Helper()
	r := witness.Request{Old: old, Checkpoint: sign(t, h.text(t, keys[0].Key().Name(), size), keys...)}
	if old <= size {
		r.Proof = h.proof(t, old, size)
	}
	return b.AddCheckpoint(t.Context(), r)
}

func wantStatus(t testing.TB, err error, status int) {
	t.Helper()
	var refused *witness.Error
	if !errors.As(err, &refused) || refused.Status != status {
		t.Errorf("error %v, want one of status %d", err, status)
	}
}

func TestTimesOfCosignatures(t *testing.T) {
	log, h := key(t, origin, proofs.Ed25519), newHistory(100, "")
	b := newBench(t, trust(log)...)
	size := uint64(0)
	for _, step := range []struct {
		name  string
		clock int64
		grow  uint64
		want  uint64
	}{
		{"before 1970 it is 1", -5, 1, 1},
		{"at 1970 it is still 1", 0, 1, 1},
		{"then it is the clock's", noon, 1, noon},
		{"the same checkpoint gets a new time", noon + 7, 0, noon + 7},
		{"the clock goes back, and the time does not", noon - 3600, 1, noon + 7},
		{"not for the same checkpoint either", noon - 3600, 0, noon + 7},
		{"the clock is right again", noon + 8, 1, noon + 8},
	} {
		b.clock.set(step.clock)
		answer := b.add(t, size, h, size+step.grow, log)
		size += step.grow
		for _, got := range checkAnswer(t, answer, h.text(t, origin, size)) {
			if got != step.want {
				t.Errorf("%s: time %d, want %d", step.name, got, step.want)
			}
		}
		b.world = b.world.Restart()
		b.open(t)
	}
}

func TestRepetitionWithinASecondIsNotWritten(t *testing.T) {
	log, quantum, h := key(t, origin, proofs.Ed25519), key(t, origin, proofs.MLDSA44), newHistory(100, "")
	b := newBench(t, trust(log, quantum)...)
	first := b.add(t, 0, h, 5, log)
	served := b.served(t, origin)
	if again := b.add(t, 5, h, 5, log); !bytes.Equal(again, first) {
		t.Error("the same checkpoint in the same second has another answer")
	}
	if b.served(t, origin) != served {
		t.Error("the same checkpoint in the same second was written again")
	}
	b.add(t, 5, h, 5, quantum)
	if b.served(t, origin) == served {
		t.Error("a signature by another key of the log is not served")
	}
	b.clock.set(noon + 1)
	if later := b.add(t, 5, h, 5, quantum); bytes.Equal(later, first) {
		t.Error("a second later the answer is the same")
	}
}

// A witness that is given another key signs with it at once.
func TestRepetitionWithOtherKeysIsSigned(t *testing.T) {
	log, h, c := key(t, origin, proofs.Ed25519), newHistory(100, ""), newClock(noon)
	registers := memory.New(nil).Registers("cosigned")
	r := witness.Request{Checkpoint: sign(t, h.text(t, origin, 5), log)}
	for i, keys := range [][]proofs.SigningKey{witnessKeys(t)[:1], witnessKeys(t)} {
		w, err := witness.New(t.Context(), witness.Config{Keys: keys, Registers: registers, Logs: trust(log), Clock: c.Now})
		must(t, err)
		answer, err := w.AddCheckpoint(t.Context(), r)
		must(t, err)
		if signatures, _ := proofs.ParseSignatures(answer); len(signatures) != i+1 {
			t.Errorf("%d signatures, want %d", len(signatures), i+1)
		}
		r.Old = 5
	}
}

func TestLogsComeAndGo(t *testing.T) {
	log, next, h := key(t, origin, proofs.Ed25519), key(t, origin, proofs.MLDSA44), newHistory(3, "")
	b := newBench(t, trust(log)...)
	b.add(t, 0, h, 5, log)

	must(t, b.SetLogs(nil))
	_, err := b.ask(t, 5, h, 6, log)
	wantStatus(t, err, 404)
	if !strings.Contains(b.served(t, origin), "\n5\n") {
		t.Error("what was cosigned is no longer served")
	}

	must(t, b.SetLogs(trust(log, next)))
	_, err = b.ask(t, 0, newHistory(3, "other"), 6, log)
	wantStatus(t, err, 409) // the log comes back, and its memory is there
	b.add(t, 5, h, 6, log, next)

	must(t, b.SetLogs(trust(next)))
	_, err = b.ask(t, 6, h, 7, log)
	wantStatus(t, err, 403)
	b.add(t, 6, h, 7, next, log)
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	log, keys := key(t, origin, proofs.Ed25519), witnessKeys(t)
	world := memory.New(nil)
	must(t, world.Registers("no record").Register(witness.OriginHash(origin)).Swap(t.Context(), nil, []byte("x")))
	stolen := newBench(t, trust(log)...)
	stolen.add(t, 0, newHistory(9, ""), 5, log)
	value, err := stolen.world.Registers("cosigned").Register(witness.OriginHash(origin)).Load(t.Context())
	must(t, err)
	must(t, world.Registers("of another log").Register(witness.OriginHash("x")).Swap(t.Context(), nil, value))
	must(t, world.Registers("time 0").Register(witness.OriginHash(origin)).Swap(t.Context(), nil,
		bytes.Replace(value, []byte("1795435200"), []byte("0"), 1)))

	for name, c := range map[string]witness.Config{
		"no key":                              {},
		"a key of a log":                      {Keys: []proofs.SigningKey{log}},
		"a key twice":                         {Keys: []proofs.SigningKey{keys[0], keys[0]}},
		"a log's key that is the witness's":   {Keys: keys, Logs: []witness.Log{{Origin: origin, Key: keys[1].Key()}}},
		"a log with the key of a witness":     {Keys: keys, Logs: []witness.Log{{Origin: origin, Key: keys[0].Key()}}},
		"a log without a key":                 {Keys: keys, Logs: []witness.Log{{Origin: origin}}},
		"a log with an origin of two lines":   {Keys: keys, Logs: []witness.Log{{Origin: "a\nb", Key: log.Key()}}},
		"a register that holds no record":     {Keys: keys, Registers: world.Registers("no record")},
		"a register with another log's":       {Keys: keys, Registers: world.Registers("of another log")},
		"a register with a cosignature at 0":  {Keys: keys, Registers: world.Registers("time 0")},
		"metrics that are registered already": {Keys: keys, Metrics: taken(t)},
	} {
		if c.Registers == nil {
			c.Registers = world.Registers("empty")
		}
		if _, err := witness.New(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Signature lines tell keys apart by 32 bits of a hash only.
func TestKeysThatCannotBeToldApartAreRefused(t *testing.T) {
	known := make(map[string]string)
	for i := range 1 << 20 {
		public := binary.BigEndian.AppendUint64(make([]byte, 25), uint64(i))[1:]
		public[0] = byte(proofs.Ed25519)
		public = append(public, 0)
		id := sha256.Sum256([]byte(origin + "\n" + string(public)))
		vkey := fmt.Sprintf("%s+%x+%s", origin, id[:4], base64.StdEncoding.EncodeToString(public))
		other, ok := known[string(id[:4])]
		known[string(id[:4])] = vkey
		if !ok {
			continue
		}
		a, err := proofs.ParseKey(vkey)
		must(t, err)
		b, err := proofs.ParseKey(other)
		must(t, err)
		both := []witness.Log{{Origin: origin, Key: a}, {Origin: origin, Key: b}}
		if err := newBench(t).SetLogs(both); err == nil {
			t.Errorf("no error for %s and %s", a, b)
		}
		must(t, newBench(t).SetLogs([]witness.Log{both[0], both[0]}))
		return
	}
	t.Fatal("no two keys have the same ID")
}

// What the HTTP interface bounds is bounded for callers in this process too.
func TestRequestsInProcessAreBounded(t *testing.T) {
	log, h := key(t, origin, proofs.Ed25519), newHistory(9, "")
	b := newBench(t, trust(log)...)
	note := sign(t, h.text(t, origin, 5), log)
	for name, r := range map[string]witness.Request{
		"64 hashes":              {Proof: make([]proofs.Hash, 64), Checkpoint: note},
		"more than 256 KiB":      {Checkpoint: sign(t, h.text(t, origin, 5, strings.Repeat("x", witness.MaxRequest)), log)},
		"no checkpoint":          {},
		"an old size above 2^63": {Old: 1 << 63, Checkpoint: note},
	} {
		t.Log(name)
		_, err := b.AddCheckpoint(t.Context(), r)
		wantStatus(t, err, 400)
	}
}

// taken is a registry that a witness uses already.
func taken(t *testing.T) prometheus.Registerer {
	t.Helper()
	r := prometheus.NewRegistry()
	_, err := witness.New(t.Context(), witness.Config{Keys: witnessKeys(t), Registers: memory.New(nil).Registers("x"), Metrics: r})
	must(t, err)
	return r
}

// Other people's software takes an answer as C2SP tlog-witness says it may: it
// appends it to the checkpoint and verifies the note.
func TestOthersVerifyTheAnswer(t *testing.T) {
	log, h := key(t, origin, proofs.Ed25519), newHistory(100, "")
	b := newBench(t, trust(log)...)
	signed := append(sign(t, h.text(t, origin, 5), log), b.add(t, 0, h, 5, log)...)

	keys := b.Keys()
	ed25519, err := fnote.NewVerifierForCosignatureV1(keys[0].String())
	must(t, err)
	mldsa, err := fnote.NewMLDSAVerifier(keys[1].String())
	must(t, err)
	logs, err := note.NewVerifier(log.Key().String())
	must(t, err)
	n, err := note.Open(signed, note.VerifierList(logs, ed25519, mldsa))
	must(t, err)
	if len(n.Sigs) != 3 || len(n.UnverifiedSigs) != 0 {
		t.Errorf("%d signatures verify and %d do not, want 3 and 0", len(n.Sigs), len(n.UnverifiedSigs))
	}
	for _, s := range n.Sigs[1:2] {
		if time, err := fnote.CoSigV1Timestamp(s); err != nil || time.Unix() != noon {
			t.Errorf("time %v, %v, want %v", time, err, b.clock.Now())
		}
	}
}

func TestMetrics(t *testing.T) {
	log, other := key(t, origin, proofs.Ed25519), key(t, "log.example/b", proofs.Ed25519)
	h, registry := newHistory(3, ""), prometheus.NewRegistry()
	w, err := witness.New(t.Context(), witness.Config{Keys: witnessKeys(t), Registers: memory.New(nil).Registers("x"),
		Logs: trust(log, other), Clock: newClock(noon).Now, Metrics: registry})
	must(t, err)
	b := &bench{Witness: w}
	b.add(t, 0, h, 5, log)
	_, err = b.ask(t, 0, h, 6, log)
	wantStatus(t, err, 409)
	_, err = b.ask(t, 5, newHistory(3, "other"), 5, log)
	wantStatus(t, err, 422)
	_, err = b.AddCheckpoint(t.Context(), witness.Request{ // malformed, and evidence of nothing
		Checkpoint: sign(t, "log.example/b\n0\n"+proofs.LeafHash(nil).String()+"\n", other)})
	wantStatus(t, err, 422)
	families, err := registry.Gather()
	must(t, err)
	got := make(map[string]string)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()+labels(m)] = fmt.Sprint(m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()))
		}
	}
	want := map[string]string{
		"cairn_witness_logs":                        "2",
		"cairn_witness_signing_paused":              "0",
		"cairn_witness_forks_total":                 "1",
		"cairn_witness_cosign_seconds":              "1",
		`cairn_witness_requests_total status="200"`: "1",
		`cairn_witness_requests_total status="409"`: "1",
		`cairn_witness_requests_total status="422"`: "2",
	}
	if !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}

func labels(m *dto.Metric) (s string) {
	for _, l := range m.GetLabel() {
		s += fmt.Sprintf(" %s=%q", l.GetName(), l.GetValue())
	}
	return s
}
