package search_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// A tagged is the tags of the entries of one bucket in a segment, and its rows.
type tagged struct {
	segment proofs.SegmentID
	rows    *proofs.DirectoryRows
	tags    map[uint64][]proofs.Tag
}

func tagOf(field uint16, value uint64) (t proofs.Tag) {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, value))
	t.Field = field
	copy(t.Value[:], h[:])
	return t
}

// tagSegment gives n entries of a small segment tags: field i+1 has about
// values[i] values, of which an entry has up to three.
func tagSegment(t *testing.T, rng *rand.Rand, number uint64, n int, values ...int) tagged {
	t.Helper()
	s := tagged{segment: proofs.SegmentID{Number: number}, tags: make(map[uint64][]proofs.Tag)}
	b := proofs.NewDirectoryBuilder(number)
	positions := rng.Perm(proofs.SegmentSize)[:n]
	slices.Sort(positions)
	for _, p := range positions {
		index := s.segment.First() + uint64(p)
		for i, v := range values {
			for range 1 + rng.IntN(3)/2*rng.IntN(3) {
				s.tags[index] = append(s.tags[index], tagOf(uint16(i+1), rng.Uint64N(uint64(v))))
			}
		}
		var seed proofs.Key256
		binary.BigEndian.PutUint64(seed[:], rng.Uint64())
		must(t, b.Add(index, 1, 7, &seed, s.tags[index]))
	}
	if n == 0 {
		must(t, b.Unread(s.segment.First(), 1, 7))
	}
	s.rows = b.Rows()[0]
	return s
}

// merged returns a large segment of some small ones.
func merged(small []tagged) tagged {
	s := tagged{segment: proofs.SegmentID{Large: true, Number: small[0].segment.Number / proofs.LargeSegments}, tags: make(map[uint64][]proofs.Tag)}
	var rows [proofs.LargeSegments]*proofs.DirectoryRows
	for _, part := range small {
		rows[part.segment.Number%proofs.LargeSegments] = part.rows
		maps.Copy(s.tags, part.tags)
	}
	s.rows = proofs.MergeRows(rows)
	return s
}

// read is a search.TagReader.
func (s tagged) read(_ context.Context, entries []uint64) (tags []proofs.Tag, err error) {
	for _, index := range entries {
		if s.tags[index] == nil {
			return nil, fmt.Errorf("entry %d: it has no tags", index)
		}
		tags = append(tags, s.tags[index]...)
	}
	return tags, nil
}

func (s tagged) head() proofs.DirectoryBucket {
	return proofs.DirectoryBucket{Stream: 1, Bucket: 7, Rows: s.rows.Hash()}
}

func (s tagged) put(t *testing.T, x *search.Index) {
	t.Helper()
	must(t, x.PutOutlines(context.Background(), s.segment, []*proofs.DirectoryRows{s.rows}))
}

func (s tagged) outline(x *search.Index) *search.Outline {
	return x.Outline(s.segment, 7, s.rows.Hash())
}

// ask returns tags to ask for: some that are there, and some that are not.
func (s tagged) ask(rng *rand.Rand) (tags []proofs.Tag) {
	for range 1 + rng.IntN(4) {
		tag := tagOf(uint16(rng.IntN(6)), rng.Uint64())
		if n := s.rows.Len(); n > 0 && rng.IntN(2) == 0 {
			tag = s.rows.Tag([]int{0, n - 1, rng.IntN(n), rng.IntN(n), min(n-1, 31), min(n-1, 32), min(n-1, 2047), min(n-1, 2048)}[rng.IntN(8)])
		}
		if rng.IntN(6) == 0 {
			tag.Value[15]++ // next to one, perhaps
		}
		tags = append(tags, tag)
	}
	return tags
}

// shown returns what an outline shows.
func (s tagged) shown(t *testing.T, o *search.Outline, tags []proofs.Tag) (proofs.SearchRows, error) {
	t.Helper()
	rows, err := o.Rows(s.read)
	if err != nil {
		return proofs.SearchRows{}, err
	}
	return proofs.ShowRows(t.Context(), rows, tags)
}

func (s tagged) mustShowTheSame(t *testing.T, o *search.Outline, tags []proofs.Tag) {
	t.Helper()
	want, err := s.rows.Show(t.Context(), tags)
	must(t, err)
	must(t, want.CheckTags(s.head(), tags))
	got, err := s.shown(t, o, tags)
	must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s with %d rows, asked for %v: the outline shows %d rows, want %d", s.segment, s.rows.Len(), tags, len(got.Shown), len(want.Shown))
	}
}

// TestAnOutlineShowsWhatTheRowsDo asks outlines of many shapes, before and after
// a restart.
func TestAnOutlineShowsWhatTheRowsDo(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 1))
	fsys, k := memfs.New(nil), &keyring{}
	x := open(t, config(fsys, k))
	var all []tagged
	for i, values := range [][]int{{1}, {31}, {32}, {33}, {2, 29}, {5000, 3, 300}, {100_000, 1}, {2}} {
		all = append(all, tagSegment(t, rng, uint64(20+i), []int{1, 600, 4096, 1500}[rng.IntN(4)], values...))
	}
	for _, n := range []int{0, 1, 2048, 2049, 4096} {
		all = append(all, tagSegment(t, rng, uint64(100+n), n, 1<<40))
	}
	var small []tagged
	for i := range uint64(proofs.LargeSegments) {
		if i != 3 { // where the bucket has no entries
			small = append(small, tagSegment(t, rng, i, 1+rng.IntN(400), 1<<40, 700, 2))
		}
	}
	all = append(all, merged(small))
	for _, s := range all {
		s.put(t, x)
	}
	for range 2 {
		for _, s := range all {
			o := s.outline(x)
			if o == nil {
				t.Fatalf("%s has no outline", s.segment)
			}
			for range 40 {
				s.mustShowTheSame(t, o, s.ask(rng))
			}
		}
		if n := x.Stats().Outlines; n != len(all) {
			t.Errorf("%d outlines, want %d", n, len(all))
		}
		must(t, x.Close())
		x = open(t, config(fsys.Restart(), k))
	}
}

// TestALargeOutlineTakesThePlaceOfSmallOnes: and a new one that of an older one.
func TestALargeOutlineTakesThePlaceOfSmallOnes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(12, 1))
	fsys := memfs.New(nil)
	x := open(t, config(fsys, &keyring{}))
	small := []tagged{tagSegment(t, rng, 16, 30, 9), tagSegment(t, rng, 31, 30, 9)}
	behind := tagSegment(t, rng, 32, 30, 9)
	for _, s := range append(small, behind) {
		s.put(t, x)
	}
	large := merged(small)
	for _, s := range []tagged{large, tagSegment(t, rng, 32, 31, 9)} {
		s.put(t, x)
		if s.outline(x) == nil {
			t.Errorf("%s has no outline", s.segment)
		}
	}
	for _, s := range append(small, behind) {
		if s.outline(x) != nil {
			t.Errorf("%s has its outline still", s.segment)
		}
	}
	if files := len(filesOf(t, fsys)); files != 2 {
		t.Errorf("there are %d files", files)
	}
}

// TestNoOutlineIsLeftOfWhatWasForgotten: of its segment and bucket, neither in
// the index nor in what the file system ever had.
func TestNoOutlineIsLeftOfWhatWasForgotten(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(13, 1))
	fsys, k := memfs.New(nil), &keyring{}
	x := open(t, config(fsys, k))
	a, b, c := tagSegment(t, rng, 1, 2000, 50), tagSegment(t, rng, 2, 2000, 50), tagSegment(t, rng, 3, 2000, 50)
	for _, s := range []tagged{a, b, c} {
		s.put(t, x)
	}
	o := a.outline(x)
	before := everything(t, fsys)
	gone := slices.Min(slices.Collect(maps.Keys(a.tags)))
	other := b.segment.First()
	for b.tags[other] != nil {
		other++ // an entry of the segment that is not of the bucket
	}
	must(t, x.Forget(context.Background(), []proofs.Run{{First: gone, Last: gone}, {First: other, Last: other}}, 1))
	k.destroyed = 1
	if a.outline(x) != nil {
		t.Error("an outline leads to what was forgotten")
	}
	if _, err := a.shown(t, o, a.ask(rng)); err == nil {
		t.Error("an outline that somebody had shows something yet")
	}
	b.mustShowTheSame(t, b.outline(x), b.ask(rng))
	must(t, x.Drop(context.Background(), []uint32{7}, 2))
	after := everything(t, fsys)
	for _, s := range []tagged{a, b, c} {
		if s.outline(x) != nil {
			t.Error("an outline is left of a bucket that was dropped")
		}
	}
	k.destroyed = 2
	for name := range before {
		if _, there := after[name]; there && name != "register" {
			t.Errorf("%s is there yet", name)
		}
	}
	for _, files := range []map[string][]byte{before, after} {
		if keys := search.Keys(files["register"], k.key); len(keys) > 0 {
			t.Errorf("%d files open yet", len(keys))
		}
	}
	if n := search.Keys(before["register"], (&keyring{}).key); len(n) != 3 {
		t.Errorf("with their keys %d files would open: the test sees nothing", len(n))
	}
}

// TestADamagedOutlineIsNone flips bits of outlines: what is shown then is what
// the rows show, or nothing is.
func TestADamagedOutlineIsNone(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(14, 1))
	whole, k := memfs.New(nil), &keyring{}
	x := open(t, config(whole, k))
	s := tagSegment(t, rng, 5, 1000, 3000, 40)
	s.put(t, x)
	name := filesOf(t, whole)[0]
	size := len(content(t, whole, name))
	nothing := 0
	for range 300 {
		fsys := whole.Restart()
		must(t, fsys.Damage(name, int64(rng.IntN(size)), 1<<rng.IntN(8)))
		x := open(t, config(fsys, k))
		tags := s.ask(rng)
		o := s.outline(x)
		if _, err := s.shown(t, o, tags); err == nil {
			s.mustShowTheSame(t, o, tags)
		} else if nothing++; s.outline(x) != nil {
			t.Fatal("an outline that cannot be read is offered again")
		}
		s.put(t, x)
		s.mustShowTheSame(t, s.outline(x), tags)
	}
	if nothing == 0 {
		t.Error("no damage was seen")
	}
	fsys := whole.Restart()
	must(t, fsys.Remove(name))
	if x := open(t, config(fsys, k)); s.outline(x) != nil || len(x.Missing()) > 0 {
		t.Errorf("without its file there is an outline; missing: %v", x.Missing())
	}
}

// TestAnOutlineThatLiesIsFoundOut: what is shown of other rows than the
// directory commits to does not pass for what it commits to.
func TestAnOutlineThatLiesIsFoundOut(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(15, 1))
	x := open(t, config(memfs.New(nil), &keyring{}))
	s := tagSegment(t, rng, 5, 1000, 3000, 40)
	index := slices.Max(slices.Collect(maps.Keys(s.tags)))
	b, seed := proofs.NewDirectoryBuilder(5), proofs.Key256{1}
	must(t, b.Add(index, 1, 7, &seed, s.tags[index]))
	lie := tagged{segment: s.segment, rows: b.Rows()[0], tags: s.tags}
	lie.put(t, x)
	for range 50 {
		tags := s.ask(rng)
		got, err := lie.shown(t, lie.outline(x), tags)
		must(t, err)
		if err := got.CheckTags(s.head(), tags); !errors.Is(err, proofs.ErrNotVerified) {
			t.Fatalf("it passes: %v", err)
		}
		must(t, got.CheckTags(lie.head(), tags))
	}
	// Neither do rows that answer another question.
	tag := s.tags[index][:1]
	other, err := s.rows.Show(t.Context(), []proofs.Tag{tagOf(9, 9)})
	must(t, err)
	if err := other.CheckTags(s.head(), tag); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("rows that leave one out pass: %v", err)
	}
}

// TestAnOutlineIsNotGivenUpForTagsThatCannotBeRead: that is not its fault.
func TestAnOutlineIsNotGivenUpForTagsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	x := open(t, config(memfs.New(nil), &keyring{}))
	s := tagSegment(t, rand.New(rand.NewPCG(16, 1)), 5, 100, 1000)
	s.put(t, x)
	lost := errors.New("it is lost")
	for _, tags := range []search.TagReader{
		func(context.Context, []uint64) ([]proofs.Tag, error) { return nil, lost },
		func(context.Context, []uint64) ([]proofs.Tag, error) { return nil, nil },
		func(ctx context.Context, entries []uint64) ([]proofs.Tag, error) { // some too many
			return s.read(ctx, slices.Sorted(maps.Keys(s.tags)))
		},
	} {
		rows, err := s.outline(x).Rows(tags)
		must(t, err)
		for i := range s.rows.Len() {
			got, _, err := rows.ReadRow(t.Context(), i)
			if err == nil && got != s.rows.Row(i) {
				t.Fatalf("row %d is another one", i)
			}
		}
	}
	if s.outline(x) == nil {
		t.Error("the outline was given up")
	}
}

// TestOutlinesAreReadDuringChanges reads outlines while others come and go.
func TestOutlinesAreReadDuringChanges(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(17, 1))
	fsys := memfs.New(nil)
	x := open(t, config(fsys, &keyring{}))
	stays, goes := tagSegment(t, rng, 5, 500, 3000), tagSegment(t, rng, 6, 500, 3000)
	stays.put(t, x)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for i := range uint64(2) {
		rng := rand.New(rand.NewPCG(18, i))
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				tags := stays.ask(rng)
				want, _ := stays.rows.Show(t.Context(), tags)
				if got, err := stays.shown(t, stays.outline(x), tags); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("it shows something else: %v", err)
				}
				if o := goes.outline(x); o != nil {
					tags := goes.ask(rng)
					if got, err := goes.shown(t, o, tags); err == nil && got.CheckTags(goes.head(), tags) != nil {
						t.Error("it shows what is not right")
					}
				}
			}
		})
	}
	for generation := range uint64(30) {
		goes.put(t, x)
		must(t, x.Forget(context.Background(), []proofs.Run{{First: goes.segment.First(), Last: goes.segment.End() - 1}}, generation))
	}
	close(done)
	readers.Wait()
	must(t, x.Close())
	if o := stays.outline(x); o != nil {
		t.Error("a closed index has an outline")
	}
	if err := x.PutOutlines(t.Context(), stays.segment, nil); err == nil {
		t.Error("a closed index takes an outline")
	}
	if n := fsys.OpenFiles(); n > 0 {
		t.Errorf("%d files are still open", n)
	}
	if tag := stays.rows.Tag(0); bytes.Contains(content(t, fsys, filesOf(t, fsys)[0]), tag.Value[:6]) {
		t.Error("a tag lies in the clear")
	}
}
