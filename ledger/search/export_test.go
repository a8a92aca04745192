package search

import (
	"encoding/hex"

	"github.com/cairnlog/cairn/proofs"
)

// SmallSegments makes an index's segments small, so that few documents make
// many of them, and lets it hold few documents in memory.
func SmallSegments(cfg Config) Config {
	cfg.shape, cfg.openBytes = shape{64, 256}, 12<<10
	return cfg
}

// Keys returns the keys that a register's file has, by the names of the files;
// none if it does not open.
func Keys(register []byte, keyOf func(uint64) (proofs.Key256, error)) map[string]proofs.Key256 {
	keys := make(map[string]proofs.Key256)
	if reg, err := openRegister(register, keyOf); err == nil {
		for _, r := range reg.files {
			keys[r.name.String()] = r.key
		}
		for _, r := range reg.outlines {
			keys[r.name.String()] = r.key
		}
	}
	return keys
}

// OpenBlocks returns the blocks of a file that open under a key, wherever they
// end.
func OpenBlocks(name string, key proofs.Key256, b []byte) (blocks [][]byte) {
	id, err := hex.DecodeString(name)
	if err != nil {
		return nil
	}
	s := newSealer(fileName(id), &key)
	for start, number := 0, uint32(0); ; number++ {
		end := start + overhead
		for ; end <= len(b); end++ {
			if plain, err := s.open(append([]byte(nil), b[start:end]...), number); err == nil {
				blocks = append(blocks, plain)
				break
			}
		}
		if end > len(b) {
			return blocks
		}
		start = end
	}
}
