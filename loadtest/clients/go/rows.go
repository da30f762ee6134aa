package omendb

import (
	"encoding/json"
	"fmt"
	"iter"
)

// IDs are ids of rows: all numbers, or all strings. The zero value has none.
type IDs struct {
	numeric []uint64
	strings []string
}

// NumericIDs are the ids of a collection of [IDKindNumeric]. The slice is used, not copied.
func NumericIDs(ids ...uint64) IDs {
	return IDs{numeric: ids}
}

// StringIDs are the ids of a collection of [IDKindString], each 1 to 256 bytes of UTF-8. The slice is used, not copied.
func StringIDs(ids ...string) IDs {
	return IDs{strings: ids}
}

// IDRange are count numeric ids from first on.
func IDRange(first uint64, count int) IDs {
	ids := make([]uint64, count)
	for i := range ids {
		ids[i] = first + uint64(i)
	}
	return IDs{numeric: ids}
}

// Len is how many there are.
func (ids IDs) Len() int {
	return len(ids.numeric) + len(ids.strings)
}

// Numeric gives the numbers; nil where they are strings.
func (ids IDs) Numeric() []uint64 {
	return ids.numeric
}

// Strings gives the strings; nil where they are numbers.
func (ids IDs) Strings() []string {
	return ids.strings
}

func (ids IDs) slice(start, end int) IDs {
	if ids.strings != nil {
		return IDs{strings: ids.strings[start:end]}
	}
	return IDs{numeric: ids.numeric[start:end]}
}

// Rows are records to be written. The slices are read where they lie, and must not change before the call returns.
type Rows struct {
	// IDs are n ids.
	IDs IDs
	// Vectors are n × dimension components, row-major: those of the first row, then those of the second.
	Vectors []float32
	// Payloads are nil, or n of up to 65,536 bytes each, opaque to the server; [JSON] makes some. An empty one is none.
	Payloads [][]byte
}

// JSON gives a payload a value, its JSON; nil has an empty one.
func JSON[T any](values []T) ([][]byte, error) {
	payloads := make([][]byte, len(values))
	for i, value := range values {
		if any(value) == nil {
			continue
		}
		payload, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("payload %d: %w", i, err)
		}
		payloads[i] = payload
	}
	return payloads, nil
}

// check finds what the server could not tell: which of the columns has the wrong length.
func (r Rows) check() error {
	n := r.IDs.Len()
	if n == 0 && len(r.Vectors) > 0 || n > 0 && len(r.Vectors)%n != 0 {
		return columnError("vectors", len(r.Vectors), fmt.Sprintf("a multiple of %d ids", n))
	}
	if r.Payloads != nil && len(r.Payloads) != n {
		return columnError("payloads", len(r.Payloads), fmt.Sprintf("%d: one an id", n))
	}
	return nil
}

func (r Rows) slice(start, end int) Rows {
	dimension := len(r.Vectors) / r.IDs.Len()
	part := Rows{IDs: r.IDs.slice(start, end), Vectors: r.Vectors[start*dimension : end*dimension]}
	if r.Payloads != nil {
		part.Payloads = r.Payloads[start:end]
	}
	return part
}

const (
	// Bytes of vectors in a frame: larger ones gain nothing.
	frameBytes = 256 << 10
	// Bytes of payloads that end a frame early, far below the server's limit of a message.
	framePayloadBytes = 1 << 20
	frameRowsLimit    = 65_536
)

// frames cuts blocks into frames, the same whenever the blocks are the same: a stream is resumed by their numbers.
func frames(blocks iter.Seq2[Rows, error], frameRows int) iter.Seq2[Rows, error] {
	return func(yield func(Rows, error) bool) {
		for block, err := range blocks {
			if err == nil {
				err = block.check()
			}
			if err != nil {
				yield(Rows{}, err)
				return
			}
			for start, n := 0, block.IDs.Len(); start < n; {
				end := frameEnd(block, start, frameRows)
				if !yield(block.slice(start, end), nil) {
					return
				}
				start = end
			}
		}
	}
}

func frameEnd(block Rows, start, frameRows int) int {
	n := block.IDs.Len()
	if frameRows > 0 {
		return min(n, start+frameRows)
	}
	rowBytes := max(1, 4*len(block.Vectors)/n)
	limit := min(n, start+min(frameRowsLimit, max(1, frameBytes/rowBytes)))
	if block.Payloads == nil {
		return limit
	}
	end, bytes := start, 0
	for end < limit && (end == start || bytes+len(block.Payloads[end]) <= framePayloadBytes) {
		bytes += len(block.Payloads[end])
		end++
	}
	return end
}
