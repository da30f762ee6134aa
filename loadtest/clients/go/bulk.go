package omendb

import (
	"context"
	"iter"
	"time"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

// BulkOption changes how a bulk insert goes.
type BulkOption func(*bulkOptions)

type bulkOptions struct {
	mode           WriteMode
	streamID       string
	visibility     Visibility
	waitSearchable bool
	frameRows      int
	stallTimeout   time.Duration
	progress       func(Progress)
}

// WithMode says what is done with an id that is, or is not, there. Without it: [ModeUpsert].
func WithMode(mode WriteMode) BulkOption {
	return func(o *bulkOptions) { o.mode = mode }
}

// WithStreamID names the stream, [A-Za-z0-9_.:-]{1,128}: a later call with the same name, rows and frame rows goes on
// where this one stopped. The server keeps the name for 24 hours. Without it, a name by chance is in the result.
func WithStreamID(id string) BulkOption {
	return func(o *bulkOptions) { o.streamID = id }
}

// WithVisibility says when searches find the rows: [VisibilityImmediate] or [VisibilityAfterBuild]. Without it, the
// server chooses.
func WithVisibility(visibility Visibility) BulkOption {
	return func(o *bulkOptions) { o.visibility = visibility }
}

// WithWaitSearchable says whether to return when searches find all rows, the default, or already when they are durable.
func WithWaitSearchable(wait bool) BulkOption {
	return func(o *bulkOptions) { o.waitSearchable = wait }
}

// WithFrameRows sets the rows of a frame, the unit that is applied or refused. Without it, a frame has 256 KiB of vectors
// and at most 1 MiB of payloads. Must be the same where a stream is resumed.
func WithFrameRows(rows int) BulkOption {
	return func(o *bulkOptions) { o.frameRows = rows }
}

// WithStallTimeout gives up after so long without a word from the server, connected or not. Without it: a minute.
func WithStallTimeout(timeout time.Duration) BulkOption {
	return func(o *bulkOptions) { o.stallTimeout = timeout }
}

// WithProgress calls a function after each answer of the server, from the goroutine that called.
func WithProgress(progress func(Progress)) BulkOption {
	return func(o *bulkOptions) { o.progress = progress }
}

// Progress is how far a bulk insert has got, in rows.
type Progress struct {
	// Received is rows that the server has written to its log, or refused.
	Received int
	// Searchable is rows that searches find.
	Searchable int
	// Total is rows in all; 0: not known.
	Total int
}

// BulkResult is what a bulk insert did.
type BulkResult struct {
	// StreamID is the name under which it may be resumed.
	StreamID string
	// RowCount is rows that were taken from the caller: after a success, all, refused ones included.
	RowCount int
	// SkippedCount is rows of them that an earlier call with this stream id had written.
	SkippedCount int
	// InsertedCount is rows whose id was not there before; -1 where a break lost the count.
	InsertedCount int
	// UpdatedCount is rows that replaced a record; -1 where a break lost the count.
	UpdatedCount int
	// ConflictCount is rows not applied under [ModeInsertOnly] or [ModeUpdateOnly]; -1 where a break lost the count.
	ConflictCount int
	// Reconnects is how often the stream broke and was resumed.
	Reconnects int
	// Refused are the frames of which nothing was applied.
	Refused []RefusedFrame
}

// RefusedFrame is a frame of which nothing was applied. Rows are positions in what the caller gave, from 0.
type RefusedFrame struct {
	// Start is its first row.
	Start int
	// Count is its rows.
	Count int
	// Reason is the name of an ErrorReason, such as NOT_FINITE.
	Reason string
	// Message is a sentence for people.
	Message string
	// Items are the invalid rows, ascending, the first ten; none where the fault is of the frame as a whole.
	Items []RefusedItem
}

// RefusedItem is one invalid row.
type RefusedItem struct {
	// Row is its position in what the caller gave, from 0.
	Row int
	// Field is the path within the frame.
	Field string
	// Value is what was there.
	Value string
	// Expected is what should be there.
	Expected string
}

// BulkInsert writes any number of rows as a stream of frames. It keeps as many under way as the server's pressure signal
// allows, and goes on by itself after a break or a restart of the server. It has no deadline but that of the context.
//
// The error is an [*Error] where the server refused rows, all others of which were applied (see Refused of the result),
// or where the stream could not go on: then a call with the StreamID of the result resumes it. The result is never nil.
func (c *Collection) BulkInsert(ctx context.Context, rows Rows, options ...BulkOption) (*BulkResult, error) {
	one := func(yield func(Rows, error) bool) { yield(rows, nil) }
	return c.bulkInsert(ctx, one, rows.IDs.Len(), options)
}

// BulkInsertBlocks is as [Collection.BulkInsert], of rows that come block by block. Blocks are kept until the server has
// them safely. An error that comes instead of a block ends the insert and is returned as it is. The sequence is iterated
// from another goroutine, and must end by itself when the context does.
func (c *Collection) BulkInsertBlocks(
	ctx context.Context, blocks iter.Seq2[Rows, error], options ...BulkOption,
) (*BulkResult, error) {
	return c.bulkInsert(ctx, blocks, 0, options)
}

func (c *Collection) bulkInsert(
	ctx context.Context, blocks iter.Seq2[Rows, error], total int, options []BulkOption,
) (*BulkResult, error) {
	settings := bulkOptions{waitSearchable: true, stallTimeout: time.Minute}
	for _, option := range options {
		option(&settings)
	}
	opening := &omendbv1.BulkInsertRequest{
		Collection:     c.name,
		Mode:           settings.mode,
		StreamId:       settings.streamID,
		Visibility:     settings.visibility,
		ExpectedCount:  uint64(total),
		WaitSearchable: settings.waitSearchable,
	}
	next, stop := iter.Pull2(frames(blocks, settings.frameRows))
	defer stop()
	stream := newBulkStream(opening, next)
	driver := bulkDriver{client: c.client, stream: stream, total: total, bulkOptions: settings}
	if err := driver.run(ctx); err != nil {
		return stream.finish(), err
	}
	result := stream.finish()
	if len(result.Refused) > 0 {
		return result, refusedError(result)
	}
	return result, nil
}
