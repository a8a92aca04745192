package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A promiseKeeper checks a promise and asks a ledger, or a copy of it, whether
// the log has kept it: see [client.Verifier.CheckPromise].
type promiseKeeper func(client.PromisedEntry) (proofs.PromiseText, client.View, error)

// promiseKeeper returns one that asks the ledger that the flags name, once
// there is a promise.
func (p *program) promiseKeeper(ctx context.Context) promiseKeeper {
	var v *client.Verifier
	return func(e client.PromisedEntry) (text proofs.PromiseText, view client.View, err error) {
		if v == nil {
			s, err := p.source()
			if err != nil {
				return text, view, err
			}
			if v, err = p.verifier(ctx, s); err != nil {
				return text, view, err
			}
		}
		text, view, err = v.CheckPromise(ctx, e)
		if errors.Is(err, client.ErrNotCovered) {
			ago := p.clock().Sub(time.UnixMicro(int64(text.Time))).Truncate(time.Second)
			err = command.Hinted(err, "the log promised it %s ago: ask again later; if no checkpoint ever covers it, the promise convicts the log", ago)
		}
		return text, view, err
	}
}

// promiseFile checks the file of a promise.
func (j *judge) promiseFile(f *finding, b []byte) error {
	e, err := client.ParsePromisedEntry(b)
	if err != nil {
		return err
	}
	if err := j.promise(f, e); err != nil {
		return err
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return err
	}
	f.Index, f.Leaf = &e.Index, describeLeaf(leaf)
	return nil
}

// promise checks that the log promised an entry and, where a ledger can be
// asked, that it has kept its word.
func (j *judge) promise(f *finding, e client.PromisedEntry) error {
	var text proofs.PromiseText
	var view client.View
	var err error
	if j.keeps != nil {
		text, view, err = j.keeps(e)
	} else {
		text, err = e.Check(j.policy)
	}
	if err != nil {
		return err
	}
	f.Origin = text.Origin
	f.Checked = append(f.Checked, fmt.Sprintf("the log promised at %s that the entry is %s", formatMicros(text.Time), text.State))
	if j.keeps == nil {
		f.NotChecked = append(f.NotChecked, "whether the log has kept its promise: name the ledger with --url, or a copy of it")
		return nil
	}
	f.takeVerdict(view.Verdict)
	f.Checked = append(f.Checked, "the log has kept its promise: the entry is in its tree")
	return nil
}
