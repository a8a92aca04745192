package main

import (
	"github.com/cairnlog/cairn/proofs"
)

type expiredFields struct {
	Bucket   uint32           `json:"bucket"`
	First    uint64           `json:"first"`
	Last     uint64           `json:"last"`
	Count    uint64           `json:"count"`
	Settings uint64           `json:"settings"`
	Closed   checkpointFields `json:"closed"`
	Now      checkpointFields `json:"now"`
}

type checkpointFields struct {
	Size uint64   `json:"size"`
	Note hexBytes `json:"note"`
}

type doneFields struct {
	Announced uint64   `json:"announced"`
	Epoch     uint64   `json:"epoch"`
	State     hexBytes `json:"state"`
}

type erasedFields struct {
	Stream  uint32      `json:"stream"`
	Request uint64      `json:"request"`
	Part    uint32      `json:"part"`
	Parts   uint32      `json:"parts"`
	Closes  []runFields `json:"closes"`
	Unread  []runFields `json:"unread,omitempty"`
}

func doneOf(d proofs.KeysDestroyed) doneFields { return doneFields{d.Announced, d.Epoch, d.State[:]} }

func expiryVectors() []controlVector {
	accept := func(name string, e proofs.ExpiryBody) controlVector {
		var f any
		if x := e.Expired; x != nil {
			f = expiredFields{x.Bucket, x.First, x.Last, x.Count, x.Settings,
				checkpointFields{x.Closed.Size, x.Closed.Note[:]}, checkpointFields{x.Now.Size, x.Now.Note[:]}}
		} else {
			f = doneOf(*e.Done)
		}
		return controlVector{name, "expiry", must(proofs.FormatExpiry(e)), f, ok()}
	}
	expired := proofs.ExpiredBody{
		Bucket: 2, First: 10, Last: 40, Count: 5, Settings: 3,
		Closed: proofs.CheckpointRef{Size: 41, Note: proofs.Hash(secret("closed"))},
		Now:    proofs.CheckpointRef{Size: 90, Note: proofs.Hash(secret("now"))},
	}
	due := accept("a bucket that has reached its age", proofs.ExpiryBody{Expired: &expired})
	done := accept("a bucket whose keys are destroyed", proofs.ExpiryBody{Done: &proofs.KeysDestroyed{Announced: 91, Epoch: 1, State: proofs.Hash(secret("state"))}})
	const bucket, first, last, count, closed, now = 4, 12, 20, 28, 44, 84 // offsets of last bytes
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "expiry", b, why) }
	return []controlVector{
		due, done,
		refuse("an expiry of no phase", changed(due.Body, 0, 3), "a phase is 1, announced, or 2, done"),
		refuse("an expiry without a body", nil, "it is cut off"),
		refuse("an expiry of bucket 0", changed(due.Body, bucket, 0), "buckets are numbered from 1"),
		refuse("an expiry whose last entry comes before its first", changed(due.Body, first, 41), "the last does not come before the first"),
		refuse("an expiry of no entries", changed(due.Body, count, 0), "there is an entry at least"),
		refuse("an expiry of more entries than its range has", changed(due.Body, count, 32), "from 10 to 40 there are 31"),
		refuse("an expiry whose age begins before its last entry is covered", changed(due.Body, closed, 40), "the checkpoint covers the last entry"),
		refuse("an expiry that looks back", changed(due.Body, now, 40), "the later checkpoint is not smaller"),
		refuse("an expiry that lacks its last byte", due.Body[:len(due.Body)-1], "it is cut off"),
		refuse("an expiry with a byte after its end", join(due.Body, []byte{0}), "nothing may follow"),
		refuse("destroyed keys that lack their last byte", done.Body[:len(done.Body)-1], "it is cut off"),
		refuse("destroyed keys with a byte after their end", join(done.Body, []byte{0}), "nothing may follow"),
	}
}

func erasureVectors() []controlVector {
	accept := func(name string, e proofs.ErasureBody) controlVector {
		var f any
		if x := e.Erased; x != nil {
			e := erasedFields{x.Stream, x.Request, x.Part, x.Parts, runsOf(x.Closes), nil}
			if len(x.Unread) > 0 {
				e.Unread = runsOf(x.Unread)
			}
			f = e
		} else {
			f = doneOf(*e.Done)
		}
		return controlVector{name, "erasure", must(proofs.FormatErasure(e)), f, ok()}
	}
	two := accept("an erasure of two runs of entries",
		proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: []proofs.Run{{First: 5, Last: 5}, {First: 7, Last: 9}}}})
	unread := accept("an erasure that may be of entries that could not be read",
		proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: []proofs.Run{{First: 5, Last: 5}}, Unread: []proofs.Run{{First: 7, Last: 9}}}})
	empty := proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1}
	const stream, part, runs = 4, 16, 23 // offsets; of the first two the last bytes
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "erasure", b, why) }
	return []controlVector{
		two,
		accept("an erasure that entry 40 asked for",
			proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Request: 40, Part: 1, Parts: 1, Closes: []proofs.Run{{First: 5, Last: 5}}}}),
		unread,
		accept("an erasure of nothing", proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1}}),
		accept("the last of three parts of an erasure", proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 1, Part: 3, Parts: 3, Closes: []proofs.Run{{First: 0, Last: 1<<53 - 1}}}}),
		accept("an erasure that is done", proofs.ErasureBody{Done: &proofs.KeysDestroyed{Announced: 91, Epoch: 2, State: proofs.Hash(secret("state"))}}),
		refuse("an erasure that names no entries as unread", append(must(proofs.FormatErasure(proofs.ErasureBody{Erased: &empty})), 0, 0), "the list is only there where there are any"),
		refuse("an erasure that has closed what is unread", changed(unread.Body, len(unread.Body)-9, 5), "an entry is closed or unread"),
		refuse("an erasure whose unread entries are cut off", unread.Body[:len(unread.Body)-1], "a run has 16 bytes"),
		refuse("an erasure of no phase", changed(two.Body, 0, 0), "a phase is 1, announced, or 2, done"),
		refuse("an erasure in the ledger's own stream", changed(two.Body, stream, 0), "stream 0 is the ledger's own"),
		refuse("an erasure without a part", changed(two.Body, part, 0), "parts are numbered from 1"),
		refuse("an erasure of a part behind the last", changed(two.Body, part, 2), "there is one part"),
		refuse("an erasure whose run ends before it begins", changed(two.Body, runs+7, 6), "a run does not end before it begins"),
		refuse("an erasure whose runs overlap", changed(two.Body, runs+16+7, 5), "runs rise"),
		refuse("an erasure with a run right behind another", changed(two.Body, runs+16+7, 6), "they are one run"),
		refuse("an erasure whose runs are cut off", changed(two.Body, runs-1, 31)[:runs+31], "a run has 16 bytes"),
		refuse("an erasure with a byte after its end", join(two.Body, []byte{0}), "nothing may follow"),
	}
}
