package search

import "errors"

var (
	// ErrInvalid means that the index was used wrongly: what was asked or given
	// is outside its bounds, or out of order. Nothing has changed.
	ErrInvalid = errors.New("invalid")
	// ErrFailed means that an earlier write of the index ended in doubt: open it
	// again. Forget and Drop still take away what they are told.
	ErrFailed = errors.New("index failed earlier and must be opened again")
	// ErrStale means that entries were forgotten, or dropped, while a part was
	// being built: build it again, of what is left.
	ErrStale = errors.New("entries were forgotten meanwhile")

	errMalformed = errors.New("malformed") // bytes that are not what was written
	errGone      = errors.New("file is not part of the index any more")
)
