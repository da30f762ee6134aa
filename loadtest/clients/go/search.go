package omendb

import (
	"context"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

// SearchOption changes how a search goes and what it returns.
type SearchOption func(*omendbv1.SearchRequest)

// WithEf sets the width of the beam, 1 to 4,096. Without it, it is what was calibrated for the collection's target recall.
func WithEf(ef int) SearchOption {
	return func(r *omendbv1.SearchRequest) { r.Ef = uint32Of(ef) }
}

// WithExact compares all records, in time linear in their number.
func WithExact() SearchOption {
	return func(r *omendbv1.SearchRequest) { r.Exact = true }
}

// WithMaxDistance leaves out hits that are farther.
func WithMaxDistance(distance float32) SearchOption {
	return func(r *omendbv1.SearchRequest) { r.MaxDistance = &distance }
}

// WithPayloads returns the payloads.
func WithPayloads() SearchOption {
	return func(r *omendbv1.SearchRequest) { r.IncludePayloads = true }
}

// WithVectors returns the vectors.
func WithVectors() SearchOption {
	return func(r *omendbv1.SearchRequest) { r.IncludeVectors = true }
}

// WithExplain returns how the answer was found.
func WithExplain() SearchOption {
	return func(r *omendbv1.SearchRequest) { r.Explain = true }
}

// WithMinVisibleSequence answers only when every write up to this commit sequence is visible.
func WithMinVisibleSequence(sequence uint64) SearchOption {
	return func(r *omendbv1.SearchRequest) { r.MinVisibleSequence = sequence }
}

func (c *Collection) searchRequest(k int, options []SearchOption) *omendbv1.SearchRequest {
	request := &omendbv1.SearchRequest{
		Collection:   c.name,
		K:            uint32Of(k),
		VectorFormat: omendbv1.VectorFormat_VECTOR_FORMAT_BYTES_LE,
	}
	for _, option := range options {
		option(request)
	}
	return request
}

// Search finds the k nearest records, 1 to 1,000; fewer where there are fewer. The query has the collection's dimension.
func (c *Collection) Search(ctx context.Context, query []float32, k int, options ...SearchOption) (*SearchResult, error) {
	request := c.searchRequest(k, options)
	request.VectorLe = bytesOf(query)
	response, err := call(ctx, c.client, true, c.client.vectors.Search, request)
	if err != nil {
		return nil, err
	}
	result := searchResult(response.Hits, response.VisibleSequence, response.Explain)
	return &result, nil
}

// SearchBatch finds the k nearest records of each of 1 to 1,024 queries, row-major: queries × dimension components. The
// results are in the order of the queries.
func (c *Collection) SearchBatch(
	ctx context.Context, queries []float32, k int, options ...SearchOption,
) ([]SearchResult, error) {
	one := c.searchRequest(k, options)
	request := &omendbv1.SearchBatchRequest{
		Collection:         one.Collection,
		K:                  one.K,
		Ef:                 one.Ef,
		Exact:              one.Exact,
		VectorsLe:          bytesOf(queries),
		MaxDistance:        one.MaxDistance,
		MinVisibleSequence: one.MinVisibleSequence,
		IncludeVectors:     one.IncludeVectors,
		IncludePayloads:    one.IncludePayloads,
		Explain:            one.Explain,
		VectorFormat:       one.VectorFormat,
	}
	response, err := call(ctx, c.client, true, c.client.vectors.SearchBatch, request)
	if err != nil {
		return nil, err
	}
	results := make([]SearchResult, len(response.Results))
	for i, result := range response.Results {
		results[i] = searchResult(result.Hits, response.VisibleSequence, result.Explain)
	}
	return results, nil
}
