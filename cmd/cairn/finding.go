package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A finding is what verify says of one file: only what was verified.
type finding struct {
	File     string   `json:"file"`
	Kind     fileKind `json:"kind"`
	Verifies bool     `json:"verifies"`
	Error    string   `json:"error,omitempty"`

	Origin     string   `json:"origin,omitempty"`
	Index      *uint64  `json:"index,omitempty"`
	Leaf       *leafOf  `json:"leaf,omitempty"`
	Size       uint64   `json:"size,omitempty"` // of the checkpoint
	Root       string   `json:"root,omitempty"`
	LogKeys    []string `json:"log_keys,omitempty"`
	Witnesses  []string `json:"witnesses,omitempty"`
	CosignedAt string   `json:"cosigned_at,omitempty"`

	Checked    []string `json:"checked,omitempty"`     // what else was, in words
	NotChecked []string `json:"not_checked,omitempty"` // what was not, and what it would need
}

// leafOf is what a leaf says, for people and programs.
type leafOf struct {
	Kind     string  `json:"kind"`
	Time     string  `json:"time"`
	Stream   uint32  `json:"stream"`
	Bucket   uint32  `json:"bucket"`
	Source   *uint64 `json:"source,omitempty"`
	Sequence *uint64 `json:"sequence,omitempty"`
}

func describeLeaf(l proofs.Leaf) *leafOf {
	d := &leafOf{Kind: l.Kind.String(), Time: formatMicros(l.Time), Stream: l.Stream, Bucket: l.Bucket}
	if l.Source != nil {
		d.Source, d.Sequence = &l.Source.Number, &l.Source.Sequence
	}
	return d
}

// takeVerdict adds what the signatures of a checkpoint show.
func (f *finding) takeVerdict(v proofs.Verdict) {
	f.Origin, f.Size, f.Root = v.Checkpoint.Origin, v.Checkpoint.Size, v.Checkpoint.Root.String()
	for _, k := range v.LogKeys {
		f.LogKeys = append(f.LogKeys, keyName(k))
	}
	for _, c := range v.Cosignatures {
		f.Witnesses = append(f.Witnesses, c.Witness)
	}
	if v.Time > 0 {
		f.CosignedAt = formatSeconds(v.Time)
	}
}

func keyName(k proofs.Key) string { return fmt.Sprintf("%s+%08x", k.Name(), k.ID()) }

// print prints a finding for people.
func (f *finding) print(w io.Writer) error {
	if !f.Verifies {
		return nil // the error says all
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s verifies\n", command.Escape(f.File), f.Kind)
	t := command.NewTable(&b)
	if f.Index != nil {
		t.Row("  entry", fmt.Sprintf("%d of %s", *f.Index, f.Origin))
	}
	if l := f.Leaf; l != nil {
		t.Row("  kind", l.Kind)
		t.Row("  time", l.Time)
		if l.Kind == proofs.Event.String() {
			t.Row("  stream", fmt.Sprintf("%d, bucket %d", l.Stream, l.Bucket))
		}
		if l.Source != nil {
			t.Row("  source", fmt.Sprintf("%d, sequence number %d", *l.Source, *l.Sequence))
		}
	}
	if f.Root != "" {
		t.Row("  checkpoint", fmt.Sprintf("%s, size %d, root %s", f.Origin, f.Size, f.Root))
		t.Row("  signed", "by "+strings.Join(f.LogKeys, ", "))
		t.Row("  witnessed", witnessed(f.Witnesses, f.CosignedAt))
	}
	for _, c := range f.Checked {
		t.Row("  checked", c)
	}
	for _, c := range f.NotChecked {
		t.Row("  not checked", c)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func witnessed(names []string, at string) string {
	switch {
	case len(names) == 0:
		return "by nobody: the policy demands no witnesses"
	case at == "":
		return "by " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("by %s, the quorum at %s", strings.Join(names, ", "), at)
}

// formatMicros formats microseconds since 1970.
func formatMicros(t uint64) string {
	return time.UnixMicro(int64(t)).UTC().Format("2006-01-02T15:04:05.000000Z")
}

// formatSeconds formats seconds since 1970.
func formatSeconds(t uint64) string {
	return time.Unix(int64(t), 0).UTC().Format(time.RFC3339)
}

// since says how long ago a time was, in seconds since 1970.
func (p *program) since(t uint64) string {
	return p.clock().Sub(time.Unix(int64(t), 0)).Truncate(time.Second).String()
}
