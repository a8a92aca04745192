package search

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A memory is the part of the index that is not at rest: the documents of one
// bucket in a small segment. It grows at its end only, so that what a query saw
// of it stays.
type memory struct {
	id FileID

	mu        sync.RWMutex
	positions []uint16 // of the documents
	times     []uint64
	sections  map[section]*terms
	arena     []uint16 // for the first position of each term
}

// terms are the rows of a section, by key.
type terms struct {
	numbers map[string]int // of the term
	lists   [][]uint16     // positions of each term
}

func newMemory(id FileID) *memory {
	return &memory{id: id, sections: make(map[section]*terms)}
}

// add adds a document behind those there are.
func (m *memory) add(d *Document) {
	m.mu.Lock()
	defer m.mu.Unlock()
	position := uint16(d.Index - m.id.First)
	m.positions = append(m.positions, position)
	m.times = append(m.times, d.Time)
	key := make([]byte, 0, 128)
	for _, v := range d.Fields {
		key = appendKey(key[:0], v.Value)
		t := m.terms(section{fieldKind, v.Number})
		m.put(t, key, position)
	}
	if len(d.Words) == 0 {
		return
	}
	t := m.terms(wordSection())
	for _, w := range d.Words {
		m.put(t, append(key[:0], w...), position)
	}
}

func (m *memory) terms(id section) *terms {
	t, ok := m.sections[id]
	if !ok {
		t = &terms{numbers: make(map[string]int)}
		m.sections[id] = t
	}
	return t
}

func (m *memory) put(t *terms, key []byte, position uint16) {
	i, ok := t.numbers[string(key)]
	if !ok {
		if len(m.arena) == 0 {
			m.arena = make([]uint16, 4096)
		}
		m.arena[0] = position
		t.numbers[string(key)] = len(t.lists)
		t.lists = append(t.lists, m.arena[:1:1])
		m.arena = m.arena[1:]
		return
	}
	if list := t.lists[i]; list[len(list)-1] != position {
		t.lists[i] = append(list, position)
	}
}

// A view is what there was of a memory at some time: the documents below a
// position.
type view struct {
	*memory
	end int
}

func (v view) span() int { return v.id.span() }

// posting returns what a list has below the view's end.
func (v view) posting(list []uint16) posting {
	list = list[:below(list, v.end)]
	return posting{n: len(list), span: v.span(), list: list}
}

// all implements part.
func (v view) all() (*set, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.posting(v.positions).set()
}

// before implements part.
func (v view) before(time uint64) (int, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return beforeAmong(listSet(v.positions), v.times, 0, time, v.span()), nil
}

// find implements part.
func (v view) find(id section, key []byte) (posting, bool, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if t := v.sections[id]; t != nil {
		if i, ok := t.numbers[string(key)]; ok {
			p := v.posting(t.lists[i])
			return p, p.n > 0, nil
		}
	}
	return posting{}, false, nil
}

// rows implements part.
func (v view) rows(id section, from, to []byte) (rowSource, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	t := v.sections[id]
	if t == nil {
		return noRows{}, nil
	}
	rows := make([]memoryRow, 0, 16)
	for key, i := range t.numbers {
		if key < string(from) || to != nil && key >= string(to) {
			continue
		}
		if p := v.posting(t.lists[i]); p.n > 0 {
			rows = append(rows, memoryRow{key, p})
		}
	}
	slices.SortFunc(rows, func(a, b memoryRow) int { return strings.Compare(a.key, b.key) })
	return &memoryRows{rows: rows, at: -1}, nil
}

type memoryRow struct {
	key  string
	post posting
}

// memoryRows is a source of rows in memory.
type memoryRows struct {
	rows []memoryRow
	at   int
	key  bytes.Buffer
}

func (s *memoryRows) next() (bool, error) {
	s.at++
	return s.at < len(s.rows), nil
}

func (s *memoryRows) row() ([]byte, posting) {
	s.key.Reset()
	s.key.WriteString(s.rows[s.at].key)
	return s.key.Bytes(), s.rows[s.at].post
}

// sectionIDs returns the sections there are, rising.
func (m *memory) sectionIDs() []section {
	return slices.SortedFunc(maps.Keys(m.sections), compareSections)
}

func compareSections(a, b section) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.number, b.number))
}

// writeTo writes all that is in memory.
func (m *memory) writeTo(w *fileWriter) (contents, error) {
	c := contents{m.positions, m.times}
	if err := w.times(m.times); err != nil {
		return c, err
	}
	all := view{m, m.id.span()}
	for _, id := range m.sectionIDs() {
		if err := w.begin(id); err != nil {
			return c, err
		}
		rows, err := all.rows(id, nil, nil)
		if err != nil {
			return c, err
		}
		for ok, err := rows.next(); ok || err != nil; ok, err = rows.next() {
			if err != nil {
				return c, err
			}
			key, post := rows.row()
			if err := w.row(key, post.list); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}
