package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
	fill func(t *testing.T, d *disk.Dir) error
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

func fillRegister(t *testing.T, d *disk.Dir) error {
	r, err := d.Register("signed")
	if err != nil {
		return err
	}
	if err := r.Swap(t.Context(), nil, []byte("one")); err != nil {
		return err
	}
	if err := r.Swap(t.Context(), []byte("one"), bytes.Repeat([]byte("two"), 300)); err != nil {
		return err
	}
	return nil
}

func readRegister(t *testing.T, d *disk.Dir) (string, error) {
	r, err := d.Register("signed")
	if err != nil {
		return "", err
	}
	value, err := r.Load(t.Context())
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	return string(value), err
}

func fillRegisters(t *testing.T, d *disk.Dir) error {
	rs, err := d.Registers("registers")
	if err != nil {
		return err
	}
	var old []byte
	for i := range 9 {
		value := bytes.Repeat([]byte{byte(i)}, 100*i*i+1)
		if err := rs.Register("a").Swap(t.Context(), old, value); err != nil {
			return err
		}
		if err := rs.Register(fmt.Sprint(i)).Swap(t.Context(), nil, value); err != nil {
			return err
		}
		old = value
	}
	return nil
}

func readRegisters(t *testing.T, d *disk.Dir) (string, error) {
	rs, err := d.Registers("registers")
	if err != nil {
		return "", err
	}
	var all strings.Builder
	names, err := rs.Names(t.Context())
	for _, name := range names {
		value, err := rs.Register(name).Load(t.Context())
		if err != nil {
			return all.String(), err
		}
		fmt.Fprintf(&all, "%s, %d: %s\n", name, len(value), value)
	}
	return all.String(), err
}

func fillJournal(t *testing.T, d *disk.Dir) error {
	j, err := d.Journal("journal", key)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 16 {
		record := make([]byte, 1+rng.IntN(6000))
		for k := range record {
			if i%3 > 0 && k%2000 < 1000 {
				record[k] = byte(rng.Uint32())
			}
		}
		_, err := j.Append(t.Context(), record)
		if err != nil {
			return err
		}
	}
	return nil
}

func readJournal(t *testing.T, d *disk.Dir) (string, error) {
	j, err := d.Journal("journal", key)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	first, _ := j.Bounds()
	err = j.Replay(t.Context(), first, func(position uint64, record []byte) error {
		fmt.Fprintf(&all, "%d, %d: %s\n", position, len(record), record)
		return nil
	})
	return all.String(), err
}

func fillVault(t *testing.T, d *disk.Dir) error {
	v, err := d.Vault("vault")
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var batch []storage.VaultRecord
	for i := range uint64(120) {
		data := make([]byte, 1+rng.IntN(200))
		for k := range data {
			data[k] = byte(rng.Uint32())
		}
		batch = append(batch, storage.VaultRecord{Bucket: uint32(i % 3), Index: i * i, Data: data})
		if i%20 == 19 {
			err, batch = v.Write(t.Context(), batch), nil
		}
		if err == nil && i%40 == 39 {
			err = v.Sync(t.Context())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readVault(t *testing.T, d *disk.Dir) (string, error) {
	v, err := d.Vault("vault")
	if err != nil {
		return "", err
	}
	var all strings.Builder
	var first error
	for i := range uint64(120) {
		data, err := v.Read(t.Context(), uint32(i%3), i*i)
		if err == nil {
			fmt.Fprintf(&all, "%d, %d: %s\n", i, len(data), data)
		} else if first == nil && !errors.Is(err, storage.ErrNotFound) {
			first = err
		}
	}
	for bucket := range uint32(3) {
		for r, err := range v.Scan(t.Context(), bucket, 0) {
			if err == nil {
				fmt.Fprintf(&all, "scan %d/%d, %d: %s\n", bucket, r.Index, len(r.Data), r.Data)
			} else if first == nil {
				first = err
			}
		}
	}
	return all.String(), first
}
