#include <doctest/doctest.h>

#include "sample_program.hpp"

using namespace nimbus::base;

TEST_CASE("man pages: one per shown command") {
  std::vector<std::string> files;
  for (const auto& page : man_pages(sample_program())) files.push_back(page.file);
  CHECK(files == std::vector<std::string>{"ship.1", "ship-load.1", "ship-port.1", "ship-port-list.1",
                                          "ship-port-show.1", "ship-log.1"});
}

TEST_CASE("man pages: roff is escaped") {
  const std::string page = man_page(sample_program(), {});
  CHECK(page.find("\n.TH \"SHIP\" \"1\" \"2026-11-23\" \"Nimbus 1.2.3\"") != std::string::npos);
  CHECK(page.find("\n\\&.waves\n") != std::string::npos);  // a line of text that looks like a request
  const std::string load = man_page(sample_program(), {"load"});
  CHECK(load.find("\\fB\\-w, \\-\\-weight KG\\fR") != std::string::npos);
  CHECK(load.find(".SH \"EXIT STATUS\"") != std::string::npos);
  CHECK(man_page(sample_program(), {"nowhere"}).empty());
}

TEST_CASE("reference page: every shown command, flag and topic") {
  const std::string page = reference_page(sample_program());
  for (const char* part :
       {"# ship\n", "## ship load\n", "## ship port show\n", "`-w, --weight KG`", "`--tag, --label TAG`",
        "## Topic: sea", "[`ship port list`](#ship-port-list)", "```text\nship load a b\n```"}) {
    CHECK_MESSAGE(page.find(part) != std::string::npos, part);
  }
  CHECK(page.find("secret") == std::string::npos);
  CHECK(page.ends_with("\n"));
}
