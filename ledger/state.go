package ledger

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// The ledger's own stream and the classes of its entries: of settings, which
// every start needs, and of acts.
const (
	controlStream = 0
	controlClass  = 0
	accessClass   = 1
)

// A state is what the control entries have said so far: the classes, the
// streams and the buckets. The sequencer changes it, in the order of the
// entries; everybody reads it.
type state struct {
	mu       sync.RWMutex
	size     uint64 // it covers the control entries below this index
	classes  map[uint16]*class
	streams  map[uint32]*stream
	names    map[string]*stream
	buckets  map[uint32]*bucket
	paths    map[bucketPath]*bucket
	ofStream map[uint32][]*bucket // the newest first; replaced, never changed

	custodians []string // who are named, rising; replaced, never changed
}

// A class is a retention class.
type class struct {
	Body proofs.ClassBody `json:"body"`
	Name string           `json:"name"`
}

// A stream is a stream with the history of its settings, the latest last.
type stream struct {
	Number  uint32           `json:"number"`
	History []streamSettings `json:"history"`
}

// streamSettings are the settings of a stream from an index on.
type streamSettings struct {
	Since  uint64            `json:"since"` // the index of the settings entry
	Body   proofs.StreamBody `json:"body"`
	Name   string            `json:"name"`
	Fields []proofs.Field    `json:"fields"`

	extractor *proofs.Extractor
}

// A bucket is an open or closed bucket of the vault.
type bucket struct {
	Number uint32     `json:"number"`
	Path   bucketPath `json:"path"`
	Fields []uint16   `json:"fields"` // whose key hashes are logged
	Opened []uint64   `json:"opened"` // and the indices of the entries that did so
}

// A bucketPath says which entries share a bucket and its keys.
type bucketPath struct {
	Stream uint32 `json:"stream"`
	Class  uint16 `json:"class"`
	Period uint32 `json:"period"`
}

func newState() *state {
	return &state{
		classes:  map[uint16]*class{},
		streams:  map[uint32]*stream{},
		names:    map[string]*stream{},
		buckets:  map[uint32]*bucket{},
		paths:    map[bucketPath]*bucket{},
		ofStream: map[uint32][]*bucket{},
	}
}

// now returns the settings that hold for new entries.
func (s *stream) now() *streamSettings { return &s.History[len(s.History)-1] }

// at returns the settings that held for the entry at an index.
func (s *stream) at(index uint64) *streamSettings {
	for i := len(s.History) - 1; i > 0; i-- {
		if s.History[i].Since < index {
			return &s.History[i]
		}
	}
	return &s.History[0]
}

// streamNamed returns the settings of the open stream of that name.
func (st *state) streamNamed(name string) (*streamSettings, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	s, ok := st.names[name]
	if !ok {
		return nil, false
	}
	return s.now(), true
}

// stream returns a stream by its number.
func (st *state) stream(number uint32) (*stream, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	s, ok := st.streams[number]
	return s, ok
}

// streamList returns all streams by their numbers.
func (st *state) streamList() []*stream {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return byNumber(st.streams)
}

// classList returns all classes by their numbers.
func (st *state) classList() []*class {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return byNumber(st.classes)
}

// class returns a class by its number.
func (st *state) class(number uint16) (*class, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	c, ok := st.classes[number]
	return c, ok
}

// classNamed returns the class of that name.
func (st *state) classNamed(name string) (*class, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	for _, c := range st.classes {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// bucket returns the bucket of a path.
func (st *state) bucket(path bucketPath) (*bucket, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	b, ok := st.paths[path]
	return b, ok
}

// bucketNumbered returns a bucket by its number.
func (st *state) bucketNumbered(number uint32) (*bucket, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	b, ok := st.buckets[number]
	return b, ok
}

// bucketsOf returns the buckets of a stream, the newest first.
func (st *state) bucketsOf(number uint32) []*bucket {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.ofStream[number]
}

// bucketList returns all buckets by their numbers.
func (st *state) bucketList() []*bucket {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return byNumber(st.buckets)
}

// custodianNames returns who are named as custodians.
func (st *state) custodianNames() []string {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.custodians
}

// nextClass returns the next free number of a class.
func (st *state) nextClass() (uint16, error) { return nextNumber(st, st.classes, "classes") }

// nextStream returns the next free number of a stream.
func (st *state) nextStream() (uint32, error) { return nextNumber(st, st.streams, "streams") }

// nextBucket returns the next free number of a bucket.
func (st *state) nextBucket() (uint32, error) { return nextNumber(st, st.buckets, "buckets") }

// byNumber returns what a map has, by its numbers.
func byNumber[K uint16 | uint32, V any](m map[K]V) (list []V) {
	for _, n := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[n])
	}
	return list
}

// nextNumber returns the number after the largest: none is ever used again.
func nextNumber[K uint16 | uint32, V any](st *state, m map[K]V, what string) (K, error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	last := K(0)
	for n := range m {
		last = max(last, n)
	}
	if last+1 == 0 {
		return 0, client.NewProblem(client.Invalid, fmt.Sprintf("the ledger has had %d %s, and can have no more", last, what), "")
	}
	return last + 1, nil
}

// compile prepares the extraction of the declared fields.
func (s *streamSettings) compile() (err error) {
	if s.extractor, err = proofs.NewExtractor(s.Fields); err != nil {
		return fmt.Errorf("stream %q: %w", s.Name, err)
	}
	return nil
}
