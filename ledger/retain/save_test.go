package retain_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// busy returns a log whose state has something of everything.
func busy(t testing.TB) *log {
	l := newWorld(t)
	l.class(2, 0, proofs.Month)
	l.bucket(0, 0, 3)
	hold := l.hold(1, run(4, 4), run(8, 1<<64-1))
	l.erase(1, run(3, 4), run(8, 9))
	l.addHold(hold, 2)
	l.done()
	l.hold(0, run(3, 8))
	l.release(hold)
	l.expire(1)
	l.must(ledgerLeaf(2, grace, 0))
	used := l.request(proofs.Erasure, alice)
	l.must(approvalLeaf(used, bob))
	l.must(withdrawalLeaf(l.request(proofs.Release, alice), alice))
	l.request(proofs.Settings, carol)
	l.now = grace * 1e6
	l.must(erasureLeaf(proofs.ErasedBody{Stream: 2, Request: used, Part: 1, Parts: 2, Closes: runs(run(5, 5))}))
	return l
}

const busySaved = `{"size":26,` +
	`"buckets":[{"stream":1,"class":1,"first":3,"last":5,"count":3,"expiry":18},{"stream":1,"class":1,"period":1,"first":7,"last":9,"count":3},{"period":3}],` +
	`"classes":[{"class":0,"period":2},{"class":1,"settings":1,"days":30,"period":1},{"class":2,"settings":10,"period":2}],` +
	`"ledger":{"custodians":2,"grace":3600},` +
	`"holds":[{"index":12,"released":17,"claims":[{"since":12,"streams":[1],"runs":[4,0,4,18446744073709551607]},{"since":14,"streams":[2]}]},{"index":16,"claims":[{"since":16,"runs":[3,5]}]}],` +
	`"closings":[{"index":13,"kind":8,"done":true,"stream":1,"runs":[3,1,4,1],"keepers":[{"hold":12,"at":13},{"hold":16,"at":17}]},{"index":17,"kind":7,"hold":12},{"index":18,"kind":5,"stream":1,"bucket":1,"keepers":[{"hold":16,"at":18}]}],` +
	`"erasing":{"stream":2,"request":20,"first":25,"part":1,"parts":2,"runs":[5,0],"spans":[{"index":25,"stream":2,"first":5,"last":5}]},` +
	`"erased":[{"index":13,"stream":1,"first":3,"last":9}],` +
	`"requests":[{"index":20,"kind":8,"by":11,"approval":21,"approved_by":12,"from":3600000000},{"index":22,"kind":7,"by":11,"withdrawn":23},{"index":24,"kind":2,"by":13}],` +
	`"destroyed":{"announced":13,"epoch":1,"state":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},` +
	`"pruning":{"controls":"+SYXvy4tcZtGfX6Rkz4F3oaAEz8iqOdCkYuxWXoebY8="}}`

func TestSnapshotIsOneText(t *testing.T) {
	if got := string(must(busy(t).state.Save())); got != busySaved {
		t.Errorf("the snapshot is\n%s\nwant\n%s", got, busySaved)
	}
	if got := string(must((&retain.State{}).Save())); got != `{"size":0}` {
		t.Errorf("the snapshot of nothing is %s", got)
	}
}

// TestSnapshotOfStreams: what a stream is now, and no more of it.
func TestSnapshotOfStreams(t *testing.T) {
	l := newLog(t)
	l.must(settingsLeaf(proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: 2, Class: 1}}))
	l.must(settingsLeaf(proofs.SettingsBody{Stream: &proofs.StreamBody{Stream: 1}}))
	l.must(settingsLeaf(proofs.SettingsBody{Stream: &proofs.StreamBody{
		Stream: 1, Class: 3, Closed: true, Reason: true, Split: true, Fields: []proofs.FieldBody{{Number: 1, Subject: true}, {Number: 4}},
	}}))
	const want = `{"size":4,"streams":[{"stream":1,"class":3,"closed":true,"reason":true,"split":true,"fields":[{"number":1,"subject":true},{"number":4}]},{"stream":2,"class":1}],` +
		`"pruning":{"controls":"fZeS8makVZReazdzOdo+S7x8p+F9pl2qWrLLAhDlnv0="}}`
	if got := string(must(reload(t, l.state).Save())); got != want {
		t.Errorf("the snapshot is\n%s\nwant\n%s", got, want)
	}
	for _, row := range []struct{ name, old, new string }{
		{"stream 0", `"stream":1`, `"stream":0`},
		{"a stream twice", `"stream":2`, `"stream":1`},
		{"streams that do not rise", `"stream":1`, `"stream":3`},
		{"fields that do not rise", `"number":4`, `"number":1`},
		{"field 0", `"number":1`, `"number":0`},
	} {
		if _, err := retain.Load([]byte(strings.Replace(want, row.old, row.new, 1))); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: %v, want it malformed", row.name, err)
		}
	}
}

func TestSnapshotOfFieldKeys(t *testing.T) {
	l := newLog(t)
	l.class(1, 30, proofs.Day)
	keys := []proofs.FieldKeyBody{{Field: 2}, {Field: 5, Hash: proofs.Hash{1}}}
	l.must(bucketLeaf(proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Period: 1, Keys: keys}))
	l.buckets++
	l.event(1, 1)
	saved := string(must(reload(t, l.state).Save()))
	for _, row := range []struct{ name, old, new string }{
		{"fields that do not rise", `"field":5`, `"field":2`},
		{"field 0", `"field":2`, `"field":0`},
		{"half a hash", `"hash":"AAAA`, `"hash":"`},
		{"no hash", `"field":5,`, `"field":5,"hush":"",`},
		{"keys of a bucket that expires", `"keys":`, `"expiry":2,"keys":`},
	} {
		bad := strings.Replace(saved, row.old, row.new, 1)
		if _, err := retain.Load([]byte(bad)); !errors.Is(err, proofs.ErrMalformed) || bad == saved {
			t.Errorf("%s: %v, want it malformed", row.name, err)
		}
	}
	l.expire(1)
	if saved := string(must(reload(t, l.state).Save())); strings.Contains(saved, `"keys"`) {
		t.Errorf("keys of a bucket that expires are kept: %s", saved)
	}
}

func TestSnapshotsThatAreRefused(t *testing.T) {
	saved := string(must(busy(t).state.Save()))
	for _, row := range []struct{ name, old, new string }{
		{"another form", `{"size"`, `{ "size"`},
		{"another order", `"stream":1,"class":1,"first":3`, `"class":1,"stream":1,"first":3`},
		{"a member that is not known", `"size":26`, `"size":26,"more":1`},
		{"a member in capitals", `"size"`, `"Size"`},
		{"a zero that is written", `{"period":3}`, `{"stream":0,"period":3}`},
		{"something behind the end", `Y8="}}`, `Y8="}} `},
		{"nothing", saved, ``},
		{"a list", saved, `[]`},
		{"null", saved, `null`},
		{"two buckets with the same keys", `"period":1,"first":7`, `"first":7`},
		{"a bucket that ends beyond the entries", `"last":9,"count":3}`, `"last":26,"count":3}`},
		{"a bucket of more entries than there are indices", `"last":9,"count":3}`, `"last":9,"count":4}`},
		{"a bucket that expires before its last entry", `"expiry":18`, `"expiry":5`},
		{"an expiry of nothing", `{"period":3}`, `{"period":3,"expiry":18}`},
		{"an expiry that is in another bucket", `"bucket":1,"keepers"`, `"bucket":2,"keepers"`},
		{"an expiry of no bucket", `"bucket":1,"keepers"`, `"bucket":9,"keepers"`},
		{"a class without settings", `{"class":1,"settings":1,"days":30,"period":1},`, ``},
		{"a class that changes its period", `"days":30,"period":1}`, `"days":30,"period":1},{"class":1,"settings":2,"days":30,"period":2}`},
		{"a class whose settings do not rise", `"days":30,"period":1}`, `"days":30,"period":1},{"class":1,"settings":1,"days":31,"period":1}`},
		{"a class of no period", `"days":30,"period":1}`, `"days":30,"period":3}`},
		{"a class of settings yet to come", `{"class":2,"settings":10`, `{"class":2,"settings":26`},
		{"a class of settings that end", `{"class":0,"period":2}`, `{"class":0,"settings":1,"days":1,"period":2}`},
		{"three custodians", `"custodians":2`, `"custodians":3`},
		{"a hold yet to come", `"index":16,"claims":[{"since":16`, `"index":26,"claims":[{"since":26`},
		{"a hold that covers nothing", `"claims":[{"since":16,"runs":[3,5]}]`, `"claims":[]`},
		{"a hold that covers before it is made", `{"since":16`, `{"since":15`},
		{"claims that do not rise", `{"since":14`, `{"since":12`},
		{"a release before a claim", `"released":17`, `"released":14`},
		{"streams that do not rise", `"streams":[2]`, `"streams":[2,2]`},
		{"stream 0", `"streams":[2]`, `"streams":[0]`},
		{"runs that touch", `[3,5]`, `[3,5,1,1]`},
		{"half a run", `[3,5]`, `[3]`},
		{"a release without its closing", `{"index":17,"kind":7,"hold":12},`, ``},
		{"a release of a hold that is active", `{"index":17,"kind":7,"hold":12}`, `{"index":17,"kind":7,"hold":16}`},
		{"a release of no hold", `{"index":17,"kind":7,"hold":12}`, `{"index":17,"kind":7,"hold":1}`},
		{"a closing of no kind", `"kind":5`, `"kind":0`},
		{"a closing that does not rise", `"index":13,"kind":8`, `"index":17,"kind":8`},
		{"a closing that is done before another", `"index":18,"kind":5`, `"index":18,"kind":5,"done":true`},
		{"a closing that is done and kept by nobody", `,"keepers":[{"hold":12,"at":13},{"hold":16,"at":17}]`, ``},
		{"an erasure of what follows it", `"runs":[3,1,4,1]`, `"runs":[3,10]`},
		{"an erasure of no stream", `"done":true,"stream":1`, `"done":true`},
		{"a keeper that is no hold", `{"hold":12,"at":13}`, `{"hold":11,"at":13}`},
		{"a keeper twice", `{"hold":16,"at":18}`, `{"hold":16,"at":18},{"hold":16,"at":18}`},
		{"a keeper before the closing", `{"hold":12,"at":13}`, `{"hold":12,"at":12}`},
		{"a keeper yet to come", `{"hold":16,"at":18}`, `{"hold":16,"at":26}`},
		{"a keeper that is younger than its ring", `{"hold":16,"at":17}`, `{"hold":16,"at":16}`},
		{"parts that are all there", `"part":1,"parts":2`, `"part":2,"parts":2`},
		{"a part of no stream", `"erasing":{"stream":2`, `"erasing":{"stream":0`},
		{"parts of what follows", `"runs":[5,0]`, `"runs":[25,0]`},
		{"a span that ends before it begins", `"first":3,"last":9}]`, `"first":3,"last":2}]`},
		{"a span of what follows", `"first":3,"last":9}]`, `"first":3,"last":13}]`},
		{"a part's span yet to come", `[{"index":25,"stream":2`, `[{"index":26,"stream":2`},
		{"a request for an event", `"kind":2,"by":13`, `"kind":0,"by":13`},
		{"a request that does not rise", `{"index":24,"kind":2`, `{"index":22,"kind":2`},
		{"an approval by who asked", `"approved_by":12`, `"approved_by":11`},
		{"an approval yet to come", `"approval":21`, `"approval":26`},
		{"an approval before the request", `"approval":21`, `"approval":19`},
		{"a grace without approval", `"kind":2,"by":13`, `"kind":2,"by":13,"from":1`},
		{"a withdrawal before the request", `"withdrawn":23`, `"withdrawn":22`},
		{"a use without approval", `"kind":2,"by":13`, `"kind":2,"by":13,"used":24`},
		{"a use that was withdrawn", `"from":3600000000`, `"from":3600000000,"withdrawn":23,"used":24`},
		{"half a hash", `"state":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="`, `"state":"AQAA"`},
		{"keys destroyed by what is yet to come", `"announced":13`, `"announced":26`},
	} {
		if strings.Count(saved, row.old) != 1 {
			t.Fatalf("%s: %q is there %d times", row.name, row.old, strings.Count(saved, row.old))
		}
		if _, err := retain.Load([]byte(strings.Replace(saved, row.old, row.new, 1))); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: %v, want it malformed", row.name, err)
		}
	}
	if _, err := retain.Load(make([]byte, retain.MaxSaved+1)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("a snapshot that is too long: %v", err)
	}
}

func TestStateThatFitsNoSnapshot(t *testing.T) {
	l := newWorld(t)
	var list []proofs.Run
	for i := range uint64(proofs.MaxRuns) {
		list = append(list, run(i<<51, i<<51+1<<50))
	}
	leaf := holdLeaf(0, 0, list...)
	for range retain.MaxSaved / (proofs.MaxRuns * len("1125899906842624,1125899906842624,")) {
		l.must(leaf)
	}
	if _, err := l.state.Save(); err != nil {
		t.Fatal(err)
	}
	l.must(leaf)
	l.must(leaf)
	if _, err := l.state.Save(); !errors.Is(err, retain.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, retain.ErrTooLarge)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"size":0}`))
	f.Add([]byte(busySaved))
	f.Add([]byte(`{"size":4,"streams":[{"stream":1,"class":3,"reason":true,"fields":[{"number":1,"subject":true}]}]}`))
	f.Add(must(newWorld(f).state.Save()))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := retain.Load(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("%v does not match %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again := must(s.Save()); !bytes.Equal(again, b) {
			t.Fatalf("loaded as\n%s\nand saved as\n%s", b, again)
		}
		use(s)
	})
}

// use asks everything of a state, and goes on with it until nothing is open.
func use(s *retain.State) {
	var asked []any
	asked = append(asked, s.Holds(), s.Requests(), s.Ledger(), s.Covering(1, 4), s.Held(1, runs(run(2, 9))), s.Rings(1, 1, 4), s.Reasons(1, 1, 4))
	due, err := s.Due(checkpoint(1<<63, 1<<62), func(size uint64) (retain.Checkpoint, error) { return checkpoint(size, 1), nil })
	asked = append(asked, due, err)
	for _, leaf := range []proofs.Leaf{
		{Kind: proofs.Event, Stream: 1, Bucket: 1}, classLeaf(1, 1, proofs.Day, 0), holdLeaf(0, 1, run(0, 5)), holdLeaf(16, 2), releaseLeaf(16, 0),
		erasureLeaf(proofs.ErasedBody{Stream: 2, Part: 2, Parts: 2}),
		erasureLeaf(proofs.ErasedBody{Stream: 1, Part: 1, Parts: 1}), bucketLeaf(proofs.BucketBody{Bucket: 4, Class: 3}),
	} {
		asked = append(asked, s.Apply(s.Size(), leaf))
	}
	for _, x := range due {
		asked = append(asked, s.Apply(s.Size(), expiryLeaf(x)))
	}
	for open := s.Open(); len(open) > 0; open = s.Open() {
		asked = append(asked, open[0].Gone())
		k, _ := s.KeyState()
		k.Announced = open[0].Index
		if s.Apply(s.Size(), doneLeaf(open[0].Kind, k)) != nil {
			break
		}
	}
	fmt.Fprint(discard{}, asked...)
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
