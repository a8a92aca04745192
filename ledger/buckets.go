package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// bucketFor returns the bucket and keys for a new entry of a stream, and
// opens the bucket when it is the first entry of its period. Class names a
// class longer than the stream's; empty is the stream's own.
func (l *Ledger) bucketFor(ctx context.Context, s *streamSettings, className string) (*bucket, *bucketKeys, error) {
	c, ok := l.state.class(s.Body.Class)
	if !ok {
		return nil, nil, fmt.Errorf("stream %q: there is no class %d", s.Name, s.Body.Class)
	}
	if className != "" && className != c.Name {
		longer, ok := l.state.classNamed(className)
		if !ok {
			return nil, nil, client.NewProblem(client.Invalid, fmt.Sprintf("there is no retention class %q", className), "")
		}
		if longer.Body.Shortens(c.Body) {
			return nil, nil, client.NewProblem(client.Invalid, fmt.Sprintf("class %q is shorter than the stream's class %q", className, c.Name), "an entry may name a longer class only")
		}
		c = longer
	}
	path := bucketPath{Stream: s.Body.Stream, Class: c.Body.Class, Period: c.Body.Period.Number(l.cfg.Clock())}
	return l.openBucket(ctx, path, s.Fields)
}

// tooShort reports whether an event is in a class that keeps it for less time
// than its stream's own does now.
func (l *Ledger) tooShort(leaf proofs.Leaf) bool {
	s, ok := l.state.stream(leaf.Stream)
	b, known := l.state.bucketNumbered(leaf.Bucket)
	if !ok || !known || leaf.Kind != proofs.Event {
		return false
	}
	own, ok := l.state.class(s.now().Body.Class)
	in, known := l.state.class(b.Path.Class)
	return ok && known && in.Body.Shortens(own.Body)
}

// controlPath returns the path of the bucket of the ledger's own stream.
func (l *Ledger) controlPath() bucketPath {
	return bucketPath{Stream: controlStream, Class: controlClass, Period: proofs.Month.Number(l.cfg.Clock())}
}

func (l *Ledger) controlBucket(ctx context.Context) (*bucket, *bucketKeys, error) {
	return l.openBucket(ctx, l.controlPath(), nil)
}

// accessBucket returns the bucket of the acts that are recorded now.
func (l *Ledger) accessBucket(ctx context.Context) (*bucket, *bucketKeys, error) {
	path := bucketPath{Stream: controlStream, Class: accessClass, Period: proofs.Month.Number(l.cfg.Clock())}
	return l.openBucket(ctx, path, nil)
}

// openBucket returns the bucket of a path with the keys of all given fields
// logged. What is missing is logged first, in an entry of its own, because a
// key's hash must be in the log before the key is used.
func (l *Ledger) openBucket(ctx context.Context, path bucketPath, fields []proofs.Field) (*bucket, *bucketKeys, error) {
	keys, err := l.keys.bucket(path)
	if err != nil {
		return nil, nil, err
	}
	b, ok := l.state.bucket(path)
	if ok && b.has(fields) {
		return b, keys, nil
	}
	r := newRequest(nil)
	r.alone = true
	r.change = func(uint64) ([]*admission, error) { // in the sequencer, so nobody else opens it meanwhile
		b, ok := l.state.bucket(path)
		if ok && b.has(fields) {
			return nil, nil
		}
		if !ok {
			number, err := l.state.nextBucket()
			if err != nil {
				return nil, err
			}
			b = &bucket{Number: number}
		}
		a, err := l.bucketEntry(b.Number, path, fields)
		if err != nil {
			return nil, err
		}
		if err := l.retain.Check(a.leaf); err != nil {
			return nil, retentionProblem(err) // it expired while this waited
		}
		return []*admission{a}, nil
	}
	if err := l.submit(ctx, r); err != nil {
		return nil, nil, l.asProblem(err)
	}
	if b, ok = l.state.bucket(path); !ok {
		return nil, nil, fmt.Errorf("bucket %v did not open", path)
	}
	return b, keys, nil
}

func (b *bucket) has(fields []proofs.Field) bool {
	for _, f := range fields {
		if !slices.Contains(b.Fields, f.Number) {
			return false
		}
	}
	return true
}

// bucketEntry returns the control entry that opens a bucket or adds fields.
func (l *Ledger) bucketEntry(number uint32, path bucketPath, fields []proofs.Field) (*admission, error) {
	keys, err := l.keys.bucket(path)
	if err != nil {
		return nil, err
	}
	body := proofs.BucketBody{Bucket: number, Stream: path.Stream, Class: path.Class, Period: path.Period}
	for _, f := range fields {
		key := keys.field(f.Number)
		body.Keys = append(body.Keys, proofs.FieldKeyBody{Field: f.Number, Hash: proofs.FieldKeyHash(&key)})
	}
	control, err := proofs.FormatBucket(body)
	if err != nil {
		return nil, err
	}
	a := openControl(proofs.BucketOpened, control)
	a.sequenced = func(index uint64) { l.mustApply(index, a.leaf, nil) }
	return a, nil
}
