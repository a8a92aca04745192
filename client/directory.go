package client

import (
	"context"
	"net/url"

	"github.com/cairnlog/cairn/proofs"
)

// A DirectoryQuery asks for what the directory of a segment is made of.
type DirectoryQuery struct {
	Segment proofs.SegmentID

	// Stream is the one whose tags and rows are shown; it is for its readers.
	// Empty: those of all streams, for auditors.
	Stream string

	// Rows has the ledger's rows shown too: where a directory is not what the tags
	// make, they name the row that is wrong.
	Rows bool
}

// Directory returns what a ledger shows of a segment: the head of its directory,
// and of a small one the tags of its entries. Whether these are what the log
// committed to is for the caller to check. It is recorded, for auditors as an
// export and for a stream's readers in the stream.
//
// Of a segment that has no directory yet the head says no more than which one it
// is, and the tags are those of the entries that are published. Problems are
// [NoSuchEntry] where there is none of its entries, and [Disabled] where one of
// them is to be erased: then none is shown.
func (h *HTTP) Directory(ctx context.Context, q DirectoryQuery) (shown proofs.ShownDirectory, err error) {
	path, size := "/v1/directories/", "small/"
	if q.Stream != "" {
		path = "/v1/streams/" + url.PathEscape(q.Stream) + "/directories/"
	}
	if q.Segment.Large {
		size = "large/"
	}
	var query url.Values
	if q.Rows {
		query = url.Values{"rows": {"true"}}
	}
	a, err := h.do(ctx, get(path+size+decimal(q.Segment.Number), query, ShownDirectoryType, proofs.MaxShownDirectory))
	if err != nil {
		return shown, err
	}
	return proofs.ParseShownDirectory(a.body)
}

// ShownDirectoryType is the media type of what is shown of a directory.
const ShownDirectoryType = "application/vnd.cairn.directory"
