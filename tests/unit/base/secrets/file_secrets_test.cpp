#include "base/secrets/file_secrets.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file/file.hpp"

using namespace nimbus;
using namespace nimbus::base;

namespace {

struct Fixture {
  std::string folder = [] {
    std::string path = (std::filesystem::temp_directory_path() / "nimbus-secrets-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    return path;
  }();
  FileSecrets secrets{folder};

  Fixture() { REQUIRE(base::make_folders(folder + "/bmc", 0700)); }
  ~Fixture() { std::filesystem::remove_all(folder); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void store(const std::string& text, unsigned mode = 0400) {
    REQUIRE(base::write_file_atomically(folder + "/bmc/m1.toml", text, mode));
  }
  Error refused(std::string_view destination = "10.0.0.1") {
    const auto credential = secrets.credential("bmc/m1", destination);
    REQUIRE(!credential.has_value());
    return credential.error();
  }
};

const char* const kGood = "username = \"admin\"\npassword = \"hunter2\"\nallow = [\"10.0.0.1\"]\n";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "secrets: read for the bound address, refused for any other") {
  store(kGood);
  const auto credential = secrets.credential("bmc/m1", "10.0.0.1:623");
  REQUIRE(credential.has_value());
  CHECK(credential->username == "admin");
  CHECK(credential->password.reveal() == "hunter2");
  CHECK(credential->name == "bmc/m1");
  CHECK(refused("10.0.0.2").code == Code::Untrusted);
}

TEST_CASE_FIXTURE(Fixture, "secrets: a file that others can read is refused") {
  store(kGood, 0644);
  CHECK(refused().code == Code::Untrusted);
  CHECK(refused().message.find("chmod") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "secrets: missing, malformed, and names that leave the folder") {
  CHECK(refused().code == Code::NotFound);
  for (const char* name : {"../bmc/m1", "bmc/../m1", "/etc/passwd", "bmc", "", "bmc/M1"}) {
    const auto credential = secrets.credential(name, "10.0.0.1");
    REQUIRE(!credential.has_value());
  }
  CHECK(secrets.credential("../bmc/m1", "10.0.0.1").error().code == Code::Invalid);
}

TEST_CASE_FIXTURE(Fixture, "secrets: no message repeats what the file holds") {
  for (const char* text : {"password = \"hunter2\"\n", "username = \"a\"\npassword = hunter2\n", "hunter2",
                           "username = \"a\"\npassword = \"hunter2\"\nallow = [\"10.0.0.1\"]\npasswort = \"hunter2\"\n",
                           "username = \"a\"\npassword = \"hunter2\"\nallow = []\n"}) {
    store(text);
    CHECK(refused().text().find("hunter2") == std::string::npos);
  }
}
