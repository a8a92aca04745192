package search

import (
	"bytes"
	"cmp"
	"slices"
)

// A rowSource yields rows in the order of their keys. Key and posting hold
// until the next one.
type rowSource interface {
	next() (bool, error)
	row() (key []byte, p posting)
}

// A merger reads several sources of rows as one.
type merger struct {
	sources []rowSource
	heap    []int // of the numbers of those that have a row, the least first
	hits    []hit
	key     []byte
}

// A hit is the row of one source.
type hit struct {
	source int
	post   posting
}

func newMerger(sources []rowSource) (*merger, error) {
	m := &merger{sources: sources}
	for i, s := range sources {
		ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if ok {
			m.heap = append(m.heap, i)
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m, nil
}

func (m *merger) less(i, j int) bool {
	a, _ := m.sources[m.heap[i]].row()
	b, _ := m.sources[m.heap[j]].row()
	return cmp.Or(bytes.Compare(a, b), m.heap[i]-m.heap[j]) < 0
}

func (m *merger) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(m.heap) {
			return
		}
		if child+1 < len(m.heap) && m.less(child+1, child) {
			child++
		}
		if !m.less(child, i) {
			return
		}
		m.heap[i], m.heap[child] = m.heap[child], m.heap[i]
		i = child
	}
}

// next calls fn with the next key and the rows that have it, in the order of
// their sources. It is false at the end.
func (m *merger) next(fn func(key []byte, hits []hit) error) (bool, error) {
	if len(m.heap) == 0 {
		return false, nil
	}
	key, _ := m.sources[m.heap[0]].row()
	m.key, m.hits = append(m.key[:0], key...), m.hits[:0]
	for len(m.heap) > 0 {
		source := m.sources[m.heap[0]]
		key, post := source.row()
		if string(key) != string(m.key) {
			break
		}
		m.hits = append(m.hits, hit{m.heap[0], post})
		// What a posting refers to stays; only the key is written over.
		ok, err := source.next()
		if err != nil {
			return false, err
		}
		if !ok {
			m.heap[0] = m.heap[len(m.heap)-1]
			m.heap = m.heap[:len(m.heap)-1]
		}
		m.sink(0)
	}
	return true, fn(m.key, m.hits)
}

// merge writes what small files of a bucket have into a large one.
func merge(w *fileWriter, id FileID, files []*file) (c contents, err error) {
	var ids []section
	for _, f := range files {
		dir, err := f.directory()
		if err != nil {
			return c, err
		}
		if c.documents, err = dir.documents.appendTo(c.documents, int(f.First-id.First)); err != nil {
			return c, err
		}
		if c.times, err = f.appendTimes(c.times, dir); err != nil {
			return c, err
		}
		for _, s := range dir.sections {
			ids = append(ids, s.section)
		}
	}
	if err := w.times(c.times); err != nil {
		return c, err
	}
	slices.SortFunc(ids, compareSections)
	for _, section := range slices.Compact(ids) {
		if err := mergeSection(w, id, section, files); err != nil {
			return c, err
		}
	}
	return c, nil
}

func mergeSection(w *fileWriter, id FileID, section section, files []*file) error {
	sources := make([]rowSource, len(files))
	for i, f := range files {
		rows, err := f.rows(section, nil, nil)
		if err != nil {
			return err
		}
		sources[i] = rows
	}
	m, err := newMerger(sources)
	if err != nil {
		return err
	}
	if err := w.begin(section); err != nil {
		return err
	}
	var positions []uint16
	write := func(key []byte, hits []hit) error {
		positions = positions[:0]
		for _, h := range hits {
			if positions, err = h.post.appendTo(positions, int(files[h.source].First-id.First)); err != nil {
				return err
			}
		}
		return w.row(key, positions)
	}
	for {
		if ok, err := m.next(write); !ok || err != nil {
			return err
		}
	}
}
