package evidence_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

const (
	origin    = "ledger.example/audit"
	startTime = 1_795_435_200 // 2026-11-23 12:00:00 UTC, in seconds
	day       = 24 * 60 * 60
)

// A ledger is a synthetic one, made by the API of proofs alone.
type ledger struct {
	log, witness proofs.SigningKey
	policy       *proofs.Policy
	now          uint64 // seconds
	entries      []entry
	nodes        [][]proofs.Hash // by level
	checkpoints  []checkpoint
	streams      map[uint32]stream
	ids          uint64
}

// An entry is a leaf and what a reader is shown of it.
type entry struct {
	leaf       []byte
	disclosure *proofs.Disclosure
	keys       []evidence.FieldKey
}

type checkpoint struct {
	size uint64
	note []byte
}

type stream struct {
	name   string
	fields []proofs.Field
	split  bool
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newLedger() *ledger {
	key := func(name string, typ proofs.KeyType) proofs.SigningKey {
		return must(proofs.GenerateKey(name, typ, rand.NewChaCha8(sha256.Sum256([]byte(name)))))
	}
	l := &ledger{
		log: key(origin, proofs.Ed25519), witness: key("witness.example/w", proofs.Ed25519Cosignature),
		now: startTime, streams: make(map[uint32]stream),
	}
	l.policy = must(proofs.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w %s\nquorum w\n", l.log.Key(), l.witness.Key())))
	l.add(proofs.Leaf{Kind: proofs.Created, Control: must(proofs.FormatCreated(proofs.CreatedBody{Origin: origin, Keys: l.log.Key().String() + "\n"}))}, nil, nil)
	return l
}

// secret returns the secret of a name.
func secret(format string, args ...any) proofs.Key256 {
	return sha256.Sum256(fmt.Appendf(nil, format, args...))
}

// add appends an entry. Without a disclosure it has no payload.
func (l *ledger) add(leaf proofs.Leaf, d *proofs.Disclosure, keys []evidence.FieldKey) uint64 {
	if d == nil {
		leaf.C, leaf.T = proofs.Record{}.Commitment(), proofs.EmptyRoot()
		d = &proofs.Disclosure{ID: make([]byte, 16)}
	}
	leaf.Time = l.now * 1e6
	b := must(proofs.FormatLeaf(leaf))
	l.entries = append(l.entries, entry{b, d, keys})
	h := proofs.LeafHash(b)
	for level := 0; ; level++ {
		if len(l.nodes) == level {
			l.nodes = append(l.nodes, nil)
		}
		l.nodes[level] = append(l.nodes[level], h)
		n := len(l.nodes[level])
		if n%2 == 1 {
			return l.size() - 1
		}
		h = proofs.NodeHash(l.nodes[level][n-2], h)
	}
}

func (l *ledger) size() uint64 { return uint64(len(l.entries)) }

// ReadNodes implements proofs.NodeReader.
func (l *ledger) ReadNodes(_ context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	hashes := make([]proofs.Hash, len(ids))
	for i, id := range ids {
		hashes[i] = l.nodes[id.Level][id.Index]
	}
	return hashes, nil
}

// publish makes a checkpoint, which the witness cosigns now.
func (l *ledger) publish() checkpoint {
	root := must(proofs.Root(context.Background(), l.size(), l))
	text := must(proofs.FormatCheckpoint(proofs.Checkpoint{Origin: origin, Size: l.size(), Root: root}))
	n := proofs.Note{Text: text}
	for _, k := range []proofs.SigningKey{l.log, l.witness} {
		n.Signatures = append(n.Signatures, must(k.SignCheckpoint(text, l.now)))
	}
	c := checkpoint{l.size(), proofs.FormatNote(n)}
	l.checkpoints = append(l.checkpoints, c)
	return c
}

func (c checkpoint) ref() proofs.CheckpointRef {
	return proofs.CheckpointRef{Size: c.size, Note: sha256.Sum256(c.note)}
}

// control appends a control entry with a clear body alone.
func control[T any](l *ledger, kind proofs.Kind, body T, format func(T) ([]byte, error)) uint64 {
	return l.add(proofs.Leaf{Kind: kind, Control: must(format(body))}, nil, nil)
}

// class sets a retention class.
func (l *ledger) class(number uint16, days uint32) uint64 {
	return control(l, proofs.Settings, proofs.SettingsBody{Class: &proofs.ClassBody{Class: number, Days: days, Period: proofs.Day}}, proofs.FormatSettings)
}

// stream sets a stream.
func (l *ledger) stream(number uint32, s stream) uint64 {
	l.streams[number] = s
	names := proofs.StreamSettings{Name: s.name, Fields: s.fields}
	data := fmt.Appendf(nil, `{"name":%q,"fields":[`, s.name)
	for i, f := range s.fields {
		if i > 0 {
			data = append(data, ',')
		}
		data = fmt.Appendf(data, `{"number":%d,"name":%q,"path":%q,"subject":%v}`, f.Number, f.Name, f.Path, f.Subject)
	}
	data = append(data, "]}"...)
	body := proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: number, Class: 1, Split: s.split, Fields: names.Body()}}
	leaf := proofs.Leaf{Kind: proofs.Settings, Control: must(proofs.FormatSettings(body))}
	return l.sealed(leaf, []proofs.Part{{MediaType: proofs.SettingsMediaType, Data: data}}, nil, nil)
}

// open opens a bucket of a stream in class 1, with the keys of its fields.
func (l *ledger) open(bucket, stream uint32) uint64 {
	body := proofs.BucketBody{Bucket: bucket, Stream: stream, Class: 1, Period: proofs.Day.Number(timeOf(l.now))}
	for _, f := range l.streams[stream].fields {
		key := fieldKey(bucket, f.Number)
		body.Keys = append(body.Keys, proofs.FieldKeyBody{Field: f.Number, Hash: proofs.FieldKeyHash(&key)})
	}
	return control(l, proofs.BucketOpened, body, proofs.FormatBucket)
}

func fieldKey(bucket uint32, field uint16) proofs.Key256 {
	tags := secret("tags of bucket %d", bucket)
	return proofs.FieldKey(&tags, field)
}

// event appends an event of JSON.
func (l *ledger) event(streamNumber, bucket uint32, data string) uint64 {
	s := l.streams[streamNumber]
	x := must(proofs.NewExtractor(s.fields))
	whole := proofs.Part{MediaType: "application/json", Appender: "app", Data: []byte(data)}
	concerns := must(x.Concerns(must(x.Extract(whole.Data))))
	if !s.split {
		for _, c := range concerns {
			whole.Subjects = append(whole.Subjects, c.Subjects...)
		}
		slices.Sort(whole.Subjects)
		whole.Subjects = slices.Compact(whole.Subjects)
	}
	parts := []proofs.Part{whole}
	if s.split {
		parts = must(x.Split(whole))
	}
	leaf := proofs.Leaf{Kind: proofs.Event, Stream: streamNumber, Bucket: bucket}
	var keys []evidence.FieldKey
	for _, f := range s.fields {
		key := fieldKey(bucket, f.Number)
		keys = append(keys, evidence.FieldKey{Field: f.Number, Key: key[:]})
	}
	return l.sealed(leaf, parts, concerns, keys)
}

// sealed appends an entry whose payload is sealed.
func (l *ledger) sealed(leaf proofs.Leaf, parts []proofs.Part, concerns []proofs.Concern, keys []evidence.FieldKey) uint64 {
	l.ids++
	id := proofs.EntryID(binary.BigEndian.AppendUint64(make([]byte, 8, 16), l.ids))
	bucketKey, tagKey := secret("bucket %d", leaf.Bucket), secret("tags of bucket %d", leaf.Bucket)
	d := &proofs.Disclosure{ID: id[:]}
	r := proofs.Record{ID: id}
	for i, p := range parts {
		opening := secret("opening %d of entry %d", i, l.ids)
		b := must(proofs.FormatPart(p))
		sealed := must(proofs.SealPart(b, i, id, &bucketKey, nil, &opening))
		shown := proofs.DisclosedPart{
			SealedHash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, id, i, b),
			Opening: opening[:], Head: must(proofs.FormatPartHead(p)), Data: p.Data,
		}
		d.Parts = append(d.Parts, shown)
		r.Parts = append(r.Parts, proofs.RecordPart{Hash: shown.SealedHash, Binding: shown.Binding})
	}
	var commitments []proofs.Hash
	for i, c := range concerns {
		var subjects []proofs.SubjectKey
		for _, name := range c.Subjects {
			ref := secret("reference to %s", name)
			subjects = append(subjects, proofs.SubjectKey{Ref: proofs.SubjectRef(ref[:8]), Key: secret("tags of %s", name)})
		}
		var tags []proofs.Tag
		for _, v := range c.Values {
			key := fieldKey(leaf.Bucket, v.Number)
			tags = append(tags, proofs.MakeTag(v.Number, &key, v.Value))
		}
		sealed := must(proofs.SealTags(tags, i, id, &tagKey, subjects))
		seed := proofs.TagSeed(&tagKey, id, subjects)
		commitments = proofs.AppendTagCommitments(commitments, &seed, tags)
		d.Tags = append(d.Tags, proofs.DisclosedTags{SealedHash: sha256.Sum256(sealed), Seed: seed[:], Tags: proofs.AppendTags(nil, tags)})
		r.Tags = append(r.Tags, proofs.RecordTags{Hash: sha256.Sum256(sealed)})
	}
	leaf.C, leaf.T = r.Commitment(), proofs.TagsRoot(commitments)
	return l.add(leaf, d, keys)
}

// entry returns an entry with all that shows it, under the last checkpoint.
func (l *ledger) entry(index uint64) evidence.Entry {
	e := l.entries[index]
	size := l.checkpoints[len(l.checkpoints)-1].size
	return evidence.Entry{
		Index: index, Leaf: e.leaf, Disclosure: e.disclosure, FieldKeys: e.keys,
		Proof: must(proofs.ProveInclusion(context.Background(), index, size, l)),
	}
}

// asContext returns an entry as context.
func (l *ledger) asContext(index uint64) evidence.Entry {
	e := l.entry(index)
	e.FieldKeys = nil
	return e
}

// gone returns an entry of which nothing is left but its leaf.
func (l *ledger) gone(index uint64, because ...uint64) evidence.Entry {
	e := l.entry(index)
	e.Disclosure, e.FieldKeys, e.Missing, e.Because = nil, nil, evidence.Gone, because
	return e
}

// A file is what one is made of.
type file struct {
	selection   string
	checkpoints []checkpoint
	searches    []evidence.Search
	audits      []evidence.Attestation
	context     []evidence.Entry
	entries     []evidence.Entry
}

// file returns the evidence of entries, with every checkpoint, and with other
// entries as its context.
func (l *ledger) file(context []uint64, entries ...evidence.Entry) file {
	f := file{selection: "chosen by a test", checkpoints: l.checkpoints, entries: entries}
	for _, index := range context {
		f.context = append(f.context, l.asContext(index))
	}
	return f
}

// write writes a file.
func (l *ledger) write(f file) ([]byte, error) {
	var b bytes.Buffer
	w, err := evidence.NewWriter(&b, evidence.Header{Origin: origin, Selection: f.selection, Policy: string(proofs.FormatPolicy(l.policy))})
	for i, c := range f.checkpoints {
		line := evidence.Checkpoint{Note: string(c.note)}
		if i > 0 && f.checkpoints[i-1].size < c.size {
			line.Consistency = must(proofs.ProveConsistency(context.Background(), f.checkpoints[i-1].size, c.size, l))
		}
		err = errors.Join(err, w.Checkpoint(line))
	}
	for _, s := range f.searches {
		err = errors.Join(err, w.Search(s))
	}
	for _, a := range f.audits {
		err = errors.Join(err, w.Attestation(a))
	}
	for _, e := range f.context {
		err = errors.Join(err, w.Context(e))
	}
	for _, e := range f.entries {
		err = errors.Join(err, w.Entry(e))
	}
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// bytes returns a file that can be written.
func (l *ledger) bytes(f file) []byte { return must(l.write(f)) }

// The indices of the sample.
const (
	sampleClass   = 1
	samplePay     = 2 // stream 1
	sampleSplit   = 3 // stream 2, in parts
	sampleBucket1 = 4
	sampleBucket2 = 5
	sampleEvent   = 6 // two of stream 1
	sampleParts   = 8 // of stream 2, about alice and bob
	sampleSize    = 9
)

// sample returns a ledger with two streams and three events, published once
// before the events and once behind them.
func sample() *ledger {
	l := newLedger()
	l.class(1, 30)
	l.stream(1, stream{name: "payments", fields: []proofs.Field{
		{Number: 1, Name: "action", Path: "$.action"}, {Number: 2, Name: "user", Path: "$.user", Subject: true},
	}})
	l.stream(2, stream{name: "calls", split: true, fields: []proofs.Field{
		{Number: 1, Name: "from", Path: "$.from", Subject: true}, {Number: 2, Name: "to", Path: "$.to", Subject: true},
	}})
	l.open(1, 1)
	l.open(2, 2)
	l.publish()
	l.now += 60
	l.event(1, 1, `{"action":"transfer","user":"alice","amount":12}`)
	l.event(1, 1, `{"action":"login","user":"bob"}`)
	l.event(2, 2, `{"from":"alice","to":"bob","seconds":61}`)
	l.now += 60
	l.publish()
	return l
}

// sampleFile returns a file with the events of the sample.
func sampleFile() (*ledger, file) {
	l := sample()
	f := l.file([]uint64{sampleClass, samplePay, sampleSplit, sampleBucket1, sampleBucket2},
		l.entry(sampleEvent), l.entry(sampleEvent+1), l.entry(sampleParts))
	return l, f
}

// clone returns a file whose lists may be changed.
func (f file) clone() file {
	f.checkpoints, f.context, f.entries = slices.Clone(f.checkpoints), slices.Clone(f.context), slices.Clone(f.entries)
	f.searches, f.audits = slices.Clone(f.searches), slices.Clone(f.audits)
	return f
}

func timeOf(seconds uint64) time.Time { return time.Unix(int64(seconds), 0) }
