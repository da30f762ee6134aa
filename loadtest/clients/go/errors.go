package omendb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is a call that failed; errors.As finds it. Nothing of the call was applied, unless Reason is OUTCOME_UNKNOWN or
// Code says that its end was not seen: Canceled, DeadlineExceeded, Unavailable.
//
// errors.Is knows it as context.Canceled or context.DeadlineExceeded where that is its code.
type Error struct {
	// Code is that of gRPC.
	Code codes.Code
	// Reason is the name of an ErrorReason, such as DIMENSION_MISMATCH; empty where gRPC itself failed the call.
	Reason string
	// Message is a sentence for people.
	Message string
	// Metadata is what the reason tells besides, such as field, value and expected.
	Metadata map[string]string
	// Violations are faults of the request, at most ten.
	Violations []Violation
	// RetryAfter is how long the server says to wait before it is tried again; 0: it does not say.
	RetryAfter time.Duration
}

// Violation is one fault in a request.
type Violation struct {
	// Field is its path, such as vectors[17].
	Field string
	// Description is a sentence for people.
	Description string
}

// Error gives the message, and the reason or the code.
func (e *Error) Error() string {
	name := e.Reason
	if name == "" {
		name = e.Code.String()
	}
	return fmt.Sprintf("omendb: %s (%s)", e.Message, name)
}

// Field gives the path of the first field that is wrong; empty where none is.
func (e *Error) Field() string {
	if len(e.Violations) > 0 {
		return e.Violations[0].Field
	}
	return e.Metadata["field"]
}

// Value gives what was there.
func (e *Error) Value() string {
	return e.Metadata["value"]
}

// Expected gives what should be there.
func (e *Error) Expected() string {
	return e.Metadata["expected"]
}

// Is makes an error of a context known by the context's own.
func (e *Error) Is(target error) bool {
	switch target {
	case context.Canceled:
		return e.Code == codes.Canceled
	case context.DeadlineExceeded:
		return e.Code == codes.DeadlineExceeded
	}
	return false
}

// GRPCStatus gives the code and message to gRPC's package status.
func (e *Error) GRPCStatus() *status.Status {
	return status.New(e.Code, e.Message)
}

// errorOf reads what gRPC returned.
func errorOf(err error) *Error {
	from := status.Convert(err)
	failure := &Error{Code: from.Code(), Message: from.Message()}
	for _, detail := range from.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			failure.Reason = detail.Reason
			failure.Metadata = detail.Metadata
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				failure.Violations = append(failure.Violations, Violation{violation.Field, violation.Description})
			}
		case *errdetails.RetryInfo:
			failure.RetryAfter = max(detail.RetryDelay.AsDuration(), 1) // 0 would be: it does not say
		}
	}
	return failure
}

func contextError(ctx context.Context) *Error {
	return errorOf(status.FromContextError(ctx.Err()).Err())
}

// columnError is the server's refusal of columns that differ in length, where these are not even sent.
func columnError(field string, value int, expected string) *Error {
	return &Error{
		Code:     codes.InvalidArgument,
		Reason:   "COLUMN_LENGTH_MISMATCH",
		Message:  fmt.Sprintf("%s is %d long, expected %s", field, value, expected),
		Metadata: map[string]string{"field": field, "value": strconv.Itoa(value), "expected": expected},
	}
}
