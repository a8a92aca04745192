package local

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"testing"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

func TestWitnessLinesOfOneURLAreOneWitness(t *testing.T) {
	text := ""
	for i, url := range []string{"https://a.example/w", "https://a.example/w/", "https://b.example", ""} {
		k, err := proofs.GenerateKey(fmt.Sprintf("w%d.example", i), proofs.Ed25519Cosignature, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("witness w%d %s %s\n", i, k.Key(), url)
	}
	p, err := proofs.ParsePolicy([]byte(text + "quorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	var names [][]string
	for _, w := range dialWitnesses(p, []ledger.Witness{{Names: []string{"w2"}}}) {
		names = append(names, w.Names)
	}
	if want := [][]string{{"w0", "w1"}}; !reflect.DeepEqual(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}
