package omendb

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// RetryPolicy says when a call that failed is made again: what the server asks to repeat, and, where repeating is safe,
// what found no server, until the deadline of the context.
type RetryPolicy struct {
	// Enabled is whether at all.
	Enabled bool
	// FirstDelay is the pause before the second attempt; each later one is twice as long.
	FirstDelay time.Duration
	// MaxDelay is the longest pause, unless the server asks for a longer one.
	MaxDelay time.Duration
}

// DefaultRetryPolicy begins with 50 ms and goes up to 2 s.
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{Enabled: true, FirstDelay: 50 * time.Millisecond, MaxDelay: 2 * time.Second}
}

// delay gives the pause after so many attempts, and whether there is another. Repeatable is a call that may be applied
// twice.
func (p RetryPolicy) delay(failure *Error, attempts int, repeatable bool) (time.Duration, bool) {
	if !p.Enabled || failure.RetryAfter == 0 && !(repeatable && foundNoServer(failure)) {
		return 0, false
	}
	pause := p.MaxDelay
	if doublings := attempts - 1; doublings < 16 {
		pause = min(pause, p.FirstDelay<<doublings)
	}
	// Half of it by chance: clients that were turned away together do not come back together.
	pause = time.Duration(float64(pause) * (0.5 + rand.Float64()/2))
	return max(failure.RetryAfter, pause), true
}

// foundNoServer tells also a connection that broke in the middle: that is Internal at times, and then has no reason of
// the server's.
func foundNoServer(failure *Error) bool {
	return failure.Code == codes.Unavailable || failure.Code == codes.Internal && failure.Reason == ""
}

// call makes a call, and makes it again by the client's policy. The error is nil where there is none.
func call[Q, R any](
	ctx context.Context,
	client *Client,
	repeatable bool,
	method func(context.Context, *Q, ...grpc.CallOption) (*R, error),
	request *Q,
) (*R, *Error) {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
	}
	for attempts := 1; ; attempts++ {
		response, err := method(ctx, request)
		if err == nil {
			return response, nil
		}
		failure := errorOf(err)
		delay, again := client.retry.delay(failure, attempts, repeatable)
		if deadline, _ := ctx.Deadline(); !again || !time.Now().Add(delay).Before(deadline) {
			return nil, failure
		}
		if !sleep(ctx, delay) {
			return nil, contextError(ctx)
		}
	}
}

// sleep returns false where the context ended first.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
