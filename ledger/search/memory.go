package search

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// A memory is the part of the index that is not at rest: the documents of one
// bucket in a small segment. It grows at its end only, so that what a query saw
// of it stays.
type memory struct {
	id   FileID
	room map[section]termsSize // to expect

	mu        sync.RWMutex
	positions []uint16 // of the documents
	times     []uint64
	sections  map[section]*terms
}

func newMemory(id FileID, room map[section]termsSize) *memory {
	return &memory{id: id, room: room, sections: make(map[section]*terms)}
}

// add adds a document behind those there are. It returns about how many bytes
// of memory that takes.
func (m *memory) add(d *Document) (cost int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	position := uint16(d.Index - m.id.First)
	m.positions = append(m.positions, position)
	m.times = append(m.times, d.Time)
	var room [128]byte
	for _, v := range d.Fields {
		cost += m.terms(section{fieldKind, v.Number}).put(appendKey(room[:0], v.Value), position)
	}
	if len(d.Words) == 0 {
		return cost
	}
	t := m.terms(wordSection())
	for _, w := range d.Words {
		cost += t.put(append(room[:0], w...), position)
	}
	return cost
}

func (m *memory) terms(id section) *terms {
	t, ok := m.sections[id]
	if !ok {
		t = newTerms(m.room[id])
		m.sections[id] = t
	}
	return t
}

// sizes returns how large the sections are.
func (m *memory) sizes() map[section]termsSize {
	sizes := make(map[section]termsSize, len(m.sections))
	for id, t := range m.sections {
		sizes[id] = t.size()
	}
	return sizes
}

// writeTo writes all that is in memory, which must not grow any more.
func (m *memory) writeTo(w *fileWriter) (contents, error) {
	c := contents{m.positions, m.times}
	if err := w.times(m.times); err != nil {
		return c, err
	}
	var positions []uint16
	for _, id := range slices.SortedFunc(maps.Keys(m.sections), compareSections) {
		if err := w.begin(id); err != nil {
			return c, err
		}
		t := m.sections[id]
		for _, i := range t.sorted(nil, nil) {
			positions = t.positions(i, allPositions, positions)
			if err := w.row(t.key(i), positions); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

func compareSections(a, b section) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.number, b.number))
}

// A view is what there was of a memory at some time: the documents below a
// position.
type view struct {
	*memory
	end int
}

// span implements part.
func (v view) span() int { return v.id.span() }

func (v view) list(positions []uint16) posting {
	return posting{n: len(positions), span: v.span(), list: positions}
}

// all implements part.
func (v view) all() (*set, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return listSet(v.positions[:below(v.positions, v.end)]), nil
}

// before implements part.
func (v view) before(time uint64) (int, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	n, _ := slices.BinarySearch(v.times, time)
	if n == len(v.times) {
		return v.span(), nil
	}
	return int(v.positions[n]), nil
}

// find implements part.
func (v view) find(id section, key []byte) (posting, bool, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if t := v.sections[id]; t != nil {
		if i, ok := t.find(key); ok {
			p := v.list(t.positions(i, v.end, nil))
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
	numbers, n := t.sorted(from, to), 0
	for _, i := range numbers {
		n += int(t.terms[i].n)
	}
	s := &memoryRows{rows: make([]memoryRow, 0, len(numbers))}
	room := make([]uint16, n)
	for _, i := range numbers {
		if p := v.list(t.positions(i, v.end, room)); p.n > 0 {
			s.rows, room = append(s.rows, memoryRow{t.key(i), p}), room[p.n:]
		}
	}
	return s, nil
}

type memoryRow struct {
	key  []byte
	post posting
}

// memoryRows is a source of rows in memory.
type memoryRows struct {
	rows []memoryRow // from the next one on
	last memoryRow
}

func (s *memoryRows) next() (bool, error) {
	if len(s.rows) == 0 {
		return false, nil
	}
	s.last, s.rows = s.rows[0], s.rows[1:]
	return true, nil
}

func (s *memoryRows) row() ([]byte, posting) { return s.last.key, s.last.post }
