// The one place that includes toml++. Without these definitions it aborts the
// process on trivial invalid text such as "[": its assertions become exceptions.
#undef NDEBUG
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_MAX_NESTED_VALUES 64
#define TOML_ASSERT(expr) ((expr) ? void() : nimbus_toml_assertion(#expr))
#include <stdexcept>

[[noreturn]] static void nimbus_toml_assertion(const char* what) { throw std::logic_error(what); }

#include <toml++/toml.h>

#include "base/toml/toml.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/scan.hpp"

namespace nimbus::base::toml {
namespace {

static_assert(kMaxDepth == TOML_MAX_NESTED_VALUES);

/// Turns toml++'s positions (line and column in code points) into ours.
class Offsets {
 public:
  explicit Offsets(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    starts_.push_back(text.starts_with(kByteOrderMark) ? 3 : 0);
    for (std::size_t i = starts_[0]; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(static_cast<std::uint32_t>(i + 1));
      ascii_ = ascii_ && static_cast<unsigned char>(text[i]) < 0x80;
    }
  }

  Position operator()(const ::toml::source_position& at) const {
    Position out{static_cast<std::uint32_t>(at.line), static_cast<std::uint32_t>(at.column), 0};
    const auto size = static_cast<std::uint32_t>(text_.size());
    if (out.line == 0) return out;
    if (out.line > starts_.size()) {
      out.offset = size;
      return out;
    }
    std::uint32_t offset = starts_[out.line - 1];
    if (ascii_) {
      offset += out.column - 1;
    } else {
      for (std::uint32_t column = 1; column < out.column && offset < size; ++column) {
        ++offset;
        while (offset < size && (static_cast<unsigned char>(text_[offset]) & 0xC0U) == 0x80U) ++offset;
      }
    }
    out.offset = std::min(offset, size);
    return out;
  }

  Span operator()(const ::toml::source_region& region) const { return {(*this)(region.begin), (*this)(region.end)}; }

 private:
  std::string_view text_;
  std::vector<std::uint32_t> starts_;
  bool ascii_ = true;
};

struct TooDeep {
  Position at;
};

DateTime convert(const ::toml::date& date, const ::toml::time& time, DateTime::Form form) {
  DateTime out;
  out.form = form;
  out.year = date.year;
  out.month = date.month;
  out.day = date.day;
  out.hour = time.hour;
  out.minute = time.minute;
  out.second = time.second;
  out.nanosecond = time.nanosecond;
  return out;
}

DateTime convert(const ::toml::date_time& value) {
  DateTime out = convert(value.date, value.time, value.offset ? DateTime::Form::Offset : DateTime::Form::Local);
  if (value.offset) out.offset_minutes = value.offset->minutes;
  return out;
}

class Converter {
 public:
  explicit Converter(std::string_view text) : offsets_(text) {}

  Table table(const ::toml::table& source, std::size_t depth) {
    std::vector<Member> members;
    members.reserve(source.size());
    for (const auto& [key, node] : source) {
      members.push_back({std::string(key.str()), offsets_(key.source()), value(node, depth + 1)});
    }
    return Table::from_sorted(std::move(members));
  }

 private:
  Value value(const ::toml::node& node, std::size_t depth) {
    const Span span = offsets_(node.source());
    if (depth > kMaxDepth) throw TooDeep{span.begin};
    Value out = bare_value(node, depth);
    out.set_span(span);
    return out;
  }

  Value bare_value(const ::toml::node& node, std::size_t depth) {
    using Type = ::toml::node_type;
    switch (node.type()) {
      case Type::string:
        return Value(node.ref<std::string>());
      case Type::integer:
        return Value(node.ref<std::int64_t>());
      case Type::floating_point:
        return Value(node.ref<double>());
      case Type::boolean:
        return Value(node.ref<bool>());
      case Type::date:
        return Value(convert(node.ref<::toml::date>(), {}, DateTime::Form::Date));
      case Type::time:
        return Value(convert({}, node.ref<::toml::time>(), DateTime::Form::Time));
      case Type::date_time:
        return Value(convert(node.ref<::toml::date_time>()));
      case Type::array: {
        const auto& source = *node.as_array();
        Array items;
        items.reserve(source.size());
        for (const auto& item : source) items.push_back(value(item, depth + 1));
        return Value(std::move(items));
      }
      case Type::table: {
        const auto& source = *node.as_table();
        Value out(table(source, depth));
        out.set_inline(source.is_inline());
        return out;
      }
      case Type::none:
        break;
    }
    throw std::logic_error("toml++ returned a node of no type");
  }

  Offsets offsets_;
};

bool hits_assertion(std::string_view text) {
  try {
    static_cast<void>(::toml::parse(text));
  } catch (const ::toml::parse_error&) {
  } catch (const std::logic_error&) {
    return true;
  }
  return false;
}

/// An assertion of the parser says nothing of the place. The parser reads from top
/// to bottom, so the line is the last one of the shortest beginning that hits it.
Position locate_assertion(std::string_view text) {
  std::vector<std::size_t> ends;  // of lines
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    ends.push_back(at + 1);
  }
  if (ends.empty() || ends.back() != text.size()) ends.push_back(text.size());
  const auto line = std::partition_point(ends.begin(), ends.end() - 1,
                                         [&](std::size_t end) { return !hits_assertion(text.substr(0, end)); });
  const auto number = static_cast<std::uint32_t>(line - ends.begin());
  return {number + 1, 1, number == 0 ? 0 : static_cast<std::uint32_t>(ends[number - 1])};
}

SyntaxError whole_text(SyntaxError::Cause cause, std::string message) { return {cause, {1, 1, 0}, std::move(message)}; }

}  // namespace

tl::expected<Table, SyntaxError> parse(std::string_view text) {
  using Cause = SyntaxError::Cause;
  if (text.size() > kMaxText) {
    return tl::unexpected(whole_text(
        Cause::TooLarge, fmt::format("the file has {} bytes; at most {} are allowed", text.size(), kMaxText)));
  }
  if (auto overlong = find_overlong_key(text)) return tl::unexpected(std::move(*overlong));
  try {
    const ::toml::table root = ::toml::parse(text);
    return Converter(text).table(root, 0);
  } catch (const ::toml::parse_error& error) {
    return tl::unexpected(SyntaxError{is_valid_utf8(text) ? Cause::Syntax : Cause::NotUtf8,
                                      Offsets(text)(error.source().begin), printable(error.description(), 300)});
  } catch (const TooDeep& deep) {
    return tl::unexpected(SyntaxError{Cause::TooDeep, deep.at,
                                      fmt::format("more than {} tables and arrays inside each other", kMaxDepth)});
  } catch (const std::logic_error&) {
    return tl::unexpected(SyntaxError{Cause::Syntax, locate_assertion(text), "a key or table name is malformed"});
  } catch (const std::exception& error) {
    return tl::unexpected(whole_text(Cause::Syntax, printable(error.what(), 300)));
  }
}

}  // namespace nimbus::base::toml
