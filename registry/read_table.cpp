#include "registry/read_table.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::registry {

using base::toml::Table;

namespace {

ProblemCode code_of(base::toml::SyntaxError::Cause cause) {
  using Cause = base::toml::SyntaxError::Cause;
  switch (cause) {
    case Cause::Syntax:
      return ProblemCode::Syntax;
    case Cause::TooLarge:
      return ProblemCode::TooLarge;
    case Cause::TooDeep:
      return ProblemCode::TooDeep;
    case Cause::NotUtf8:
      return ProblemCode::NotUtf8;
  }
  return ProblemCode::Syntax;
}

}  // namespace

std::optional<Table> read_table(const TreeSource& source, const TreeEntry& file, Report& report) {
  const base::toml::Span nowhere;
  if (file.size != TreeEntry::kUnknownSize && file.size > TreeSource::kMaxFile) {
    report.add(ProblemCode::TooLarge, nowhere,
               fmt::format("the file has {} bytes; at most {} are allowed", file.size, TreeSource::kMaxFile));
    return std::nullopt;
  }
  auto text = source.read(file);
  if (!text) {
    const bool large = text.error().code == Code::Invalid;
    report.add(large ? ProblemCode::TooLarge : ProblemCode::Unreadable, nowhere,
               base::printable(text.error().message, 300));
    return std::nullopt;
  }
  auto table = base::toml::parse(*text);
  if (!table) {
    const auto& error = table.error();
    report.add(code_of(error.cause), {error.at, error.at}, error.message);
    return std::nullopt;
  }
  return std::move(*table);
}

}  // namespace nimbus::registry
