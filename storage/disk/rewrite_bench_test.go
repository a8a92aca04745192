package disk_test

import (
	"os"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
)

const (
	manyRecords = 1000000
	recordBytes = 600
)

// fillBucket writes a million records of 600 bytes into bucket 0.
func fillBucket(b *testing.B, v *disk.Vault) {
	b.Helper()
	data := make([]byte, recordBytes)
	records := make([]storage.VaultRecord, 10000)
	for first := uint64(0); first < manyRecords; first += uint64(len(records)) {
		for i := range records {
			records[i] = storage.VaultRecord{Index: first + uint64(i), Data: data}
		}
		if err := v.Write(b.Context(), records); err != nil {
			b.Fatal(err)
		}
	}
	if err := v.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkVaultRewrite rewrites a bucket of a million records of 600 bytes.
// Compare it with BenchmarkDisk, which does nothing but write and sync as many
// bytes:
//
//	go test ./storage/disk -run '^$' -bench 'VaultRewrite|VaultDrop|Disk' -benchtime 3x
func BenchmarkVaultRewrite(b *testing.B) {
	touch := func(r storage.VaultRecord) ([]byte, error) {
		r.Data[recordBytes/2]++
		return r.Data, nil
	}
	for _, c := range []struct {
		what   string
		change func(storage.VaultRecord) ([]byte, error)
	}{
		{"no record changes", func(r storage.VaultRecord) ([]byte, error) { return r.Data, nil }},
		{"each record changes", touch},
		{"each tenth is removed", func(r storage.VaultRecord) ([]byte, error) {
			if r.Index%10 == 0 {
				return nil, nil
			}
			return r.Data, nil
		}},
		{"each tenth is left", func(r storage.VaultRecord) ([]byte, error) {
			if r.Index%10 > 0 {
				return nil, nil
			}
			return r.Data, nil
		}},
	} {
		b.Run(c.what, func(b *testing.B) { benchmarkRewrite(b, c.change) })
	}
}

func benchmarkRewrite(b *testing.B, change func(storage.VaultRecord) ([]byte, error)) {
	v, err := openReal(b).Vault("vault")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(manyRecords * recordBytes)
	for b.Loop() {
		b.StopTimer()
		if err := v.Drop(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
		fillBucket(b, v)
		b.StartTimer()
		if err := v.Rewrite(b.Context(), 0, storage.EachRecord(change)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVaultDrop drops a bucket of a million records of 600 bytes.
func BenchmarkVaultDrop(b *testing.B) {
	v, err := openReal(b).Vault("vault")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		fillBucket(b, v)
		b.StartTimer()
		if err := v.Drop(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDisk writes and syncs 600 MB in pieces of 4 MiB.
func BenchmarkDisk(b *testing.B) {
	piece := make([]byte, 4<<20)
	b.SetBytes(manyRecords * recordBytes)
	for b.Loop() {
		f, err := os.CreateTemp(b.TempDir(), "")
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < manyRecords*recordBytes; n += len(piece) {
			if _, err := f.Write(piece); err != nil {
				b.Fatal(err)
			}
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
