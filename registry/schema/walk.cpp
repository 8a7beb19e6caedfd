#include "registry/schema/walk.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "core/names.hpp"

namespace nimbus::registry {

using base::printable;
using base::toml::Kind;
using base::toml::Span;
using base::toml::Table;
using base::toml::Value;

std::string detail::scalar_text(const Value& value) {
  if (const auto* text = value.string()) return *text;
  if (const auto* number = value.integer()) return std::to_string(*number);
  if (const auto* truth = value.boolean()) return *truth ? "true" : "false";
  return {};
}

namespace {

Problem problem(const std::string& file, ProblemCode code, Severity severity, const Span& where, std::string message) {
  Problem out{code, severity, file, where.begin.line, where.begin.column, 0, std::move(message), {}};
  if (where.end.line == where.begin.line && where.end.column > where.begin.column) {
    out.length = where.end.column - where.begin.column;
  }
  return out;
}

}  // namespace

void Report::add(ProblemCode code, const Span& where, std::string message, std::string related) {
  problems_->push_back(problem(file_, code, Severity::Error, where, std::move(message)));
  problems_->back().related = std::move(related);
}

void Report::warn(ProblemCode code, const Span& where, std::string message) {
  problems_->push_back(problem(file_, code, Severity::Warning, where, std::move(message)));
}

namespace {

bool has_control_character(std::string_view text, bool multiline) {
  return std::ranges::any_of(text, [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (multiline && (c == '\n' || c == '\t')) return false;
    return byte < 0x20 || byte == 0x7F;
  });
}

std::string quoted_list(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", word);
  return out;
}

std::string_view expected_type(FieldType type) {
  switch (type) {
    case FieldType::String:
    case FieldType::Choice:
      return "a string";
    case FieldType::Duration:
      return "a string with a duration such as \"30s\"";
    case FieldType::Integer:
      return "an integer";
    case FieldType::Boolean:
      return "true or false";
    case FieldType::Time:
      return "a date-time such as 2026-12-01T00:00:00Z, without quotes";
    case FieldType::Strings:
      return "an array of strings";
    case FieldType::Table:
    case FieldType::NamedTables:
      return "a table";
    case FieldType::Tables:
      return "an array of tables ([[…]])";
    case FieldType::StringMap:
      return "a table of strings";
    case FieldType::ScalarMap:
      return "a table of strings, integers and booleans";
  }
  return "another type";
}

Kind expected_kind(FieldType type) {
  switch (type) {
    case FieldType::String:
    case FieldType::Choice:
    case FieldType::Duration:
      return Kind::String;
    case FieldType::Integer:
      return Kind::Integer;
    case FieldType::Boolean:
      return Kind::Boolean;
    case FieldType::Time:
      return Kind::DateTime;
    case FieldType::Strings:
    case FieldType::Tables:
      return Kind::Array;
    case FieldType::Table:
    case FieldType::NamedTables:
    case FieldType::StringMap:
    case FieldType::ScalarMap:
      return Kind::Table;
  }
  return Kind::String;
}

class Walker {
 public:
  Walker(std::uint8_t level, Report& report) : level_(level), report_(report) {}

  void table(const TableSpec& spec, const Table& table, const Span& where, void* object, const std::string& name) {
    for (const auto& member : table.members()) {
      const Field* row = spec.find(member.key);
      if (row == nullptr) {
        unknown(spec, member, name);
      } else if ((row->traits.levels & level_) == 0) {
        report_.add(ProblemCode::MisplacedKey, member.key_span,
                    fmt::format("'{}'{} belongs into the machine's own file, not into a {}", member.key, in(name),
                                level_ == kInClass ? "class" : "provider's defaults"));
      } else {
        value(*row, member.value, object, name);
      }
    }
    for (const auto& row : spec.fields) {
      if (row.traits.need == Need::Required && (row.traits.levels & level_) != 0 && table.find(row.key) == nullptr) {
        report_.add(ProblemCode::MissingKey, where,
                    fmt::format("'{}'{} is missing: add {}", row.key, in(name), sample(row)));
      }
    }
  }

 private:
  static std::string in(const std::string& name) { return name.empty() ? "" : " in [" + name + "]"; }
  static std::string sample(const Field& row) {
    if (row.type == FieldType::Table) return fmt::format("[{}]", row.key);
    return row.traits.example.empty() ? std::string(row.key) : fmt::format("{} = {}", row.key, row.traits.example);
  }

  void unknown(const TableSpec& spec, const base::toml::Member& member, const std::string& name) {
    std::vector<std::string> known;
    for (const auto& row : spec.fields) {
      if ((row.traits.levels & level_) != 0) known.emplace_back(row.key);
    }
    std::string message = fmt::format("unknown key '{}'{}", printable(member.key, 80), in(name));
    if (const auto meant = base::did_you_mean(member.key, known))
      message += fmt::format("; did you mean '{}'?", *meant);
    report_.add(ProblemCode::UnknownKey, member.key_span, std::move(message));
  }

  void wrong_type(const Field& row, const Value& value, const std::string& name) {
    report_.add(ProblemCode::WrongType, value.span(),
                fmt::format("'{}'{} must be {}, not {}", row.key, in(name), expected_type(row.type),
                            with_article(value.kind())));
  }

  void value(const Field& row, const Value& value, void* object, const std::string& name) {
    if (value.kind() != expected_kind(row.type)) return wrong_type(row, value, name);
    const std::string below = name.empty() ? std::string(row.key) : name + "." + std::string(row.key);
    switch (row.type) {
      case FieldType::Table:
        if (row.open == nullptr) return;  // the loader walks it with a level of its own
        return table(*row.traits.table, *value.table(), value.span(), row.open(object, {}), below);
      case FieldType::Tables:
        return tables(row, value, object, below);
      case FieldType::NamedTables:
        return named_tables(row, value, object, below);
      case FieldType::String:
      case FieldType::Choice:
      case FieldType::Integer:
      case FieldType::Boolean:
      case FieldType::Duration:
      case FieldType::Time:
      case FieldType::Strings:
      case FieldType::StringMap:
      case FieldType::ScalarMap:
        break;
    }
    if (good(row, value, name)) row.bind(object, value);
  }

  void tables(const Field& row, const Value& value, void* object, const std::string& name) {
    row.clear(object);
    for (const auto& item : *value.array()) {
      if (const auto* each = item.table()) {
        table(*row.traits.table, *each, item.span(), row.open(object, {}), name);
      } else {
        wrong_type(row, item, name);
      }
    }
  }

  void named_tables(const Field& row, const Value& value, void* object, const std::string& name) {
    for (const auto& member : value.table()->members()) {
      if (!is_dns_label(member.key)) {
        report_.add(ProblemCode::BadName, member.key_span,
                    fmt::format("'{}' must be {}", printable(member.key, 80), info(Format::Label).hint));
      } else if (const auto* each = member.value.table()) {
        table(*row.traits.table, *each, member.value.span(), row.open(object, member.key), name + "." + member.key);
      } else {
        wrong_type(row, member.value, name);
      }
    }
  }

  bool good(const Field& row, const Value& value, const std::string& name) {
    switch (row.type) {
      case FieldType::String:
      case FieldType::Duration:
        return good_text(row, *value.string(), value.span(), name);
      case FieldType::Choice:
        return good_choice(row, value, name);
      case FieldType::Integer:
        return good_integer(row, value, name);
      case FieldType::Time:
        if (value.datetime()->instant()) return true;
        report_.add(ProblemCode::BadValue, value.span(),
                    fmt::format("'{}'{} needs a time zone, for example 2026-12-01T00:00:00Z", row.key, in(name)));
        return false;
      case FieldType::Strings:
        return good_strings(row, value, name);
      case FieldType::StringMap:
      case FieldType::ScalarMap:
        return good_map(row, value, name);
      case FieldType::Boolean:
      case FieldType::Table:
      case FieldType::Tables:
      case FieldType::NamedTables:
        break;
    }
    return true;
  }

  bool good_text(const Field& row, std::string_view text, const Span& span, const std::string& name) {
    const Format format = row.type == FieldType::Duration ? Format::Duration : row.traits.format;
    if (has_control_character(text, format == Format::Multiline)) {
      report_.add(ProblemCode::ControlCharacter, span,
                  fmt::format("'{}'{} contains a control character", row.key, in(name)));
      return false;
    }
    if (holds_variables(row, text)) return true;
    const bool unset = text.empty() && row.type == FieldType::String && row.traits.need == Need::Required;
    if (!unset && info(format).accepts(text)) return true;
    if (format == Format::SecretName && looks_like_secret(text)) {
      // Never repeat it.
      report_.add(ProblemCode::SecretLiteral, span,
                  fmt::format("'{}'{} must hold {}; this looks like a secret: remove it from the history and change it",
                              row.key, in(name), info(format).hint));
      return false;
    }
    // In paths of URLs and in keys capitals mean something.
    using enum Format;
    const bool caseless =
        format == BmcAddress || format == Mac || format == Uuid || format == Sha256 || format == Label;
    const std::string lower = caseless ? base::to_lower(text) : std::string(text);
    report_.add(ProblemCode::BadValue, span,
                lower != text && info(format).accepts(lower)
                    ? fmt::format("'{}'{} is \"{}\"; write it in lower case: \"{}\"", row.key, in(name),
                                  printable(text, 80), printable(lower, 80))
                    : fmt::format("'{}'{} is \"{}\"; it must be {}", row.key, in(name), printable(text, 80),
                                  info(format).hint));
    return false;
  }

  /// What they stand for is not known yet.
  bool holds_variables(const Field& row, std::string_view text) const {
    return (level_ & kWithVariables) != 0 && row.traits.takes_variables() && text.find("{{") != std::string_view::npos;
  }

  bool good_choice(const Field& row, const Value& value, const std::string& name) {
    const std::string& text = *value.string();
    if (std::ranges::find(row.choices, text) != row.choices.end()) return true;
    std::string message = fmt::format("'{}'{} is \"{}\"; it must be one of {}", row.key, in(name), printable(text, 80),
                                      quoted_list(row.choices));
    const std::vector<std::string> words(row.choices.begin(), row.choices.end());
    if (const auto meant = base::did_you_mean(text, words)) message += fmt::format("; did you mean \"{}\"?", *meant);
    report_.add(ProblemCode::NotAllowed, value.span(), std::move(message));
    return false;
  }

  bool good_integer(const Field& row, const Value& value, const std::string& name) {
    const std::int64_t number = *value.integer();
    const auto& traits = row.traits;
    if (number >= traits.least && number <= traits.most) return true;
    std::string range = traits.most == INT64_MAX ? fmt::format("at least {}", traits.least)
                                                 : fmt::format("from {} to {}", traits.least, traits.most);
    report_.add(ProblemCode::OutOfRange, value.span(),
                fmt::format("'{}'{} is {}; it must be {}", row.key, in(name), number, range));
    return false;
  }

  bool good_strings(const Field& row, const Value& value, const std::string& name) {
    bool all_good = true;
    std::set<std::string_view> seen;
    for (const auto& item : *value.array()) {
      const auto* text = item.string();
      if (text == nullptr) {
        wrong_type(row, item, name);
        all_good = false;
      } else if (!good_text(row, *text, item.span(), name)) {
        all_good = false;
      } else if (!seen.insert(*text).second) {
        report_.add(ProblemCode::DuplicateItem, item.span(),
                    fmt::format("'{}'{} names \"{}\" twice", row.key, in(name), printable(*text, 80)));
        all_good = false;
      } else if (text->empty()) {
        report_.add(ProblemCode::BadValue, item.span(), fmt::format("'{}'{} holds an empty string", row.key, in(name)));
        all_good = false;
      }
    }
    return all_good;
  }

  bool good_map(const Field& row, const Value& value, const std::string& name) {
    bool all_good = true;
    for (const auto& member : value.table()->members()) {
      if (!info(row.traits.key_format).accepts(member.key)) {
        report_.add(ProblemCode::BadValue, member.key_span,
                    fmt::format("key '{}' in [{}] must be {}", printable(member.key, 80), row.key,
                                info(row.traits.key_format).hint));
        all_good = false;
        continue;
      }
      const Kind kind = member.value.kind();
      const bool scalar = kind == Kind::Integer || kind == Kind::Boolean;
      if (kind != Kind::String && !(scalar && row.type == FieldType::ScalarMap)) {
        wrong_type(row, member.value, name);
        all_good = false;
      } else if (kind == Kind::String && has_control_character(*member.value.string(), false)) {
        report_.add(ProblemCode::ControlCharacter, member.value.span(),
                    fmt::format("'{}' in [{}] contains a control character", member.key, row.key));
        all_good = false;
      }
    }
    return all_good;
  }

  std::uint8_t level_;
  Report& report_;
};

}  // namespace

void walk(const TableSpec& spec, const Table& table, void* object, std::uint8_t level, Report& report) {
  Walker(level, report).table(spec, table, {{1, 1, 0}, {1, 1, 0}}, object, {});
}

Span span_of(const Table& root, std::initializer_list<std::string_view> path) {
  const Table* table = &root;
  Span span{{1, 1, 0}, {1, 1, 0}};
  for (const auto key : path) {
    const auto* member = table->member(key);
    if (member == nullptr) return span;
    span = member->value.span();
    table = member->value.table();
    if (table == nullptr) return span;
  }
  return span;
}

}  // namespace nimbus::registry
