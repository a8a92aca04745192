package disk_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
)

func openReal(b *testing.B) *disk.Dir {
	b.Helper()
	d, err := disk.Open(b.TempDir()+"/data", disk.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := d.Close(); err != nil {
			b.Error(err)
		}
	})
	return d
}

// BenchmarkJournalAppend appends batches of entries of 400 bytes, each durable
// when it returns.
func BenchmarkJournalAppend(b *testing.B) {
	for _, entries := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("%d entries", entries), func(b *testing.B) {
			j, err := openReal(b).Journal("journal", key)
			if err != nil {
				b.Fatal(err)
			}
			record := make([]byte, 400*entries)
			for i := range record {
				record[i] = byte(rand.Uint32())
			}
			n := 0
			for b.Loop() {
				position, err := j.Append(b.Context(), record)
				if err != nil {
					b.Fatal(err)
				}
				if n++; n%100 == 0 {
					if err := j.Drop(b.Context(), position); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(n*entries)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkJournalReplay replays records of 400 kB.
func BenchmarkJournalReplay(b *testing.B) {
	j, err := openReal(b).Journal("journal", key)
	if err != nil {
		b.Fatal(err)
	}
	record := make([]byte, 400e3)
	for range 250 {
		if _, err := j.Append(b.Context(), record); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(250 * int64(len(record)))
	for b.Loop() {
		if err := j.Replay(b.Context(), 0, func(uint64, []byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRegisters swaps values of 300 bytes in 1,000 registers, each durable
// when it returns.
func BenchmarkRegisters(b *testing.B) {
	for _, workers := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("%d goroutines", workers), func(b *testing.B) {
			rs, err := openReal(b).Registers("registers")
			if err != nil {
				b.Fatal(err)
			}
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					old := make([][]byte, 1000)
					for i := w; i < b.N; i += workers {
						n := i % 1000
						value := fmt.Appendf(nil, "%0300d", i)
						if err := rs.Register(fmt.Sprint(w, n)).Swap(b.Context(), old[n], value); err != nil {
							b.Error(err)
							return
						}
						old[n] = value
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "swaps/s")
		})
	}
}

// BenchmarkRegister swaps a value of 3 kB in a file of its own.
func BenchmarkRegister(b *testing.B) {
	r, err := openReal(b).Register("signed")
	if err != nil {
		b.Fatal(err)
	}
	var old []byte
	for i := 0; b.Loop(); i++ {
		value := fmt.Appendf(nil, "%03000d", i)
		if err := r.Swap(b.Context(), old, value); err != nil {
			b.Fatal(err)
		}
		old = value
	}
}

// batch returns n records of 400 bytes spread over some buckets.
func batch(first uint64, n, buckets int) []storage.VaultRecord {
	records := make([]storage.VaultRecord, n)
	data := make([]byte, 400)
	for i := range records {
		records[i] = storage.VaultRecord{Bucket: uint32(i % buckets), Index: first + uint64(i), Data: data}
	}
	return records
}

// BenchmarkVaultWrite writes 1,000 records of 400 bytes a call, a Sync each 100
// calls.
func BenchmarkVaultWrite(b *testing.B) {
	for _, buckets := range []int{1, 20} {
		b.Run(fmt.Sprintf("%d buckets", buckets), func(b *testing.B) {
			v, err := openReal(b).Vault("vault")
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				if err := v.Write(b.Context(), batch(uint64(n)*1000, 1000, buckets)); err != nil {
					b.Fatal(err)
				}
				if n++; n%100 == 0 {
					if err := v.Sync(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(n*1000)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkVaultRead reads records at random from a million in a bucket, and
// scans them.
func BenchmarkVaultRead(b *testing.B) {
	d := openReal(b)
	v, err := d.Vault("vault")
	if err != nil {
		b.Fatal(err)
	}
	const size = 1000000
	for first := uint64(0); first < size; first += 10000 {
		if err := v.Write(b.Context(), batch(first, 10000, 1)); err != nil {
			b.Fatal(err)
		}
	}
	if err := v.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("at random", func(b *testing.B) {
		rng := rand.New(rand.NewPCG(1, 1))
		for b.Loop() {
			if _, err := v.Read(b.Context(), 0, rng.Uint64N(size)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(400 * size)
		for b.Loop() {
			for _, err := range v.Scan(b.Context(), 0, 0) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkVaultOpen opens a vault of 10 million records in 1,000 buckets.
func BenchmarkVaultOpen(b *testing.B) {
	path := b.TempDir() + "/data"
	open := func(create bool) (*disk.Dir, *disk.Vault) {
		d, err := disk.Open(path, disk.Options{Create: create})
		if err != nil {
			b.Fatal(err)
		}
		v, err := d.Vault("vault")
		if err != nil {
			b.Fatal(err)
		}
		return d, v
	}
	d, v := open(true)
	records := make([]storage.VaultRecord, 10000)
	for bucket := range uint32(1000) {
		for i := range records {
			records[i] = storage.VaultRecord{Bucket: bucket, Index: uint64(i), Data: []byte("24 bytes are a record 24")}
		}
		if err := v.Write(b.Context(), records); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		d, v = open(false)
		b.ReportMetric(float64(time.Since(start).Microseconds()), "µs/open")
		for bucket := range uint32(1000) {
			if _, err := v.Read(b.Context(), bucket, 9999); err != nil {
				b.Fatal(err)
			}
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc>>10), "KiB-heap")
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}
