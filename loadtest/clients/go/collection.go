package omendb

import (
	"context"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

// Collection is the data of a collection. It is safe for concurrent use.
type Collection struct {
	client *Client
	name   string
}

// Name is the collection's.
func (c *Collection) Name() string {
	return c.name
}

// Info gives settings, state and count.
func (c *Collection) Info(ctx context.Context) (*omendbv1.CollectionInfo, error) {
	request := &omendbv1.GetCollectionRequest{Collection: c.name}
	response, err := call(ctx, c.client, true, c.client.collections.GetCollection, request)
	if err != nil {
		return nil, err
	}
	return response.Collection, nil
}

// Insert writes 1 to 65,536 rows as one unit, all or none; searches find them when it returns. Only [ModeUpsert] is
// repeated where the connection breaks: repeated under another mode, a row would conflict with itself.
func (c *Collection) Insert(ctx context.Context, rows Rows, mode WriteMode) (*InsertResult, error) {
	if err := rows.check(); err != nil {
		return nil, err
	}
	request := insertRequest(c.name, rows, mode)
	repeatable := mode == ModeUpsert || mode == omendbv1.WriteMode_WRITE_MODE_UNSPECIFIED
	response, err := call(ctx, c.client, repeatable, c.client.vectors.Insert, request)
	if err != nil {
		return nil, err
	}
	return insertResult(response), nil
}

func insertRequest(collection string, rows Rows, mode WriteMode) *omendbv1.InsertRequest {
	return &omendbv1.InsertRequest{
		Collection: collection,
		Mode:       mode,
		NumericIds: rows.IDs.numeric,
		StringIds:  rows.IDs.strings,
		VectorsLe:  bytesOf(rows.Vectors),
		Payloads:   rows.Payloads,
	}
}

// GetOption changes what a Get returns.
type GetOption func(*omendbv1.GetRequest)

// OmitPayloads leaves the payloads out.
func OmitPayloads() GetOption {
	return func(r *omendbv1.GetRequest) { r.IncludePayloads = false }
}

// OmitVectors leaves the vectors out.
func OmitVectors() GetOption {
	return func(r *omendbv1.GetRequest) { r.IncludeVectors = false }
}

// Get reads 1 to 10,000 records, with vectors and payloads. Ids that are not there are in Missing, and are no error.
func (c *Collection) Get(ctx context.Context, ids IDs, options ...GetOption) (*Records, error) {
	request := &omendbv1.GetRequest{
		Collection:      c.name,
		NumericIds:      ids.numeric,
		StringIds:       ids.strings,
		IncludePayloads: true,
		IncludeVectors:  true,
		VectorFormat:    omendbv1.VectorFormat_VECTOR_FORMAT_BYTES_LE,
	}
	for _, option := range options {
		option(request)
	}
	response, err := call(ctx, c.client, true, c.client.vectors.Get, request)
	if err != nil {
		return nil, err
	}
	return recordsOf(response), nil
}

// Delete removes 1 to 65,536 records as one unit, and returns how many were there. Where the connection broke and the
// call was made again, those that the first had removed are not counted.
func (c *Collection) Delete(ctx context.Context, ids IDs) (int, error) {
	request := &omendbv1.DeleteRequest{Collection: c.name, NumericIds: ids.numeric, StringIds: ids.strings}
	response, err := call(ctx, c.client, true, c.client.vectors.Delete, request)
	if err != nil {
		return 0, err
	}
	return int(response.DeletedCount), nil
}

// Count gives the number of live records.
func (c *Collection) Count(ctx context.Context) (int, error) {
	response, err := call(ctx, c.client, true, c.client.vectors.Count, &omendbv1.CountRequest{Collection: c.name})
	if err != nil {
		return 0, err
	}
	return int(response.Count), nil
}

// Stats gives counts, sizes in bytes, sequences and quality.
func (c *Collection) Stats(ctx context.Context) (*omendbv1.CollectionStats, error) {
	response, err := call(ctx, c.client, true, c.client.admin.Stats, &omendbv1.StatsRequest{Collection: c.name})
	if err != nil {
		return nil, err
	}
	return response.Collections[0], nil
}

// Drop removes the collection and its data for good, and returns whether it was there.
func (c *Collection) Drop(ctx context.Context) (bool, error) {
	return c.client.DropCollection(ctx, c.name)
}
