package audit_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

const day = 24 * 60 * 60 // seconds

// A writer writes a ledger that keeps entries for a while, by the formats
// alone. It writes whatever it is told to: what follows from that is not its
// affair.
type writer struct {
	*ledger
	now    uint64 // seconds since 1970
	epoch  uint64
	kept   []proofs.CheckpointRef
	times  map[proofs.CheckpointRef]uint64 // by which cosignatures met the quorum
	opened map[[3]uint32]uint32            // the bucket of (stream, class, period)
	days   map[uint16]proofs.Period
}

// The classes that a writer begins with, and the one that it uses for what is
// recorded of acts.
const (
	shortClass   = 1 // a day, in days
	longClass    = 2 // thirty days, in days
	eternalClass = 3 // for ever, in months
	actClass     = 9 // of the ledger's own: nobody sets it
)

func newWriter(tb testing.TB, types ...proofs.KeyType) *writer {
	w := &writer{
		ledger: newLedger(tb, types...), now: startTime, times: map[proofs.CheckpointRef]uint64{},
		opened: map[[3]uint32]uint32{}, days: map[uint16]proofs.Period{actClass: proofs.Month},
	}
	w.clock = func() uint64 { return w.now }
	w.control(proofs.Created, check(proofs.FormatCreated(proofs.CreatedBody{Origin: origin, Keys: w.log.Key().String() + "\n"})))
	w.class(shortClass, 1, proofs.Day, 0)
	w.class(longClass, 30, proofs.Day, 0)
	w.class(eternalClass, 0, proofs.Month, 0)
	return w
}

// size is how many entries there are, and so the index of the next.
func (w *writer) size() uint64 { return uint64(len(w.leaves)) }

// put appends an entry, with a sealed record if it has a bucket.
func (w *writer) put(leaf proofs.Leaf) uint64 {
	if w.directories.place(w.size()) && leaf.Kind != proofs.Directory {
		w.control(proofs.Directory, w.directories.next())
	}
	index := w.size()
	if leaf.Time = w.now*1e6 + index%1e6; leaf.T == (proofs.Hash{}) {
		leaf.T = proofs.EmptyRoot()
	}
	var record []byte
	if leaf.Bucket > 0 {
		r := proofs.Record{
			Parts: []proofs.RecordPart{{Sealed: []byte("skeleton")}, {Sealed: []byte("about somebody")}},
			Tags:  []proofs.RecordTags{{Sealed: []byte("of nobody")}, {Sealed: []byte("of somebody")}},
		}
		binary.BigEndian.PutUint64(r.ID[:], index)
		for i := range r.Parts {
			r.Parts[i].Binding = proofs.Binding(new(proofs.Key256), r.ID, i, check(proofs.FormatPart(payload(i))))
		}
		record = check(proofs.FormatRecord(r))
		leaf.C = check(proofs.ParseRecord(record)).Commitment()
	}
	w.records = append(w.records, record)
	w.add(check(proofs.FormatLeaf(leaf)))
	return index
}

// payload returns a part of every payload.
func payload(i int) proofs.Part {
	return proofs.Part{MediaType: "text/plain", Data: []byte{byte(i)}}
}

// shown returns what a reader is shown of an entry's payload, as it was when it
// was recorded.
func (w *writer) shown(index uint64) *proofs.Disclosure {
	id := binary.BigEndian.AppendUint64(nil, index)
	d := &proofs.Disclosure{ID: append(id, make([]byte, 8)...)}
	for i, sealed := range []string{"skeleton", "about somebody"} {
		p := payload(i)
		d.Parts = append(d.Parts, proofs.DisclosedPart{
			SealedHash: sha256.Sum256([]byte(sealed)), Opening: make([]byte, 32), Head: check(proofs.FormatPartHead(p)), Data: p.Data,
			Binding: proofs.Binding(new(proofs.Key256), proofs.EntryID(d.ID), i, check(proofs.FormatPart(p))),
		})
	}
	for _, sealed := range []string{"of nobody", "of somebody"} {
		d.Tags = append(d.Tags, proofs.DisclosedTags{SealedHash: sha256.Sum256([]byte(sealed)), Seed: make([]byte, 32)})
	}
	return d
}

// control appends a control entry without a payload.
func (w *writer) control(kind proofs.Kind, body []byte) uint64 {
	return w.put(proofs.Leaf{Kind: kind, Control: body})
}

func (w *writer) class(number uint16, n uint32, period proofs.Period, request uint64) uint64 {
	if _, set := w.days[number]; !set {
		w.days[number] = period
	}
	return w.control(proofs.Settings, check(proofs.FormatSettings(proofs.SettingsBody{
		Request: request, Class: &proofs.ClassBody{Class: number, Days: n, Period: period}})))
}

func (w *writer) stream(s proofs.StreamBody, request uint64) uint64 {
	return w.control(proofs.Settings, check(proofs.FormatSettings(proofs.SettingsBody{Request: request, Stream: &s})))
}

func (w *writer) custodians(n uint8, grace uint32, request uint64) uint64 {
	return w.control(proofs.Settings, check(proofs.FormatSettings(proofs.SettingsBody{
		Request: request, Ledger: &proofs.LedgerBody{Custodians: n, Grace: grace}})))
}

func (w *writer) named(request uint64, custodians ...uint64) uint64 {
	return w.control(proofs.Settings, check(proofs.FormatSettings(proofs.SettingsBody{Request: request, Custodians: &proofs.CustodiansBody{Named: custodians}})))
}

// bucket returns the bucket of a stream and class for now, which it opens.
func (w *writer) bucket(stream uint32, class uint16) uint32 {
	path := [3]uint32{stream, uint32(class), w.days[class].Number(time.Unix(int64(w.now), 0))}
	if w.opened[path] == 0 {
		w.opened[path] = uint32(len(w.opened) + 1)
		w.open(w.opened[path], path)
	}
	return w.opened[path]
}

func (w *writer) open(bucket uint32, path [3]uint32) uint64 {
	return w.control(proofs.BucketOpened, check(proofs.FormatBucket(proofs.BucketBody{
		Bucket: bucket, Stream: path[0], Class: uint16(path[1]), Period: path[2]})))
}

// event appends an event.
func (w *writer) event(stream uint32, class uint16) uint64 {
	b := w.bucket(stream, class)
	return w.put(proofs.Leaf{Kind: proofs.Event, Stream: stream, Bucket: b})
}

// events appends n events to the bucket of now and returns the bucket.
func (w *writer) events(n int, stream uint32, class uint16) uint32 {
	for range n {
		w.event(stream, class)
	}
	return w.bucket(stream, class)
}

// access appends the record of an act.
func (w *writer) access() uint64 {
	b := w.bucket(0, actClass)
	return w.put(proofs.Leaf{Kind: proofs.Access, Bucket: b})
}

func (w *writer) hold(to uint64, stream uint32, runs ...proofs.Run) uint64 {
	return w.control(proofs.Hold, check(proofs.FormatHold(proofs.HoldBody{Hold: to, Stream: stream, Holds: runs})))
}

func (w *writer) release(hold, request uint64) uint64 {
	return w.control(proofs.Release, check(proofs.FormatRelease(proofs.ReleaseBody{Released: &proofs.ReleasedBody{Hold: hold, Request: request}})))
}

func (w *writer) erase(x proofs.ErasedBody) uint64 {
	if x.Parts == 0 {
		x.Part, x.Parts = 1, 1
	}
	return w.control(proofs.Erasure, check(proofs.FormatErasure(proofs.ErasureBody{Erased: &x})))
}

func (w *writer) request(kind proofs.Kind, by uint64) uint64 {
	return w.control(proofs.Administration, check(proofs.FormatAdministration(proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: kind, By: by}})))
}

func (w *writer) approve(request, by uint64) uint64 {
	return w.control(proofs.Administration, check(proofs.FormatAdministration(proofs.AdministrationBody{Approval: &proofs.AnswerBody{Request: request, By: by}})))
}

func (w *writer) withdraw(request, by uint64) uint64 {
	return w.control(proofs.Administration, check(proofs.FormatAdministration(proofs.AdministrationBody{Withdrawal: &proofs.AnswerBody{Request: request, By: by}})))
}

// expired describes a bucket as it is: what an honest announcement says now.
func (w *writer) expired(bucket uint32) proofs.ExpiredBody {
	x := proofs.ExpiredBody{Bucket: bucket, Closed: w.covering(0), Now: w.kept[len(w.kept)-1]}
	var class uint16
	for path, n := range w.opened {
		if n == bucket {
			class = uint16(path[1])
		}
	}
	for i, b := range w.leaves {
		leaf := check(proofs.ParseLeaf(b))
		if leaf.Bucket == bucket {
			if x.Count++; x.Count == 1 {
				x.First = uint64(i)
			}
			x.Last = uint64(i)
		}
		if leaf.Kind == proofs.Settings {
			if s := check(proofs.ParseSettings(leaf.Control)); s.Class != nil && s.Class.Class == class {
				x.Settings = uint64(i)
			}
		}
	}
	x.Closed = w.covering(x.Last)
	return x
}

// covering returns the first kept checkpoint that covers an entry, or the last.
func (w *writer) covering(index uint64) proofs.CheckpointRef {
	i := slices.IndexFunc(w.kept, func(r proofs.CheckpointRef) bool { return r.Size > index })
	if i < 0 {
		i = len(w.kept) - 1
	}
	return w.kept[i]
}

// expire announces the expiry of a bucket, changed in some way.
func (w *writer) expire(bucket uint32, change ...func(*proofs.ExpiredBody)) uint64 {
	x := w.expired(bucket)
	for _, f := range change {
		f(&x)
	}
	return w.control(proofs.Expiry, check(proofs.FormatExpiry(proofs.ExpiryBody{Expired: &x})))
}

// done completes what an entry announced, with the next key state, changed in
// some way.
func (w *writer) done(announced uint64, change ...func(*proofs.KeysDestroyed)) uint64 {
	w.epoch++
	k := proofs.KeysDestroyed{Announced: announced, Epoch: w.epoch}
	for _, f := range change {
		f(&k)
	}
	if k.State == (proofs.Hash{}) {
		binary.BigEndian.PutUint64(k.State[:], k.Epoch)
	}
	switch kind := w.kindOf(announced); kind {
	case proofs.Erasure:
		return w.control(kind, check(proofs.FormatErasure(proofs.ErasureBody{Done: &k})))
	case proofs.Release:
		return w.control(kind, check(proofs.FormatRelease(proofs.ReleaseBody{Done: &k})))
	default:
		return w.control(proofs.Expiry, check(proofs.FormatExpiry(proofs.ExpiryBody{Done: &k})))
	}
}

func (w *writer) kindOf(index uint64) proofs.Kind {
	if index >= w.size() {
		return proofs.Expiry
	}
	return check(proofs.ParseLeaf(w.leaves[index])).Kind
}

// drop takes the record of entries out of the vault.
func (w *writer) drop(entries ...uint64) {
	for _, i := range entries {
		w.records[i] = nil
	}
}

// scrub takes a part and tags out of the records of entries.
func (w *writer) scrub(entries ...uint64) {
	for _, i := range entries {
		if r, err := proofs.ParseRecord(w.records[i]); err == nil { // else there is none
			r.Parts[1].Sealed, r.Tags[1].Sealed = nil, nil
			w.records[i] = check(proofs.FormatRecord(r))
		}
	}
}

// in returns the entries of a bucket.
func (w *writer) in(bucket uint32) (entries []uint64) {
	for i, b := range w.leaves {
		if check(proofs.ParseLeaf(b)).Bucket == bucket {
			entries = append(entries, uint64(i))
		}
	}
	return entries
}

// publish publishes all entries so far, and keeps the checkpoint if it is the
// first of its size. The vault is what it is now.
func (w *writer) publish() {
	path := audit.CheckpointPath(w.size())
	was := w.files[path]
	for path := range w.files {
		if strings.HasPrefix(path, audit.VaultDir+"/") {
			delete(w.files, path)
		}
	}
	w.ledger.publish(int(w.size()))
	if was != nil {
		w.files[path] = was
		return
	}
	ref := proofs.CheckpointRef{Size: w.size(), Note: sha256.Sum256(w.files[path].Data)}
	w.kept = append(w.kept, ref)
	w.times[ref] = w.cosigned()
}

// cosigned returns the time of what is published now: that of the quorum's last
// witness, each of which is a second later than the one before.
func (w *writer) cosigned() uint64 { return w.now + uint64(len(w.witnesses)/2) }

// pass lets time go by.
func (w *writer) pass(seconds uint64) { w.now += seconds }
