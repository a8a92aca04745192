package retain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A world has a stream and class 1 of days that are kept for 30, and two
// buckets with three entries each: 3 to 5 and 7 to 9.
func newWorld(t testing.TB) *log {
	l := newLog(t)
	l.class(1, 30, proofs.Day)
	for period := range uint32(2) {
		b := l.bucket(1, 1, period)
		for range 3 {
			l.event(1, b)
		}
	}
	return l
}

func TestEntriesThatNoHonestWriterMakes(t *testing.T) {
	for _, row := range []struct {
		name  string
		entry func(l *log) proofs.Leaf
		is    error // nil: none that callers tell apart
		why   string
	}{
		{"an event in a bucket that no entry opened", func(l *log) proofs.Leaf {
			return proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 3}
		}, nil, "no entry opened bucket 3"},
		{"an event in a bucket of another stream", func(l *log) proofs.Leaf {
			return proofs.Leaf{Kind: proofs.Event, Stream: 2, Bucket: 1}
		}, nil, "bucket 1 is of stream 1, not 2"},
		{"an event in a bucket whose expiry is announced", func(l *log) proofs.Leaf {
			l.expire(1)
			return proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 1}
		}, retain.ErrClosed, "entry 10 announced its expiry"},
		{"an event in a bucket that has expired", func(l *log) proofs.Leaf {
			l.expire(1)
			l.done()
			return proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 1}
		}, retain.ErrClosed, "entry 10 announced its expiry"},
		{"a control entry in a bucket of a stream", func(l *log) proofs.Leaf {
			return proofs.Leaf{Kind: proofs.Access, Bucket: 1}
		}, nil, "bucket 1 is of stream 1, not 0"},
		{"a second entry that creates the ledger", func(l *log) proofs.Leaf {
			return proofs.Leaf{Kind: proofs.Created}
		}, nil, "entry 0 and no other"},

		{"a bucket that leaves a number out", func(l *log) proofs.Leaf {
			return bucketLeaf(proofs.BucketBody{Bucket: 4, Stream: 1, Class: 1, Period: 9})
		}, nil, "bucket 4 opens after bucket 2"},
		{"a bucket with the keys of another", func(l *log) proofs.Leaf {
			return bucketLeaf(proofs.BucketBody{Bucket: 3, Stream: 1, Class: 1, Period: 1})
		}, nil, "bucket 3 has the stream, class and period of bucket 2"},
		{"a bucket that opens again for another period", func(l *log) proofs.Leaf {
			return bucketLeaf(proofs.BucketBody{Bucket: 2, Stream: 1, Class: 1, Period: 2})
		}, nil, "bucket 2 was opened for another stream, class or period"},
		{"a bucket of a class that was never set", func(l *log) proofs.Leaf {
			return bucketLeaf(proofs.BucketBody{Bucket: 3, Stream: 1, Class: 2, Period: 1})
		}, nil, "class 2, which no entry has set"},
		{"field keys of a bucket whose expiry is announced", func(l *log) proofs.Leaf {
			l.expire(1)
			return bucketLeaf(proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Period: 0})
		}, retain.ErrClosed, "entry 10 announced its expiry"},
		{"another key of a field", func(l *log) proofs.Leaf {
			keys := func(hash byte) []proofs.FieldKeyBody {
				return []proofs.FieldKeyBody{{Field: 3, Hash: proofs.Hash{hash}}}
			}
			l.must(bucketLeaf(proofs.BucketBody{Bucket: 2, Stream: 1, Class: 1, Period: 1, Keys: keys(1)}))
			l.must(bucketLeaf(proofs.BucketBody{Bucket: 2, Stream: 1, Class: 1, Period: 1, Keys: append(keys(1), proofs.FieldKeyBody{Field: 4})}))
			return bucketLeaf(proofs.BucketBody{Bucket: 2, Stream: 1, Class: 1, Period: 1, Keys: keys(2)})
		}, nil, "bucket 2 has another key of field 3"},
		{"a bucket whose body is cut off", func(l *log) proofs.Leaf {
			return proofs.Leaf{Kind: proofs.BucketOpened, Control: []byte{0}}
		}, proofs.ErrMalformed, "cut off"},

		{"a class that counts its buckets otherwise", func(l *log) proofs.Leaf {
			return classLeaf(1, 30, proofs.Month, 0)
		}, nil, "class 1 keeps its period, a day"},
		{"a class of settings that is not for ever", func(l *log) proofs.Leaf {
			return classLeaf(0, 30, proofs.Month, 0)
		}, nil, "class 0 keeps the ledger's settings, for ever"},
		{"a class whose body is malformed", func(l *log) proofs.Leaf {
			return proofs.Leaf{Kind: proofs.Settings, Control: []byte{9}}
		}, proofs.ErrMalformed, "cut off"},

		{"the expiry of a bucket that no entry opened", func(l *log) proofs.Leaf {
			x := l.expired(1)
			x.Bucket = 3
			return expiryLeaf(x)
		}, nil, "no entry opened bucket 3"},
		{"the expiry of fewer entries than there are", func(l *log) proofs.Leaf {
			x := l.expired(1)
			x.Last, x.Count = x.Last-1, x.Count-1
			return expiryLeaf(x)
		}, nil, "bucket 1 has 3 entries from 3 to 5"},
		{"an expiry by settings that are not in force", func(l *log) proofs.Leaf {
			x := l.expired(1)
			l.class(1, 31, proofs.Day)
			return expiryLeaf(x)
		}, nil, "its class is set by entry 10"},
		{"an expiry by a checkpoint that does not exist yet", func(l *log) proofs.Leaf {
			x := l.expired(1)
			x.Now.Size++
			return expiryLeaf(x)
		}, nil, "a checkpoint of 11 entries cannot be older than entry 10"},
		{"the expiry of what is kept for ever", func(l *log) proofs.Leaf {
			l.class(1, 0, proofs.Day)
			return expiryLeaf(l.expired(1))
		}, nil, "class 1, which is kept for ever"},
		{"an expiry that is announced twice", func(l *log) proofs.Leaf {
			x := l.expired(1)
			l.expire(1)
			return expiryLeaf(x)
		}, retain.ErrClosed, "entry 10 announced its expiry"},
		{"the expiry of a bucket of a stream that is held", func(l *log) proofs.Leaf {
			l.hold(1)
			return expiryLeaf(l.expired(1))
		}, nil, "stream 1, which is held"},
		{"an expiry that is sealed in the bucket that expires", func(l *log) proofs.Leaf {
			l.class(7, 30, proofs.Month)
			b := l.bucket(0, 7, 0)
			l.must(proofs.Leaf{Kind: proofs.Access, Bucket: b})
			leaf := expiryLeaf(l.expired(b))
			leaf.Bucket = b
			return leaf
		}, nil, "bucket 3 would hold the announcement of its own expiry"},

		{"an erasure of what does not precede it", func(l *log) proofs.Leaf {
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1, Closes: []proofs.Run{{First: 9, Last: 10}}})
		}, nil, "entry 10 cannot be erased by entry 10"},
		{"a second part without a first", func(l *log) proofs.Leaf {
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2})
		}, nil, "part 2 of an erasure comes without those before it"},
		{"a third part after the first", func(l *log) proofs.Leaf {
			l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 3}))
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 3, Parts: 3})
		}, nil, "part 3 of 3 does not follow part 1 of 3"},
		{"a second part of another stream", func(l *log) proofs.Leaf {
			l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2}))
			return erasureLeaf(proofs.ErasedBody{Stream: 2, Part: 2, Parts: 2})
		}, nil, "does not follow part 1 of 2, of the same stream and request"},
		{"a second part of another request", func(l *log) proofs.Leaf {
			l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2}))
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Request: 5, Part: 2, Parts: 2})
		}, nil, "does not follow part 1 of 2, of the same stream and request"},
		{"a second part of fewer", func(l *log) proofs.Leaf {
			l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 3}))
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2})
		}, nil, "part 2 of 2 does not follow part 1 of 3"},
		{"a second part that begins before the end of the first", func(l *log) proofs.Leaf {
			l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2, Closes: []proofs.Run{{First: 4, Last: 5}}}))
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2, Closes: []proofs.Run{{First: 5, Last: 7}}})
		}, nil, "entry 5 does not rise from 5"},
		{"a second part that names what came between", func(l *log) proofs.Leaf {
			l.must(erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 2}))
			index := l.event(1, 1)
			return erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 2, Parts: 2, Closes: []proofs.Run{{First: index, Last: index}}})
		}, nil, "entry 11 cannot be erased by entry 10"},

		{"an addition to a hold that was never made", func(l *log) proofs.Leaf {
			return holdLeaf(5, 1)
		}, retain.ErrNoHold, "hold 5"},
		{"an addition to a hold that is released", func(l *log) proofs.Leaf {
			hold := l.hold(1)
			l.release(hold)
			return holdLeaf(hold, 2)
		}, retain.ErrNoHold, "hold 10"},
		{"the release of a hold that was never made", func(l *log) proofs.Leaf {
			return releaseLeaf(5, 0)
		}, retain.ErrNoHold, "hold 5"},
		{"a release that is announced twice", func(l *log) proofs.Leaf {
			hold := l.hold(1)
			l.release(hold)
			return releaseLeaf(hold, 0)
		}, retain.ErrNoHold, "hold 10"},
		{"a release of the entry that added to a hold", func(l *log) proofs.Leaf {
			return releaseLeaf(l.addHold(l.hold(1), 2), 0)
		}, retain.ErrNoHold, "hold 11"},

		{"the end of what nothing announced", func(l *log) proofs.Leaf {
			return doneLeaf(proofs.Expiry, proofs.KeysDestroyed{Announced: 3})
		}, nil, "nothing is open that could be done"},
		{"the end of a closing before that of the one before it", func(l *log) proofs.Leaf {
			l.expire(1)
			return doneLeaf(proofs.Expiry, proofs.KeysDestroyed{Announced: l.expire(2)})
		}, nil, "what entry 10 announced is to be done first"},
		{"the end of a closing of another kind", func(l *log) proofs.Leaf {
			return doneLeaf(proofs.Erasure, proofs.KeysDestroyed{Announced: l.expire(1)})
		}, nil, "entry 10 did not announce this but: expiry"},
		{"a closing that is done twice", func(l *log) proofs.Leaf {
			announced := l.expire(1)
			l.done()
			return doneLeaf(proofs.Expiry, proofs.KeysDestroyed{Announced: announced, Epoch: 2})
		}, nil, "nothing is open that could be done"},
		{"a key state that is older than one before", func(l *log) proofs.Leaf {
			l.expire(1)
			l.done()
			return doneLeaf(proofs.Expiry, proofs.KeysDestroyed{Announced: l.expire(2), Epoch: 0})
		}, nil, "key state 0 is older than 1"},
		{"another key state of the same epoch", func(l *log) proofs.Leaf {
			l.expire(1)
			l.done()
			return doneLeaf(proofs.Expiry, proofs.KeysDestroyed{Announced: l.expire(2), Epoch: 1})
		}, nil, "key state 1 is another one"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newWorld(t)
			l.restarts = true
			leaf := row.entry(l)
			before := string(must(l.state.Save()))
			_, err := l.write(leaf)
			if err == nil || row.is != nil && !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.why) {
				t.Fatalf("got %v, want %q, which is %v", err, row.why, row.is)
			}
			if row.is == nil && (errors.Is(err, retain.ErrClosed) || errors.Is(err, retain.ErrNoHold) || errors.Is(err, retain.ErrRequest) || errors.Is(err, retain.ErrNeedsRequest)) {
				t.Errorf("%v is told apart", err)
			}
			if after := string(must(l.state.Save())); after != before {
				t.Errorf("the state became\n%s\nwant\n%s", after, before)
			}
		})
	}
}

func TestEntriesComeInTheirOrder(t *testing.T) {
	l := newWorld(t)
	size := l.state.Size()
	if err := l.state.Apply(size+1, proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 1}); !errors.Is(err, retain.ErrGap) {
		t.Errorf("an entry that leaves one out: %v, want %v", err, retain.ErrGap)
	}
	for i := range size {
		// What was applied is not even looked at: it may be any entry.
		if err := l.state.Apply(i, proofs.Leaf{Kind: proofs.Event, Stream: 9, Bucket: 9}); err != nil {
			t.Errorf("entry %d again: %v", i, err)
		}
	}
	if l.state.Size() != size {
		t.Errorf("the state covers %d entries, want %d", l.state.Size(), size)
	}
	var empty retain.State
	if err := empty.Apply(0, proofs.Leaf{Kind: proofs.Event, Stream: 1, Bucket: 1}); err == nil {
		t.Error("a ledger begins with an event")
	}
}

// Entries of a stream need no bucket of the ledger's own, and what the state
// has no use for is counted with its bucket.
func TestControlEntriesCountForTheirBucket(t *testing.T) {
	l := newLog(t)
	b := l.bucket(0, 0, 3)
	for _, kind := range []proofs.Kind{proofs.Access, proofs.Directory, proofs.KeyRotated} {
		l.must(proofs.Leaf{Kind: kind, Bucket: b})
	}
	want := retain.Bucket{Number: b, Period: 3, Unit: proofs.Month, Count: 3, First: 2, Last: 4}
	if got, ok := l.state.Bucket(b); !ok || got != want {
		t.Errorf("bucket %d is %+v, want %+v", b, got, want)
	}
}
