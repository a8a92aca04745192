// Package cmd holds the programs. Here is only the test that holds every
// package of the module to the house: what it may import, what a program
// must never link, and where things lie. Tests are exempt.
package cmd

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cairnlog/cairn"

// A layer says what a package may import. Names of packages are relative to
// the module where they are ours; a name that ends in /... means a package
// and all below it.
type layer struct {
	name  string   // the longest name that matches a package is its layer
	ours  []string // packages of ours that it may import
	libs  []string // other modules' packages that it may import; nil: all but those of [keepers]
	std   []string // packages of the standard library that it must not import
	links []string // what it must not link, however indirectly
	why   string
}

// none is a list that allows nothing.
var none = []string{}

const (
	trillian = "github.com/google/trillian/..."
	pebble   = "github.com/cockroachdb/pebble/..."
)

// layers is the table of imports. A new package needs a row here, and a
// reason.
var layers = []layer{
	{
		name: "proofs", ours: none,
		libs: []string{"golang.org/x/mod/sumdb/note", "github.com/transparency-dev/merkle/...", "github.com/transparency-dev/formats/..."},
		std:  []string{"crypto/rand", "log/...", "math/rand/...", "net/...", "os/..."},
		why:  "strangers must be able to read it in an hour and compile it to WebAssembly: no network, no files, no randomness",
	}, {
		name: "proofs/internal/...", ours: []string{"proofs"}, libs: none,
		why: "it writes test vectors with what proofs exports, and is in no program",
	}, {
		name: "proofs/audit", ours: []string{"proofs"}, libs: none,
		std: []string{"crypto/rand", "log/...", "math/rand/...", "net/...", "os/..."},
		why: "an auditor without a network judges with it what an fs.FS holds",
	}, {
		name: "proofs/evidence", ours: []string{"proofs"}, libs: none,
		std: []string{"crypto/rand", "log/...", "math/rand/...", "net/...", "os/..."},
		why: "a page in a browser judges with it what somebody sent: no network, no files, no randomness",
	}, {
		name: "storage", ours: none, libs: none,
		why: "it is contracts, and bytes have no meaning there",
	}, {
		name: "storage/...", ours: []string{"storage", "storage/disk/...", "storage/fault"}, links: []string{trillian, pebble},
		why: "it keeps bytes that have no meaning to it, and cairn and cairn-witness link it",
	}, {
		name: "storage/pebbleguard", ours: none, links: []string{trillian},
		why: "it keeps Pebble's panics from whoever uses Pebble, with Cairn or without",
	}, {
		name: "storage/pebbleindex", ours: []string{"storage", "storage/pebbleguard"}, links: []string{trillian},
		why: "it keeps the contract Index on Pebble, and stands alone so that nobody else links it",
	}, {
		name: "storage/trillian", ours: []string{"storage/trillian/embedded"},
		why: "the ledger's tree knows nothing of the ledger, so that the roots of two computations are worth comparing",
	}, {
		name: "storage/trillian/embedded", ours: []string{"storage/pebbleguard"},
		why: "it is a storage of Trillian's, and of use without Cairn",
	}, {
		name: "storage/trillian/trilliantest", ours: []string{"storage/trillian", "storage/trillian/embedded"},
		why: "it is Trillian's own server for tests, and in no program",
	}, {
		name: "witness", ours: []string{"proofs", "storage"}, links: []string{"ledger/...", "client/...", trillian},
		why: "a witness that shares the log's code shares its faults",
	}, {
		name: "witness/signing", ours: []string{"proofs"}, links: []string{"ledger/...", "client/...", trillian, pebble},
		why: "logs and witnesses keep their signing keys in the same way, so both programs import it; it judges nothing that a witness must judge by itself",
	}, {
		name: "witness/signing/agenttest", ours: none, libs: []string{"golang.org/x/crypto/ssh/agent"},
		why: "it is an ssh-agent for tests, and in no program",
	}, {
		name: "client/...", ours: []string{"client/...", "proofs/...", "storage"}, links: []string{"ledger/...", trillian, pebble},
		why: "those who do not trust the operator must not need the operator's code",
	}, {
		name: "client/query", ours: []string{"proofs"}, libs: none,
		std: []string{"crypto/rand", "log/...", "math/rand/...", "net/http", "os/..."},
		why: "a query means the same in every program and page that takes one, so it is pure",
	}, {
		name: "ledger", ours: []string{"client", "client/query", "ledger/keystate", "ledger/keytree", "ledger/retain", "ledger/search", "proofs/...", "storage", "witness"},
		why: "it takes contracts, and local or a program chooses what stands behind them",
	}, {
		name: "ledger/identity", ours: []string{"client", "proofs", "storage"}, links: []string{"ledger", trillian, pebble},
		why: "who may do what is decided before the ledger is asked, and is judged without it",
	}, {
		name: "ledger/identity/identitytest", ours: none,
		why: "it is doubles for tests, and in no program",
	}, {
		name: "ledger/keytree", ours: none, libs: none,
		why: "whoever judges what erasure is worth must be able to read it alone",
	}, {
		name: "ledger/keystate", ours: []string{"ledger/keytree", "storage/disk"},
		why: "whoever judges what erasure is worth must be able to read it with the key tree, and nothing else of the ledger",
	}, {
		name: "ledger/keystate/keyservice", ours: []string{"ledger/keystate"},
		why: "it is a wrapper of cells, and links the clouds' libraries, so that only a program chooses it",
	}, {
		name: "ledger/keystate/keyservice/vaulttest", ours: none, libs: none,
		why: "it is a Vault for tests, and in no program",
	}, {
		name: "ledger/search", ours: []string{"client/query", "proofs", "storage", "storage/disk"}, libs: none,
		std: []string{"crypto/rand", "log/...", "math/rand/...", "net/...", "os/...", "time"},
		why: "a follower never calls the writer: it is handed documents and keys, and can be deleted and rebuilt at any time",
	}, {
		name: "ledger/retain", ours: []string{"proofs"}, libs: none,
		std: []string{"crypto/rand", "log/...", "math/rand/...", "net/...", "os/..."},
		why: "what is due, held and open follows from the entries alone: no keys, no clock, no files",
	}, {
		name: "ledger/...", ours: []string{"client", "ledger/...", "proofs/...", "storage/...", "witness", "witness/signing"},
		why: "the operator's house has programs above it, and imports point down",
	}, {
		name: "cmd/cairn", ours: []string{"client/...", "cmd/internal/...", "proofs/...", "storage", "storage/disk"},
		links: []string{"ledger/...", trillian, pebble},
		why:   "users and auditors verify without the server's code",
	}, {
		name: "cmd/cairn-witness", ours: []string{"cmd/internal/...", "proofs", "storage", "storage/disk", "witness", "witness/signing"},
		links: []string{"ledger/...", "client/...", trillian},
		why:   "a witness that shares the log's code shares its faults",
	}, {
		name: "cmd/cairnd", ours: []string{"client/...", "cmd/internal/...", "ledger/...", "proofs/...", "storage/...", "witness", "witness/signing"},
		why: "a program wires what the packages below it make",
	}, {
		name: "cmd/internal/...", ours: none, libs: []string{"github.com/spf13/cobra", "golang.org/x/sys/unix"},
		why: "what all programs share, cairn-witness links too",
	},
}

// keepers are the only importers of what must stay in one place.
var keepers = []struct {
	lib     string
	keepers []string
	why     string
}{
	{trillian, []string{"storage/trillian/..."}, "Trillian has global flags and a logger of its own, and its types must not reach ours"},
	{pebble, []string{"storage/trillian/...", "storage/pebbleindex", "storage/pebbleguard"}, "it is one backend's choice, and witnesses and verifiers do without it"},
	{"k8s.io/klog/...", []string{"storage/trillian/..."}, "it is Trillian's logger; ours is log/slog, given by the caller"},
	{"gocloud.dev/...", []string{"ledger/keystate/keyservice"}, "it links the clouds' libraries, for the program that chooses them"},
	{"flag", []string{"cmd/..."}, "only programs have flags"},
}

// A listed package is what go list says of one.
type listed struct {
	ImportPath string
	Name       string
	Doc        string
	Standard   bool
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
}

// ours returns the name of a package of this module relative to it.
func ours(importPath string) (name string, ok bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// short returns the name of a package as the table has it.
func short(importPath string) string {
	if name, ok := ours(importPath); ok {
		return name
	}
	return importPath
}

// listPackages returns every package that the module's packages link.
func listPackages(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Doc,Standard,GoFiles,CgoFiles,Imports", "./...")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1") // so that files with cgo are seen
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(out); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return packages
}

// eachOfOurs calls fn with every package of the module that is built, in the
// order of their names.
func eachOfOurs(packages map[string]listed, fn func(name string, p listed)) {
	for _, path := range slices.Sorted(maps.Keys(packages)) {
		p := packages[path]
		if name, ok := ours(path); ok && len(p.GoFiles)+len(p.CgoFiles) > 0 {
			fn(name, p)
		}
	}
}

// matches reports whether a pattern of the table means the package.
func matches(pattern, name string) bool {
	dir, all := strings.CutSuffix(pattern, "/...")
	return name == dir || all && strings.HasPrefix(name, dir+"/")
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// layerOf returns the row of a package: its own, or that of the nearest
// directory above it.
func layerOf(name string) (row layer, ok bool) {
	for _, l := range layers {
		if l.name == name {
			return l, true
		}
		if matches(l.name, name) && len(l.name) > len(row.name) {
			row, ok = l, true
		}
	}
	return row, ok
}

func TestImportsPointDown(t *testing.T) {
	packages := listPackages(t)
	eachOfOurs(packages, func(name string, p listed) {
		row, ok := layerOf(name)
		if !ok {
			t.Errorf("%s has no row in the table of imports: say what it may import, and why", name)
			return
		}
		for _, imported := range p.Imports {
			if !row.allows(imported, packages[imported].Standard) {
				t.Errorf("%s imports %s, which it may not: %s", name, short(imported), row.why)
			}
			for _, k := range keepers {
				if matches(k.lib, imported) && !matchesAny(k.keepers, name) {
					t.Errorf("%s imports %s, which only %s may: %s", name, imported, strings.Join(k.keepers, " and "), k.why)
				}
			}
		}
		for linked, way := range links(packages, p.ImportPath) {
			// What is forbidden brings more of its kind; the first of it is enough.
			if matchesAny(row.links, short(linked)) && !matchesAny(row.links, way) {
				t.Errorf("%s links %s (by way of %s), which it must not: %s", name, short(linked), way, row.why)
			}
		}
	})
}

// allows reports whether the layer may import a package directly.
func (l layer) allows(imported string, standard bool) bool {
	name, own := ours(imported)
	switch {
	case own:
		return matchesAny(l.ours, name)
	case standard:
		return !matchesAny(l.std, imported)
	}
	return l.libs == nil || matchesAny(l.libs, imported)
}

// links returns what a package links, and for each the import by which.
func links(packages map[string]listed, root string) map[string]string {
	way := map[string]string{}
	queue := []string{root}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		for _, imported := range packages[p].Imports {
			if _, seen := way[imported]; !seen {
				way[imported] = short(p)
				queue = append(queue, imported)
			}
		}
	}
	return way
}
