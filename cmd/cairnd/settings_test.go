package main

import (
	"testing"

	"github.com/cairnlog/cairn/ledger"
)

func TestAFieldIsReadAsItIsGiven(t *testing.T) {
	for text, want := range map[string]ledger.FieldConfig{
		"actor=user.id":                {Name: "actor", Path: "user.id"},
		"actor=":                       {Name: "actor"},
		"mail=user.mail,about=actor":   {Name: "mail", Path: "user.mail", About: "actor"},
		"mail=,about=actor":            {Name: "mail", About: "actor"},
		"mail=['a,about=b']":           {Name: "mail", Path: "['a,about=b']"},
		"mail=['a,about=b'],about=who": {Name: "mail", Path: "['a,about=b']", About: "who"},
		"a=b=c,d":                      {Name: "a", Path: "b=c,d"},
	} {
		if got, err := parseField(text); err != nil || got != want {
			t.Errorf("%s: got %+v and error %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "actor", "mail=user.mail,about="} {
		if got, err := parseField(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}
