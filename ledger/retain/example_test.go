package retain_test

import (
	"fmt"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

func Example() {
	var state retain.State
	write := func(leaf proofs.Leaf) uint64 { // as the ledger's writer does
		index := state.Size()
		if err := state.Check(leaf); err != nil {
			fmt.Println(err)
			return 0
		}
		// The entry is made durable here; then it is applied.
		if err := state.Apply(index, leaf); err != nil {
			panic(err)
		}
		return index
	}
	write(proofs.Leaf{Kind: proofs.Created})
	class := proofs.ClassBody{Class: 1, Days: 30, Period: proofs.Day}
	settings, _ := proofs.FormatSettings(proofs.SettingsBody{Class: &class})
	write(proofs.Leaf{Kind: proofs.Settings, Control: settings})
	opened, _ := proofs.FormatBucket(proofs.BucketBody{Bucket: 1, Stream: 7, Class: 1, Period: 20454})
	write(proofs.Leaf{Kind: proofs.BucketOpened, Control: opened})
	event := proofs.Leaf{Kind: proofs.Event, Stream: 7, Bucket: 1}
	for range 5 {
		write(event)
	}
	held, _ := proofs.FormatHold(proofs.HoldBody{Holds: []proofs.Run{{First: 4, Last: 5}}})
	hold := write(proofs.Leaf{Kind: proofs.Hold, Control: held})

	// A month later.
	const midnight = 20455 * 24 * 60 * 60
	closed := retain.Checkpoint{CheckpointRef: proofs.CheckpointRef{Size: 8}, Time: midnight - 3600}
	now := retain.Checkpoint{CheckpointRef: proofs.CheckpointRef{Size: 9}, Time: midnight + 30*24*60*60}
	due, _ := state.Due(now, func(uint64) (retain.Checkpoint, error) { return closed, nil })
	expired, _ := proofs.FormatExpiry(proofs.ExpiryBody{Expired: &due[0]})
	expiry := write(proofs.Leaf{Kind: proofs.Expiry, Control: expired})
	write(event)

	c := state.Open()[0]
	fmt.Println("hold", c.Rings[0].Hold, "keeps", c.Rings[0].Runs, "of closing", expiry)
	fmt.Println("gone are", c.Gone()[0].Runs, "of bucket", c.Gone()[0].Bucket)
	done, _ := proofs.FormatExpiry(proofs.ExpiryBody{Done: &proofs.KeysDestroyed{Announced: expiry, Epoch: 1}})
	write(proofs.Leaf{Kind: proofs.Expiry, Control: done})
	fmt.Println("entry 4 is in the rings", state.Rings(7, 1, 4))

	released, _ := proofs.FormatRelease(proofs.ReleaseBody{Released: &proofs.ReleasedBody{Hold: hold}})
	write(proofs.Leaf{Kind: proofs.Release, Control: released})
	fmt.Println("gone are", state.Open()[0].Gone()[0].Runs)
	// Output:
	// entry 10 (event): bucket 1: entry 9 announced its expiry: bucket is closed
	// hold 8 keeps [{4 5}] of closing 9
	// gone are [{3 3} {6 7}] of bucket 1
	// entry 4 is in the rings [{8 9}]
	// gone are [{4 5}]
}
