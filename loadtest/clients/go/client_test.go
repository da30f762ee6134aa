package omendb_test

import (
	"context"
	"errors"
	"math"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/omendb/omendb-go"
)

func TestTheWholeTask(t *testing.T) {
	const count, dimension = 20_000, 32
	ctx, docs := create(t, omendb.CollectionConfig{
		Name: "docs", Dimension: dimension, Similarity: omendb.SimilarityCosine,
	})
	vectors := random(count, dimension)
	rows := make([]map[string]int, count)
	for i := range rows {
		rows[i] = map[string]int{"row": i}
	}
	payloads := must(omendb.JSON(rows))(t)
	var last omendb.Progress
	loaded := must(docs.BulkInsert(ctx,
		omendb.Rows{IDs: omendb.IDRange(0, count), Vectors: vectors, Payloads: payloads},
		omendb.WithProgress(func(p omendb.Progress) { last = p }),
	))(t)
	equal(t, "row count", loaded.RowCount, count)
	equal(t, "inserted count", loaded.InsertedCount, count)
	equal(t, "last progress", last, omendb.Progress{Received: count, Searchable: count, Total: count})

	query := vectors[8*dimension : 9*dimension]
	seven := must(omendb.JSON([]string{"seven"}))(t)
	written := must(docs.Insert(ctx,
		omendb.Rows{IDs: omendb.NumericIDs(7), Vectors: query, Payloads: seven}, omendb.ModeUpsert))(t)
	equal(t, "updated count", written.UpdatedCount, 1)
	found := must(docs.Search(ctx, query, 2, omendb.WithPayloads(), omendb.WithVectors(), omendb.WithExplain()))(t)
	got := map[uint64]string{}
	for _, hit := range found.Hits {
		got[hit.NumericID] = string(hit.Payload)
		if !slices.Equal(hit.Vector, query) {
			t.Errorf("vector of %d is %v, expected %v", hit.NumericID, hit.Vector, query)
		}
	}
	if len(got) != 2 || got[7] != `"seven"` || got[8] != `{"row":8}` {
		t.Errorf("hits are %v", got)
	}
	if found.Explain == nil || found.VisibleSequence < written.CommitSequence {
		t.Errorf("explain is %v, visible sequence %d of %d", found.Explain, found.VisibleSequence, written.CommitSequence)
	}

	batch := must(docs.SearchBatch(ctx, vectors[:64*dimension], 10))(t)
	exact := must(docs.SearchBatch(ctx, vectors[:64*dimension], 10, omendb.WithExact()))(t)
	equal(t, "results", len(batch), 64)
	if same := recall(batch, exact); same < 0.95 {
		t.Errorf("recall is %g", same)
	}
	near := must(docs.Search(ctx, query, 10, omendb.WithMaxDistance(1e-6)))(t)
	equal(t, "near hits", len(near.Hits), 2)
	nearest := must(docs.SearchBatch(ctx, query, 10, omendb.WithMaxDistance(1e-6)))(t)
	equal(t, "near hits", len(nearest[0].Hits), 2)

	equal(t, "deleted", must(docs.Delete(ctx, omendb.NumericIDs(7, 8, count)))(t), 2)
	equal(t, "count", must(docs.Count(ctx))(t), count-2)
	read := must(docs.Get(ctx, omendb.NumericIDs(7, 9)))(t)
	equal(t, "read", len(read.Records), 1)
	equal(t, "payload", string(read.Records[0].Payload), `{"row":9}`)
	if !slices.Equal(read.Missing.Numeric(), []uint64{7}) {
		t.Errorf("missing is %v", read.Missing)
	}
	bare := must(docs.Get(ctx, omendb.NumericIDs(9), omendb.OmitPayloads(), omendb.OmitVectors()))(t).Records[0]
	if bare.Payload != nil || bare.Vector != nil {
		t.Errorf("a record without payload and vector has %v", bare)
	}
	equal(t, "live count", must(docs.Stats(ctx))(t).LiveCount, count-2)
	equal(t, "dimension", must(docs.Info(ctx))(t).Config.Dimension, dimension)
}

func recall(got, want []omendb.SearchResult) float64 {
	same, all := 0, 0
	for i := range want {
		for _, hit := range want[i].Hits {
			all++
			if slices.ContainsFunc(got[i].Hits, func(h omendb.Hit) bool { return h.NumericID == hit.NumericID }) {
				same++
			}
		}
	}
	return float64(same) / float64(all)
}

func TestCollectionsAreMadeListedAndDropped(t *testing.T) {
	ctx, client := connect(t)
	for _, name := range []string{"b", "a"} {
		must(client.CreateCollection(ctx, omendb.CollectionConfig{
			Name: name, Dimension: 4, Similarity: omendb.SimilarityInnerProduct, Profile: omendb.ProfileSpeed, M: 8,
		}))(t)
	}
	infos := must(client.Collections(ctx))(t)
	equal(t, "collections", len(infos), 2)
	equal(t, "first", infos[0].Config.Name, "a")
	equal(t, "m", infos[0].Config.M, 8)
	equal(t, "of the server", len(must(client.Stats(ctx))(t).Collections), 2)
	equal(t, "dropped", must(client.DropCollection(ctx, "a"))(t), true)
	equal(t, "dropped again", must(client.DropCollection(ctx, "a"))(t), false)
	equal(t, "dropped", must(client.Collection("b").Drop(ctx))(t), true)
	equal(t, "collections", len(must(client.Collections(ctx))(t)), 0)
}

func TestIDsAre64BitsWide(t *testing.T) {
	ctx, numbers := create(t, omendb.CollectionConfig{Name: "numbers", Dimension: 16, Similarity: omendb.SimilarityL2})
	vectors := random(3, 16)
	ids := omendb.NumericIDs(0, math.MaxUint64, 1<<63)
	must(numbers.Insert(ctx, omendb.Rows{IDs: ids, Vectors: vectors}, omendb.ModeUpsert))(t)
	equal(t, "nearest", must(numbers.Search(ctx, vectors[16:32], 1))(t).Hits[0].NumericID, math.MaxUint64)
	equal(t, "second", must(numbers.Get(ctx, ids))(t).Records[1].NumericID, math.MaxUint64)
	equal(t, "deleted", must(numbers.Delete(ctx, omendb.NumericIDs(math.MaxUint64)))(t), 1)
	equal(t, "count", must(numbers.Count(ctx))(t), 2)
}

func TestIDsAreStrings(t *testing.T) {
	ctx, names := create(t, omendb.CollectionConfig{
		Name: "names", Dimension: 16, Similarity: omendb.SimilarityL2, IDKind: omendb.IDKindString,
	})
	vectors := random(3, 16)
	rows := omendb.Rows{IDs: omendb.StringIDs("rot", "grün", "blau"), Vectors: vectors}
	equal(t, "inserted", must(names.BulkInsert(ctx, rows, omendb.WithFrameRows(2)))(t).InsertedCount, 3)
	equal(t, "nearest", must(names.Search(ctx, vectors[16:32], 1))(t).Hits[0].StringID, "grün")
	equal(t, "nearest", must(names.SearchBatch(ctx, vectors, 1))(t)[2].Hits[0].StringID, "blau")
	equal(t, "deleted", must(names.Delete(ctx, omendb.StringIDs("rot")))(t), 1)
	read := must(names.Get(ctx, omendb.StringIDs("rot", "blau")))(t)
	if !slices.Equal(read.Missing.Strings(), []string{"rot"}) || read.Records[0].StringID != "blau" {
		t.Errorf("read is %v", read)
	}
}

func TestModesTellConflicts(t *testing.T) {
	ctx, docs := create(t, omendb.CollectionConfig{Name: "modes", Dimension: 16, Similarity: omendb.SimilarityL2})
	insert := func(mode omendb.WriteMode, ids ...uint64) *omendb.InsertResult {
		rows := omendb.Rows{IDs: omendb.NumericIDs(ids...), Vectors: random(len(ids), 16)}
		return must(docs.Insert(ctx, rows, mode))(t)
	}
	insert(omendb.ModeUpsert, 1, 2)
	result := insert(omendb.ModeInsertOnly, 3, 2)
	equal(t, "inserted", result.InsertedCount, 1)
	equal(t, "conflicts", result.ConflictCount, 1)
	if !slices.Equal(result.Conflicts, []int{1}) {
		t.Errorf("conflicts are %v", result.Conflicts)
	}
	equal(t, "conflicts", insert(omendb.ModeUpdateOnly, 4).ConflictCount, 1)
}

func TestAnErrorNamesFieldValueAndExpectation(t *testing.T) {
	ctx, docs := create(t, omendb.CollectionConfig{Name: "errors", Dimension: 16, Similarity: omendb.SimilarityL2})
	_, err := docs.Search(ctx, make([]float32, 5), 1)
	failure := refusal(t, err, codes.InvalidArgument, "DIMENSION_MISMATCH")
	equal(t, "field", failure.Field(), "vector_le")
	equal(t, "value", failure.Value(), "5 components")
	equal(t, "expected", failure.Expected(), "16 components")
	equal(t, "violations", len(failure.Violations), 1)
	equal(t, "status code", status.Code(err), codes.InvalidArgument)
	if !strings.Contains(err.Error(), failure.Message) || !strings.Contains(err.Error(), "DIMENSION_MISMATCH") {
		t.Errorf("error is %q", err)
	}

	_, err = docs.Search(ctx, make([]float32, 16), -1)
	equal(t, "field", refusal(t, err, codes.InvalidArgument, "OUT_OF_RANGE").Field(), "k")
	vectors := random(1, 16)
	vectors[3] = float32(math.NaN())
	_, err = docs.Insert(ctx, omendb.Rows{IDs: omendb.NumericIDs(1), Vectors: vectors}, omendb.ModeUpsert)
	refusal(t, err, codes.InvalidArgument, "NOT_FINITE")
	_, err = docs.Insert(ctx, omendb.Rows{IDs: omendb.NumericIDs(1, 2, 3), Vectors: vectors}, omendb.ModeUpsert)
	failure = refusal(t, err, codes.InvalidArgument, "COLUMN_LENGTH_MISMATCH")
	equal(t, "field", failure.Field(), "vectors")
	equal(t, "value", failure.Value(), "16")
	_, err = docs.BulkInsert(ctx, omendb.Rows{IDs: omendb.NumericIDs(1), Vectors: random(1, 16), Payloads: [][]byte{nil, nil}})
	equal(t, "field", refusal(t, err, codes.InvalidArgument, "COLUMN_LENGTH_MISMATCH").Field(), "payloads")

	_, client := connect(t)
	_, err = client.Collection("nowhere").Count(ctx)
	equal(t, "collection", refusal(t, err, codes.NotFound, "COLLECTION_NOT_FOUND").Metadata["collection"], "nowhere")
	config := omendb.CollectionConfig{Name: "errors", Dimension: 16, Similarity: omendb.SimilarityL2}
	_, err = client.CreateCollection(ctx, config)
	refusal(t, err, codes.AlreadyExists, "COLLECTION_EXISTS")
	config.ExistOK = true
	equal(t, "count", must(must(client.CreateCollection(ctx, config))(t).Count(ctx))(t), 0)
	_, err = client.CreateCollection(ctx, omendb.CollectionConfig{Name: "errors2", Dimension: 16})
	equal(t, "field", refusal(t, err, codes.InvalidArgument, "FIELD_REQUIRED").Field(), "config.similarity")
}

func refusal(t *testing.T, err error, code codes.Code, reason string) *omendb.Error {
	t.Helper()
	var failure *omendb.Error
	if !errors.As(err, &failure) {
		t.Fatalf("error is %v, expected an *omendb.Error", err)
	}
	if failure.Code != code || failure.Reason != reason {
		t.Fatalf("error is %v %s, expected %v %s", failure.Code, failure.Reason, code, reason)
	}
	return failure
}

func TestADeadlineEndsACall(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	client := must(omendb.Connect(silent.Addr().String()))(t)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = client.Stats(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	refusal(t, err, codes.DeadlineExceeded, "")
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	_, err = client.Collection("c").BulkInsert(ctx, omendb.Rows{IDs: omendb.NumericIDs(1), Vectors: random(1, 4)})
	refusal(t, err, codes.DeadlineExceeded, "")
}

func TestWithoutAServerTheDeadlineHolds(t *testing.T) {
	client := must(omendb.Connect(freeTarget()))(t)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	start := time.Now()
	_, err := client.Stats(ctx)
	var failure *omendb.Error
	if !errors.As(err, &failure) || failure.Code != codes.Unavailable && failure.Code != codes.DeadlineExceeded {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestACancelledCallIsCancelled(t *testing.T) {
	ctx, docs := create(t, omendb.CollectionConfig{Name: "cancelled", Dimension: 4, Similarity: omendb.SimilarityL2})
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := docs.Search(cancelled, random(1, 4), 1)
	refusal(t, err, codes.Canceled, "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	equal(t, "hits after it", len(must(docs.Search(ctx, random(1, 4), 1))(t).Hits), 0)
}

func TestACallWaitsForAServerThatStarts(t *testing.T) {
	ctx, docs := create(t, omendb.CollectionConfig{Name: "waits", Dimension: 4, Similarity: omendb.SimilarityL2})
	server.kill()
	impatient := must(omendb.Connect(server.target, omendb.WithRetryPolicy(omendb.RetryPolicy{})))(t)
	defer impatient.Close()
	_, err := impatient.Collection("waits").Count(ctx)
	refusal(t, err, codes.Unavailable, "")
	started := make(chan error, 1)
	go func() { started <- server.start() }()
	equal(t, "count", must(docs.Count(ctx))(t), 0)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
}

func TestACallHasADeadlineAndEndsBetweenAttempts(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	attempts := 0
	interceptor := func(ctx context.Context, method string, request, response any, connection *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption,
	) error {
		attempts++
		deadline, _ := ctx.Deadline()
		if left := time.Until(deadline); left <= 0 || left > omendb.DefaultTimeout {
			t.Errorf("%v are left to a call without a deadline", left)
		}
		err := invoke(ctx, method, request, response, connection, options...)
		if attempts == 2 {
			cancel()
		}
		return err
	}
	client := must(omendb.Connect(freeTarget(), omendb.WithDialOptions(grpc.WithUnaryInterceptor(interceptor))))(t)
	defer client.Close()
	_, err := client.Stats(ctx)
	refusal(t, err, codes.Canceled, "")
	equal(t, "attempts", attempts, 2)
}

func TestTheQuickstartPrintsWhatTheReadmeQuotes(t *testing.T) {
	output, err := exec.Command("go", "run", "./quickstart", server.target).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	_, client := connect(t)
	must(client.DropCollection(context.Background(), "quickstart-go"))(t)
	if quoted := readmeBlock(t, "text", 0); string(output) != quoted {
		t.Errorf("it printed\n%s\nand the README quotes\n%s", output, quoted)
	}
}
