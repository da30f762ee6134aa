package omendb

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

func TestTheBytesAreThoseOfFloats(t *testing.T) {
	vectors := []float32{0, 1, -2.5, math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(-1)), 7, 8}
	rows := Rows{IDs: NumericIDs(3, math.MaxUint64), Vectors: vectors, Payloads: [][]byte{[]byte("a"), nil}}
	ours := marshal(t, insertRequest("c", rows, ModeInsertOnly))
	floats := marshal(t, &omendbv1.InsertRequest{
		Collection: "c",
		Mode:       omendbv1.WriteMode_WRITE_MODE_INSERT_ONLY,
		NumericIds: []uint64{3, math.MaxUint64},
		Vectors:    vectors,
		Payloads:   [][]byte{[]byte("a"), {}},
	})
	// The twins differ in the tag alone: fields 5 and 6, both with a length.
	tag := bytes.Index(floats, append([]byte{5<<3 | 2, 32}, convertedBytesOf(vectors)...))
	if tag < 0 {
		t.Fatalf("no vectors in %x", floats)
	}
	floats[tag] = 6<<3 | 2
	if !bytes.Equal(ours, floats) {
		t.Errorf("bytes are\n%x, expected\n%x", ours, floats)
	}
	if !bytes.Equal(bytesOf(vectors), convertedBytesOf(vectors)) {
		t.Error("the memory is not what a conversion gives")
	}
	if !slices.Equal(floatsOf(bytesOf(vectors)), vectors) {
		t.Error("vectors do not come back")
	}
}

func TestTheBytesAreThoseThatTheServerWasShown(t *testing.T) {
	vectors := []float32{1.5, -2, 0.25, 3, 4, 5}
	payloads, err := JSON([]any{map[string]int{"k": 1}, nil})
	if err != nil {
		t.Fatal(err)
	}
	insert := Rows{IDs: StringIDs("a", "é"), Vectors: vectors, Payloads: payloads}
	golden(t, "insert", marshal(t, insertRequest("golden", insert, ModeInsertOnly)))
	frame := Rows{IDs: NumericIDs(0, math.MaxUint64), Vectors: vectors}
	golden(t, "frame", marshal(t, frameRequest(2, frame)))
}

func golden(t *testing.T, name string, message []byte) {
	t.Helper()
	file := "../golden/go-" + name + ".bin"
	if os.Getenv("OMENDB_WRITE_GOLDEN") != "" {
		if err := os.WriteFile(file, message, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(message, shown) {
		t.Errorf("bytes are %x, expected those of %s", message, file)
	}
}

func TestAFrameIsOneCopyOfTheVectors(t *testing.T) {
	if !littleEndian {
		t.Skip("vectors are converted here, which is a second copy")
	}
	const count, dimension = 4_096, 128
	rows := Rows{IDs: IDRange(0, count), Vectors: make([]float32, count*dimension)}
	var before, after runtime.MemStats
	number, least := uint64(0), uint64(math.MaxUint64)
	for frame := range frames(func(yield func(Rows, error) bool) { yield(rows, nil) }, 0) {
		number++
		runtime.ReadMemStats(&before)
		message, err := proto.Marshal(frameRequest(number, frame))
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if len(message) < frameBytes {
			t.Fatalf("frame %d has %d bytes", number, len(message))
		}
		// Beside other goroutines, and rounded up to pages: the least of all frames counts.
		least = min(least, after.TotalAlloc-before.TotalAlloc-uint64(len(message)))
	}
	if least > 16<<10 {
		t.Errorf("a frame took %d bytes besides its message", least)
	}
	if number != 8 {
		t.Errorf("%d frames, expected 8", number)
	}
}

func marshal(t *testing.T, message proto.Message) []byte {
	t.Helper()
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func BenchmarkFrame(b *testing.B) {
	rows := Rows{IDs: IDRange(0, 512), Vectors: make([]float32, 512*128)}
	b.ReportAllocs()
	b.SetBytes(frameBytes)
	for b.Loop() {
		if _, err := proto.Marshal(frameRequest(1, rows)); err != nil {
			b.Fatal(err)
		}
	}
}
