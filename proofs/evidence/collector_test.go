package evidence_test

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// collect returns a collector that has read a ledger.
func collect(t *testing.T, l *ledger) *evidence.Collector {
	t.Helper()
	c := evidence.NewCollector()
	for i, e := range l.entries {
		if err := c.Take(uint64(i), must(proofs.ParseLeaf(e.leaf))); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// With what a collector finds, whatever is explained at all is explained.
func TestTheCollectorFindsEveryReason(t *testing.T) {
	for _, tt := range tellings() {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory()
			tt.tell(s)
			control(s.ledger, proofs.Hold, proofs.HoldBody{Stream: 9}, proofs.FormatHold) // of something else
			s.publish()
			c := collect(t, s.ledger)
			leaf := must(proofs.ParseLeaf(s.entries[s.event].leaf))
			because := c.Because(s.event, leaf)
			context, checkpoints := c.Behind(because)
			context = append(context, c.Context(s.event, leaf)...)
			slices.Sort(context)
			report, entries, err := judge(s.ledger, s.bytes(s.file(slices.Compact(context), s.gone(s.event, because...))))
			if err != nil || report.OK() != tt.ok {
				t.Fatalf("because of %d: got %+v and error %v, want it explained: %v", because, report, err, tt.ok)
			}
			for _, closing := range entries[0].Closings {
				if closing.What == "expiry" && (len(checkpoints) != 2 || checkpoints[0] != s.expired.Closed || checkpoints[1] != s.expired.Now) {
					t.Errorf("got the checkpoints %v of the expiry", checkpoints)
				}
			}
		})
	}
}

func TestTheCollectorFindsWhatTagsTake(t *testing.T) {
	l := sample()
	later := l.stream(1, stream{name: "payments", fields: []proofs.Field{{Number: 3, Name: "amount", Path: "$.amount"}}})
	more := l.open(1, 1) // another field key
	event := l.event(1, 1, `{"amount":12}`)
	c := collect(t, l)
	for index, want := range map[uint64][]uint64{
		sampleEvent: {samplePay, sampleBucket1},
		sampleParts: {sampleSplit, sampleBucket2},
		event:       {sampleBucket1, later, more},
		samplePay:   nil,
	} {
		leaf := must(proofs.ParseLeaf(l.entries[index].leaf))
		if got := c.Context(index, leaf); !slices.Equal(got, want) {
			t.Errorf("entry %d: got %d, want %d", index, got, want)
		}
		if got := c.Because(index, leaf); got != nil {
			t.Errorf("entry %d: got the reasons %d, want none", index, got)
		}
	}
	if got := c.Streams(); !slices.Equal(got, []uint32{1, 2}) {
		t.Errorf("got streams %d", got)
	}
	if _, ok := c.Settings(1, samplePay); ok {
		t.Error("a stream is set before it is")
	}
	l.publish()
	report, _, err := judge(l, l.bytes(l.file(c.Context(event, must(proofs.ParseLeaf(l.entries[event].leaf))), l.entry(event))))
	if err != nil || !report.OK() || report.Tagged != 1 {
		t.Errorf("got %+v and error %v, want the tags computed again", report, err)
	}
}

func TestTheCollectorPassesOverWhatItCannotRead(t *testing.T) {
	c := evidence.NewCollector()
	if err := c.Take(1, proofs.Leaf{Kind: proofs.Settings, Control: []byte{9}}); err == nil {
		t.Error("a settings entry that says nothing is taken")
	}
	if err := c.Take(2, proofs.Leaf{Kind: proofs.Access}); err != nil {
		t.Error(err)
	}
	if got := c.Streams(); len(got) > 0 {
		t.Errorf("got streams %d", got)
	}
}
