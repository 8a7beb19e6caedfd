#include "registry/git/pack_writer.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "tests/unit/support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using nimbus::test::git;
using nimbus::test::make_bare;
using nimbus::test::TempFolder;

namespace {

PackWriter::Id blob_id_of(const std::string& bytes) {
  return base::sha1({"blob ", std::to_string(bytes.size()), std::string_view("\0", 1), bytes});
}

std::string noise(std::size_t size) {
  std::string out;
  std::uint32_t state = 1;
  while (out.size() < size) {
    state = state * 1664525U + 1013904223U;
    out += static_cast<char>(state >> 24U);
  }
  return out;
}

std::size_t files_of(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("pack writer: git reads every object, of any size, and finds nothing wrong") {
  const TempFolder temp;
  make_bare(temp / "r");
  PackWriter pack;
  std::map<std::string, std::size_t> sizes;
  // Around the sizes at which the header of an object gets another byte, and some that do not deflate.
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 2047U, 2048U, 262143U, 262144U, 300000U}) {
    for (const auto& bytes : {std::string(size, 'a'), noise(size)}) {
      const auto id = blob_id_of(bytes);
      if (!sizes.emplace(base::to_hex(id), size).second) continue;
      pack.add(id, PackWriter::Kind::Blob, bytes);
    }
  }
  for (int i = 0; i < 2000; ++i) {  // every first byte of an id
    const auto bytes = "object " + std::to_string(i);
    sizes.emplace(base::to_hex(blob_id_of(bytes)), bytes.size());
    pack.add(blob_id_of(bytes), PackWriter::Kind::Blob, bytes);
  }
  REQUIRE(pack.write(temp / "r/objects/pack").has_value());
  CHECK(files_of(temp / "r/objects/pack") == 2);
  CHECK(git(temp / "r", {"fsck", "--strict", "--full", "--no-dangling"}).empty());
  std::string asked;
  std::string expected;
  for (const auto& [id, size] : sizes) {
    asked += id + "\n";
    expected += id + " blob " + std::to_string(size) + "\n";
  }
  CHECK(git(temp / "r", {"cat-file", "--batch-check"}, asked) + "\n" == expected);
}

TEST_CASE("pack writer: nothing added is nothing written; a folder that is not there is told") {
  const TempFolder temp;
  PackWriter none;
  CHECK(none.write(temp / "nowhere").has_value());
  PackWriter one;
  one.add(blob_id_of("a"), PackWriter::Kind::Blob, "a");
  const auto wrote = one.write(temp / "nowhere");
  REQUIRE(!wrote);
  CHECK(wrote.error().code == Code::Internal);
  CHECK(files_of(temp.path()) == 0);
}
