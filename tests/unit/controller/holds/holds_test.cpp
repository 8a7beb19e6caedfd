#include "controller/holds/holds.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace nimbus;
using namespace nimbus::controller;

namespace {

struct Folder {
  std::filesystem::path path = [] {
    char name[] = "/tmp/nimbus-holds-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    return std::filesystem::path(name);
  }();
  LocalHolds holds{(path / "holds").string()};
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    const auto file = path / "holds" / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
};

LocalHold hold(std::string machine, std::string reason = "moving the rack") {
  return {.machine = std::move(machine),
          .reason = std::move(reason),
          .by = "alice (uid 1000)",
          .since = WallTime{std::chrono::seconds(1'795'000'000)}};
}

}  // namespace

TEST_CASE_FIXTURE(Folder, "holds: none without a folder") {
  CHECK_FALSE(holds.of("m1").has_value());
  REQUIRE(holds.list().has_value());
  CHECK(holds.list()->empty());
}

TEST_CASE_FIXTURE(Folder, "holds: one machine, all machines, and back") {
  REQUIRE(holds.place(hold("m1")).has_value());
  REQUIRE(holds.of("m1").has_value());
  CHECK(holds.of("m1")->text() == "moving the rack (by alice (uid 1000))");
  CHECK(holds.of("m1")->since == hold("m1").since);
  CHECK_FALSE(holds.of("m2").has_value());
  REQUIRE(holds.place(hold("", "power failure")).has_value());
  CHECK(holds.of("m2")->reason == "power failure");
  CHECK(holds.of("m1")->reason == "power failure");
  CHECK(holds.list()->size() == 2);
  REQUIRE(holds.lift("").has_value());
  CHECK(holds.of("m1")->reason == "moving the rack");  // its own stays
  REQUIRE(holds.lift("m1").has_value());
  CHECK_FALSE(holds.of("m1").has_value());
  REQUIRE_FALSE(holds.lift("m1").has_value());
  CHECK(holds.lift("m1").error().code == Code::NotFound);
}

TEST_CASE_FIXTURE(Folder, "holds: another object on the same folder sees them (a restart)") {
  REQUIRE(holds.place(hold("m1")).has_value());
  CHECK(LocalHolds(holds.folder()).of("m1").has_value());
}

TEST_CASE_FIXTURE(Folder, "holds: a file that cannot be understood holds") {
  write("machines/m1.toml", "");
  write("machines/m2.toml", "reason = ");
  write("machines/m3.toml", "[");
  write("machines/m4.toml", std::string(100'000, '#'));
  std::filesystem::create_directories(path / "holds/machines/m5.toml");
  std::filesystem::create_symlink("/nonexistent", path / "holds/machines/m7.toml");
  write("machines/m6.toml", "reason = \"a\\u001b[31m\\nb\"\n");
  for (const char* machine : {"m1", "m2", "m3", "m4", "m5", "m6", "m7"}) {
    CAPTURE(machine);
    REQUIRE(holds.of(machine).has_value());
    CHECK_FALSE(holds.of(machine)->reason.empty());
  }
  CHECK(holds.of("m6")->reason.find('\x1b') == std::string::npos);
  CHECK(holds.of("m6")->reason.find('\n') == std::string::npos);
}

TEST_CASE_FIXTURE(Folder, "holds: names and reasons are checked") {
  for (const char* name : {"../evil", "M1", "a/b", "."}) {
    CAPTURE(name);
    REQUIRE_FALSE(holds.place(hold(name)).has_value());
    CHECK(holds.place(hold(name)).error().code == Code::Invalid);
    CHECK_FALSE(holds.lift(name).has_value());
  }
  CHECK(holds.place(hold("m1", "  ")).error().code == Code::Invalid);
  CHECK_FALSE(std::filesystem::exists(path / "evil.toml"));
}
