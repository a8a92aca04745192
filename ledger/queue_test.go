package ledger

import (
	"errors"
	"runtime"
	"testing"
	"weak"

	"github.com/cairnlog/cairn/client"
)

func TestQueueOfChangesIsBounded(t *testing.T) {
	q := newQueue(Limits{Queue: 100, Bytes: 1 << 20})
	for range 101 {
		r := newRequest(nil)
		r.change = func(uint64) ([]*admission, error) { return nil, nil }
		err := q.put(r)
		var p *client.Problem
		if errors.As(err, &p) && p.Code() == client.Overloaded {
			for q.depth() > 0 {
				q.take(100)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("more changes wait than the queue may hold")
}

func TestWhatIsDoneIsNotKeptInMemory(t *testing.T) {
	q := newQueue(Limits{Queue: 100, Bytes: 1 << 20})
	p := &pendingBatches{}
	var requests []weak.Pointer[request]
	var batches []weak.Pointer[batch]
	for i := range uint64(10) {
		r := newRequest([]*admission{{}})
		b := &batch{first: i, entries: make([]batchEntry, 1)}
		requests, batches = append(requests, weak.Make(r)), append(batches, weak.Make(b))
		if err := q.put(r); err != nil {
			t.Fatal(err)
		}
		p.add(b)
	}
	q.take(9)
	p.remove(9)
	runtime.GC()
	for i := range 9 {
		if requests[i].Value() != nil || batches[i].Value() != nil {
			t.Errorf("request or batch %d is kept", i)
		}
	}
	if len(q.waiting) != 1 || requests[9].Value() == nil || batches[9].Value() == nil {
		t.Error("what waits is gone")
	}
	runtime.KeepAlive(q)
	runtime.KeepAlive(p)
}
