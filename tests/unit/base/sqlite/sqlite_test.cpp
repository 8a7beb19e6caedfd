#include "base/sqlite/sqlite.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::base::sqlite;
using nimbus::test::TempFolder;

namespace {

Database opened(const std::string& path) {
  auto database = Database::open(path);
  REQUIRE_MESSAGE(database.has_value(), database.error().text());
  return std::move(*database);
}

Code open_error(const std::string& path) {
  const auto database = Database::open(path);
  REQUIRE(!database.has_value());
  INFO(database.error().message);
  CHECK(database.error().message.find(path) != std::string::npos);
  return database.error().code;
}

}  // namespace

TEST_CASE("values go in and come out, also across opening again") {
  const TempFolder temp;
  {
    auto database = opened(temp / "x.db");
    REQUIRE(database.run("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c REAL)"));
    REQUIRE(database.run("INSERT INTO t (b, c) VALUES (?, ?)", {std::string("a\0'b", 4), 1.5}));
    CHECK(database.last_id() == 1);
    REQUIRE(database.run("INSERT INTO t (b, c) VALUES (?, ?)", {std::monostate{}, std::int64_t{7}}));
    CHECK(database.last_id() == 2);
    REQUIRE(database.run("UPDATE t SET c = 0"));
    CHECK(database.changes() == 2);
  }
  auto database = opened(temp / "x.db");
  for (int i = 0; i < 2; ++i) {
    const auto rows = database.query("SELECT a, b, c FROM t ORDER BY a");
    REQUIRE(rows);
    REQUIRE(rows->size() == 2);
    CHECK((*rows)[0].integer(0) == 1);
    CHECK((*rows)[0].text(1) == std::string("a\0'b", 4));
    CHECK((*rows)[1].is_null(1));
    CHECK(!(*rows)[1].text(1));
    CHECK(!(*rows)[0].integer(1));
    CHECK((*rows)[0].is_null(9));
  }
  struct stat info {};
  REQUIRE(::stat((temp / "x.db").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("a transaction is all or nothing") {
  const TempFolder temp;
  auto database = opened(temp / "x.db");
  REQUIRE(database.run("CREATE TABLE t (a INTEGER PRIMARY KEY)"));
  const auto count = [&] { return *(*database.query("SELECT count(*) FROM t"))[0].integer(0); };
  {
    auto transaction = Transaction::begin(database);
    REQUIRE(transaction);
    REQUIRE(database.run("INSERT INTO t VALUES (1)"));
  }
  CHECK(count() == 0);
  {
    auto transaction = Transaction::begin(database);
    REQUIRE(transaction);
    REQUIRE(database.run("INSERT INTO t VALUES (1)"));
    REQUIRE(transaction->commit());
    CHECK(!transaction->commit());
  }
  CHECK(count() == 1);
  const auto twice = database.run("INSERT INTO t VALUES (1)");
  REQUIRE(!twice);
  CHECK(twice.error().code == Code::Conflict);
}

TEST_CASE("wrong statements") {
  const TempFolder temp;
  auto database = opened(temp / "x.db");
  for (const char* sql : {"SELEC 1", "SELECT 1; SELECT 2", "", "SELECT ?"}) {
    const auto result = database.run(sql);
    REQUIRE_MESSAGE(!result, sql);
    CHECK(result.error().code == Code::Invalid);
  }
  CHECK(database.run("SELECT 1 ; "));
}

TEST_CASE("what cannot be opened") {
  const TempFolder temp;
  CHECK(open_error(temp / "none/x.db") == Code::NotFound);
  CHECK(open_error("/proc/nimbus.db") == Code::NotFound);
  CHECK(open_error(temp.path()) == Code::Internal);  // a folder
  std::ofstream(temp / "text.db") << std::string(5000, 'x');
  CHECK(open_error(temp / "text.db") == Code::Corrupt);
}

TEST_CASE("a damaged file is found when it is opened") {
  const TempFolder temp;
  {
    auto database = opened(temp / "x.db");
    REQUIRE(database.run("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"));
    for (int i = 0; i < 200; ++i) REQUIRE(database.run("INSERT INTO t (b) VALUES (?)", {std::string(200, 'x')}));
  }
  {
    std::fstream file(temp / "x.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 3);
    file << std::string(4096, '\x5a');
  }
  CHECK(open_error(temp / "x.db") == Code::Corrupt);
}

TEST_CASE("a full disk is told as such, and what was there stays") {
  const TempFolder temp;
  auto database = opened(temp / "x.db");
  REQUIRE(database.run("CREATE TABLE t (b TEXT)"));
  REQUIRE(database.run("INSERT INTO t VALUES ('first')"));
  REQUIRE(database.run("PRAGMA max_page_count = 4"));  // SQLite then answers as on a full disk
  const auto result = database.run("INSERT INTO t VALUES (?)", {std::string(100'000, 'x')});
  REQUIRE(!result);
  CHECK(result.error().code == Code::Internal);
  CHECK(result.error().message.find("disk is full") != std::string::npos);
  CHECK((*database.query("SELECT b FROM t"))[0].text(0) == "first");
}

TEST_CASE("a second process is kept out, and let in when the first is gone") {
  const TempFolder temp;
  const auto child_opens = [&] {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const auto database = Database::open(temp / "x.db");
      ::_exit(database ? 0 : database.error().code == Code::Busy ? 1 : 2);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
  };
  {
    auto database = opened(temp / "x.db");
    CHECK(child_opens() == 1);
  }
  CHECK(child_opens() == 0);
}
