package evidence_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// A story is a ledger in which something was closed.
type story struct {
	*ledger
	event   uint64
	named   []uint64 // what says why, in the order of the log
	expired proofs.ExpiredBody
	other   []uint64 // other entries that the file has
}

// newStory returns a ledger with one event, published.
func newStory() *story {
	l := newLedger()
	s := &story{ledger: l}
	s.other = append(s.other, l.class(1, 30), l.stream(1, stream{name: "s"}), l.open(1, 1))
	s.event = l.event(1, 1, `{"a":1}`)
	l.publish()
	return s
}

// later lets a time go by, and publishes.
func (s *story) later(seconds uint64) {
	s.now += seconds
	control(s.ledger, proofs.Administration, proofs.AdministrationBody{}, proofs.FormatAdministration)
	s.publish()
}

func (s *story) name(index uint64) uint64 {
	s.named = append(s.named, index)
	return index
}

func (s *story) hold(h proofs.HoldBody) uint64 {
	return s.name(control(s.ledger, proofs.Hold, h, proofs.FormatHold))
}

func (s *story) release(hold uint64) uint64 {
	return s.name(control(s.ledger, proofs.Release, proofs.ReleaseBody{Released: &proofs.ReleasedBody{Hold: hold}}, proofs.FormatRelease))
}

// expire announces that the bucket is closed, by the first checkpoint and the
// last one.
func (s *story) expire() uint64 {
	s.expired = proofs.ExpiredBody{
		Bucket: 1, First: s.event, Last: s.event, Count: 1, Settings: s.other[0],
		Closed: s.checkpoints[0].ref(), Now: s.checkpoints[len(s.checkpoints)-1].ref(),
	}
	return s.name(control(s.ledger, proofs.Expiry, proofs.ExpiryBody{Expired: &s.expired}, proofs.FormatExpiry))
}

func (s *story) erase(x proofs.ErasedBody) uint64 {
	return s.name(control(s.ledger, proofs.Erasure, proofs.ErasureBody{Erased: &x}, proofs.FormatErasure))
}

// done says that keys are destroyed.
func (s *story) done(kind proofs.Kind, announced uint64) uint64 {
	body := &proofs.KeysDestroyed{Announced: announced, Epoch: 2}
	var index uint64
	switch kind {
	case proofs.Expiry:
		index = control(s.ledger, kind, proofs.ExpiryBody{Done: body}, proofs.FormatExpiry)
	case proofs.Erasure:
		index = control(s.ledger, kind, proofs.ErasureBody{Done: body}, proofs.FormatErasure)
	case proofs.Release:
		index = control(s.ledger, kind, proofs.ReleaseBody{Done: body}, proofs.FormatRelease)
	}
	s.other = append(s.other, index)
	return index
}

func (s *story) administration(body proofs.AdministrationBody) uint64 {
	index := control(s.ledger, proofs.Administration, body, proofs.FormatAdministration)
	s.other = append(s.other, index)
	return index
}

func (s *story) run() []proofs.Run { return []proofs.Run{{First: s.event, Last: s.event}} }

// context returns the indices of all context of the story.
func (s *story) context() []uint64 {
	list := append(slices.Clone(s.other), s.named...)
	slices.Sort(list)
	return list
}

// tell writes the file and judges it.
func (s *story) tell(t *testing.T) (*evidence.Report, evidence.EntryReport) {
	t.Helper()
	s.publish()
	report, entries, err := judge(s.ledger, s.bytes(s.file(s.context(), s.gone(s.event, s.named...))))
	if err != nil {
		t.Fatal(err)
	}
	return report, entries[0]
}

// A telling is a story of which an event is gone.
type telling struct {
	name string
	tell func(*story)
	want string // what is said of the first closing, or what is wrong
	ok   bool
}

func tellings() []telling {
	erased := func(s *story) proofs.ErasedBody {
		return proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: s.run()}
	}
	return []telling{
		{"a bucket that expired at its age", func(s *story) {
			s.later(30 * day)
			s.done(proofs.Expiry, s.expire())
		}, "entry 6 announced that its bucket expired, after the 30 days of its class (entry 1), by cosigned checkpoints; by entry 7 the keys are destroyed", true},
		{"a bucket that expired, and the keys are not destroyed yet", func(s *story) {
			s.later(31 * day)
			s.expire()
		}, "entry 6 announced that its bucket expired, after the 30 days of its class (entry 1), by cosigned checkpoints; that the keys are destroyed is not recorded yet", true},
		{"a bucket that expired a second too early", func(s *story) {
			s.later(30*day - 1)
			s.expire()
		}, "entry 6 expires bucket 1 before its 30 days are over", false},
		{"a bucket whose checkpoints are not in the file", func(s *story) {
			s.later(30 * day)
			s.expire()
			s.checkpoints = s.checkpoints[1:]
		}, "after the 30 days of its class (entry 1); that they were over is not shown", true},
		{"an erasure", func(s *story) { s.done(proofs.Erasure, s.erase(erased(s))) },
			"entry 5 announced the erasure of what concerns one person; by entry 6 the keys are destroyed", true},
		{"an erasure of another stream", func(s *story) {
			x := erased(s)
			x.Stream = 2
			s.erase(x)
		}, "entry 5 says nothing about it", false},
		{"an erasure of other entries", func(s *story) {
			x := erased(s)
			x.Closes = []proofs.Run{{First: s.event - 1, Last: s.event - 1}}
			s.erase(x)
		}, "the erasure of entry 5 does not name it", false},
		{"an erasure in two entries, of which the first names it", func(s *story) {
			x := erased(s)
			x.Parts = 2
			s.erase(x)
			x.Part, x.Closes = 2, nil
			s.done(proofs.Erasure, s.erase(x))
		}, "entry 5 announced the erasure of what concerns one person; by entry 7 the keys are destroyed", true},
		{"an erasure in two entries, of which the second never came", func(s *story) {
			x := erased(s)
			x.Parts = 2
			s.erase(x)
		}, "the erasure of entry 5 was not announced to its end", false},
		{"an erasure that two custodians wanted", func(s *story) {
			request := s.administration(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Erasure, By: 1}})
			s.administration(proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: request, By: 2}})
			x := erased(s)
			x.Request = request
			s.erase(x)
		}, "asked for in entry 5 and approved by another in entry 6", true},
		{"an erasure that the one who asked for it approved", func(s *story) {
			request := s.administration(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Erasure, By: 1}})
			s.administration(proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: request, By: 1}})
			x := erased(s)
			x.Request = request
			s.erase(x)
		}, "asked for in entry 5; that another approved is not shown", true},
		{"an erasure whose approval was withdrawn", func(s *story) {
			request := s.administration(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Erasure, By: 1}})
			s.administration(proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: request, By: 2}})
			s.administration(proofs.AdministrationBody{Withdrawal: &proofs.AnswerBody{Request: request, By: 2}})
			x := erased(s)
			x.Request = request
			s.erase(x)
		}, "asked for in entry 5; that another approved is not shown", true},
		{"an erasure whose request was withdrawn", func(s *story) {
			request := s.administration(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: proofs.Erasure, By: 1}})
			s.administration(proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: request, By: 2}})
			s.administration(proofs.AdministrationBody{Withdrawal: &proofs.AnswerBody{Request: request, By: 1}})
			x := erased(s)
			x.Request = request
			s.erase(x)
		}, "asked for in entry 5; that another approved is not shown", true},
		{"a hold that keeps it", func(s *story) {
			s.hold(proofs.HoldBody{Holds: s.run()})
			s.erase(erased(s))
		}, "it is gone, although it is held by entry 5", false},
		{"a hold of its stream that keeps it", func(s *story) {
			s.hold(proofs.HoldBody{Stream: 1})
			s.erase(erased(s))
		}, "it is gone, although it is held by entry 5", false},
		{"a hold that came too late", func(s *story) {
			s.erase(erased(s))
			s.hold(proofs.HoldBody{Holds: s.run()})
		}, "entry 5 announced the erasure of what concerns one person; that the keys are destroyed is not recorded yet", true},
		{"a hold that was released later", func(s *story) {
			hold := s.hold(proofs.HoldBody{Holds: s.run()})
			s.erase(erased(s))
			s.done(proofs.Release, s.release(hold))
		}, "; held by entry 5 until entry 7 released the last; by entry 8 the keys are destroyed", true},
		{"a hold that was released before", func(s *story) {
			s.release(s.hold(proofs.HoldBody{Holds: s.run()}))
			s.done(proofs.Erasure, s.erase(erased(s)))
		}, "entry 7 announced the erasure of what concerns one person; by entry 8 the keys are destroyed", true},
		{"two holds, of which one was released", func(s *story) {
			hold := s.hold(proofs.HoldBody{Holds: s.run()})
			s.hold(proofs.HoldBody{Stream: 1})
			s.erase(erased(s))
			s.release(hold)
		}, "it is gone, although it is held by entry 5, entry 6", false},
		{"two holds, of which both were released", func(s *story) {
			a, b := s.hold(proofs.HoldBody{Holds: s.run()}), s.hold(proofs.HoldBody{Stream: 1})
			s.erase(erased(s))
			s.release(a)
			s.release(b)
		}, "; held by entry 5, entry 6 until entry 9 released the last", true},
		{"a hold that covers it by a later entry", func(s *story) {
			hold := control(s.ledger, proofs.Hold, proofs.HoldBody{Holds: []proofs.Run{{First: 1, Last: 1}}}, proofs.FormatHold)
			s.hold(proofs.HoldBody{Hold: hold, Holds: s.run()})
			s.erase(erased(s))
		}, "it is gone, although it is held by entry 5", false},
		{"a hold of something else", func(s *story) { s.hold(proofs.HoldBody{Stream: 2}) }, "the hold of entry 5 does not cover it", false},
		{"the release of a hold that the file does not name", func(s *story) {
			s.release(control(s.ledger, proofs.Hold, proofs.HoldBody{Holds: s.run()}, proofs.FormatHold))
		}, "entry 6 says nothing about it", false},
		{"a hold alone", func(s *story) { s.hold(proofs.HoldBody{Holds: s.run()}) }, "it is gone, and no published entry says why", false},
	}
}

func TestWhatIsGoneIsExplained(t *testing.T) {
	for _, tt := range tellings() {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory()
			tt.tell(s)
			report, e := s.tell(t)
			said := strings.Join(e.Wrong, "; ")
			if tt.ok {
				said = e.Closings[0].String()
			}
			if report.OK() != tt.ok || !strings.Contains(said, tt.want) {
				t.Errorf("got %v, %q; want %v, %q", report.Findings, said, tt.ok, tt.want)
			}
			if tt.ok != (report.Gone == 1) {
				t.Errorf("%d entries are gone for a published reason", report.Gone)
			}
		})
	}
}

// An expiry by another class, or of a class that keeps for ever, is none.
func TestAnExpiryByOtherSettingsIsFound(t *testing.T) {
	s := newStory()
	s.later(30 * day)
	s.other = append(s.other, s.class(2, 1), s.class(1, 0))
	for _, settings := range s.other[len(s.other)-2:] {
		s.named = nil
		body := proofs.ExpiredBody{
			Bucket: 1, First: s.event, Last: s.event, Count: 1, Settings: settings, Closed: s.checkpoints[0].ref(), Now: s.checkpoints[1].ref(),
		}
		s.name(control(s.ledger, proofs.Expiry, proofs.ExpiryBody{Expired: &body}, proofs.FormatExpiry))
		if report, e := s.tell(t); report.OK() || !strings.Contains(e.Wrong[0], "names settings by which bucket 1 does not expire") {
			t.Errorf("settings of entry %d: got %v", settings, e.Wrong)
		}
	}
}

// What is kept by a hold is there, and the file says by which.
func TestWhatIsHeldIsThereAndSaysSo(t *testing.T) {
	s := newStory()
	hold := s.hold(proofs.HoldBody{Holds: s.run()})
	s.later(30 * day)
	s.expire()
	s.publish()
	e := s.entry(s.event)
	e.Because = s.named
	report, entries, err := judge(s.ledger, s.bytes(s.file(s.context(), e)))
	if err != nil || !report.OK() || report.Whole != 1 {
		t.Fatalf("got %+v and error %v", report, err)
	}
	c := entries[0].Closings[0]
	if c.Effective != 0 || !slices.Equal(c.Holds, []uint64{hold}) || !strings.HasSuffix(c.String(), "; held by entry 5; so it is kept") {
		t.Errorf("got %+v: %v", c, c)
	}
}

// A part that concerned somebody who was erased is gone, and the rest is there.
func TestAnErasedPartIsExplained(t *testing.T) {
	l := sample()
	x := proofs.ErasedBody{Stream: 2, Part: 1, Parts: 1, Closes: []proofs.Run{{First: sampleParts, Last: sampleParts}}}
	erasure := control(l, proofs.Erasure, proofs.ErasureBody{Erased: &x}, proofs.FormatErasure)
	l.publish()
	e := l.entry(sampleParts)
	show(&e)
	part, tags := &e.Disclosure.Parts[1], &e.Disclosure.Tags[0]
	*part = proofs.DisclosedPart{SealedHash: part.SealedHash, Binding: part.Binding}
	seed := proofs.Key256(tags.Seed)
	key := fieldKey(2, 1)
	commitments := proofs.AppendTagCommitments(nil, &seed, []proofs.Tag{proofs.MakeTag(1, &key, []byte("alice"))})
	*tags = proofs.DisclosedTags{SealedHash: tags.SealedHash, Commitments: commitments}
	e.Missing, e.Because = evidence.Gone, []uint64{erasure}
	report, entries, err := judge(l, l.bytes(l.file([]uint64{sampleSplit, sampleBucket2, erasure}, e)))
	if err != nil || !report.OK() || report.Partly != 1 || report.Gone != 1 || report.Tagged != 0 {
		t.Fatalf("got %+v and error %v", report, err)
	}
	if got, want := string(entries[0].Part.Data), `{"from":null,"to":"bob","seconds":61}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for i, want := range []string{
		"Of 1 payload, what is shown is what was recorded; the rest is not shown.",
		"1 entry lacks something for a reason that the ledger published.",
	} {
		if !slices.Contains(report.Proven(), want) {
			t.Errorf("%d: %q is not said:\n%s", i, want, strings.Join(report.Proven(), "\n"))
		}
	}
}
