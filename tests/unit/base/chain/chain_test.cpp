#include "base/chain/chain.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace nimbus;
using namespace nimbus::base;

namespace {

struct Folder {
  std::filesystem::path path = [] {
    char name[] = "/tmp/nimbus-chain-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    return std::filesystem::path(name);
  }();
  std::string folder = (path / "audit").string();
  ~Folder() { std::filesystem::remove_all(path); }

  std::unique_ptr<ChainLog> open(std::size_t file_bytes = 8U << 20U, std::size_t files = 16) {
    auto log = ChainLog::open({.folder = folder, .file_bytes = file_bytes, .files = files});
    REQUIRE_MESSAGE(log.has_value(), (log ? "" : log.error().text()));
    return std::move(*log);
  }
  ChainHead write(int count) {
    const auto log = open();
    ChainHead head;
    for (int i = 0; i < count; ++i) {
      const auto written = log->append(Json::object({{"type", "test"}, {"number", i}, {"text", "ä\n\"\\"}}));
      REQUIRE(written.has_value());
      head = *written;
    }
    return head;
  }
  std::string file(const std::string& name = "chain-000000000001.jsonl") const {
    std::ifstream in(folder + "/" + name);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void put(const std::string& text, const std::string& name = "chain-000000000001.jsonl") const {
    std::ofstream(folder + "/" + name) << text;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::istringstream in(file());
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  void put_lines(const std::vector<std::string>& all) const {
    std::string text;
    for (const auto& line : all) text += line + "\n";
    put(text);
  }
  ChainReport verify(const std::optional<ChainHead>& anchor = {}) const {
    auto report = verify_chain(folder, anchor);
    REQUIRE(report.has_value());
    return std::move(*report);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Folder, "chain: goes on after a restart, and verifies") {
  write(3);
  const auto head = write(2);
  CHECK(head.seq == 5);
  const auto report = verify(head);
  CHECK(report.faults.empty());
  CHECK(report.records == 5);
  CHECK(report.head == head);
  CHECK(read_chain(folder, 2)->size() == 2);
  CHECK((*read_chain(folder, 2))[1]["seq"].as_int() == 5);
}

TEST_CASE_FIXTURE(Folder, "chain: every changed byte shows") {
  const auto head = write(3);
  const std::string good = file();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = bad[at] == 'x' ? 'y' : 'x';
    put(bad);
    const auto report = verify(head);
    CAPTURE(at);
    // The last line end is the one byte whose loss looks like a crash; the anchor tells.
    REQUIRE_FALSE(report.faults.empty());
  }
}

TEST_CASE_FIXTURE(Folder, "chain: a line removed, repeated, inserted or moved shows") {
  const auto head = write(6);
  const auto good = lines();
  SUBCASE("removed in the middle") {
    auto bad = good;
    bad.erase(bad.begin() + 2);
    put_lines(bad);
    CHECK(verify().faults.size() == 1);
  }
  SUBCASE("removed at the start") {
    auto bad = good;
    bad.erase(bad.begin());
    put_lines(bad);
    CHECK_FALSE(verify().faults.empty());
  }
  SUBCASE("repeated") {
    auto bad = good;
    bad.insert(bad.begin() + 3, bad[2]);
    put_lines(bad);
    CHECK_FALSE(verify().faults.empty());
  }
  SUBCASE("two swapped") {
    auto bad = good;
    std::swap(bad[2], bad[3]);
    put_lines(bad);
    CHECK_FALSE(verify().faults.empty());
  }
  SUBCASE("cut off at the end: only what is kept elsewhere tells") {
    auto bad = good;
    bad.pop_back();
    put_lines(bad);
    CHECK(verify().faults.empty());
    REQUIRE(verify(head).faults.size() == 1);
    CHECK(verify(head).faults[0].what.find("cut off") != std::string::npos);
  }
  SUBCASE("a whole new chain of the same length") {
    std::filesystem::remove_all(folder);
    const auto log = open();
    for (int i = 0; i < 6; ++i) REQUIRE(log->append(Json::object({{"type", "forged"}})).has_value());
    CHECK(verify().faults.empty());
    CHECK_FALSE(verify(head).faults.empty());
  }
  SUBCASE("all removed") {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    CHECK_FALSE(verify(head).faults.empty());
  }
}

TEST_CASE_FIXTURE(Folder, "chain: a line torn by a crash, at every byte, is cut off and told") {
  write(2);
  const std::string good = file();
  const std::size_t first = good.find('\n') + 1;
  for (std::size_t length = first + 1; length < good.size(); length += 7) {
    put(good.substr(0, length));
    CAPTURE(length);
    CHECK(verify().faults.empty());
    CHECK(verify().torn_bytes == length - first);
    const auto log = open();
    CHECK(log->head().seq == 2);  // the repair
    REQUIRE(log->append(Json::object({{"type", "test"}})).has_value());
    const auto report = verify(log->head());
    CHECK(report.faults.empty());
    CHECK(report.records == 3);
    CHECK((*read_chain(folder, 10))[1]["type"].as_string() == "repair");
  }
}

TEST_CASE_FIXTURE(Folder, "chain: rotation is bounded, and a missing file shows") {
  ChainHead head;
  {
    const auto log = open(2000, 3);
    for (int i = 0; i < 100; ++i)
      head = *log->append(Json::object({{"type", "test"}, {"fill", std::string(100, 'x')}}));
  }
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  REQUIRE(names.size() == 3);
  CHECK(verify(head).faults.empty());
  CHECK(verify(ChainHead{1, std::string(64, 'a')}).faults.empty());  // rotated away: nothing to say
  CHECK(verify().first > 1);
  SUBCASE("goes on") {
    const auto log = open(2000, 3);
    CHECK(log->head() == head);
  }
  SUBCASE("a crash just after a new file was begun") {
    put("{\"seq\":", "chain-000000000999.jsonl");
    const auto log = open(2000, 3);
    CHECK(log->head() == head);
    REQUIRE(log->append(Json::object({{"type", "test"}})).has_value());
    CHECK(verify(log->head()).faults.empty());
  }
  SUBCASE("the oldest removed") {
    std::filesystem::remove(folder + "/" + names[0]);
    CHECK_FALSE(verify().faults.empty());
  }
  SUBCASE("one in the middle removed") {
    std::filesystem::remove(folder + "/" + names[1]);
    CHECK_FALSE(verify().faults.empty());
  }
  SUBCASE("the newest removed") {
    std::filesystem::remove(folder + "/" + names[2]);
    CHECK_FALSE(verify(head).faults.empty());
  }
}

TEST_CASE_FIXTURE(Folder, "chain: a damaged newest file is not written to") {
  write(2);
  put(file() + "nonsense\n");
  const auto log = ChainLog::open({.folder = folder});
  REQUIRE_FALSE(log.has_value());
  CHECK(log.error().code == Code::Corrupt);
}

TEST_CASE_FIXTURE(Folder, "chain: its own members cannot be given") {
  const auto log = open();
  for (const char* name : {"seq", "prev", "hash"}) CHECK_FALSE(log->append(Json::object({{name, 1}})).has_value());
  CHECK_FALSE(log->append(Json::object({{"text", std::string(100'000, 'x')}})).has_value());
  CHECK(log->head().seq == 0);
}
