package main

import (
	"fmt"
	"sync"
	"time"
)

// A progress shows on a terminal how far a command has come, on one line that
// is written over. Elsewhere it says nothing.
type progress struct {
	p    *program
	what string // is done to the things, such as "audited"

	mu    sync.Mutex
	shown time.Time
	open  bool // a line is there to be written over
}

const progressEvery = 200 * time.Millisecond

func (p *program) progress(what string) *progress { return &progress{p: p, what: what} }

// show shows that done of total entries are done; total 0 is not known.
func (g *progress) show(done, total uint64) {
	if !g.p.terminal(g.p.Stderr) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.p.clock(); now.Sub(g.shown) < progressEvery {
		return
	} else {
		g.shown = now
	}
	g.open = true
	if total == 0 {
		fmt.Fprintf(g.p.Stderr, "\rcairn: %s %d \x1b[K", g.what, done)
		return
	}
	fmt.Fprintf(g.p.Stderr, "\rcairn: %s %d of %d (%d %%)\x1b[K", g.what, done, total, done*100/total)
}

// end removes the line.
func (g *progress) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		fmt.Fprint(g.p.Stderr, "\r\x1b[K")
		g.open = false
	}
}
