package trillian

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/trillian"
	"github.com/transparency-dev/merkle/compact"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// How long to wait between looks at the server's head, the first time and at
// most.
const (
	firstPoll = 2 * time.Millisecond
	lastPoll  = 100 * time.Millisecond
)

// remote is a tree in a Trillian log server. Leaves are the server's; nodes and
// the head are the shadow's, whose root was compared with the server's.
type remote struct {
	conn   *grpc.ClientConn
	client trillian.TrillianLogClient
	id     int64
	shadow *local // nil until open
}

// serverHead asks the server for its head.
func (r *remote) serverHead(ctx context.Context) (Head, error) {
	answer, err := r.client.GetLatestSignedLogRoot(ctx, &trillian.GetLatestSignedLogRootRequest{LogId: r.id})
	if err != nil {
		return Head{}, err
	}
	h, _, err := parseRoot(answer.GetSignedLogRoot())
	return h, err
}

// await polls the server's head until its size is at least size.
func (r *remote) await(ctx context.Context, size uint64) (Head, error) {
	for pause := firstPoll; ; pause = min(2*pause, lastPoll) {
		h, err := r.serverHead(ctx)
		if err != nil && !transient(err) || err == nil && h.Size >= size {
			return h, err
		}
		if done := sleep(ctx, pause); done != nil {
			return Head{}, errors.Join(fmt.Errorf("server's tree has size %d of %d: %w", h.Size, size, done), err)
		}
	}
}

func (r *remote) head(ctx context.Context) (Head, error) { return r.shadow.head(ctx) }

func (r *remote) has(ctx context.Context, size uint64) (uint64, error) {
	return r.shadow.has(ctx, size)
}

// chunk is how many leaves fit a request.
func (r *remote) chunk(leaves []*trillian.LogLeaf) int {
	size, n := 0, 0
	for n < len(leaves) {
		const framing = 16
		if size += proto.Size(leaves[n]) + framing; size > maxRequest && n > 0 {
			break
		}
		n++
	}
	return n
}

// add also remembers the leaves that the server took, so that they need not
// be read back.
func (r *remote) add(ctx context.Context, leaves []*trillian.LogLeaf) ([]*trillian.QueuedLogLeaf, error) {
	answer, err := r.client.AddSequencedLeaves(ctx, &trillian.AddSequencedLeavesRequest{LogId: r.id, Leaves: leaves})
	if err != nil {
		return nil, err
	}
	results := answer.GetResults()
	n := 0
	for n < min(len(results), len(leaves)) && codes.Code(results[n].GetStatus().GetCode()) == codes.OK {
		n++
	}
	return results, r.remember(ctx, leaves[:n])
}

// stored waits until the first leaf is integrated: a server does not show
// leaves before.
func (r *remote) stored(ctx context.Context, start, count uint64) ([]*trillian.LogLeaf, error) {
	h, err := r.head(ctx)
	if err != nil {
		return nil, err
	}
	if start >= h.Size {
		if _, err := r.await(ctx, start+1); err != nil {
			return nil, err
		}
	}
	return r.fetch(ctx, start, count)
}

// fetch asks the server for some leaves from start on, up to count.
func (r *remote) fetch(ctx context.Context, start, count uint64) ([]*trillian.LogLeaf, error) {
	for count = min(count, maxFetch); ; count = (count + 1) / 2 {
		answer, err := r.client.GetLeavesByRange(ctx, &trillian.GetLeavesByRangeRequest{
			LogId:      r.id,
			StartIndex: int64(start),
			Count:      int64(count),
		})
		if status.Code(err) == codes.ResourceExhausted && count > 1 {
			continue // too large a message
		}
		if err != nil {
			return nil, err
		}
		return answer.GetLeaves(), checkRange(answer.GetLeaves(), start, count)
	}
}

// integrate waits for the server's signer. The shadow must come to the same
// root by itself.
func (r *remote) integrate(ctx context.Context, size uint64) (Head, error) {
	h, err := r.await(ctx, size)
	if err != nil {
		return Head{}, err
	}
	if h.Size > size {
		return Head{}, &SizeError{Want: size, Got: h.Size}
	}
	return h, r.catchUp(ctx, h)
}

// catchUp brings the shadow to the server's head, from the server's leaves
// where the shadow does not have them, and compares the roots.
func (r *remote) catchUp(ctx context.Context, target Head) error {
	mine, err := r.shadow.head(ctx)
	if err != nil {
		return err
	}
	for mine.Size < target.Size {
		end := min(target.Size, mine.Size+maxFetch)
		if err := r.fill(ctx, mine.Size, end); err != nil {
			return err
		}
		if mine, err = r.shadow.integrate(ctx, end); err != nil {
			return err
		}
	}
	if mine != target {
		return fmt.Errorf("%w: server has size %d and root %x, the shadow %d and %x: delete the shadow if it is of another tree",
			ErrDiverged, target.Size, target.Root, mine.Size, mine.Root)
	}
	return nil
}

// fill puts the hashes of leaves [start, end) into the shadow.
func (r *remote) fill(ctx context.Context, start, end uint64) error {
	known, err := r.shadow.stored(ctx, start, end-start)
	if err != nil {
		return err
	}
	for start += uint64(len(known)); start < end; {
		leaves, err := r.fetch(ctx, start, end-start)
		if err != nil {
			return err
		}
		if len(leaves) == 0 {
			return fmt.Errorf("server has no leaf %d", start)
		}
		if err := r.remember(ctx, leaves); err != nil {
			return err
		}
		start += uint64(len(leaves))
	}
	return nil
}

// remember puts the hashes of leaves into the shadow.
func (r *remote) remember(ctx context.Context, leaves []*trillian.LogLeaf) error {
	hashes := make([]*trillian.LogLeaf, len(leaves))
	for i, leaf := range leaves {
		h := sha256.New()
		h.Write([]byte{0}) // RFC 6962 section 2.1; the server's hash is not trusted
		h.Write(leaf.LeafValue)
		sum := h.Sum(nil)
		hashes[i] = &trillian.LogLeaf{LeafIndex: leaf.LeafIndex, MerkleLeafHash: sum, LeafIdentityHash: sum}
	}
	results, err := r.shadow.add(ctx, hashes)
	if err != nil {
		return err
	}
	for i, result := range results {
		switch codes.Code(result.GetStatus().GetCode()) {
		case codes.OK, codes.AlreadyExists:
		default:
			return fmt.Errorf("%w: leaf %d: the shadow has another one", ErrDiverged, hashes[i].LeafIndex)
		}
	}
	return nil
}

// sync has the shadow durable; the server made the rest durable before it
// answered.
func (r *remote) sync(ctx context.Context) error { return r.shadow.sync(ctx) }

func (r *remote) nodes(ctx context.Context, ids []compact.NodeID) ([][HashSize]byte, error) {
	return r.shadow.nodes(ctx, ids)
}

func (r *remote) tile(ctx context.Context, level uint8, index uint64, width int) ([]byte, error) {
	return r.shadow.tile(ctx, level, index, width)
}

func (r *remote) err() error { return r.shadow.err() }

func (r *remote) close() error {
	err := r.conn.Close()
	if r.shadow != nil {
		err = errors.Join(err, r.shadow.close())
	}
	return err
}
