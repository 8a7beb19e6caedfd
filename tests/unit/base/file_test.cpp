#include "base/file/file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

using namespace nimbus;
using namespace nimbus::base;

namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nimbus-file-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator());
  }
  std::string path;
};

}  // namespace

TEST_CASE("file: several files are written whole, over what was there, with their mode") {
  const Folder folder;
  REQUIRE(write_file_atomically(folder.path + "/a", "old and longer", 0600).has_value());
  const std::array<NewFile, 2> files = {{{folder.path + "/a", "one"}, {folder.path + "/b", ""}}};
  REQUIRE(write_files_atomically(files, 0444).has_value());
  CHECK(*read_file(folder.path + "/a", 100) == "one");
  CHECK(read_file(folder.path + "/b", 100)->empty());
  struct stat info {};
  REQUIRE(::stat((folder.path + "/a").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0444);
  CHECK(folder.files() == 2);
}

TEST_CASE("file: where one of several cannot be written none takes its place, and nothing is left over") {
  const Folder folder;
  REQUIRE(write_file_atomically(folder.path + "/a", "old", 0600).has_value());
  const std::array<NewFile, 2> files = {{{folder.path + "/a", "new"}, {folder.path + "/none/b", "new"}}};
  const auto wrote = write_files_atomically(files, 0600);
  REQUIRE(!wrote);
  CHECK(wrote.error().code == Code::NotFound);
  CHECK(*read_file(folder.path + "/a", 100) == "old");
  CHECK(folder.files() == 1);
}
