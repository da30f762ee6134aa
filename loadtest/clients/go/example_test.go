package omendb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/omendb/omendb-go"
)

var _, _ = load, explain // compiled, not run

// What README.md shows.
func load(ctx context.Context, titles []string, vectors []float32) error {
	db, err := omendb.Connect("127.0.0.1:50051")
	if err != nil {
		return err
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, omendb.CollectionConfig{
		Name: "docs", Dimension: 384, Similarity: omendb.SimilarityCosine, ExistOK: true,
	})
	if err != nil {
		return err
	}
	payloads, err := omendb.JSON(titles)
	if err != nil {
		return err
	}
	rows := omendb.Rows{IDs: omendb.IDRange(0, len(titles)), Vectors: vectors, Payloads: payloads}
	if _, err = docs.BulkInsert(ctx, rows); err != nil {
		return err
	}
	found, err := docs.Search(ctx, vectors[:384], 10, omendb.WithPayloads())
	if err != nil {
		return err
	}
	for _, hit := range found.Hits {
		fmt.Println(hit.NumericID, hit.Distance, string(hit.Payload))
	}
	return nil
}

// What README.md shows of errors.
func explain(err error) {
	var wrong *omendb.Error
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Reason, wrong.Field(), wrong.Value(), "expected", wrong.Expected())
	}
}

func TestTheReadmeShowsWhatCompiles(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for i, function := range []string{"func load(", "func explain("} {
		_, from, _ := strings.Cut(string(source), "\n"+function)
		_, from, _ = strings.Cut(from, "{\n")
		body, _, _ := strings.Cut(from, "\n}\n")
		body = strings.ReplaceAll("\n"+body, "\n\t", "\n")[1:] + "\n"
		body = strings.TrimSuffix(body, "return nil\n")
		if shown := readmeBlock(t, "go", i); shown != body {
			t.Errorf("block %d of README.md is\n%s\nexpected\n%s", i, shown, body)
		}
	}
}
