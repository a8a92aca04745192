package proofs_test

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

func ExampleExtractor() {
	path, err := proofs.NormalizePath("userIdentity.arn") // as people write it
	fmt.Println(path, err)

	x, err := proofs.NewExtractor([]proofs.Field{
		{Number: 1, Name: "who", Path: path, Subject: true},
		{Number: 2, Name: "resource", Path: "$.resources[*].ARN"},
		{Number: 3, Name: "at", Path: "$['@timestamp']"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := x.Extract([]byte(`{"userIdentity": {"arn": "arn:aws:iam::1:user/eve"},
		"resources": [{"ARN": "arn:aws:s3:::a"}, {"ARN": "arn:aws:s3:::b"}], "@timestamp": 1.60e9}`))
	for _, v := range values {
		fmt.Println(v.Number, string(v.Value), v.Subject)
	}
	fmt.Println(err)

	_, err = x.Extract([]byte(`{"@timestamp": 1, "\u0040timestamp": 2}`))
	fmt.Println(err)
	// Output:
	// $.userIdentity.arn <nil>
	// 1 arn:aws:iam::1:user/eve true
	// 2 arn:aws:s3:::a false
	// 2 arn:aws:s3:::b false
	// 3 1600000000 false
	// <nil>
	// malformed: json: byte 18: a name that the object already has: send each once
}
