package disk_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// openSimulated opens a directory of small files on a simulated file system.
func openSimulated(t *testing.T, fsys *memfs.FS) *disk.Dir {
	t.Helper()
	d, err := disk.Open("simulated", disk.SmallFiles(disk.Options{Create: true, FS: fsys}))
	must(t, err)
	return d
}

// holding is a store with something in it.
type holding struct {
	fill func(t *testing.T, d *disk.Dir)
	// read returns all that the store holds, as far as it can be read, and the
	// first error.
	read func(t *testing.T, d *disk.Dir) (string, error)
}

func holdings() map[string]holding {
	return map[string]holding{
		"register":  {fillRegister, readRegister},
		"registers": {fillRegisters, readRegisters},
		"journal":   {fillJournal, readJournal},
		"vault":     {fillVault, readVault},
	}
}

func fillRegister(t *testing.T, d *disk.Dir) {
	r, err := d.Register("signed")
	must(t, err)
	must(t, r.Swap(t.Context(), nil, []byte("one")))
	must(t, r.Swap(t.Context(), []byte("one"), bytes.Repeat([]byte("two"), 300)))
}

func readRegister(t *testing.T, d *disk.Dir) (string, error) {
	r, err := d.Register("signed")
	if err != nil {
		return "", err
	}
	value, err := r.Load(t.Context())
	return string(value), err
}

func fillRegisters(t *testing.T, d *disk.Dir) {
	rs, err := d.Registers("registers")
	must(t, err)
	var old []byte
	for i := range 9 {
		value := bytes.Repeat([]byte{byte(i)}, 100*i*i+1)
		must(t, rs.Register("a").Swap(t.Context(), old, value))
		must(t, rs.Register(fmt.Sprint(i)).Swap(t.Context(), nil, value))
		old = value
	}
}

func readRegisters(t *testing.T, d *disk.Dir) (all string, err error) {
	rs, err := d.Registers("registers")
	if err != nil {
		return "", err
	}
	names, err := rs.Names(t.Context())
	for _, name := range names {
		value, err := rs.Register(name).Load(t.Context())
		if err != nil {
			return all, err
		}
		all += fmt.Sprintf("%s: %x\n", name, value)
	}
	return all, err
}

func fillJournal(t *testing.T, d *disk.Dir) {
	j, err := d.Journal("journal", key)
	must(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 16 {
		record := make([]byte, 1+rng.IntN(6000))
		for k := range record {
			if i%3 > 0 && k%2000 < 1000 {
				record[k] = byte(rng.Uint32())
			}
		}
		_, err := j.Append(t.Context(), record)
		must(t, err)
	}
}

func readJournal(t *testing.T, d *disk.Dir) (all string, err error) {
	j, err := d.Journal("journal", key)
	if err != nil {
		return "", err
	}
	first, _ := j.Bounds()
	err = j.Replay(t.Context(), first, func(position uint64, record []byte) error {
		all += fmt.Sprintf("%d: %x\n", position, record)
		return nil
	})
	return all, err
}

func fillVault(t *testing.T, d *disk.Dir) {
	v, err := d.Vault("vault")
	must(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range uint64(120) {
		data := make([]byte, 1+rng.IntN(200))
		for k := range data {
			data[k] = byte(rng.Uint32())
		}
		must(t, v.Write(t.Context(), []storage.VaultRecord{{Bucket: uint32(i % 3), Index: i * i, Data: data}}))
		if i%40 == 39 {
			must(t, v.Sync(t.Context()))
		}
	}
}

func readVault(t *testing.T, d *disk.Dir) (all string, err error) {
	v, err := d.Vault("vault")
	if err != nil {
		return "", err
	}
	var first error
	for i := range uint64(120) {
		data, err := v.Read(t.Context(), uint32(i%3), i*i)
		if err == nil {
			all += fmt.Sprintf("%d: %x\n", i, data)
		} else if first == nil {
			first = err
		}
	}
	for bucket := range uint32(3) {
		for r, err := range v.Scan(t.Context(), bucket, 0) {
			if err == nil {
				all += fmt.Sprintf("scan %d/%d: %x\n", bucket, r.Index, r.Data)
			} else if first == nil {
				first = err
			}
		}
	}
	return all, first
}
