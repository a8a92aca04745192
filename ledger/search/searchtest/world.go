package searchtest

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
)

// below returns a random number in [0, n), the same on all machines.
func below(random *rand.PCG, n int) int {
	hi, _ := bits.Mul64(random.Uint64(), uint64(n))
	return int(hi)
}

// A world is the values that synthetic events have, the same for all seeds. The
// first of those drawn by the law of Zipf are the most frequent.
type world struct {
	words, actors, actions, resources, addresses, agents, regions, services []string

	hosts    [][]string // by region
	outcomes []outcome

	word, actor, action, resource, address, agent, service, outcome choice
}

// An outcome is how an action ended, with the status codes that tell it.
type outcome struct {
	name   string
	weight uint64
	status []status
}

// A status is a status code in both its forms.
type status struct {
	text   string
	number float64
}

func newWorld() *world {
	random := rand.NewPCG(13, 12)
	w := &world{words: words(random, 20_000), outcomes: outcomes()}
	w.actors = suffixed(words(random, 20_000), "@example.com")
	w.actions = product(strings.Fields("document account invoice key report"), strings.Fields("read list update create download share delete grant"))
	w.regions = strings.Fields("eu-central-1 us-east-1 eu-west-1 us-west-2 ap-south-1 ap-northeast-1 sa-east-1 ca-central-1 eu-north-1 af-south-1 me-central-1 ap-southeast-2")
	w.services = product(words(random, 15), strings.Fields("api worker gateway scheduler"))
	for _, name := range product(words(random, 20), strings.Fields("linux windows darwin android ios")) {
		for _, version := range []string{"1.12", "2.4"} {
			w.agents = append(w.agents, strings.Replace(name, ".", "/"+version+" ", 1))
		}
	}
	for k := range 100_000 {
		object := w.actions[k%len(w.actions)]
		w.resources = append(w.resources, fmt.Sprintf("%ss/%d", object[:strings.IndexByte(object, '.')], 100_000+k*7919%900_000))
	}
	for k := range 50_000 { // of the addresses for benchmarks (RFC 2544)
		w.addresses = append(w.addresses, fmt.Sprintf("198.%d.%d.%d", 18+k&1, k>>9&255, k>>1&255))
	}
	w.hosts = make([][]string, len(w.regions))
	for k := range 500 {
		r := k % len(w.regions)
		w.hosts[r] = append(w.hosts[r], fmt.Sprintf("node-%03d.%s", k, w.regions[r]))
	}
	w.prepare()
	return w
}

// prepare makes the choices of the values.
func (w *world) prepare() {
	w.word, w.actor, w.action, w.resource = zipf(len(w.words)), zipf(len(w.actors)), zipf(len(w.actions)), zipf(len(w.resources))
	w.address, w.agent, w.service = zipf(len(w.addresses)), zipf(len(w.agents)), zipf(len(w.services))
	var weights []uint64
	for _, o := range w.outcomes {
		weights = append(weights, o.weight)
	}
	w.outcome = weighted(weights)
}

func outcomes() []outcome {
	return []outcome{
		{"success", 90, []status{{"200", 200}, {"201", 201}, {"202", 202}, {"204", 204}, {"206", 206}, {"304", 304}}},
		{"denied", 7, []status{{"401", 401}, {"403", 403}, {"429", 429}}},
		{"error", 3, []status{{"409", 409}, {"500", 500}, {"503", 503}}},
	}
}

func suffixed(list []string, suffix string) []string {
	for i := range list {
		list[i] += suffix
	}
	return list
}

// product returns every pair, as "a.b".
func product(as, bs []string) []string {
	var pairs []string
	for _, b := range bs {
		for _, a := range as {
			pairs = append(pairs, a+"."+b)
		}
	}
	return pairs
}
