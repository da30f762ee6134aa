package io.omendb.loadtest.rivals;

import io.omendb.engine.Profile;
import io.omendb.engine.Visibility;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How OmenDB is measured.
 *
 * @param profile of its collection
 * @param visibility whether all is built at once, or linked as it comes
 * @param warm whether its process has built a collection before
 */
public record OmenDbSettings(Profile profile, Visibility visibility, boolean warm) {

  /** As options of {@code bench index}. */
  List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--profile", profile.name(), "--visibility", visibility.name()));
    if (warm) {
      arguments.add("--warm");
    }
    return arguments;
  }

  @Override
  public String toString() {
    return "m 16, efConstruction 100, profile "
        + profile.name().toLowerCase(Locale.ROOT)
        + (visibility == Visibility.IMMEDIATE ? ", rows linked as they come" : "")
        + (warm ? ", in a process that has built before" : "");
  }
}
