package io.omendb.client;

import java.util.OptionalDouble;

/**
 * What a search asks for. {@link #k(int)} begins; each method returns a changed copy.
 *
 * @param k hits wanted, 1 to 1,000
 * @param ef width of the beam; 0: what was calibrated for the collection's target recall
 * @param exact compare all records
 * @param maxDistance only hits as near as this
 * @param payloads return them
 * @param vectors return them
 * @param explain tell how the answer was found
 * @param minVisibleSequence wait until this commit sequence is visible; 0: do not
 */
public record SearchOptions(
    int k,
    int ef,
    boolean exact,
    OptionalDouble maxDistance,
    boolean payloads,
    boolean vectors,
    boolean explain,
    long minVisibleSequence) {

  /** The k nearest, by the calibrated default. */
  public static SearchOptions k(int k) {
    return new SearchOptions(k, 0, false, OptionalDouble.empty(), false, false, false, 0);
  }

  /** With a beam of this width. */
  public SearchOptions withEf(int newEf) {
    return new SearchOptions(
        k, newEf, exact, maxDistance, payloads, vectors, explain, minVisibleSequence);
  }

  /** By comparing all records. */
  public SearchOptions withExact() {
    return new SearchOptions(
        k, ef, true, maxDistance, payloads, vectors, explain, minVisibleSequence);
  }

  /** Only hits as near as this. */
  public SearchOptions withMaxDistance(float distance) {
    return new SearchOptions(
        k, ef, exact, OptionalDouble.of(distance), payloads, vectors, explain, minVisibleSequence);
  }

  /** With each hit's payload. */
  public SearchOptions withPayloads() {
    return new SearchOptions(k, ef, exact, maxDistance, true, vectors, explain, minVisibleSequence);
  }

  /** With each hit's vector. */
  public SearchOptions withVectors() {
    return new SearchOptions(
        k, ef, exact, maxDistance, payloads, true, explain, minVisibleSequence);
  }

  /** With how the answer was found. */
  public SearchOptions withExplain() {
    return new SearchOptions(
        k, ef, exact, maxDistance, payloads, vectors, true, minVisibleSequence);
  }

  /** After this commit sequence is visible. */
  public SearchOptions withMinVisibleSequence(long sequence) {
    return new SearchOptions(k, ef, exact, maxDistance, payloads, vectors, explain, sequence);
  }
}
