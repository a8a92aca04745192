package main

import (
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// An operator has a token, and need not sit at the server.
func TestStreamsAndTokensAreAdministeredByURL(t *testing.T) {
	a := newArchive(t)
	operator := " --url " + a.url + " --token-file " + tokenOf(a, "operator")
	a.run("", command.Yes, "stream add mail --class month"+operator)
	a.wants(a.run("", command.Yes, "stream list"+operator), "(?m)^mail +month")
	a.wants(a.run("", command.Yes, "token issue app --role writer --stream mail"+operator), `(?m)^cairn_`)
	a.wants(a.run("", command.Yes, "token list"+operator), `app +writer +mail`)
	custodian := " --url " + a.url + " --token-file " + tokenOf(a, "custodian")
	a.wants(a.run("", command.No, "token issue carla --role custodian"+operator), "custodian")
	a.wants(a.run("", command.Yes, "token issue carla --role custodian"+custodian), `(?m)^cairn_`)
	a.wants(a.run("", command.No, "stream add letters"+custodian), "a custodian may not")
}
