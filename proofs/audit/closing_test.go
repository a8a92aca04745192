package audit_test

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A history is honest: two buckets of a day with five events each, published,
// and the day after tomorrow. What is asked of it follows.
type aHistory struct {
	*writer
	one, two uint32 // buckets of streams 1 and 2, of the short class
	long     uint32 // of stream 1
	events   []uint64
}

func newHistory(t *testing.T) *aHistory {
	w := newWriter(t)
	h := &aHistory{writer: w, one: w.events(5, 1, shortClass), two: w.events(5, 2, shortClass), long: w.events(5, 1, longClass)}
	w.access()
	w.publish()
	h.events = w.in(h.one)
	w.pass(2 * day)
	w.event(1, longClass)
	w.publish()
	return h
}

// runs returns entries as a list of runs.
func runs(entries ...uint64) (list []proofs.Run) {
	for _, i := range entries {
		if n := len(list); n > 0 && list[n-1].Last+1 == i {
			list[n-1].Last = i
		} else {
			list = append(list, proofs.Run{First: i, Last: i})
		}
	}
	return list
}

// twoCustodians makes the ledger one of two custodians.
func (h *aHistory) twoCustodians(grace uint32) { h.custodians(2, grace, 0) }

// fresh appends five events to a bucket of today.
func (h *aHistory) fresh(stream uint32, class uint16) uint32 {
	return h.writer.events(5, stream, class)
}

// refOf returns the name of a signed checkpoint.
func refOf(size uint64, signed []byte) proofs.CheckpointRef {
	return proofs.CheckpointRef{Size: size, Note: sha256.Sum256(signed)}
}

// approved returns a request that another custodian has approved.
func (h *aHistory) approved(kind proofs.Kind) uint64 {
	r := h.request(kind, 71)
	h.approve(r, 72)
	return r
}

// What an honest ledger does is no finding, at whatever step it is.
func TestWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(h *aHistory)
		want audit.Retained
	}{
		{"nothing is closed", func(h *aHistory) {}, audit.Retained{}},
		{"a bucket is about to expire", func(h *aHistory) {
			h.expire(h.one)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, OpenClosings: 1}},
		{"records are gone and the expiry is not done", func(h *aHistory) {
			h.expire(h.one)
			h.drop(h.events[:3]...)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, OpenClosings: 1, GoneUnderWay: 3}},
		{"a bucket expired", func(h *aHistory) {
			a := h.expire(h.one)
			h.drop(h.events...)
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, GoneExpired: 5}},
		{"two buckets expired by one replacement of the keys", func(h *aHistory) {
			a, b := h.expire(h.one), h.expire(h.two)
			h.drop(h.events...)
			h.drop(h.in(h.two)...)
			h.done(a)
			h.done(b, func(k *proofs.KeysDestroyed) { k.Epoch-- })
		}, audit.Retained{PayloadsExpired: 10, BucketsExpired: 2, GoneExpired: 10}},
		{"a bucket of a class that was shortened since", func(h *aHistory) {
			h.class(longClass, 1, proofs.Day, 0)
			a := h.expire(h.long)
			h.drop(h.in(h.long)...)
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, GoneExpired: 5}},
		{"parts of entries were erased", func(h *aHistory) {
			a := h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events[1], h.events[2], h.events[4])})
			h.scrub(h.events[1], h.events[2], h.events[4])
			h.done(a)
		}, audit.Retained{PayloadsErased: 3, Erasures: 1, GoneErased: 3}},
		{"an erasure in several entries, begun twice", func(h *aHistory) {
			h.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 9, Closes: runs(h.events...)})
			h.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2, Closes: runs(h.events[0])})
			h.access()
			a := h.erase(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2, Closes: runs(h.events[1])})
			h.scrub(h.events[0])
			h.publish()
			h.scrub(h.events[1])
			h.done(a)
		}, audit.Retained{PayloadsErased: 2, Erasures: 1, GoneErased: 2}},
		{"the record of an act names the subject too", func(h *aHistory) {
			act := h.access()
			a := h.erase(proofs.ErasedBody{Stream: 2, Closes: runs(act)})
			h.scrub(act)
			h.done(a)
		}, audit.Retained{PayloadsErased: 1, Erasures: 1, GoneErased: 1}},
		{"an erasure of nobody", func(h *aHistory) {
			h.done(h.erase(proofs.ErasedBody{Stream: 1}))
		}, audit.Retained{Erasures: 1}},
		{"parts are gone and the erasure is not done", func(h *aHistory) {
			h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events...)})
			h.scrub(h.events[0])
		}, audit.Retained{PayloadsErased: 5, Erasures: 1, OpenClosings: 1, GoneUnderWay: 1}},
		{"what is erased expires", func(h *aHistory) {
			a := h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events[0])})
			h.scrub(h.events[0])
			h.done(a)
			h.publish()
			a = h.expire(h.one)
			h.drop(h.events...)
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, PayloadsErased: 1, Erasures: 1, GoneExpired: 5}},
		{"three entries are held when their bucket expires", func(h *aHistory) {
			h.hold(0, 0, runs(h.events[1:4]...)...)
			a := h.expire(h.one)
			h.drop(h.events[0], h.events[4])
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, Holds: 1, PayloadsHeld: 3, GoneExpired: 2, KeptByHolds: 3}},
		{"and gone when the hold is released", func(h *aHistory) {
			x := h.hold(0, 0, runs(h.events[1:4]...)...)
			a := h.expire(h.one)
			h.drop(h.events[0], h.events[4])
			h.done(a)
			h.publish()
			a = h.release(x, 0)
			h.drop(h.events...)
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, GoneExpired: 5}},
		{"but for what another hold covers, which was made in between", func(h *aHistory) {
			x := h.hold(0, 0, runs(h.events[1:4]...)...)
			a := h.expire(h.one)
			h.drop(h.events[0], h.events[4])
			h.done(a)
			y := h.hold(0, 2)
			h.hold(y, 0, runs(h.events[3:]...)...)
			a = h.release(x, 0)
			h.drop(h.events[:3]...)
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, Holds: 1, StreamsHeld: 1, PayloadsHeld: 7, GoneExpired: 4, KeptByHolds: 1}},
		{"a hold comes too late", func(h *aHistory) {
			a := h.expire(h.one)
			h.hold(0, 1)
			h.drop(h.events...)
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, Holds: 1, StreamsHeld: 1, PayloadsHeld: 11, GoneExpired: 5}},
		{"a stream is held from being erased", func(h *aHistory) {
			h.hold(0, 1)
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events...)}))
		}, audit.Retained{PayloadsErased: 5, Erasures: 1, Holds: 1, StreamsHeld: 1, PayloadsHeld: 11, KeptByHolds: 5}},
		{"what could not be read is erased, or is not", func(h *aHistory) {
			a := h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events[0]), Unread: runs(h.events[1:4]...)})
			h.scrub(h.events[0], h.events[2])
			h.done(a)
		}, audit.Retained{PayloadsUnread: 3, PayloadsErased: 1, Erasures: 1, GoneErased: 2}},
		{"nothing could be read, and some of it is held", func(h *aHistory) {
			h.hold(0, 0, runs(h.events[0])...)
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Unread: runs(h.events...)}))
		}, audit.Retained{PayloadsUnread: 5, Erasures: 1, Holds: 1, PayloadsHeld: 1, KeptByHolds: 1}},
		{"a release of nothing changes no key", func(h *aHistory) {
			h.done(h.release(h.hold(0, 3), 0))
			h.done(h.release(h.hold(0, 3), 0), func(k *proofs.KeysDestroyed) { k.Epoch-- })
		}, audit.Retained{}},
		{"a release is under way", func(h *aHistory) {
			x := h.hold(0, 1)
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events...)}))
			h.release(x, 0)
			h.scrub(h.events[0])
		}, audit.Retained{PayloadsErased: 5, Erasures: 1, OpenClosings: 1, GoneUnderWay: 1}},
		{"two custodians want it", func(h *aHistory) {
			h.twoCustodians(60)
			x := h.hold(0, 1)
			erasure, release, class, ledger, stream := h.approved(proofs.Erasure), h.approved(proofs.Release), h.approved(proofs.Settings), h.approved(proofs.Settings), h.approved(proofs.Settings)
			h.stream(proofs.StreamBody{Stream: 1, Class: longClass, Reason: true}, 0)
			h.request(proofs.Erasure, 71)
			h.pass(60)
			h.stream(proofs.StreamBody{Stream: 1, Class: shortClass}, stream)
			h.done(h.release(x, release))
			h.class(eternalClass, 365, proofs.Month, class)
			h.erase(proofs.ErasedBody{Stream: 1, Request: erasure, Part: 1, Parts: 2})
			a := h.erase(proofs.ErasedBody{Stream: 1, Request: erasure, Part: 2, Parts: 2, Closes: runs(h.events...)})
			h.scrub(h.events...)
			h.done(a)
			h.custodians(2, 59, ledger)
		}, audit.Retained{PayloadsErased: 5, Erasures: 1, GoneErased: 5, PendingRequests: 1}},
		{"of two custodians nobody needs to lengthen, to hold or to expire", func(h *aHistory) {
			h.twoCustodians(60)
			h.class(shortClass, 2, proofs.Day, 0)
			h.class(shortClass, 0, proofs.Day, 0)
			h.class(4, 1, proofs.Day, 0)
			h.stream(proofs.StreamBody{Stream: 1, Class: 4}, 0)
			h.stream(proofs.StreamBody{Stream: 1, Class: longClass, Reason: true, Split: true, Fields: []proofs.FieldBody{{Number: 7, Subject: true}}}, 0)
			h.custodians(2, 61, 0)
			h.class(longClass, 30, proofs.Day, 0)
			h.publish()
			h.pass(40 * day)
			h.event(1, eternalClass)
			h.publish()
			a := h.expire(h.long)
			h.drop(h.in(h.long)...)
			h.done(a)
		}, audit.Retained{PayloadsExpired: 5, BucketsExpired: 1, GoneExpired: 5}},
		{"an approval is withdrawn and given again", func(h *aHistory) {
			h.twoCustodians(0)
			r := h.approved(proofs.Settings)
			h.withdraw(r, 73) // who had nothing to do with it
			h.withdraw(r, 72)
			h.approve(r, 73)
			h.custodians(1, 0, r)
			h.withdraw(h.request(proofs.Release, 71), 71)
		}, audit.Retained{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t)
			tt.do(h)
			h.publish()
			r := h.audit(h.files, nil)
			demand(t, r)
			for i := range h.leaves {
				if check(proofs.ParseLeaf(h.leaves[i])).Bucket > 0 {
					tt.want.Payloads++
				}
			}
			if got := r.Summary.Retained; got != tt.want {
				t.Errorf("got %#v\nwant %#v", got, tt.want)
			}
			if n := len(r.Summary.UnderWay); n != int(tt.want.OpenClosings) {
				t.Errorf("%d closings are told of %d", n, tt.want.OpenClosings)
			}
			if b := audit.FormatState(r.State); !bytes.Equal(audit.FormatState(check(audit.ParseState(b))), b) {
				t.Errorf("the state\n%s\nis another when it is read", b)
			}
		})
	}
}

// accused is what a finding accuses: of what kind, of which entries.
type accused struct {
	kind        audit.FindingKind
	index, last int64
	entries     uint64
}

// of returns what is accused of some entries in a row.
func of(kind audit.FindingKind, entries ...uint64) accused {
	if len(entries) == 1 {
		return accused{kind, int64(entries[0]), 0, 0}
	}
	return accused{kind, int64(entries[0]), int64(entries[len(entries)-1]), uint64(len(entries))}
}

func accusations(r *audit.Report) (list []accused) {
	for _, f := range r.Findings {
		list = append(list, accused{f.Kind, f.Index, f.Last, f.Entries})
	}
	return list
}

// Whoever writes what is not allowed is found out, and for that alone.
func TestCheatingWriters(t *testing.T) {
	at := func(list ...accused) []accused { return list }
	closed := func(h *aHistory, a uint64) { // done, as an honest ledger would
		h.drop(h.events...)
		h.done(a)
	}
	type change = func(*proofs.ExpiredBody)
	type last = func(*proofs.KeysDestroyed)
	expiry := func(f change) func(h *aHistory) uint64 {
		return func(h *aHistory) uint64 {
			a := h.expire(h.one, f)
			closed(h, a)
			return a
		}
	}
	for _, tt := range []struct {
		name string
		do   func(h *aHistory) []accused
	}{
		// What is gone.
		{"records vanish", func(h *aHistory) []accused {
			h.drop(h.events[1], h.events[2])
			return at(accused{audit.RecordMissing, int64(h.events[1]), int64(h.events[2]), 0})
		}},
		{"a part vanishes", func(h *aHistory) []accused {
			h.scrub(h.events[1])
			return at(of(audit.RecordMissing, h.events[1]))
		}},
		{"another bucket vanishes with the one that expired", func(h *aHistory) []accused {
			closed(h, h.expire(h.one))
			h.drop(h.in(h.two)...)
			two := h.in(h.two)
			return at(accused{audit.RecordMissing, int64(two[0]), int64(two[4]), 0})
		}},
		{"more is scrubbed than was erased", func(h *aHistory) []accused {
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events[:2]...)}))
			h.scrub(h.events[:3]...)
			return at(of(audit.RecordMissing, h.events[2]))
		}},
		{"an erasure takes whole records", func(h *aHistory) []accused {
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events...)}))
			h.scrub(h.events...)
			h.drop(h.events[3])
			return at(of(audit.RecordMissing, h.events[3]))
		}},
		{"an erasure of another stream", func(h *aHistory) []accused {
			a := h.erase(proofs.ErasedBody{Stream: 2, Closes: runs(h.events[:2]...)})
			h.scrub(h.events[0])
			h.done(a)
			return at(of(audit.RecordMissing, h.events[0]), accused{audit.ErasureForeign, int64(a), 0, 2})
		}},
		{"half an erasure is a reason for nothing", func(h *aHistory) []accused {
			h.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2, Closes: runs(h.events...)})
			h.scrub(h.events[0])
			return at(of(audit.RecordMissing, h.events[0]))
		}},
		{"an erasure of entries without a payload", func(h *aHistory) []accused {
			a := h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(1)})
			h.done(a)
			return at(of(audit.ErasureForeign, a))
		}},
		{"held entries are gone", func(h *aHistory) []accused {
			h.hold(0, 0, runs(h.events[1:4]...)...)
			closed(h, h.expire(h.one))
			return at(of(audit.RecordHeld, h.events[1:4]...))
		}},
		{"an entry of a held stream is gone", func(h *aHistory) []accused {
			h.hold(0, 1)
			h.done(h.expire(h.one))
			h.drop(h.events[0])
			return at(of(audit.RecordHeld, h.events[0]))
		}},
		{"what was added to a hold is gone", func(h *aHistory) []accused {
			x := h.hold(0, 2)
			h.hold(x, 0, runs(h.events[4])...)
			closed(h, h.expire(h.one))
			return at(of(audit.RecordHeld, h.events[4]))
		}},
		{"held parts are erased", func(h *aHistory) []accused {
			h.hold(0, 1)
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events...)}))
			h.scrub(h.events...)
			return at(of(audit.RecordHeld, h.events...))
		}},
		{"the other of two holds is released", func(h *aHistory) []accused {
			x, y := h.hold(0, 1), h.hold(0, 0, runs(h.events[2:4]...)...)
			h.done(h.expire(h.one))
			a := h.release(x, 0)
			closed(h, a)
			_ = y
			return at(of(audit.RecordHeld, h.events[2:4]...))
		}},
		// What is there.
		{"an expired bucket stays", func(h *aHistory) []accused {
			h.done(h.expire(h.one))
			h.drop(h.events[0])
			return at(of(audit.RecordRemains, h.events[1:]...))
		}},
		{"hashes of an expired bucket stay", func(h *aHistory) []accused {
			h.done(h.expire(h.one))
			h.scrub(h.events...)
			return at(of(audit.RecordRemains, h.events...))
		}},
		{"erased parts stay", func(h *aHistory) []accused {
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events...)}))
			h.scrub(h.events[1:]...)
			return at(of(audit.RecordRemains, h.events[0]))
		}},
		{"released entries stay", func(h *aHistory) []accused {
			x := h.hold(0, 0, runs(h.events[1:4]...)...)
			a := h.expire(h.one)
			h.drop(h.events[0], h.events[4])
			h.done(a)
			h.done(h.release(x, 0))
			return at(of(audit.RecordRemains, h.events[1:4]...))
		}},
		// When it is gone.
		{"an expiry is not done after a day", func(h *aHistory) []accused {
			a := h.expire(h.one)
			h.pass(day + 1)
			h.event(1, longClass)
			return at(of(audit.ClosingOverdue, a))
		}},
		{"a bucket expires too early", func(h *aHistory) []accused {
			a := h.expire(h.long)
			h.drop(h.in(h.long)...)
			h.done(a)
			return at(of(audit.ExpiryEarly, a))
		}},
		{"by a second", func(h *aHistory) []accused {
			fresh := h.fresh(1, shortClass)
			h.publish()
			h.pass(day - 1)
			h.event(1, longClass)
			h.publish()
			a := h.expire(fresh)
			h.drop(h.in(fresh)...)
			h.done(a)
			return at(of(audit.ExpiryEarly, a))
		}},
		{"a bucket expires whose period lasts", func(h *aHistory) []accused {
			h.class(4, 1, proofs.Month, 0)
			month := h.fresh(1, 4)
			h.publish()
			h.pass(3 * day)
			h.event(1, longClass)
			h.publish()
			a := h.expire(month)
			h.drop(h.in(month)...)
			h.done(a)
			return at(of(audit.ExpiryEarly, a))
		}},
		{"a bucket expires that is kept for ever", func(h *aHistory) []accused {
			eternal := h.fresh(1, eternalClass)
			h.publish()
			h.pass(4000 * day)
			h.event(1, longClass)
			h.publish()
			a := h.expire(eternal)
			h.drop(h.in(eternal)...)
			h.done(a)
			return at(of(audit.ExpiryEarly, a))
		}},
		{"a bucket of the settings expires", func(h *aHistory) []accused {
			h.class(0, 1, proofs.Day, 0)
			h.days[0] = proofs.Day
			settings := h.bucket(0, 0)
			h.put(proofs.Leaf{Kind: proofs.Access, Bucket: settings})
			h.publish()
			h.pass(9 * day)
			h.event(1, longClass)
			h.publish()
			a := h.expire(settings)
			h.drop(h.in(settings)...)
			h.done(a)
			return at(of(audit.ExpiryEarly, a))
		}},
		{"a lengthened class expires as it was before", func(h *aHistory) []accused {
			h.class(shortClass, 3, proofs.Day, 0)
			a := expiry(func(*proofs.ExpiredBody) {})(h)
			return at(of(audit.ExpiryEarly, a))
		}},
		{"a checkpoint of the future", func(h *aHistory) []accused {
			a := expiry(func(x *proofs.ExpiredBody) { x.Now = x.Closed })(h)
			return at(of(audit.ExpiryEarly, a))
		}},
		// What it is said to be.
		{"an expiry of fewer entries", func(h *aHistory) []accused {
			return at(of(audit.ExpiryFalse, expiry(func(x *proofs.ExpiredBody) { x.Count-- })(h)))
		}},
		{"an expiry from another entry on", func(h *aHistory) []accused {
			return at(of(audit.ExpiryFalse, expiry(func(x *proofs.ExpiredBody) { x.First-- })(h)))
		}},
		{"an expiry up to another entry", func(h *aHistory) []accused {
			return at(of(audit.ExpiryFalse, expiry(func(x *proofs.ExpiredBody) { x.Last++ })(h)))
		}},
		{"an expiry by other settings", func(h *aHistory) []accused {
			return at(of(audit.ExpiryFalse, expiry(func(x *proofs.ExpiredBody) { x.Settings++ })(h)))
		}},
		{"an expiry of a bucket that is not there", func(h *aHistory) []accused {
			a := h.expire(h.one, func(x *proofs.ExpiredBody) { x.Bucket = 999 })
			h.done(a)
			return at(of(audit.ExpiryFalse, a))
		}},
		{"an expiry of a bucket that expired", func(h *aHistory) []accused {
			closed(h, h.expire(h.one))
			a := h.expire(h.one)
			h.done(a)
			return at(of(audit.ExpiryFalse, a))
		}},
		{"a checkpoint that comes later", func(h *aHistory) []accused {
			h.publish()
			size := h.size() + 1
			a := h.expire(h.one, func(x *proofs.ExpiredBody) { x.Now.Size = size })
			closed(h, a)
			h.publish()
			return at(of(audit.ExpiryFalse, a), of(audit.ExpiryUnproved, a))
		}},
		{"a checkpoint that nobody kept", func(h *aHistory) []accused {
			return at(of(audit.ExpiryUnproved, expiry(func(x *proofs.ExpiredBody) { x.Now.Size-- })(h)))
		}},
		{"a checkpoint with other cosignatures", func(h *aHistory) []accused {
			return at(of(audit.ExpiryUnproved, expiry(func(x *proofs.ExpiredBody) { x.Closed.Note[0] ^= 1 })(h)))
		}},
		{"a checkpoint without quorum", func(h *aHistory) []accused {
			h.event(1, longClass)
			h.pass(9 * day)
			few := h.sign(int(h.size()), h.root(int(h.size())), 1)
			h.write(audit.CheckpointPath(h.size()), few)
			ref := refOf(h.size(), few)
			return at(of(audit.ExpiryUnproved, expiry(func(x *proofs.ExpiredBody) { x.Now = ref })(h)))
		}},
		{"an entry in a bucket that expired", func(h *aHistory) []accused {
			closed(h, h.expire(h.one))
			late := h.put(proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: h.one})
			h.drop(late)
			return at(of(audit.BucketExpired, late))
		}},
		{"the announcement in its own bucket", func(h *aHistory) []accused {
			h.class(actClass, 1, proofs.Month, 0)
			acts := h.bucket(0, actClass)
			h.pass(50 * day)
			h.event(1, longClass)
			h.publish()
			x := h.expired(acts)
			a := h.put(proofs.Leaf{Kind: proofs.Expiry, Bucket: acts, Control: check(proofs.FormatExpiry(proofs.ExpiryBody{Expired: &x}))})
			h.drop(h.in(acts)...)
			h.done(a)
			return at(of(audit.BucketExpired, a))
		}},
		{"an expired bucket is opened again", func(h *aHistory) []accused {
			closed(h, h.expire(h.one))
			return at(of(audit.BucketExpired, h.open(h.one, [3]uint32{1, shortClass, uint32(startTime / day)})))
		}},
		{"an expired bucket has a twin", func(h *aHistory) []accused {
			closed(h, h.expire(h.one))
			return at(of(audit.BucketConflict, h.open(99, [3]uint32{1, shortClass, uint32(startTime / day)})))
		}},
		{"a class counts days where it counted months", func(h *aHistory) []accused {
			return at(of(audit.ClassConflict, h.class(eternalClass, 0, proofs.Day, 0)))
		}},
		{"an erasure of entries to come", func(h *aHistory) []accused {
			next := h.size()
			a := h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(next)})
			h.done(a)
			return at(of(audit.ErasureForeign, a), of(audit.ErasureBroken, a))
		}},
		{"an erasure that begins in the middle", func(h *aHistory) []accused {
			a := h.erase(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2, Closes: runs(h.events[0])})
			return at(of(audit.ErasureBroken, a))
		}},
		{"an erasure whose parts are of two", func(h *aHistory) []accused {
			h.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 3, Closes: runs(h.events[0])})
			return at(
				of(audit.ErasureBroken, h.erase(proofs.ErasedBody{Stream: 2, Part: 2, Parts: 3})),
				of(audit.ErasureBroken, h.erase(proofs.ErasedBody{Stream: 1, Part: 3, Parts: 3})),
				of(audit.ErasureBroken, h.erase(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 4})))
		}},
		{"an erasure whose runs go back", func(h *aHistory) []accused {
			h.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2, Closes: runs(h.events[3])})
			a := h.erase(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2, Closes: runs(h.events[3])})
			h.scrub(h.events[3])
			h.done(a)
			return at(of(audit.ErasureBroken, a))
		}},
		{"an erasure of entries to come, which could not be read", func(h *aHistory) []accused {
			a := h.erase(proofs.ErasedBody{Stream: 1, Unread: runs(h.size())})
			h.done(a)
			return at(of(audit.ErasureForeign, a), of(audit.ErasureBroken, a))
		}},
		{"an erasure whose unread entries go back", func(h *aHistory) []accused {
			h.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2, Unread: runs(h.events[3])})
			a := h.erase(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2, Unread: runs(h.events[3])})
			h.done(a)
			return at(of(audit.ErasureBroken, a))
		}},
		{"what could not be read is gone whole", func(h *aHistory) []accused {
			a := h.erase(proofs.ErasedBody{Stream: 1, Unread: runs(h.events[1:3]...)})
			h.drop(h.events[1])
			h.done(a)
			return at(of(audit.RecordMissing, h.events[1]))
		}},
		{"what could not be read of what is held lacks a part", func(h *aHistory) []accused {
			h.hold(0, 0, runs(h.events[1])...)
			a := h.erase(proofs.ErasedBody{Stream: 1, Unread: runs(h.events[1:3]...)})
			h.scrub(h.events[1:3]...)
			h.done(a)
			return at(of(audit.RecordHeld, h.events[1]))
		}},
		{"what nobody holds is released", func(h *aHistory) []accused {
			a := h.release(1, 0)
			h.done(a)
			return at(of(audit.HoldUnknown, a))
		}},
		{"a hold is released twice", func(h *aHistory) []accused {
			x := h.hold(0, 1)
			h.done(h.release(x, 0))
			a := h.release(x, 0)
			h.done(a)
			return at(of(audit.HoldUnknown, a))
		}},
		{"a released hold gets more", func(h *aHistory) []accused {
			x := h.hold(0, 1)
			h.done(h.release(x, 0))
			return at(of(audit.HoldUnknown, h.hold(x, 2)))
		}},
		// Who wanted it.
		{"one custodian erases", func(h *aHistory) []accused {
			h.twoCustodians(0)
			a := h.erase(proofs.ErasedBody{Stream: 1, Closes: runs(h.events...)})
			h.scrub(h.events...)
			h.done(a)
			return at(of(audit.RequestMissing, a))
		}},
		{"one custodian releases", func(h *aHistory) []accused {
			h.twoCustodians(0)
			a := h.release(h.hold(0, 1), 0)
			h.done(a)
			return at(of(audit.RequestMissing, a))
		}},
		{"one custodian shortens a class", func(h *aHistory) []accused {
			h.twoCustodians(0)
			return at(of(audit.RequestMissing, h.class(longClass, 29, proofs.Day, 0)))
		}},
		{"one custodian ends for ever", func(h *aHistory) []accused {
			h.twoCustodians(0)
			return at(of(audit.RequestMissing, h.class(eternalClass, 9999, proofs.Month, 0)))
		}},
		{"one custodian ends for ever for what nobody set", func(h *aHistory) []accused {
			h.twoCustodians(0)
			return at(of(audit.RequestMissing, h.class(actClass, 9999, proofs.Month, 0)))
		}},
		{"one custodian makes one enough", func(h *aHistory) []accused {
			h.twoCustodians(9)
			return at(of(audit.RequestMissing, h.custodians(1, 9, 0)))
		}},
		{"one custodian shortens the grace", func(h *aHistory) []accused {
			h.twoCustodians(9)
			return at(of(audit.RequestMissing, h.custodians(2, 8, 0)))
		}},
		{"one custodian names another", func(h *aHistory) []accused {
			h.named(0, 71, 72)
			h.named(0, 72, 73) // as long as one is enough
			h.named(0, 71, 72)
			h.twoCustodians(0)
			h.named(0, 71, 72) // as they are
			return at(of(audit.RequestMissing, h.named(0, 71, 72, 73)), of(audit.RequestMissing, h.named(0)))
		}},
		{"somebody else asks, approves or is a custodian no more", func(h *aHistory) []accused {
			h.named(0, 71, 72, 74)
			h.twoCustodians(0)
			asked := h.request(proofs.Settings, 73)
			h.approve(asked, 71)
			approved := h.request(proofs.Settings, 71)
			h.approve(approved, 73)
			gone := h.approved(proofs.Settings)
			h.publish()
			h.named(h.approved(proofs.Settings), 71, 74)
			return at(of(audit.RequestUnapproved, h.custodians(1, 0, asked)), of(audit.RequestUnapproved, h.custodians(1, 0, approved)),
				of(audit.RequestUnapproved, h.custodians(1, 0, gone)))
		}},
		{"one custodian takes from a stream, and gives it back", func(h *aHistory) []accused {
			full := proofs.StreamBody{Stream: 1, Class: longClass, Reason: true, Split: true, Fields: []proofs.FieldBody{{Number: 1, Subject: true}, {Number: 2}}}
			h.stream(full, 0)
			h.twoCustodians(0)
			var found []accused
			for _, take := range []func(*proofs.StreamBody){
				func(s *proofs.StreamBody) { s.Class = shortClass },
				func(s *proofs.StreamBody) { s.Class = 999 },
				func(s *proofs.StreamBody) { s.Reason = false },
				func(s *proofs.StreamBody) { s.Split = false },
				func(s *proofs.StreamBody) { s.Fields = s.Fields[1:] },
			} {
				less := full
				take(&less)
				found = append(found, at(of(audit.RequestMissing, h.stream(less, 0)))...)
				h.publish()
				h.stream(full, 0)
			}
			return found
		}},
		{"an event is kept for less time than its stream wants", func(h *aHistory) []accused {
			h.stream(proofs.StreamBody{Stream: 1, Class: shortClass}, 0)
			h.event(1, shortClass)
			h.event(1, longClass)
			h.stream(proofs.StreamBody{Stream: 1, Class: longClass}, 0)
			h.event(1, eternalClass)
			h.class(longClass, 31, proofs.Day, 0)
			h.event(1, longClass)
			short := h.event(1, shortClass)
			h.event(1, shortClass)
			h.event(2, shortClass)
			return at(of(audit.ClassShorter, short))
		}},
		{"a request that is none", func(h *aHistory) []accused {
			return at(of(audit.RequestMissing, h.class(longClass, 60, proofs.Day, 3)))
		}},
		{"a request for something else", func(h *aHistory) []accused {
			h.twoCustodians(0)
			return at(of(audit.RequestMissing, h.custodians(1, 0, h.approved(proofs.Erasure))))
		}},
		{"a request of a stream's settings that is none", func(h *aHistory) []accused {
			return at(of(audit.RequestMissing, h.control(proofs.Settings, check(proofs.FormatSettings(proofs.SettingsBody{
				Request: 7, Stream: &proofs.StreamBody{Stream: 1, Class: longClass}})))))
		}},
		{"nobody approved", func(h *aHistory) []accused {
			h.twoCustodians(0)
			return at(of(audit.RequestUnapproved, h.custodians(1, 0, h.request(proofs.Settings, 71))))
		}},
		{"who asked approved", func(h *aHistory) []accused {
			h.twoCustodians(0)
			r := h.request(proofs.Settings, 71)
			h.approve(r, 71)
			return at(of(audit.RequestUnapproved, h.custodians(1, 0, r)))
		}},
		{"the request was withdrawn", func(h *aHistory) []accused {
			h.twoCustodians(0)
			r := h.approved(proofs.Settings)
			h.withdraw(r, 71)
			return at(of(audit.RequestUnapproved, h.custodians(1, 0, r)))
		}},
		{"the approval was withdrawn", func(h *aHistory) []accused {
			h.twoCustodians(0)
			r := h.approved(proofs.Settings)
			h.withdraw(r, 72)
			return at(of(audit.RequestUnapproved, h.custodians(1, 0, r)))
		}},
		{"the grace is not over", func(h *aHistory) []accused {
			h.twoCustodians(60)
			r := h.approved(proofs.Settings)
			h.pass(59)
			return at(of(audit.RequestEarly, h.custodians(1, 0, r)))
		}},
		{"the grace is not over, in each part of an erasure", func(h *aHistory) []accused {
			h.twoCustodians(60)
			r := h.approved(proofs.Erasure)
			a := h.erase(proofs.ErasedBody{Stream: 1, Request: r, Part: 1, Parts: 2})
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Request: r, Part: 2, Parts: 2}))
			return at(of(audit.RequestEarly, a))
		}},
		{"a request is used twice", func(h *aHistory) []accused {
			h.twoCustodians(0)
			r := h.approved(proofs.Erasure)
			h.done(h.erase(proofs.ErasedBody{Stream: 1, Request: r}))
			a := h.erase(proofs.ErasedBody{Stream: 1, Request: r})
			h.done(a)
			return at(of(audit.RequestUsed, a))
		}},
		// What was done.
		{"what nobody announced is done", func(h *aHistory) []accused {
			return at(of(audit.DoneUnannounced, h.done(h.events[0])))
		}},
		{"what is done is done again", func(h *aHistory) []accused {
			a := h.expire(h.one)
			closed(h, a)
			return at(of(audit.DoneUnannounced, h.done(a)))
		}},
		{"an erasure is done by its first part", func(h *aHistory) []accused {
			first := h.erase(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2})
			h.erase(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2})
			return at(of(audit.DoneUnannounced, h.done(first)))
		}},
		{"keys come back", func(h *aHistory) []accused {
			closed(h, h.expire(h.one))
			h.drop(h.in(h.two)...)
			return at(of(audit.KeyStateRollback, h.done(h.expire(h.two), func(k *proofs.KeysDestroyed) { k.Epoch = 0 })))
		}},
		{"there are two key states", func(h *aHistory) []accused {
			a, b := h.expire(h.one), h.expire(h.two)
			closed(h, a)
			h.drop(h.in(h.two)...)
			return at(of(audit.KeyStateConflict, h.done(b, func(k *proofs.KeysDestroyed) { k.Epoch--; k.State[0] = 9 })))
		}},
		{"no key was destroyed", func(h *aHistory) []accused {
			closed(h, h.expire(h.one))
			h.drop(h.in(h.two)...)
			return at(of(audit.KeyStateUnchanged, h.done(h.expire(h.two), last(func(k *proofs.KeysDestroyed) { k.Epoch-- }))))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t)
			want := tt.do(h)
			h.publish()
			r := h.audit(h.files, nil)
			if got := accusations(r); !slices.Equal(got, want) {
				t.Errorf("found %v\nwant %v\n%v", got, want, r.Findings)
			}
			for _, f := range r.Findings {
				if !strings.HasSuffix(f.Detail, ".") {
					t.Errorf("no sentence: %q", f.Detail)
				}
			}
			lasting := slices.IndexFunc(r.Findings, func(f audit.Finding) bool { return f.Kind != audit.ClosingOverdue }) < 0
			if (r.State != nil) != lasting {
				t.Errorf("a state to go on from: %v", r.State != nil)
			}
			if s := audit.FormatState; lasting && !reflect.DeepEqual(s(check(audit.ParseState(s(r.State)))), s(r.State)) {
				t.Errorf("the state is another when it is read")
			}
		})
	}
}
