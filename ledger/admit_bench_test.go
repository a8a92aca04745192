package ledger

import (
	"context"
	"testing"

	"github.com/cairnlog/cairn/client"
)

// BenchmarkAdmit admits one event of about 256 bytes on one core: all that is
// done before the sequencer.
//
//	go test -run '^$' -bench Admit -cpu 1 ./ledger
func BenchmarkAdmit(b *testing.B) {
	fields := []FieldConfig{
		{Name: "who", Path: "$.actor", Subject: true}, {Name: "approver", Path: "$.approver", Subject: true},
		{Name: "action", Path: "$.action"}, {Name: "mail", Path: "$.mail"},
	}
	about := append([]FieldConfig(nil), fields...)
	about[3].About = "who"
	for _, c := range []struct {
		name   string
		stream StreamConfig
	}{
		{"no fields", StreamConfig{Name: "plain"}},
		{"4 fields", StreamConfig{Name: "fields", Fields: fields}},
		{"4 fields, one about another", StreamConfig{Name: "about", Fields: about}},
		{"in parts", StreamConfig{Name: "split", Split: true, Fields: about}},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := newWorld(b).started()
			if _, err := operator(l).AddStream(context.Background(), c.stream); err != nil {
				b.Fatal(err)
			}
			settings, _ := l.state.streamNamed(c.stream.Name)
			e := client.Event{
				Data: []byte(`{"actor":"alice","approver":"bob","mail":"alice@example.com","action":"transfer","amount":12,"note":"` +
					`0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"}`),
				IdempotencyKey: "key-1",
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.admit(context.Background(), "alice", settings, &e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
