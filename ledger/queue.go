package ledger

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cairnlog/cairn/client"
)

// A request is what one caller hands to the sequencer: events that were
// admitted, or a change of settings that only the sequencer can decide.
type request struct {
	admissions []*admission

	caller Caller  // whose events they are
	stream string  // the name of their stream
	acts   *bucket // of the acts, for what must be said of them

	// change is called by the sequencer in place of admissions, when all
	// earlier entries have been applied to the state, with the time that the
	// entries get.
	change func(now uint64) ([]*admission, error)

	alone bool          // it is a batch of its own: it decides on, or changes, what others are judged by
	batch *batch        // holds the entries that are new; nil where none is
	err   error         // the ledger stopped, or change refused
	done  chan struct{} // closed when all is sequenced or refused
}

func newRequest(admissions []*admission) *request {
	r := &request{admissions: admissions, done: make(chan struct{})}
	for _, a := range admissions {
		r.alone = r.alone || a.sequenced != nil
	}
	return r
}

// maxBatchBytes is about where a batch ends, and maxRequestBytes the most
// that one request can hold. Together they are below what a journal's record
// can hold.
const (
	maxBatchBytes   = 16 << 20
	maxRequestBytes = 32 << 20
)

// A queue holds the requests that wait for the sequencer. It is bounded: what
// does not fit is refused at once, so that memory stays bounded and callers
// learn early.
type queue struct {
	mu            sync.Mutex
	waiting       []*request
	events, bytes int
	maxEvents     int
	maxBytes      int
	closed        bool
	wake          chan struct{} // one token: something waits or the queue closed
}

func newQueue(l Limits) *queue {
	return &queue{maxEvents: l.Queue, maxBytes: l.Bytes, wake: make(chan struct{}, 1)}
}

// put adds a request, or refuses it.
func (q *queue) put(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return client.NewProblem(client.Unavailable, "the ledger is closed", "")
	}
	events, bytes := r.weight()
	if bytes > maxRequestBytes {
		return client.NewProblem(client.TooLarge, fmt.Sprintf("the events of one request take %d bytes once sealed, and at most %d are taken", bytes, maxRequestBytes), "send them in smaller batches")
	}
	if q.events > 0 && (q.events+events > q.maxEvents || q.bytes+bytes > q.maxBytes) {
		p := client.NewProblem(client.Overloaded, "too many events wait to be recorded", "send again after the time in Retry-After, with the same idempotency keys")
		p.RetryAfter = time.Second
		return p
	}
	q.waiting = append(q.waiting, r)
	q.events += events
	q.bytes += bytes
	q.signal()
	return nil
}

// leafBytes is more than a leaf, the rows and the framing of an event take;
// control entries have a batch of their own.
const leafBytes = 512

// weight returns how many events a request has and about how many bytes they
// take in the journal. A change is one event.
func (r *request) weight() (events, bytes int) {
	if r.change != nil {
		return 1, leafBytes
	}
	for _, a := range r.admissions {
		bytes += len(a.record) + leafBytes
	}
	return len(r.admissions), bytes
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for requests and returns those of the next batch: about max
// events, and at least one request. It returns nil when the queue is closed
// and empty.
func (q *queue) take(max int) []*request {
	for {
		if taken, closed := q.drain(max); taken != nil || closed {
			return taken
		}
		<-q.wake
	}
}

func (q *queue) drain(max int) (taken []*request, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, events, bytes := 0, 0, 0
	for n < len(q.waiting) {
		e, b := q.waiting[n].weight()
		if n > 0 && (events+e > max || bytes+b > maxBatchBytes || q.waiting[n].alone || q.waiting[n-1].alone) {
			break
		}
		events += e
		bytes += b
		n++
	}
	if n == 0 {
		return nil, q.closed
	}
	taken = slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n) // which keeps nothing of them
	for _, r := range taken {
		e, b := r.weight()
		q.events -= e
		q.bytes -= b
	}
	if len(q.waiting) > 0 || q.closed {
		q.signal()
	}
	return taken, false
}

// close makes put refuse; what waits is still taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// depth returns how many events wait.
func (q *queue) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.events
}
