package evidence_test

import (
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// An event whose parts are not those that its stream demands is found, although
// each part is what was recorded: an erasure would not close what it should.
func TestAnEventInOtherPartsIsFound(t *testing.T) {
	whole := proofs.Part{MediaType: "application/json", Data: []byte(`{"from":"alice","to":"bob"}`)}
	about := whole
	about.Subjects = []string{"alice", "bob"}
	partly := whole
	partly.Subjects = []string{"alice"}
	fields := []proofs.Field{{Number: 1, Name: "from", Path: "$.from", Subject: true}, {Number: 2, Name: "to", Path: "$.to", Subject: true}}
	x := must(proofs.NewExtractor(fields))
	for _, tt := range []struct {
		name  string
		split bool
		parts []proofs.Part
		want  string // empty: it verifies
	}{
		{"a whole event about all whom it names", false, []proofs.Part{about}, ""},
		{"an event in its parts", true, must(x.Split(whole)), ""},
		{"a whole event that is not about somebody whom it names", false, []proofs.Part{partly}, "names somebody whom the event is not about"},
		{"a whole event that must be in parts", true, []proofs.Part{whole}, "the event is in 1 parts"},
		{"an event in parts that must be whole", false, must(x.Split(whole)), "and must be in one"},
	} {
		l := newLedger()
		context := []uint64{l.stream(1, stream{name: "calls", split: tt.split, fields: fields}), l.open(1, 1)}
		var keys []evidence.FieldKey
		for _, f := range fields {
			key := fieldKey(1, f.Number)
			keys = append(keys, evidence.FieldKey{Field: f.Number, Key: key[:]})
		}
		index := l.sealed(proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 1}, tt.parts, must(x.Concerns(must(x.Extract(whole.Data)))), keys)
		l.publish()
		report, entries, err := judge(l, l.bytes(l.file(context, l.entry(index))))
		if err != nil {
			t.Fatal(err)
		}
		if report.OK() != (tt.want == "") || entries[0].Tagged != report.OK() || !strings.Contains(strings.Join(entries[0].Wrong, ""), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, report.Findings, tt.want)
		}
	}
}
