package omendb_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/omendb/omendb-go"
)

// blocks cuts rows into blocks, and calls before with the first row of each.
func blocks(vectors []float32, dimension, size int, before func(start int) error) func(func(omendb.Rows, error) bool) {
	return func(yield func(omendb.Rows, error) bool) {
		for start := 0; start < len(vectors)/dimension; start += size {
			if err := before(start); err != nil {
				yield(omendb.Rows{}, err)
				return
			}
			part := vectors[start*dimension : (start+size)*dimension]
			if !yield(omendb.Rows{IDs: omendb.IDRange(uint64(start), size), Vectors: part}, nil) {
				return
			}
		}
	}
}

func TestRefusedRowsAreToldAndTheOthersAreThere(t *testing.T) {
	ctx, docs := create(t, omendb.CollectionConfig{Name: "refused", Dimension: 16, Similarity: omendb.SimilarityL2})
	vectors := random(1_000, 16)
	vectors[437*16+3] = float32(math.Inf(1))
	result, err := docs.BulkInsert(ctx,
		omendb.Rows{IDs: omendb.IDRange(0, 1_000), Vectors: vectors}, omendb.WithFrameRows(100))
	failure := refusal(t, err, codes.InvalidArgument, "NOT_FINITE")
	equal(t, "row", failure.Metadata["row"], "437")
	equal(t, "expected", failure.Expected(), "finite")
	equal(t, "refused frames", len(result.Refused), 1)
	frame := result.Refused[0]
	equal(t, "first row", frame.Start, 400)
	equal(t, "rows", frame.Count, 100)
	equal(t, "reason", frame.Reason, "NOT_FINITE")
	equal(t, "invalid row", frame.Items[0].Row, 437)
	equal(t, "row count", result.RowCount, 1_000)
	equal(t, "inserted count", result.InsertedCount, 900)
	equal(t, "count", must(docs.Count(ctx))(t), 900)
}

func TestABulkInsertGoesOnAfterTheServerWasKilled(t *testing.T) {
	const count, dimension = 24_000, 64
	ctx, docs := create(t, omendb.CollectionConfig{
		Name: "killed", Dimension: dimension, Similarity: omendb.SimilarityL2,
	})
	vectors := random(count, dimension)
	started := make(chan error, 1)
	result, err := docs.BulkInsertBlocks(ctx, blocks(vectors, dimension, 1_000, func(start int) error {
		if start == count/2 {
			waitFor(t, "1,000 rows", func() bool {
				count, err := docs.Count(ctx)
				return err == nil && count >= 1_000
			})
			server.kill()
			go func() { started <- server.start() }()
		}
		return nil
	}), omendb.WithVisibility(omendb.VisibilityAfterBuild))
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if result.Reconnects == 0 {
		t.Error("the stream did not break")
	}
	equal(t, "row count", result.RowCount, count)
	equal(t, "inserted count", result.InsertedCount, -1)
	equal(t, "count", must(docs.Count(ctx))(t), count)
	for _, row := range []int{0, count / 2, count - 1} {
		stored := must(docs.Get(ctx, omendb.NumericIDs(uint64(row))))(t).Records[0].Vector
		if !slices.Equal(stored, vectors[row*dimension:(row+1)*dimension]) {
			t.Errorf("vector %d is not what was sent", row)
		}
	}
}

func TestALaterCallGoesOnWithAStream(t *testing.T) {
	const count, dimension = 5_000, 16
	ctx, docs := create(t, omendb.CollectionConfig{
		Name: "resumed", Dimension: dimension, Similarity: omendb.SimilarityL2,
	})
	vectors := random(count, dimension)
	options := []omendb.BulkOption{omendb.WithStreamID("import"), omendb.WithFrameRows(500)}
	stopped := errors.New("stopped")
	broken, err := docs.BulkInsertBlocks(ctx, blocks(vectors, dimension, 500, func(start int) error {
		if start == 3_000 {
			waitFor(t, "1,000 rows", func() bool {
				count, err := docs.Count(ctx)
				return err == nil && count >= 1_000
			})
			return stopped
		}
		return nil
	}), options...)
	if err != stopped {
		t.Fatalf("error is %v, expected that of the blocks", err)
	}
	equal(t, "stream id", broken.StreamID, "import")
	equal(t, "row count", broken.RowCount, 3_000)

	rows := omendb.Rows{IDs: omendb.IDRange(0, count), Vectors: vectors}
	result := must(docs.BulkInsert(ctx, rows, options...))(t)
	if result.SkippedCount < 1_000 || result.SkippedCount > 3_000 {
		t.Errorf("skipped count is %d", result.SkippedCount)
	}
	equal(t, "inserted count", result.InsertedCount, count-result.SkippedCount)
	equal(t, "row count", result.RowCount, count)
	equal(t, "count", must(docs.Count(ctx))(t), count)
	_, err = docs.BulkInsert(ctx, rows, options...)
	refusal(t, err, codes.FailedPrecondition, "STREAM_FINISHED")
}

// waitFor asks again and again: the state comes when it comes.
func waitFor(t *testing.T, what string, reached func() bool) {
	for deadline := time.Now().Add(time.Minute); !reached(); {
		if time.Now().After(deadline) {
			t.Errorf("no %s after a minute", what)
			return
		}
	}
}

func TestACancelledBulkInsertIsResumedUnderItsName(t *testing.T) {
	const count, dimension = 20_000, 16
	ctx, docs := create(t, omendb.CollectionConfig{
		Name: "given-up", Dimension: dimension, Similarity: omendb.SimilarityL2,
	})
	rows := omendb.Rows{IDs: omendb.IDRange(0, count), Vectors: random(count, dimension)}
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	result, err := docs.BulkInsert(cancelled, rows, omendb.WithFrameRows(100),
		omendb.WithProgress(func(progress omendb.Progress) {
			if progress.Received > 0 {
				cancel()
			}
		}))
	refusal(t, err, codes.Canceled, "")
	resumed := must(docs.BulkInsert(ctx, rows, omendb.WithFrameRows(100), omendb.WithStreamID(result.StreamID)))(t)
	if resumed.SkippedCount == 0 {
		t.Error("nothing was skipped")
	}
	equal(t, "count", must(docs.Count(ctx))(t), count)
}

func TestAServerThatIsSilentIsGivenUp(t *testing.T) {
	ctx, docs := create(t, omendb.CollectionConfig{Name: "silent", Dimension: 4, Similarity: omendb.SimilarityL2})
	server.pause()
	defer server.resume()
	_, err := docs.BulkInsert(ctx, omendb.Rows{IDs: omendb.NumericIDs(1), Vectors: random(1, 4)},
		omendb.WithStallTimeout(300*time.Millisecond))
	refusal(t, err, codes.DeadlineExceeded, "")
	if ctx.Err() != nil {
		t.Error("the context's deadline ended it")
	}
}

func TestPayloadsDoNotMakeAFrameTooLarge(t *testing.T) {
	const count = 600 // 37 MiB, in one frame by the vectors
	ctx, docs := create(t, omendb.CollectionConfig{Name: "heavy", Dimension: 4, Similarity: omendb.SimilarityL2})
	payloads := slices.Repeat([][]byte{make([]byte, 65_536)}, count)
	rows := omendb.Rows{IDs: omendb.IDRange(0, count), Vectors: random(count, 4), Payloads: payloads}
	equal(t, "inserted count", must(docs.BulkInsert(ctx, rows))(t).InsertedCount, count)
}
