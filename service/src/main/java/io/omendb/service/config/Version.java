package io.omendb.service.config;

/// The version of this build, from its jar.
public final class Version {
  /// Such as "0.1.0"; "development" when it does not run from a jar.
  public static final String NAME = name();

  private Version() {}

  private static String name() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
