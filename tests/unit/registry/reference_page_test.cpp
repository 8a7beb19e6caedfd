// docs/reference/registry.md holds tables that come from the field tables. To renew
// them: NIMBUS_REFRESH=1 build/dev/tests/unit/registry/unit_registry
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "registry/problem.hpp"
#include "registry/schema/documentation.hpp"

using namespace nimbus::registry;

namespace {

std::string section(FileKind kind) {
  const auto page = documentation(kind);
  return fmt::format("`{}`: {}\n\n{}", page.path, page.doc, markdown_table(kind));
}

std::string problems() {
  std::string out = "| code | meaning |\n|---|---|\n";
  for (const auto& rule : rules()) out += fmt::format("| `{}` | {} |\n", rule.id, rule.summary);
  return out;
}

/// The page with what lies between `marker` and the next end replaced.
std::string renewed(std::string page, const std::string& marker, const std::string& content) {
  const auto begin = page.find(marker);
  REQUIRE_MESSAGE(begin != std::string::npos, marker);
  const auto from = begin + marker.size();
  const auto to = page.find("<!-- end -->", from);
  REQUIRE(to != std::string::npos);
  return page.replace(from, to - from, "\n" + content);
}

}  // namespace

TEST_CASE("the reference page says what the field tables say") {
  const std::string path = NIMBUS_SOURCE "/docs/reference/registry.md";
  std::stringstream stream;
  stream << std::ifstream(path).rdbuf();
  const std::string page = stream.str();
  std::string wanted = page;
  for (std::size_t i = 0; i < kFileKinds; ++i) {
    const auto kind = static_cast<FileKind>(i);
    if (kind == FileKind::Content) continue;
    wanted = renewed(std::move(wanted), fmt::format("<!-- keys:{} -->", to_string(kind)), section(kind));
  }
  wanted = renewed(std::move(wanted), "<!-- problems -->", problems());
  if (std::getenv("NIMBUS_REFRESH") != nullptr) std::ofstream(path) << wanted;
  const bool same = page == wanted || std::getenv("NIMBUS_REFRESH") != nullptr;
  CHECK_MESSAGE(same, "docs/reference/registry.md is not up to date: run this test with NIMBUS_REFRESH=1");
}
