// Insert, bulk insert and search from Go. README.md says how to make the stubs.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	omendb "quickstart/gen/omendb/v1"
)

const (
	collection = "quickstart-go"
	dimension  = 64
	count      = 10_000
)

func main() {
	target := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	collections := omendb.NewCollectionServiceClient(connection)
	vectors := omendb.NewVectorServiceClient(connection)

	_, err = collections.DropCollection(ctx, &omendb.DropCollectionRequest{Collection: collection, AllowMissing: true})
	check(err)
	_, err = collections.CreateCollection(ctx, &omendb.CreateCollectionRequest{Config: &omendb.CollectionConfig{
		Name: collection, Dimension: dimension, Similarity: omendb.Similarity_SIMILARITY_L2,
	}})
	check(err)

	random := rand.New(rand.NewSource(1))
	rows := make([]float32, count*dimension)
	for i := range rows {
		rows[i] = random.Float32()
	}

	// A few vectors, with payloads: searchable when Insert returns.
	_, err = vectors.Insert(ctx, &omendb.InsertRequest{
		Collection: collection,
		NumericIds: []uint64{0, 1, 2},
		Vectors:    rows[:3*dimension],
		Payloads:   [][]byte{[]byte("zero"), []byte("one"), []byte("two")},
	})
	check(err)

	// Many vectors: a stream of frames. The opening fields ride on the first one.
	stream, err := vectors.BulkInsert(ctx)
	check(err)
	go send(stream, rows, 3, 1_000)
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		check(err)
		if len(answer.RefusedFrames) > 0 {
			log.Fatalf("refused: %v", answer.RefusedFrames)
		}
		if answer.Summary != nil {
			fmt.Println("bulk inserted:", answer.Summary.InsertedCount)
		}
	}

	found, err := vectors.Search(ctx, &omendb.SearchRequest{
		Collection: collection, K: 3, Vector: rows[dimension : 2*dimension], IncludePayloads: true,
	})
	check(err)
	for _, hit := range found.Hits {
		fmt.Printf("id %d  distance %.4f  payload %q\n", hit.GetNumericId(), hit.Distance, hit.Payload)
	}
	fmt.Println("nearest:", found.Hits[0].GetNumericId(), string(found.Hits[0].Payload))
}

func send(stream omendb.VectorService_BulkInsertClient, rows []float32, first, size int) {
	for start := first; start < count; start += size {
		end := min(start+size, count)
		frame := &omendb.BulkInsertRequest{Collection: collection, WaitSearchable: true}
		for id := start; id < end; id++ {
			frame.NumericIds = append(frame.NumericIds, uint64(id))
		}
		frame.VectorsLe = littleEndian(rows[start*dimension : end*dimension])
		if err := stream.Send(frame); err != nil {
			return // Recv tells why.
		}
	}
	check(stream.CloseSend())
}

func littleEndian(components []float32) []byte {
	bytes := make([]byte, 0, 4*len(components))
	for _, component := range components {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(component))
	}
	return bytes
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
