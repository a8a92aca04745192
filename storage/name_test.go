package storage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

func TestCheckObjectName(t *testing.T) {
	for name, valid := range map[string]bool{
		"checkpoint":                    true,
		"tile/0/x001/234.p/5":           true,
		"tile/entries/000":              true,
		"0":                             true,
		"a_b-c.d":                       true,
		strings.Repeat("a", 255):        true,
		"":                              false,
		strings.Repeat("a", 256):        false,
		"/etc/passwd":                   false,
		"..":                            false,
		"a/../b":                        false,
		"a/./b":                         false,
		"a//b":                          false,
		"a/":                            false,
		".hidden":                       false,
		"a/.tmp":                        false,
		"-rf":                           false,
		"A":                             false,
		"a b":                           false,
		"a\\b":                          false,
		"a\x00":                         false,
		"ä":                             false,
		"c:":                            false,
		strings.Repeat("a/", 127) + "a": true,
	} {
		err := storage.CheckObjectName(name)
		if valid && err != nil || !valid && !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("CheckObjectName(%.20q) = %v, want valid: %t", name, err, valid)
		}
	}
}

func TestCheckRegisterName(t *testing.T) {
	for name, valid := range map[string]bool{
		"signed":                  true,
		"example.com/log of 2026": true,
		"../x":                    true, // a name, not a path
		"Ωμέγα":                   true,
		strings.Repeat("a", 255):  true,
		"":                        false,
		strings.Repeat("a", 256):  false,
		"a\nb":                    false,
		"a\x00":                   false,
		"a\xff":                   false,
		"a\u0085":                 false,
	} {
		err := storage.CheckRegisterName(name)
		if valid && err != nil || !valid && !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("CheckRegisterName(%.20q) = %v, want valid: %t", name, err, valid)
		}
	}
}

func ExampleCheckObjectName() {
	fmt.Println(storage.CheckObjectName("tile/0/x001/234.p/5"))
	fmt.Println(storage.CheckObjectName("tile/../../etc/passwd"))
	// Output:
	// <nil>
	// object name "tile/../../etc/passwd": invalid name or size
}
