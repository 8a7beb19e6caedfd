#include "cli/hardware/csv.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::cli;

namespace {

const std::vector<std::string> kKnown = {"name", "address", "rack"};
const std::vector<std::string> kRequired = {"name", "address"};

Result<std::vector<CsvRow>> parse(std::string_view text) { return parse_csv(text, kKnown, kRequired); }
std::string why(std::string_view text) {
  const auto rows = parse(text);
  return rows ? "" : rows.error().text();
}

}  // namespace

TEST_CASE("csv: rows by column, in any order; blanks, remarks and empty lines do not count") {
  const auto rows = parse("# racks\n address , name,rack\r\n\n10.0.0.1, n1 , b2\r\n# later\n10.0.0.2,n2\n");
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].line == 4);
  CHECK((*rows)[0].get("name") == "n1");
  CHECK((*rows)[0].get("rack") == "b2");
  CHECK((*rows)[1].get("address") == "10.0.0.2");
  CHECK((*rows)[1].get("rack").empty());
  CHECK((*rows)[1].get("other").empty());
  CHECK(parse("")->empty());
}

TEST_CASE("csv: faults are named with their line") {
  CHECK(why("name,adress\n").find("line 1: no column 'adress'") != std::string::npos);
  CHECK(why("name,rack\nn1,b2\n").find("'address' is missing") != std::string::npos);
  CHECK(why("name,address\nn1,a,b\n").find("line 2: more values") != std::string::npos);
  CHECK(why("name,address\n\nn1,\n").find("line 3: 'address' is empty") != std::string::npos);
  CHECK(why("name,address\nn1,\"a\"\n").find("line 2: quotes") != std::string::npos);
  CHECK(why("name,address\nn1,\xff\n").find("line 2: not UTF-8") != std::string::npos);
}

TEST_CASE("csv: no value is repeated in an error: it may be a password") {
  CHECK(why("name,address\nn1,\"secret\"\n").find("secret") == std::string::npos);
  CHECK(why("name,address\nn1,secret,secret\n").find("secret") == std::string::npos);
}

TEST_CASE("csv: a column that is named twice is refused") {
  CHECK(why("name,address,address\nn1,a,b\n").find("twice") != std::string::npos);
}

TEST_CASE("csv: a flood of rows ends with an error") {
  std::string text = "name,address\n";
  for (int i = 0; i < 10'001; ++i) text += "n,a\n";
  CHECK(why(text).find("too many rows") != std::string::npos);
}
