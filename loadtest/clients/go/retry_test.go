package omendb

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
)

func TestWhatIsMadeAgain(t *testing.T) {
	policy := DefaultRetryPolicy()
	for _, c := range []struct {
		name       string
		failure    Error
		repeatable bool
		want       bool
	}{
		{"no server", Error{Code: codes.Unavailable}, true, true},
		{"no server, applied perhaps", Error{Code: codes.Unavailable}, false, false},
		{"asked to", Error{Code: codes.ResourceExhausted, Reason: "QUEUE_FULL", RetryAfter: 1}, false, true},
		{"broken connection", Error{Code: codes.Internal}, true, true},
		{"defect", Error{Code: codes.Internal, Reason: "INTERNAL"}, true, false},
		{"wrong request", Error{Code: codes.InvalidArgument, Reason: "OUT_OF_RANGE"}, true, false},
		{"no time", Error{Code: codes.DeadlineExceeded}, true, false},
	} {
		if _, again := policy.delay(&c.failure, 1, c.repeatable); again != c.want {
			t.Errorf("%s: made again is %v, expected %v", c.name, again, c.want)
		}
	}
	if _, again := (RetryPolicy{}).delay(&Error{Code: codes.Unavailable, RetryAfter: 1}, 1, true); again {
		t.Error("made again though turned off")
	}
}

func TestPausesGrow(t *testing.T) {
	policy := DefaultRetryPolicy()
	none := &Error{Code: codes.Unavailable}
	for attempts, longest := range map[int]time.Duration{
		1: 50 * time.Millisecond, 3: 200 * time.Millisecond, 7: 2 * time.Second, 1_000: 2 * time.Second,
	} {
		pause, _ := policy.delay(none, attempts, true)
		if pause < longest/2 || pause > longest {
			t.Errorf("pause %d is %v, expected %v to %v", attempts, pause, longest/2, longest)
		}
	}
	asked, _ := policy.delay(&Error{Code: codes.Unavailable, RetryAfter: time.Minute}, 1, true)
	if asked != time.Minute {
		t.Errorf("pause is %v, the server asked for a minute", asked)
	}
}
