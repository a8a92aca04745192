package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// Retained is what the log and the vault show of what was closed and what is
// kept. What the log says is of all runs; what the vault shows is of the
// records that were read in this run.
type Retained struct {
	// By the log.
	Payloads        uint64 `json:"payloads"`         // entries that were recorded with one, in all runs
	PayloadsExpired uint64 `json:"payloads_expired"` // entries of buckets whose expiry was announced, also those that are held
	BucketsExpired  uint64 `json:"buckets_expired"`  // these buckets
	PayloadsErased  uint64 `json:"payloads_erased"`  // entries that erasures name; one that several name counts for each
	PayloadsUnread  uint64 `json:"payloads_unread"`  // entries that erasures name as unread: parts of these may be gone, and nothing shows whom they concerned
	Erasures        uint64 `json:"erasures"`         // these erasures
	Holds           uint64 `json:"holds"`            // that are not released
	StreamsHeld     uint64 `json:"streams_held"`     // by them, whole
	PayloadsHeld    uint64 `json:"payloads_held"`    // entries of these streams, and entries that holds name; one that is held both ways counts twice
	OpenClosings    uint64 `json:"open_closings"`    // expiries, erasures and releases that are announced and not done
	PendingRequests uint64 `json:"pending_requests"` // neither used nor withdrawn

	// By the vault.
	GoneExpired  uint64 `json:"gone_expired"`   // records that are gone because their bucket expired
	GoneErased   uint64 `json:"gone_erased"`    // records of which parts are gone because they were erased
	GoneUnderWay uint64 `json:"gone_under_way"` // records or parts that are gone before the log says that it is done
	KeptByHolds  uint64 `json:"kept_by_holds"`  // records of which nothing but a hold keeps all or a part
}

// add counts a record.
func (r *Retained) add(j judgement) {
	count := func(n *uint64, is bool) {
		if is {
			*n++
		}
	}
	count(&r.GoneExpired, j.expired)
	count(&r.GoneErased, j.erased)
	count(&r.GoneUnderWay, j.underWay)
	count(&r.KeptByHolds, j.kept)
}

// addVault adds what the vault shows.
func (r *Retained) addVault(by Retained) {
	r.GoneExpired += by.GoneExpired
	r.GoneErased += by.GoneErased
	r.GoneUnderWay += by.GoneUnderWay
	r.KeptByHolds += by.KeptByHolds
}

// retained returns what the log says, which has a size.
func (h *history) retained(size uint64) (r Retained) {
	r.OpenClosings, r.PendingRequests = uint64(len(h.opened)), h.requestsPending()
	r.Erasures = uint64(len(h.erasures))
	for _, e := range h.erasures {
		r.PayloadsErased += proofs.CountEntries(e.runs)
		r.PayloadsUnread += proofs.CountEntries(e.unread)
	}
	held := map[uint32]bool{}
	var runs []proofs.Run
	for _, x := range h.holds {
		if x.release != nil {
			continue
		}
		r.Holds++
		for _, c := range x.claims {
			held[c.stream] = true
			runs = append(runs, c.runs...)
		}
	}
	delete(held, 0)
	r.StreamsHeld = uint64(len(held))
	for _, run := range before(runs, size) {
		r.PayloadsHeld += run.Last - run.First + 1
	}
	for _, b := range h.buckets {
		r.Payloads += b.count
		if b.expiry != nil {
			r.BucketsExpired++
			r.PayloadsExpired += b.count
		}
		if held[b.stream] {
			r.PayloadsHeld += b.count
		}
	}
	return r
}

// String returns what there is to say in sentences, a line each; nothing where
// nothing was closed, held or asked for.
func (r Retained) String() string {
	var b strings.Builder
	line := func(said bool, format string, args ...any) {
		if said {
			fmt.Fprintf(&b, format+"\n", args...)
		}
	}
	line(r.BucketsExpired > 0, "Expired: %s in %s, but for what is held.", counted(r.PayloadsExpired, "payload"), counted(r.BucketsExpired, "bucket"))
	line(r.Erasures > 0, "Erased: parts of %s by %s, but for what is held.", counted(r.PayloadsErased, "payload"), counted(r.Erasures, "erasure"))
	line(r.PayloadsUnread > 0, "Perhaps erased too: parts of %s that erasures name as unread. The log does not show whether they concern whom was erased.", counted(r.PayloadsUnread, "payload"))
	line(r.Holds > 0, "Held: %s by %s, among them those of %s.", counted(r.PayloadsHeld, "payload"), counted(r.Holds, "hold"), counted(r.StreamsHeld, "whole stream"))
	line(r.GoneExpired+r.GoneErased+r.GoneUnderWay > 0,
		"Gone from the vault, each for a published reason: %s that expired, parts of %d that were erased, and of %d what is being closed.",
		counted(r.GoneExpired, "record"), r.GoneErased, r.GoneUnderWay)
	line(r.KeptByHolds > 0, "Still there only because of holds: %s, or parts of them.", counted(r.KeptByHolds, "record"))
	line(r.PendingRequests > 0, "Asked for, and neither used nor withdrawn: %s of custodians.", counted(r.PendingRequests, "request"))
	return b.String()
}

// counted returns how many there are of something: "1 hold", "2 holds".
func counted[N uint64 | int](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// An UnderWay is a closing that is announced and not done.
type UnderWay struct {
	Kind  string    `json:"kind"`  // "expiry", "erasure" or "release"
	Entry uint64    `json:"entry"` // that announced it
	Since time.Time `json:"since"` // its time
}

// String returns a sentence.
func (u UnderWay) String() string {
	return fmt.Sprintf("Under way: the %s that entry %d announced at %s is not done yet.", u.Kind, u.Entry, utc(u.Since))
}

// maxUnderWay bounds [Summary.UnderWay]; [Retained.OpenClosings] counts all.
const maxUnderWay = 100

// underWay returns the first closings that are announced and not done.
func (h *history) underWay() (list []UnderWay) {
	for _, announced := range slices.Sorted(maps.Keys(h.opened)) {
		if len(list) == maxUnderWay {
			break
		}
		x := h.opened[announced]
		list = append(list, UnderWay{x.kind.String(), announced, time.UnixMicro(int64(x.time)).UTC()})
	}
	return list
}
