// One task from Go: create, load, read what was written, search, delete; then an error, a deadline and a cancel.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"time"

	"github.com/omendb/omendb-go"
)

const count, dimension = 10_000, 64

func main() {
	ctx := context.Background()
	db := must(omendb.Connect(append(os.Args[1:], "127.0.0.1:50051")[0]))
	defer db.Close()
	must(db.DropCollection(ctx, "quickstart-go"))
	config := omendb.CollectionConfig{Name: "quickstart-go", Dimension: dimension, Similarity: omendb.SimilarityL2}
	docs := must(db.CreateCollection(ctx, config))

	vectors := make([]float32, count*dimension)
	for i := range vectors {
		vectors[i] = rand.Float32()
	}
	loaded := must(docs.BulkInsert(ctx, omendb.Rows{IDs: omendb.IDRange(0, count), Vectors: vectors}))
	fmt.Println("bulk inserted:", loaded.RowCount)

	query := vectors[8*dimension : 9*dimension]
	payload := must(omendb.JSON([]any{map[string]string{"row": "seven"}}))
	must(docs.Insert(ctx, omendb.Rows{IDs: omendb.NumericIDs(7), Vectors: query, Payloads: payload}, omendb.ModeUpsert))
	for _, hit := range must(docs.Search(ctx, query, 2, omendb.WithPayloads())).Hits {
		fmt.Printf("id %d  distance %g  payload %q\n", hit.NumericID, hit.Distance, hit.Payload)
	}
	fmt.Println("deleted:", must(docs.Delete(ctx, omendb.NumericIDs(7))), "left:", must(docs.Count(ctx)))

	var wrong *omendb.Error
	if _, err := docs.Search(ctx, query[:5], 2); errors.As(err, &wrong) {
		fmt.Printf("%s: %s is %s, expected %s\n", wrong.Reason, wrong.Field(), wrong.Value(), wrong.Expected())
	}
	late, release := context.WithTimeout(ctx, time.Nanosecond)
	defer release()
	_, err := docs.Search(late, query, 2)
	fmt.Println("deadline exceeded:", errors.Is(err, context.DeadlineExceeded))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = docs.Search(cancelled, query, 2)
	fmt.Println("cancelled:", errors.Is(err, context.Canceled))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
