package omendb

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

// streamOf is a stream of count frames of two rows, numbered by their ids, that is connected and opened.
func streamOf(t *testing.T, count int, opening *omendbv1.BulkInsertOpening) *bulkStream {
	t.Helper()
	taken := 0
	s := newBulkStream(&omendbv1.BulkInsertRequest{}, func() (Rows, error, bool) {
		if taken == count {
			return Rows{}, nil, false
		}
		taken++
		return Rows{IDs: IDRange(uint64(2*taken-2), 2), Vectors: make([]float32, 4)}, nil, true
	})
	s.connect()
	answer(t, s, &omendbv1.BulkInsertResponse{Opening: opening})
	return s
}

func answer(t *testing.T, s *bulkStream, answer *omendbv1.BulkInsertResponse) {
	t.Helper()
	if _, failure := s.answered(answer); failure != nil {
		t.Fatal(failure)
	}
}

// expectSent takes messages off the stream, which must be these frames, and those that the window allows.
func expectSent(t *testing.T, s *bulkStream, first, last uint64) {
	t.Helper()
	for number := first; number <= last; number++ {
		if !s.maySend() {
			t.Fatalf("frame %d may not be sent", number)
		}
		message, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		if message.FrameSequence != number || message.NumericIds[0] != 2*number-2 {
			t.Fatalf("frame %d of row %d, expected %d", message.FrameSequence, message.NumericIds[0], number)
		}
	}
	if s.maySend() {
		t.Fatalf("a frame after %d may be sent", last)
	}
}

func TestFramesUnderWayFollowThePressure(t *testing.T) {
	s := streamOf(t, 200, &omendbv1.BulkInsertOpening{})
	expectSent(t, s, 1, 64)
	throttled := omendbv1.Pressure_PRESSURE_THROTTLED
	answer(t, s, &omendbv1.BulkInsertResponse{ReceivedFrameSequence: 60, Pressure: throttled})
	expectSent(t, s, 65, 68)
	memory := omendbv1.Pressure_PRESSURE_MEMORY
	answer(t, s, &omendbv1.BulkInsertResponse{ReceivedFrameSequence: 67, Pressure: memory})
	expectSent(t, s, 69, 69)
	draining := omendbv1.Pressure_PRESSURE_DRAINING
	answer(t, s, &omendbv1.BulkInsertResponse{ReceivedFrameSequence: 69, Pressure: draining})
	expectSent(t, s, 70, 69)
	answer(t, s, &omendbv1.BulkInsertResponse{Pressure: omendbv1.Pressure_PRESSURE_OK})
	expectSent(t, s, 70, 133)
}

func TestABrokenStreamGoesOnBehindTheMark(t *testing.T) {
	s := streamOf(t, 100, &omendbv1.BulkInsertOpening{})
	expectSent(t, s, 1, 64)
	answer(t, s, &omendbv1.BulkInsertResponse{ReceivedFrameSequence: 40, DurableFrameSequence: 10})
	s.disconnect()
	if _, err := s.next(); err != errBroke {
		t.Fatalf("error is %v, expected %v", err, errBroke)
	}
	s.broke()
	s.connect()
	answer(t, s, &omendbv1.BulkInsertResponse{
		Opening: &omendbv1.BulkInsertOpening{Resumed: true, DurableFrameSequence: 30},
	})
	expectSent(t, s, 31, 94)
	if s.result.SkippedCount != 0 {
		t.Errorf("skipped count is %d: an earlier call's, not an earlier connection's", s.result.SkippedCount)
	}
}

func TestALaterCallSkipsWhatIsWritten(t *testing.T) {
	s := streamOf(t, 10, &omendbv1.BulkInsertOpening{Resumed: true, DurableFrameSequence: 4})
	message, err := s.next()
	if err != nil || message.FrameSequence != 5 || message.NumericIds[0] != 8 {
		t.Fatalf("message is %v, error %v, expected frame 5", message, err)
	}
	if s.result.SkippedCount != 8 {
		t.Errorf("skipped count is %d, expected 8", s.result.SkippedCount)
	}
}

func TestFramesThatAPowerCutTookAreTold(t *testing.T) {
	os := &omendbv1.BulkInsertOpening{DurabilityMode: omendbv1.DurabilityMode_DURABILITY_MODE_OS}
	s := streamOf(t, 100, os)
	expectSent(t, s, 1, 64)
	answer(t, s, &omendbv1.BulkInsertResponse{ReceivedFrameSequence: 20})
	if oldest := s.oldestKept(); oldest != 21 {
		t.Errorf("frame %d is kept: nothing else would free it in this mode", oldest)
	}
	s.connect()
	_, failure := s.answered(&omendbv1.BulkInsertResponse{Opening: os})
	if failure == nil || failure.Code != codes.DataLoss {
		t.Errorf("error is %v, expected that frames 1 to 20 are lost", failure)
	}
}

func TestTimeOfTheCallerIsNotTheServersSilence(t *testing.T) {
	var s *bulkStream
	s = newBulkStream(&omendbv1.BulkInsertRequest{}, func() (Rows, error, bool) {
		s.mu.Lock()
		s.lastWord = time.Now().Add(-time.Hour)
		s.mu.Unlock()
		if left := s.left(time.Minute); left <= 0 {
			t.Errorf("%v are left while the caller is waited for", left)
		}
		return Rows{IDs: IDRange(0, 1), Vectors: make([]float32, 2)}, nil, true
	})
	s.connect()
	answer(t, s, &omendbv1.BulkInsertResponse{Opening: &omendbv1.BulkInsertOpening{}})
	if _, err := s.next(); err != nil {
		t.Fatal(err)
	}
	if left := s.left(time.Minute); left <= 0 {
		t.Errorf("%v are left after the caller was waited for", left)
	}
	s.lastWord = time.Now().Add(-time.Hour)
	if left := s.left(time.Minute); left > 0 {
		t.Errorf("%v are left after an hour of silence", left)
	}
}
