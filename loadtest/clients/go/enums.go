package omendb

import omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"

// Similarity is how near two vectors are. A distance always ascends: smaller is nearer.
type Similarity = omendbv1.Similarity

const (
	// SimilarityL2 has the squared Euclidean distance.
	SimilarityL2 = omendbv1.Similarity_SIMILARITY_L2
	// SimilarityCosine has the distance 1 - cos. Vectors need not be normalised, but must not be all zero.
	SimilarityCosine = omendbv1.Similarity_SIMILARITY_COSINE
	// SimilarityInnerProduct has the distance -dot.
	SimilarityInnerProduct = omendbv1.Similarity_SIMILARITY_INNER_PRODUCT
)

// IDKind is what the ids of a collection are.
type IDKind = omendbv1.IdKind

const (
	// IDKindNumeric is any uint64, the default.
	IDKindNumeric = omendbv1.IdKind_ID_KIND_NUMERIC
	// IDKindString is 1 to 256 bytes of UTF-8.
	IDKindString = omendbv1.IdKind_ID_KIND_STRING
)

// Profile is what a collection's memory is spent on.
type Profile = omendbv1.Profile

const (
	// ProfileMemory is codes and graph, the default.
	ProfileMemory = omendbv1.Profile_PROFILE_MEMORY
	// ProfileSpeed has codes of each vector's neighbours as well: some twice the memory for searches in half the time.
	ProfileSpeed = omendbv1.Profile_PROFILE_SPEED
)

// WriteMode is what a write does with an id that is, or is not, there.
type WriteMode = omendbv1.WriteMode

const (
	// ModeUpsert inserts, or replaces vector and payload.
	ModeUpsert = omendbv1.WriteMode_WRITE_MODE_UPSERT
	// ModeInsertOnly writes only ids that are not there; the others become conflicts.
	ModeInsertOnly = omendbv1.WriteMode_WRITE_MODE_INSERT_ONLY
	// ModeUpdateOnly writes only ids that are there; the others become conflicts.
	ModeUpdateOnly = omendbv1.WriteMode_WRITE_MODE_UPDATE_ONLY
)

// Visibility is when searches find the rows of a bulk insert.
type Visibility = omendbv1.Visibility

const (
	// VisibilityImmediate is as they come.
	VisibilityImmediate = omendbv1.Visibility_VISIBILITY_IMMEDIATE
	// VisibilityAfterBuild is when all were built at once at the end, which is faster.
	VisibilityAfterBuild = omendbv1.Visibility_VISIBILITY_AFTER_BUILD
)
