package omendb

import omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"

// InsertResult is what an insert did. Inserted, updated and conflict are the rows given.
type InsertResult struct {
	// CommitSequence is the collection's log position of the write, for [WithMinVisibleSequence] of a search that goes
	// by another program's word; one that follows the insert sees it in any case.
	CommitSequence uint64
	// InsertedCount is rows whose id was not there before.
	InsertedCount int
	// UpdatedCount is rows that replaced a record.
	UpdatedCount int
	// ConflictCount is rows not applied under [ModeInsertOnly] or [ModeUpdateOnly].
	ConflictCount int
	// Conflicts are positions of these rows, ascending, the first 100.
	Conflicts []int
}

// Hit is a record that was found.
type Hit struct {
	// NumericID is its id, in a collection of [IDKindNumeric].
	NumericID uint64
	// StringID is its id, in a collection of [IDKindString].
	StringID string
	// Distance is from the query; smaller is nearer.
	Distance float32
	// Payload is nil unless it was asked for and is there. It is the caller's.
	Payload []byte
	// Vector is nil unless it was asked for. It is the caller's.
	Vector []float32
}

// SearchResult is the answer to one query.
type SearchResult struct {
	// Hits are by ascending distance, equal distances by ascending id.
	Hits []Hit
	// VisibleSequence is the log position up to which every write was visible to the search.
	VisibleSequence uint64
	// Explain is how the answer was found; nil unless it was asked for.
	Explain *omendbv1.SearchExplain
}

// Record is a record that was read; its fields are as of [Hit].
type Record struct {
	NumericID uint64
	StringID  string
	Payload   []byte
	Vector    []float32
}

// Records are what Get read.
type Records struct {
	// Records are in the order asked for, without those that are missing.
	Records []Record
	// Missing are ids that are not there, in the order asked for.
	Missing IDs
}

func insertResult(response *omendbv1.InsertResponse) *InsertResult {
	result := &InsertResult{
		CommitSequence: response.CommitSequence,
		InsertedCount:  int(response.InsertedCount),
		UpdatedCount:   int(response.UpdatedCount),
		ConflictCount:  int(response.ConflictCount),
	}
	for _, conflict := range response.Conflicts {
		result.Conflicts = append(result.Conflicts, int(conflict.Index))
	}
	return result
}

func searchResult(hits []*omendbv1.Hit, sequence uint64, explain *omendbv1.SearchExplain) SearchResult {
	result := SearchResult{Hits: make([]Hit, len(hits)), VisibleSequence: sequence, Explain: explain}
	for i, hit := range hits {
		result.Hits[i] = Hit{
			NumericID: hit.GetNumericId(),
			StringID:  hit.GetStringId(),
			Distance:  hit.Distance,
			Payload:   hit.Payload,
			Vector:    floatsOf(hit.VectorLe),
		}
	}
	return result
}

func recordsOf(response *omendbv1.GetResponse) *Records {
	found := &Records{
		Records: make([]Record, len(response.Records)),
		Missing: IDs{numeric: response.MissingNumericIds, strings: response.MissingStringIds},
	}
	for i, record := range response.Records {
		found.Records[i] = Record{
			NumericID: record.GetNumericId(),
			StringID:  record.GetStringId(),
			Payload:   record.Payload,
			Vector:    floatsOf(record.VectorLe),
		}
	}
	return found
}
