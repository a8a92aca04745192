package main

import (
	"github.com/cairnlog/cairn/proofs"
)

type controlVector struct {
	Name   string   `json:"name"`
	Format string   `json:"format"` // created, settings, bucket, expiry, erasure, hold, release or administration
	Body   hexBytes `json:"body"`
	Fields any      `json:"fields,omitempty"`
	verdict
}

type createdFields struct {
	Origin     string   `json:"origin"`
	Keys       string   `json:"keys"`
	PolicyHash hexBytes `json:"policy_hash"`
}

type classFields struct {
	Request uint64 `json:"request"`
	Class   uint16 `json:"class"`
	Days    uint32 `json:"days"`
	Period  string `json:"period"`
}

type streamFields struct {
	Request uint64        `json:"request"`
	Stream  uint32        `json:"stream"`
	Class   uint16        `json:"class"`
	Closed  bool          `json:"closed"`
	Reason  bool          `json:"reason"`
	Split   bool          `json:"split"`
	Fields  []fieldFields `json:"fields"`
}

type ledgerFields struct {
	Request    uint64 `json:"request"`
	Custodians uint8  `json:"custodians"`
	Grace      uint32 `json:"grace"`
}

type fieldFields struct {
	Number  uint16 `json:"number"`
	Subject bool   `json:"subject"`
}

type bucketFields struct {
	Bucket uint32      `json:"bucket"`
	Stream uint32      `json:"stream"`
	Class  uint16      `json:"class"`
	Period uint32      `json:"period"`
	Keys   []keyFields `json:"keys"`
}

type keyFields struct {
	Field uint16   `json:"field"`
	Hash  hexBytes `json:"hash"`
}

func controlVectors() []controlVector {
	v := createdVectors()
	v = append(v, classVectors()...)
	v = append(v, streamVectors()...)
	v = append(v, ledgerVectors()...)
	v = append(v, custodiansVectors()...)
	v = append(v, pruningVectors()...)
	v = append(v, bucketVectors()...)
	v = append(v, expiryVectors()...)
	v = append(v, erasureVectors()...)
	v = append(v, holdVectors()...)
	v = append(v, releaseVectors()...)
	return append(v, administrationVectors()...)
}

func refuseControl(name, format string, b []byte, why string) controlVector {
	return controlVector{Name: name, Format: format, Body: b, verdict: malformed(why)}
}

func createdVectors() []controlVector {
	c := proofs.CreatedBody{
		Origin:     "ledger.example/audit",
		Keys:       "ledger.example/audit+00000000+AQ==\n",
		PolicyHash: proofs.Hash(secret("policy")),
	}
	b := must(proofs.FormatCreated(c))
	empty := join([]byte{0}, b[1+len(c.Origin):])
	keyless := join(b[:1+len(c.Origin)], []byte{0, 0}, c.PolicyHash[:])
	return []controlVector{
		{"a ledger that was created", "created", b, createdFields{c.Origin, c.Keys, c.PolicyHash[:]}, ok()},
		refuseControl("a created ledger without a body", "created", nil, "it is cut off"),
		refuseControl("a created ledger with an empty origin", "created", empty, "an origin has a byte at least"),
		refuseControl("a created ledger without keys", "created", keyless, "there is a byte of keys at least"),
		refuseControl("a created ledger that lacks its last byte", "created", b[:len(b)-1], "it is cut off"),
		refuseControl("a created ledger with a byte after its end", "created", join(b, []byte{0}), "nothing may follow"),
	}
}

func classVectors() []controlVector {
	accept := func(name string, request uint64, c proofs.ClassBody) controlVector {
		b := must(proofs.FormatSettings(proofs.SettingsBody{Request: request, Class: &c}))
		return controlVector{name, "settings", b, classFields{request, c.Class, c.Days, c.Period.String()}, ok()}
	}
	day := accept("a class of 90 days in buckets of a day", 0, proofs.ClassBody{Class: 1, Days: 90, Period: proofs.Day})
	const period = 15 // offset
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "settings", b, why) }
	return []controlVector{
		day,
		accept("a class that is kept for ever in buckets of a month", 0, proofs.ClassBody{Class: 2, Period: proofs.Month}),
		accept("a class that entry 17 asked to shorten", 17, proofs.ClassBody{Class: 1, Days: 30, Period: proofs.Day}),
		refuse("a class in buckets of period 0", changed(day.Body, period, 0), "a period is 1, a day, or 2, a month"),
		refuse("a class in buckets of period 3", changed(day.Body, period, 3), "a period is 1, a day, or 2, a month"),
		refuse("a class that lacks its last byte", day.Body[:period], "it is cut off"),
		refuse("a class with a byte after its end", join(day.Body, []byte{0}), "nothing may follow"),
		refuse("settings without a body", nil, "it is cut off"),
		refuse("settings of what there is not", changed(day.Body, 0, 7), "they are of a class, 1, of a stream, 2, of the ledger, 3, of pruning, 4, of a minimum index, 5, or of custodians, 6"),
	}
}

func streamVectors() []controlVector {
	accept := func(name string, s proofs.StreamBody) controlVector {
		f := streamFields{0, s.Stream, s.Class, s.Closed, s.Reason, s.Split, []fieldFields{}}
		for _, d := range s.Fields {
			f.Fields = append(f.Fields, fieldFields(d))
		}
		return controlVector{name, "settings", must(proofs.FormatSettings(proofs.SettingsBody{Stream: &s})), f, ok()}
	}
	two := accept("a stream with an ordinary field and one of data subjects",
		proofs.StreamBody{Stream: 1, Class: 1, Fields: []proofs.FieldBody{{Number: 1}, {Number: 3, Subject: true}}})
	const stream, closed, reason, split, fields = 12, 15, 16, 17, 20 // offsets; of the first the last byte
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "settings", b, why) }
	return []controlVector{
		accept("a stream without fields", proofs.StreamBody{Stream: 1, Class: 1}),
		accept("a stream that takes no more entries", proofs.StreamBody{Stream: 7, Class: 2, Closed: true}),
		accept("a stream whose readers say why", proofs.StreamBody{Stream: 7, Class: 2, Reason: true}),
		accept("a stream whose events are sealed in parts", proofs.StreamBody{Stream: 7, Class: 2, Split: true}),
		two,
		refuse("a stream of number 0", changed(two.Body, stream, 0), "stream 0 is the ledger's own"),
		refuse("a stream that is neither open nor closed", changed(two.Body, closed, 2), "closed is 0 or 1"),
		refuse("a stream whose readers neither say why nor not", changed(two.Body, reason, 2), "reason is 0 or 1"),
		refuse("a stream whose events are neither in parts nor whole", changed(two.Body, split, 2), "split is 0 or 1"),
		refuse("a stream with a field of number 0", changed(two.Body, fields+1, 0), "fields are numbered from 1"),
		refuse("a stream with one field twice", changed(two.Body, fields+4, 1), "numbers rise"),
		refuse("a stream whose fields are not in order", changed(two.Body, fields+1, 4), "numbers rise"),
		refuse("a stream with a field that is neither of data subjects nor not", changed(two.Body, fields+2, 2), "subject is 0 or 1"),
		refuse("a stream whose fields are cut off", changed(two.Body, fields-1, 5)[:fields+5], "a field has three bytes"),
		refuse("a stream with a byte after its end", join(two.Body, []byte{0}), "nothing may follow"),
	}
}

func ledgerVectors() []controlVector {
	accept := func(name string, request uint64, l proofs.LedgerBody) controlVector {
		b := must(proofs.FormatSettings(proofs.SettingsBody{Request: request, Ledger: &l}))
		return controlVector{name, "settings", b, ledgerFields{request, l.Custodians, l.Grace}, ok()}
	}
	two := accept("a ledger that takes two custodians and an hour of grace", 0, proofs.LedgerBody{Custodians: 2, Grace: 3600})
	const custodians = 9 // offset
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "settings", b, why) }
	return []controlVector{
		two,
		accept("a ledger of which entry 17 asked that it take one", 17, proofs.LedgerBody{Custodians: 1}),
		refuse("a ledger that takes no custodian", changed(two.Body, custodians, 0), "it takes 1 or 2"),
		refuse("a ledger that takes three custodians", changed(two.Body, custodians, 3), "it takes 1 or 2"),
		refuse("settings of a ledger that lack their last byte", two.Body[:len(two.Body)-1], "it is cut off"),
		refuse("settings of a ledger with a byte after their end", join(two.Body, []byte{0}), "nothing may follow"),
	}
}

func bucketVectors() []controlVector {
	accept := func(name string, o proofs.BucketBody) controlVector {
		f := bucketFields{o.Bucket, o.Stream, o.Class, o.Period, []keyFields{}}
		for _, k := range o.Keys {
			f.Keys = append(f.Keys, keyFields{k.Field, k.Hash[:]})
		}
		return controlVector{name, "bucket", must(proofs.FormatBucket(o)), f, ok()}
	}
	tagKey := secret("tag key of the bucket")
	hash := func(field uint16) proofs.FieldKeyBody {
		key := proofs.FieldKey(&tagKey, field)
		return proofs.FieldKeyBody{Field: field, Hash: proofs.FieldKeyHash(&key)}
	}
	two := accept("a bucket of a stream with the hashes of two field keys",
		proofs.BucketBody{Bucket: 2, Stream: 1, Class: 1, Period: 20780, Keys: []proofs.FieldKeyBody{hash(1), hash(3)}})
	const keys = 16 // offset
	refuse := func(name string, b []byte, why string) controlVector { return refuseControl(name, "bucket", b, why) }
	return []controlVector{
		accept("a bucket of the ledger's own stream without field keys", proofs.BucketBody{Bucket: 1, Class: 1, Period: 20780}),
		two,
		refuse("a bucket of number 0", changed(two.Body, 3, 0), "buckets are numbered from 1"),
		refuse("a bucket with a field key of number 0", changed(two.Body, keys+1, 0), "fields are numbered from 1"),
		refuse("a bucket with one field key twice", changed(two.Body, keys+34+1, 1), "numbers rise"),
		refuse("a bucket whose field keys are not in order", changed(two.Body, keys+1, 4), "numbers rise"),
		refuse("a bucket whose field keys are cut off", changed(two.Body, keys-1, 67)[:keys+67], "a field key has 34 bytes"),
		refuse("a bucket that lacks its last byte", two.Body[:len(two.Body)-1], "it is cut off"),
		refuse("a bucket with a byte after its end", join(two.Body, []byte{0}), "nothing may follow"),
	}
}
