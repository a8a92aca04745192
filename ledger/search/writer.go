package search

// A fileWriter writes one file, from its first block to its directory.
type fileWriter struct {
	sealer
	span int
	put  func([]byte) error // appends to the file

	dir    directory
	number uint32
	offset uint64

	block []byte // open
	first []byte // key of it
	last  []byte
	buf   []byte
}

func newFileWriter(s sealer, span int, put func([]byte) error) *fileWriter {
	return &fileWriter{sealer: s, span: span, put: put, dir: directory{span: span}}
}

// begin begins a section behind those there are. It gets at least one row.
func (w *fileWriter) begin(id section) error {
	if err := w.flush(); err != nil {
		return err
	}
	w.dir.sections = append(w.dir.sections, sectionRef{section: id})
	return nil
}

// row writes a row of the section, whose key is behind the one before.
func (w *fileWriter) row(key []byte, positions []uint16) error {
	if len(w.block) >= blockTarget {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if len(w.block) == 0 {
		w.first, w.last = append(w.first[:0], key...), w.last[:0]
	}
	w.block = appendRow(w.block, w.last, key, positions, w.span)
	w.last = append(w.last[:0], key...)
	w.dir.sections[len(w.dir.sections)-1].rows++
	return nil
}

// flush closes the open block, if there is one.
func (w *fileWriter) flush() error {
	if len(w.block) == 0 {
		return nil
	}
	ref, err := w.write(w.block)
	if err != nil {
		return err
	}
	ref.key = string(w.first)
	s := &w.dir.sections[len(w.dir.sections)-1]
	s.blocks, w.block = append(s.blocks, ref), w.block[:0]
	return nil
}

// write seals a block.
func (w *fileWriter) write(block []byte) (blockRef, error) {
	w.buf = w.seal(w.buf[:0], block, w.number)
	ref := blockRef{number: w.number, offset: w.offset, size: uint32(len(w.buf))}
	w.number, w.offset = w.number+1, w.offset+uint64(len(w.buf))
	return ref, w.put(w.buf)
}

// finish writes the directory and returns where it is.
func (w *fileWriter) finish(documents []uint16) (ref blockRef, err error) {
	if err := w.flush(); err != nil {
		return ref, err
	}
	plain := w.dir.append(nil, documents)
	if len(plain) > directoryLimit {
		return ref, malformed("directory: %d bytes are more than %d", len(plain), directoryLimit)
	}
	sealed := w.seal(nil, plain, w.number)
	return blockRef{number: w.number, offset: w.offset, size: uint32(len(sealed))}, w.put(sealed)
}
