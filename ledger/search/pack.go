package search

// A block is packed into a byte that says how, and what it then takes:
//
//	0: as it is
const rawBlock = 0

// pack packs a block.
func pack(block []byte) []byte {
	return append([]byte{rawBlock}, block...)
}

// unpack returns the block.
func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 || packed[0] != rawBlock {
		return nil, malformed("block: packed in no known way")
	}
	return packed[1:], nil
}
