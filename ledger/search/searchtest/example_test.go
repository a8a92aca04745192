package searchtest_test

import (
	"fmt"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

func ExampleDocuments() {
	for d := range searchtest.Documents(1, 1) {
		fmt.Printf("%s\n", d.JSON)
		fmt.Println(d.Time, len(d.Fields), d.Fields[1])
	}
	// Output:
	// {"time":"2026-01-01T00:00:01.438166Z","actor":"fimirous@example.com","action":"document.read","outcome":"success","resource":"keys/977267","address":"198.19.0.1","user_agent":"moduse/1.12 windows","region":"us-east-1","service":"shicen.worker","session":"47e6dae8a3f7","status":201,"host":"node-409.us-east-1","request_id":"f0e0b3e274424ea5da62f132","duration_ms":3030.261,"message":"laine chonasen mulosa rapo globrisou drestom naigen tufothe tifufor repulo stegu pralum"}
	// 1767225601438166 13 {action 1 document.read 0}
}
