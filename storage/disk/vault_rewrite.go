package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/storage"
)

// Rewrite implements storage.Vault. It copies the bucket into new files while
// others write, catches up with them, and lets the bucket's extent name the new
// files: with that it has taken place, and only then are the old ones removed.
func (v *Vault) Rewrite(ctx context.Context, bucket uint32, change func([]storage.VaultRecord) error) error {
	v.replacing.Lock()
	defer v.replacing.Unlock()
	if err := v.health.check(ctx); err != nil {
		return err
	}
	old, _, err := v.open(bucket)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer v.files.done(old)
	r := v.newRewrite(bucket, old, change)
	defer r.end()
	if err = r.copy(ctx); err == nil {
		err = r.commit(ctx)
	}
	if err != nil {
		return r.discard(err)
	}
	return r.bury()
}

// A rewrite is a bucket on its way from its old files to new ones.
type rewrite struct {
	v      *Vault
	bucket uint32
	old    *bucketFiles
	name   bucketName // of the new files
	change func([]storage.VaultRecord) error

	rows, bytes uint64 // of the old files, for which change was asked
	next        uint64 // what the next index is at least

	new   *bucketWriter // the bucket as it will be; nil as long as nothing changes
	batch rewriteBatch  // for change
}

// A rewriteBatch is records as they were, and as change makes them.
type rewriteBatch struct {
	was  []readRecord
	is   []storage.VaultRecord
	data []byte // of all that is in was, and of the copies in is
}

func (b *rewriteBatch) reset() {
	b.was, b.is, b.data = b.was[:0], b.is[:0], b.data[:0]
}

// add adds a record, twice, so that change may do with one of them what it likes.
func (b *rewriteBatch) add(r readRecord) {
	start, n := len(b.data), len(r.Data)
	b.data = append(append(b.data, r.Data...), r.Data...)
	r.Data = b.data[start : start+n : start+n]
	b.was = append(b.was, r)
	is := r.VaultRecord
	is.Data = b.data[start+n : start+2*n : start+2*n]
	b.is = append(b.is, is)
}

const (
	rewriteRounds = 4         // after which others are stopped to catch up with them
	rewriteRest   = writeSize // bytes that they may be ahead then
)

func (v *Vault) newRewrite(bucket uint32, old *bucketFiles, change func([]storage.VaultRecord) error) *rewrite {
	v.writing.Lock()
	defer v.writing.Unlock()
	v.generation++
	return &rewrite{v: v, bucket: bucket, old: old, name: bucketName{bucket, v.generation}, change: change}
}

// end ends the use of the new files.
func (r *rewrite) end() {
	if r.new != nil {
		r.v.files.done(r.new.files)
	}
}

// doubt closes the vault because of err, unless that says that nothing has
// changed.
func (r *rewrite) doubt(err error) error {
	if err == nil {
		return nil
	}
	return r.v.health.doubt(fmt.Errorf("vault %s: rewrite bucket %d: %w", r.v.name, r.bucket, err))
}

// copy goes through the bucket while others write to it, until they are not far
// ahead.
func (r *rewrite) copy(ctx context.Context) error {
	for range rewriteRounds {
		e, _ := r.v.extent(r.bucket)
		if r.rows > 0 && e.bytes-r.bytes <= rewriteRest {
			return nil
		}
		if err := r.advance(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// commit goes through what is left of the bucket while nobody writes to it, and
// lets the new files take the place of the old ones.
func (r *rewrite) commit(ctx context.Context) error {
	v := r.v
	v.writing.Lock()
	defer v.writing.Unlock()
	e, _ := v.extent(r.bucket)
	if err := r.advance(ctx, e); err != nil {
		return err
	}
	if r.new == nil {
		if v.grown[r.bucket] {
			return r.doubt(v.sync())
		}
		return nil
	}
	if err := v.fs.SyncDir(v.name); err != nil { // before an extent names the files
		return r.doubt(err)
	}
	return r.doubt(v.replace(r.bucket, r.new.extent))
}

// advance asks change for the records up to an extent. The new files are synced
// then.
func (r *rewrite) advance(ctx context.Context, e extent) error {
	if r.rows == e.rows {
		return r.v.health.check(ctx)
	}
	in := readRecords(r.old, e, r.bytes, r.next)
	for r.rows < e.rows {
		if err := r.v.health.check(ctx); err != nil {
			return err
		}
		if err := r.read(in, e); err != nil {
			return err
		}
		if err := r.take(ctx); err != nil {
			return err
		}
	}
	if r.bytes != e.bytes || r.next != e.last+1 {
		return fmt.Errorf("vault bucket %d: records end before the extent: %w", r.bucket, storage.ErrCorrupt)
	}
	if r.new == nil {
		return nil
	}
	err := r.new.flush()
	if err == nil {
		err = r.new.files.sync()
	}
	return r.doubt(noSpace(err))
}

// read reads the next batch, of the records up to an extent.
func (r *rewrite) read(in *bucketReader, e extent) error {
	r.batch.reset()
	end := min(e.rows, r.rows+storage.RewriteBatch)
	for n := r.rows; n < end && len(r.batch.data) < writeSize; n++ {
		record, err := in.nextOrDamaged(r.old, e, n)
		if err != nil {
			return err
		}
		r.batch.add(record)
	}
	return nil
}

// take gives change the batch, and keeps what it leaves of it.
func (r *rewrite) take(ctx context.Context) error {
	if err := r.change(r.batch.is); err != nil {
		return err
	}
	if err := r.v.health.check(ctx); err != nil {
		return err
	}
	for i, was := range r.batch.was {
		if err := r.keep(was, r.batch.is[i].Data); err != nil {
			return err
		}
		r.rows, r.bytes, r.next = r.rows+1, was.end, was.Index+1
	}
	return nil
}

// keep keeps what is left of one record.
func (r *rewrite) keep(was readRecord, data []byte) error {
	left := storage.VaultRecord{Bucket: r.bucket, Index: was.Index, Data: data}
	if data != nil {
		if err := storage.CheckVaultRecord(left); err != nil {
			return err
		}
	}
	same := bytes.Equal(data, was.Data)
	if r.new == nil {
		if same {
			return nil
		}
		if err := r.begin(); err != nil {
			return err
		}
	}
	switch {
	case data == nil:
		return nil
	case same:
		return r.doubt(noSpace(r.new.copy(was)))
	}
	return r.doubt(noSpace(r.new.add(left)))
}

// begin makes the new files and copies the records before the first one that
// changes.
func (r *rewrite) begin() error {
	f, err := r.v.files.use(r.name, r.v.fs.Create)
	if err != nil {
		return r.doubt(noSpace(err))
	}
	r.new = &bucketWriter{files: f, extent: extent{generation: r.name.generation}, soon: true}
	before := extent{rows: r.rows, bytes: r.bytes, last: r.next}
	in := readRecords(r.old, before, 0, 0)
	for n := range r.rows {
		record, err := in.nextOrDamaged(r.old, before, n)
		if err != nil {
			return err
		}
		if err := r.new.copy(record); err != nil {
			return r.doubt(noSpace(err))
		}
	}
	return nil
}

// discard removes the new files because of cause, unless they may be the
// bucket's.
func (r *rewrite) discard(cause error) error {
	if r.v.health.check(context.Background()) != nil {
		return cause
	}
	if err := r.v.unlink(r.name); err != nil {
		return r.doubt(fmt.Errorf("%w, after: %v", err, cause))
	}
	return cause
}

// bury removes what is not the bucket's any more.
func (r *rewrite) bury() error {
	if r.new == nil {
		return nil
	}
	if r.new.extent.rows == 0 {
		if err := r.v.unlink(r.name); err != nil {
			return r.doubt(err)
		}
	}
	return r.doubt(r.v.bury(r.old.name))
}
