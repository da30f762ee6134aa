package omendb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"

	omendbv1 "github.com/omendb/omendb-go/gen/omendb/v1"
)

var errStalled = errors.New("no word from the server")

// bulkDriver moves a stream over as many connections as it takes.
type bulkDriver struct {
	bulkOptions
	client *Client
	stream *bulkStream
	total  int
}

func (d *bulkDriver) run(ctx context.Context) error {
	attempts := 0
	lastWord := time.Now()
	for {
		answered, failure := d.connect(ctx)
		switch {
		case d.stream.fault != nil:
			return d.stream.fault
		case failure == nil:
			return nil
		case failure.Reason == "STREAM_FINISHED" && d.stream.closed:
			return nil // the last answer was lost on its way
		}
		if answered {
			attempts = 0
			lastWord = time.Now()
		}
		attempts++
		delay, again := d.client.retry.delay(failure, attempts, true)
		if !again || time.Now().Add(delay).After(lastWord.Add(d.stallTimeout)) {
			return failure
		}
		d.stream.broke()
		if !sleep(ctx, delay) {
			return contextError(ctx)
		}
	}
}

// connect goes through one connection, and returns whether the server answered and why it broke. The sender has ended
// when it returns.
func (d *bulkDriver) connect(ctx context.Context) (answered bool, failure *Error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.stream.connect()
	call, err := d.client.vectors.BulkInsert(ctx)
	if err != nil {
		return false, errorOf(err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		d.send(call, cancel)
	}()
	defer func() {
		d.stream.disconnect()
		cancel(nil)
		<-sent
	}()
	stop := d.watch(cancel)
	defer stop()
	for {
		answer, err := call.Recv()
		if err != nil {
			return answered, d.ended(ctx, err)
		}
		answered = true
		progress, failure := d.stream.answered(answer)
		if failure != nil {
			return answered, failure
		}
		if d.progress != nil {
			progress.Total = d.total
			d.progress(progress)
		}
	}
}

func (d *bulkDriver) send(call omendbv1.VectorService_BulkInsertClient, cancel context.CancelCauseFunc) {
	if call.Send(d.stream.opening) != nil {
		return // Recv tells why
	}
	for {
		message, err := d.stream.next()
		switch err {
		case nil:
			if call.Send(message) != nil {
				return // Recv tells why
			}
		case errAllSent:
			call.CloseSend() // an error is Recv's too
			return
		case errBroke:
			return
		default:
			cancel(err)
			return
		}
	}
}

func (d *bulkDriver) ended(ctx context.Context, err error) *Error {
	switch {
	case err == io.EOF && d.stream.summed:
		return nil
	case err == io.EOF:
		return &Error{Code: codes.Unavailable, Message: "the stream ended without a summary"}
	case context.Cause(ctx) == errStalled:
		return &Error{
			Code: codes.DeadlineExceeded, Message: fmt.Sprintf("%v for %v", errStalled, d.stallTimeout),
		}
	}
	return errorOf(err)
}

// watch cancels a connection from which nothing comes for too long: a stream has no deadline. Time in which the caller
// is waited for does not count.
func (d *bulkDriver) watch(cancel context.CancelCauseFunc) (stop func()) {
	stopped := make(chan struct{})
	go func() {
		for left := d.stallTimeout; ; left = d.stream.left(d.stallTimeout) {
			if left <= 0 {
				cancel(errStalled)
				return
			}
			select {
			case <-time.After(left):
			case <-stopped:
				return
			}
		}
	}()
	return func() { close(stopped) }
}

// left is how long the server may still be silent.
func (s *bulkStream) left(stallTimeout time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulling {
		return stallTimeout
	}
	return time.Until(s.lastWord.Add(stallTimeout))
}
