package audit_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs/audit"
)

// Whatever is done to the files of a ledger, it is judged to the end, and not
// a file with other bytes is passed over.
func FuzzDamage(f *testing.F) {
	l := newLedger(f)
	l.publish(200)
	l.publish(300)
	l.receipt(40, 300)
	state := l.audit(l.files, nil).State
	l.publish(600)
	paths := slices.Sorted(maps.Keys(l.files))
	f.Add([]byte{0, 0, 0, 1, 2, 7, 77})
	f.Add([]byte{5, 1, 5, 6, 2, 200, 9, 3, 1, 1, 4, 4})
	f.Fuzz(func(t *testing.T, script []byte) {
		files := l.copy()
		for ; len(script) >= 3; script = script[3:] {
			path := paths[int(script[0])%len(paths)]
			damage(files, path, script[1], int(script[2]))
		}
		changed := ""
		for path, file := range files {
			if !bytes.Equal(file.Data, l.files[path].Data) {
				changed = path
			}
		}
		r, err := audit.Run(t.Context(), files, audit.Options{Policy: l.policy})
		if err != nil || changed != "" && r.OK() || (r.State != nil) != r.OK() {
			t.Errorf("%s was changed: found %v, %v", changed, r, err)
		}
		if _, err := audit.Run(t.Context(), files, audit.Options{Policy: l.policy, State: state}); err != nil {
			t.Errorf("from a state: %v", err)
		}
	})
}

// damage changes, cuts, extends, empties or deletes a file.
func damage(files fstest.MapFS, path string, how byte, where int) {
	file := files[path]
	if file == nil {
		return
	}
	b := bytes.Clone(file.Data)
	at := where * 257 % max(len(b), 1)
	switch how % 5 {
	case 0:
		if len(b) > 0 {
			b[at] ^= 1 << (how / 5 % 8)
		}
	case 1:
		b = b[:at]
	case 2:
		b = append(b, byte(where))
	case 3:
		b = nil
	case 4:
		delete(files, path)
		return
	}
	files[path] = &fstest.MapFile{Data: b}
}
