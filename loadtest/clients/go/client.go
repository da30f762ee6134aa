// Package omendb is the Go client of OmenDB, a vector database served over gRPC.
//
//	db, err := omendb.Connect("127.0.0.1:50051")
//	docs, err := db.CreateCollection(ctx, omendb.CollectionConfig{
//		Name: "docs", Dimension: 384, Similarity: omendb.SimilarityCosine,
//	})
//	_, err = docs.BulkInsert(ctx, omendb.Rows{IDs: omendb.IDRange(0, n), Vectors: vectors})
//	found, err := docs.Search(ctx, vectors[:384], 10)
//
// Vectors are flat and row-major: n × dimension float32. Every failed call returns an [*Error] with the server's reason,
// and the field, value and expectation where a request is wrong. The generated stubs are in gen/omendb/v1.
package omendb

import (
	"context"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

// DefaultTimeout is what a call may take, repetitions included, where its context has no deadline. Bulk inserts have
// none; see [WithStallTimeout].
const DefaultTimeout = 30 * time.Second

// Client holds the connection to a server. It is safe for concurrent use: one serves a whole program.
type Client struct {
	connection  *grpc.ClientConn
	admin       omendbv1.AdminServiceClient
	collections omendbv1.CollectionServiceClient
	vectors     omendbv1.VectorServiceClient
	retry       RetryPolicy
}

// Option changes how [Connect] makes a client.
type Option func(*connectOptions)

type connectOptions struct {
	credentials credentials.TransportCredentials
	retry       RetryPolicy
	dial        []grpc.DialOption
}

// WithTransportCredentials makes the connection with TLS. Without it, it is not encrypted.
func WithTransportCredentials(credentials credentials.TransportCredentials) Option {
	return func(o *connectOptions) { o.credentials = credentials }
}

// WithRetryPolicy changes when a call that failed is made again, instead of [DefaultRetryPolicy].
func WithRetryPolicy(policy RetryPolicy) Option {
	return func(o *connectOptions) { o.retry = policy }
}

// WithDialOptions adds options of gRPC, such as interceptors. They win over those of this package.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(o *connectOptions) { o.dial = append(o.dial, options...) }
}

// Connect makes a client of the server at target, "host:port". No connection is made before the first call, and a broken
// one is made again by itself; an error says that target or an option is malformed.
func Connect(target string, options ...Option) (*Client, error) {
	settings := connectOptions{credentials: insecure.NewCredentials(), retry: DefaultRetryPolicy()}
	for _, option := range options {
		option(&settings)
	}
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(settings.credentials),
		// The server has limits of its own, and names them in its errors.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
	}, settings.dial...)
	connection, err := grpc.NewClient(target, dial...)
	if err != nil {
		return nil, errorOf(err)
	}
	return &Client{
		connection:  connection,
		admin:       omendbv1.NewAdminServiceClient(connection),
		collections: omendbv1.NewCollectionServiceClient(connection),
		vectors:     omendbv1.NewVectorServiceClient(connection),
		retry:       settings.retry,
	}, nil
}

// Close ends the connection, and the calls that use it.
func (c *Client) Close() error {
	return c.connection.Close()
}

// CollectionConfig says what a collection is to be. Name, Dimension and Similarity are required.
type CollectionConfig struct {
	// Name matches [A-Za-z0-9][A-Za-z0-9_-]{0,63}.
	Name string
	// Dimension is the components of a vector, 2 to 8192.
	Dimension int
	// Similarity is by what vectors are near: [SimilarityL2], [SimilarityCosine] or [SimilarityInnerProduct].
	Similarity Similarity
	// IDKind is [IDKindNumeric], the default, or [IDKindString].
	IDKind IDKind
	// Profile is [ProfileMemory], the default, or [ProfileSpeed]: some twice the memory for searches in half the time.
	Profile Profile
	// TargetRecall is the recall@10 for which the default search is calibrated, 0.5 to 0.9999; 0: 0.99.
	TargetRecall float64
	// M is the neighbours of a node of the HNSW graph, 4 to 64; 0: 16.
	M int
	// EfConstruction is the width of the beam while the graph is built, 8 to 2000; 0: 100.
	EfConstruction int
	// ExistOK takes a collection of this name that is there, whatever its settings.
	ExistOK bool
}

// CreateCollection makes a collection, durably. Unless config.ExistOK is set, one that is there is an [*Error] with
// reason COLLECTION_EXISTS.
func (c *Client) CreateCollection(ctx context.Context, config CollectionConfig) (*Collection, error) {
	request := &omendbv1.CreateCollectionRequest{Config: &omendbv1.CollectionConfig{
		Name:           config.Name,
		Dimension:      uint32Of(config.Dimension),
		Similarity:     config.Similarity,
		IdKind:         config.IDKind,
		Profile:        config.Profile,
		TargetRecall:   config.TargetRecall,
		M:              uint32Of(config.M),
		EfConstruction: uint32Of(config.EfConstruction),
	}}
	_, err := call(ctx, c, false, c.collections.CreateCollection, request)
	if err != nil && !(config.ExistOK && err.Reason == "COLLECTION_EXISTS") {
		return nil, err
	}
	return c.Collection(config.Name), nil
}

// Collection gives access to a collection by its name; no call is made.
func (c *Client) Collection(name string) *Collection {
	return &Collection{client: c, name: name}
}

// Collections describes all collections, by ascending name.
func (c *Client) Collections(ctx context.Context) ([]*omendbv1.CollectionInfo, error) {
	var found []*omendbv1.CollectionInfo
	request := &omendbv1.ListCollectionsRequest{}
	for {
		page, err := call(ctx, c, true, c.collections.ListCollections, request)
		if err != nil {
			return nil, err
		}
		found = append(found, page.Collections...)
		if page.NextPageToken == "" {
			return found, nil
		}
		request.PageToken = page.NextPageToken
	}
}

// DropCollection removes a collection and its data for good, and returns whether it was there. That it was not is no
// error.
func (c *Client) DropCollection(ctx context.Context, name string) (bool, error) {
	request := &omendbv1.DropCollectionRequest{Collection: name, AllowMissing: true}
	response, err := call(ctx, c, true, c.collections.DropCollection, request)
	if err != nil {
		return false, err
	}
	return response.Dropped, nil
}

// Stats tells how the server and all its collections stand.
func (c *Client) Stats(ctx context.Context) (*omendbv1.StatsResponse, error) {
	response, err := call(ctx, c, true, c.admin.Stats, &omendbv1.StatsRequest{})
	if err != nil {
		return nil, err
	}
	return response, nil
}

// uint32Of turns what the wire cannot hold into what the server refuses by name, instead of another number.
func uint32Of(value int) uint32 {
	if value < 0 || uint64(value) > math.MaxUint32 {
		return math.MaxUint32
	}
	return uint32(value)
}
