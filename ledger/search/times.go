package search

import "encoding/binary"

// The times of a file's documents lie in blocks of up to timesInBlock: the first
// one in the directory, and in the block what each other exceeds the one before
// it by, as a varint.

// times writes the times of the documents. It comes first.
func (w *fileWriter) times(times []uint64) error {
	for len(times) > 0 {
		n := min(len(times), timesInBlock)
		block := make([]byte, 0, 4*n)
		for i := 1; i < n; i++ {
			block = binary.AppendUvarint(block, times[i]-times[i-1])
		}
		ref, err := w.write(block)
		if err != nil {
			return err
		}
		ref.time = times[0]
		w.dir.times = append(w.dir.times, ref)
		times = times[n:]
	}
	return nil
}

// readTimes reads a block of n times.
func readTimes(first uint64, block []byte, n int) ([]uint64, error) {
	times := make([]uint64, 1, n)
	times[0] = first
	d := decoder{rest: block}
	for range n - 1 {
		last := times[len(times)-1]
		times = append(times, last+d.uvarint("times", ^uint64(0)-last))
	}
	return times, d.end("times")
}

// countBefore returns how many of a block of n times are before one.
func countBefore(time, first uint64, block []byte, n int) (int, error) {
	at := first
	for i := range n {
		if at >= time {
			return i, nil
		}
		if i == n-1 {
			break
		}
		v, size := uvarint(block)
		if size == 0 {
			return 0, malformed("times")
		}
		at, block = at+v, block[size:]
	}
	return n, nil
}

// appendTimes appends the times of the file's documents.
func (f *file) appendTimes(times []uint64, dir *directory) ([]uint64, error) {
	for i, ref := range dir.times {
		b, err := f.block(ref)
		if err != nil {
			return nil, err
		}
		some, err := readTimes(ref.time, b, min(timesInBlock, dir.documents.n-i*timesInBlock))
		if err != nil {
			return nil, err
		}
		times = append(times, some...)
	}
	return times, nil
}
