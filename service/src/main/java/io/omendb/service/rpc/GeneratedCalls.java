package io.omendb.service.rpc;

import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.omendb.engine.Collection;
import io.omendb.service.call.CallReplies;
import io.omendb.service.read.ReadScheduler;
import io.omendb.service.read.RequestPool;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// Runs the methods of the generated services, which use generated messages and observers.
///
/// They are called on the network's threads; their bodies run on request threads.
public final class GeneratedCalls {
  /// The body of an RPC that answers at once.
  interface Body<R> {
    R answer() throws Exception;
  }

  /// The body of an RPC that answers later.
  interface LateBody<R> {
    void start(Answer<R> answer) throws Exception;
  }

  /// Ends one call, once. Any thread, one at a time.
  static final class Answer<R> {
    private final StreamObserver<R> observer;

    private Answer(StreamObserver<R> observer) {
      this.observer = observer;
    }

    void send(R reply) {
      observer.onNext(reply);
      observer.onCompleted();
    }

    void refuse(Refusal refusal) {
      observer.onError(refusal.toStatus());
    }
  }

  private final RequestPool pool;
  private final ReadScheduler reads;

  public GeneratedCalls(RequestPool pool, ReadScheduler reads) {
    this.pool = pool;
    this.reads = reads;
  }

  /// Answers with what `body` returns; `collection` is the name the request gave, for messages.
  <R> void run(StreamObserver<R> observer, String collection, Body<R> body) {
    Answer<R> answer = answer(observer);
    Runnable task =
        task(
            observer, answer, collection, CallReplies.deadline(), late -> late.send(body.answer()));
    try {
      pool.execute(task);
    } catch (Refusal e) {
      answer.refuse(e);
    }
  }

  /// Answers with what `body` returns, in the queue of writes that `queue` enters.
  <R> void runOn(Executor queue, StreamObserver<R> observer, String collection, LateBody<R> body) {
    Answer<R> answer = answer(observer);
    try {
      queue.execute(task(observer, answer, collection, CallReplies.deadline(), body));
    } catch (RejectedExecutionException e) {
      answer.refuse(Refusals.draining());
    }
  }

  /// As [#run], once `sequence` is visible in `collection`.
  <R> void runWhenVisible(
      StreamObserver<R> observer, Collection collection, long sequence, LateBody<R> body) {
    Answer<R> answer = answer(observer);
    Deadline deadline = CallReplies.deadline();
    Runnable task = task(observer, answer, collection.config().name(), deadline, body);
    try {
      reads.start(collection, sequence, deadline, task, answer::refuse);
    } catch (Refusal e) {
      answer.refuse(e);
    }
  }

  private static <R> Answer<R> answer(StreamObserver<R> observer) {
    if (observer instanceof ServerCallStreamObserver<R> call) {
      // With a handler, answering a cancelled call does not throw.
      call.setOnCancelHandler(() -> {});
    }
    return new Answer<>(observer);
  }

  private static <R> Runnable task(
      StreamObserver<R> observer,
      Answer<R> answer,
      String collection,
      @Nullable Deadline deadline,
      LateBody<R> body) {
    return () -> {
      if (observer instanceof ServerCallStreamObserver<R> call && call.isCancelled()) {
        return;
      }
      if (deadline != null && deadline.isExpired()) {
        observer.onError(Status.DEADLINE_EXCEEDED.asRuntimeException());
        return;
      }
      try {
        body.start(answer);
      } catch (Exception | Error e) {
        // An Error too: a call is never left unanswered.
        answer.refuse(StatusMapper.refusal(e, collection));
      }
    };
  }
}
