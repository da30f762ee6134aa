package omendb

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

const (
	// Frames under way that the server has not read, where it is not held back.
	fullWindow = 64
	// Frames kept to be sent again: views of the caller's slices.
	keptFrames = 4_096
)

// window is the frames under way by the server's pressure. One that drains breaks the stream by itself.
func window(pressure omendbv1.Pressure) uint64 {
	switch pressure {
	case omendbv1.Pressure_PRESSURE_THROTTLED:
		return 8
	case omendbv1.Pressure_PRESSURE_MEMORY, omendbv1.Pressure_PRESSURE_DISK:
		return 2
	case omendbv1.Pressure_PRESSURE_DRAINING:
		return 0
	}
	return fullWindow
}

var (
	// errAllSent ends the sender after the last frame.
	errAllSent = errors.New("all was sent")
	// errBroke ends the sender of a connection that is gone.
	errBroke = errors.New("the connection is gone")
)

// bulkStream is what was sent, how far the server has got, and what is to be sent again after a break. A connection has
// two goroutines: one sends what next gives, the other hands in what was answered.
type bulkStream struct {
	opening *omendbv1.BulkInsertRequest
	// Gives the caller's frames; only the sender calls it, without the lock.
	pull func() (Rows, error, bool)

	mu          sync.Mutex
	changed     sync.Cond
	result      BulkResult
	kept        []keptFrame
	taken       uint64 // frames that were taken from the caller
	skip        uint64 // of them, frames that an earlier call has written
	upcoming    uint64 // frame to be sent next on this connection
	received    uint64
	searchable  uint64
	rows        rowCounts
	connected   bool
	opened      bool // the server has answered on this connection
	resumed     bool // it has on one before
	summed      bool // it has summed up on this connection
	keepDurable bool
	window      uint64
	pulling     bool
	lastWord    time.Time // of the server, or of the caller
	closed      bool      // all was sent, on this connection or an earlier one
	fault       error     // of the caller's frames
}

type keptFrame struct {
	number uint64
	rows   Rows
}

func newBulkStream(opening *omendbv1.BulkInsertRequest, pull func() (Rows, error, bool)) *bulkStream {
	if opening.StreamId == "" {
		opening.StreamId = rand.Text()
	}
	opening.Resume = true
	s := &bulkStream{opening: opening, pull: pull, keepDurable: true, upcoming: 1, lastWord: time.Now()}
	s.changed.L = &s.mu
	s.result = BulkResult{StreamID: opening.StreamId, InsertedCount: -1, UpdatedCount: -1, ConflictCount: -1}
	return s
}

// connect begins a connection.
func (s *bulkStream) connect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.opened, s.summed, s.window = true, false, false, fullWindow
	s.lastWord = time.Now()
}

// disconnect ends it, and its sender.
func (s *bulkStream) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected = false
	s.changed.Broadcast()
}

// next gives the next message, and waits until it may be sent. After the last the error is errAllSent, after
// disconnect errBroke, and otherwise one of the caller's frames.
func (s *bulkStream) next() (*omendbv1.BulkInsertRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case !s.connected:
			return nil, errBroke
		case !s.opened:
			s.changed.Wait()
		case s.taken < s.skip || s.upcoming > s.taken && s.maySend() && len(s.kept) < keptFrames:
			if err := s.take(); err != nil {
				return nil, err
			}
		case s.upcoming <= s.taken && s.maySend():
			frame := s.kept[s.upcoming-s.kept[0].number]
			s.upcoming++
			return frameRequest(frame.number, frame.rows), nil
		default:
			s.changed.Wait()
		}
	}
}

func (s *bulkStream) maySend() bool {
	return s.upcoming <= s.received+s.window
}

func (s *bulkStream) take() error {
	s.pulling = true
	s.mu.Unlock()
	rows, err, more := s.pull()
	s.mu.Lock()
	s.pulling = false
	s.lastWord = time.Now()
	if err != nil {
		s.fault = err
		return err
	}
	if !more {
		s.closed = true
		return errAllSent
	}
	s.taken++
	s.rows.took(s.taken, rows.IDs.Len())
	if s.taken <= s.skip {
		s.result.SkippedCount += rows.IDs.Len()
	} else {
		s.kept = append(s.kept, keptFrame{s.taken, rows})
	}
	return nil
}

func frameRequest(number uint64, rows Rows) *omendbv1.BulkInsertRequest {
	return &omendbv1.BulkInsertRequest{
		NumericIds:    rows.IDs.numeric,
		StringIds:     rows.IDs.strings,
		VectorsLe:     bytesOf(rows.Vectors),
		Payloads:      rows.Payloads,
		FrameSequence: number,
	}
}

// answered takes in an answer of the server.
func (s *bulkStream) answered(answer *omendbv1.BulkInsertResponse) (Progress, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastWord = time.Now()
	if answer.Opening != nil {
		if err := s.open(answer.Opening); err != nil {
			return Progress{}, err
		}
	}
	for _, refused := range answer.RefusedFrames {
		s.result.Refused = append(s.result.Refused, s.refused(refused))
	}
	s.received = max(s.received, answer.ReceivedFrameSequence)
	s.searchable = max(s.searchable, answer.SearchableFrameSequence)
	if s.keepDurable {
		s.settle(answer.DurableFrameSequence)
	} else {
		s.settle(answer.ReceivedFrameSequence)
	}
	if answer.Pressure != omendbv1.Pressure_PRESSURE_UNSPECIFIED {
		s.window = window(answer.Pressure)
	}
	if answer.Summary != nil {
		s.sumUp(answer.Summary)
	}
	s.changed.Broadcast()
	// While an earlier call's frames are skipped, the marks are ahead of what was taken.
	return Progress{
		Received:   s.rows.upTo(min(s.received, s.taken)),
		Searchable: s.rows.upTo(min(s.searchable, s.taken)),
	}, nil
}

func (s *bulkStream) open(opening *omendbv1.BulkInsertOpening) *Error {
	mark := opening.DurableFrameSequence
	// In mode OS the mark follows when a checkpoint syncs: what is kept would grow without end.
	s.keepDurable = opening.DurabilityMode != omendbv1.DurabilityMode_DURABILITY_MODE_OS
	if oldest := s.oldestKept(); mark+1 < oldest {
		return &Error{Code: codes.DataLoss, Message: fmt.Sprintf(
			"frames %d to %d of stream %s were acknowledged and are lost, as a power cut may do in durability mode OS:"+
				" insert these rows again", mark+1, oldest-1, s.opening.StreamId)}
	}
	if !s.resumed && opening.Resumed {
		s.skip = mark
	}
	s.resumed, s.opened = true, true
	s.received = mark
	s.settle(mark)
	s.upcoming = mark + 1
	return nil
}

// oldestKept is the first frame that can be sent: kept, or not yet taken.
func (s *bulkStream) oldestKept() uint64 {
	if len(s.kept) > 0 {
		return s.kept[0].number
	}
	return s.taken + 1
}

func (s *bulkStream) settle(mark uint64) {
	for len(s.kept) > 0 && s.kept[0].number <= mark {
		s.kept[0] = keptFrame{} // frees the caller's block before the slice moves on
		s.kept = s.kept[1:]
	}
}

func (s *bulkStream) refused(refused *omendbv1.RefusedFrame) RefusedFrame {
	start := s.rows.upTo(refused.FrameSequence - 1)
	frame := RefusedFrame{
		Start:   start,
		Count:   s.rows.upTo(refused.FrameSequence) - start,
		Reason:  strings.TrimPrefix(refused.Reason.String(), "ERROR_REASON_"),
		Message: refused.Message,
	}
	for _, item := range refused.Items {
		frame.Items = append(frame.Items, RefusedItem{start + int(item.Index), item.Field, item.Value, item.Expected})
	}
	return frame
}

func (s *bulkStream) sumUp(summary *omendbv1.BulkInsertSummary) {
	s.summed = true
	if s.result.Reconnects == 0 {
		s.result.InsertedCount = int(summary.InsertedCount)
		s.result.UpdatedCount = int(summary.UpdatedCount)
		s.result.ConflictCount = int(summary.ConflictCount)
	}
}

// broke counts a connection that ended early.
func (s *bulkStream) broke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Reconnects++
}

// finish gives the result as far as it goes.
func (s *bulkStream) finish() *BulkResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.RowCount = s.rows.upTo(s.taken)
	return &s.result
}

func refusedError(result *BulkResult) *Error {
	first, rows := result.Refused[0], 0
	for _, refused := range result.Refused {
		rows += refused.Count
	}
	failure := &Error{
		Code:   codes.InvalidArgument,
		Reason: first.Reason,
		Message: fmt.Sprintf("%d of %d rows, in %d frames, were refused; rows %d to %d: %s",
			rows, result.RowCount, len(result.Refused), first.Start, first.Start+first.Count-1, first.Message),
	}
	if len(first.Items) > 0 {
		item := first.Items[0]
		failure.Metadata = map[string]string{
			"field": item.Field, "value": item.Value, "expected": item.Expected, "row": fmt.Sprint(item.Row),
		}
	}
	return failure
}

// rowCounts is how many rows the first so many frames hold; a run of frames of one length is one entry.
type rowCounts struct {
	runs []rowRun
}

type rowRun struct {
	first  uint64 // frame
	before int    // rows before it
	rows   int    // of each
}

func (c *rowCounts) took(frame uint64, rows int) {
	if last := len(c.runs) - 1; last < 0 || c.runs[last].rows != rows {
		c.runs = append(c.runs, rowRun{frame, c.upTo(frame - 1), rows})
	}
}

func (c *rowCounts) upTo(frame uint64) int {
	after := sort.Search(len(c.runs), func(i int) bool { return c.runs[i].first > frame })
	if after == 0 {
		return 0
	}
	run := c.runs[after-1]
	return run.before + int(frame-run.first+1)*run.rows
}
