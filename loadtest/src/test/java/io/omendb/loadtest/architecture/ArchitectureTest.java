package io.omendb.loadtest.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.omendb.memory.Memory;
import org.junit.jupiter.api.Test;

/** The map of docs/architecture.md, held against the classes. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.omendb");

  private static final String[] GRPC = {"io.grpc..", "io.netty..", "com.google.protobuf.."};

  private static DescribedPredicate<JavaClass> ours(String... allowed) {
    return resideInAnyPackage("io.omendb..").and(resideOutsideOfPackages(allowed));
  }

  @Test
  void everyModuleIsLookedAt() {
    for (String name :
        new String[] {
          "io.omendb.memory.Memory",
          "io.omendb.storage.CollectionStore",
          "io.omendb.index.hnsw.HnswGraph",
          "io.omendb.engine.Collection",
          "io.omendb.service.Main",
          "io.omendb.loadtest.Cli"
        }) {
      assertTrue(CLASSES.contain(name), name);
    }
  }

  @Test
  void memoryIsTheLowestFloor() {
    noClasses()
        .that()
        .resideInAPackage("io.omendb.memory..")
        .should()
        .dependOnClassesThat(ours("io.omendb.memory.."))
        .because("whoever reads it must not need to know what lies above")
        .check(CLASSES);
  }

  @Test
  void storageKnowsMemoryAlone() {
    noClasses()
        .that()
        .resideInAPackage("io.omendb.storage..")
        .should()
        .dependOnClassesThat(ours("io.omendb.storage..", "io.omendb.memory.."))
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage(GRPC)
        .because("the durable truth knows no graph and no wire")
        .check(CLASSES);
  }

  @Test
  void storageShowsItsFaceAndItsWordsOnly() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.omendb.storage..")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.omendb.storage..")
                .and(resideOutsideOfPackages("io.omendb.storage", "io.omendb.storage.api")))
        .because("what others need belongs in io.omendb.storage or .api")
        .check(CLASSES);
  }

  @Test
  void theLogKnowsNoRows() {
    noClasses()
        .that()
        .resideInAPackage("io.omendb.storage.wal")
        .should()
        .dependOnClassesThat(
            ours(
                "io.omendb.storage.wal",
                "io.omendb.storage.file",
                "io.omendb.storage.api",
                "io.omendb.memory"))
        .because("what a record does to a collection is its owner's business")
        .check(CLASSES);
  }

  @Test
  void theIndexKnowsMemoryAlone() {
    noClasses()
        .that()
        .resideInAPackage("io.omendb.index..")
        .should()
        .dependOnClassesThat(ours("io.omendb.index..", "io.omendb.memory.."))
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage(GRPC)
        .because("the graph is tested on rows of any kind, without files")
        .check(CLASSES);
  }

  @Test
  void theEngineKnowsNoWire() {
    noClasses()
        .that()
        .resideInAPackage("io.omendb.engine..")
        .should()
        .dependOnClassesThat(
            ours(
                "io.omendb.engine..",
                "io.omendb.index..",
                "io.omendb.storage..",
                "io.omendb.memory.."))
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage(GRPC)
        .because("a JVM application embeds it without gRPC")
        .check(CLASSES);
  }

  @Test
  void theHarnessKnowsTheServerByItsWireOnly() {
    noClasses()
        .that()
        .resideInAPackage("io.omendb.loadtest..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.omendb.service..")
        .because("it measures what a client would see")
        .check(CLASSES);
  }

  @Test
  void theWireReaderKnowsNothingAboveIt() {
    noClasses()
        .that()
        .resideInAPackage("io.omendb.service.wire")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.omendb.service..")
                .and(resideOutsideOfPackages("io.omendb.service.wire")))
        .because("it is fuzzed and measured by itself")
        .check(CLASSES);
  }

  @Test
  void packagesFormNoCircle() {
    slices()
        .matching("io.omendb.(**)")
        .should()
        .beFreeOfCycles()
        .because("a circle is one package that says it is two; move what both need below both")
        .check(CLASSES);
  }

  @Test
  void theVectorApiStaysInTheKernels() {
    noClasses()
        .that()
        .haveNameNotMatching("io\\.omendb\\.index\\.distance\\.SimdKernels(\\$.*)?")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jdk.incubator..")
        .because("it incubates, and a vector handed to a helper may be boxed")
        .check(CLASSES);
  }

  @Test
  void theWholeAddressSpaceIsAskedForByName() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.omendb.memory")
        .and()
        .haveNameNotMatching("io\\.omendb\\.index\\.distance\\.SimdKernels(\\$.*)?")
        .and()
        .doNotHaveFullyQualifiedName("io.omendb.service.wire.Fragments")
        .should()
        .accessField(Memory.class, "ALL")
        .because("vector loads and bulk copies need a segment; all else has Memory's methods")
        .check(CLASSES);
  }

  @Test
  void uncheckedMemoryStaysBelowTheService() {
    noClasses()
        .that()
        .resideInAnyPackage("io.omendb.service..", "io.omendb.loadtest..")
        .and()
        .haveNameNotMatching("io\\.omendb\\.service\\.wire\\.(Fragments|WireReader)")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.omendb.memory..")
        .because("a wrong address kills the process: only who checks slots may make addresses")
        .check(CLASSES);
  }

  @Test
  void exceptionsOfStorageAreOneFamily() {
    classes()
        .that()
        .resideInAPackage("io.omendb.storage..")
        .and()
        .areAssignableTo(java.io.IOException.class)
        .and()
        .areTopLevelClasses()
        .should()
        .resideInAPackage("io.omendb.storage.api")
        .because("callers switch over a sealed family")
        .check(CLASSES);
  }
}
