#include "base/toml/statements.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/toml/tokens.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::base::toml {
namespace {

/// The key that a quoted token means.
std::string unquoted(std::string_view token) {
  if (token.size() < 2) return {};
  if (token.front() == '\'') return std::string(token.substr(1, token.size() - 2));
  const auto parsed = parse("x = " + std::string(token));
  if (!parsed) return {};
  const auto* value = parsed->find("x");
  return value->string() == nullptr ? std::string() : *value->string();
}

/// Walks over valid text. Where the text is not what it expects it moves on, so it ends.
class Reader {
 public:
  Reader(std::string_view text, std::size_t offset) : tokens_(tokens_of(text)), offset_(offset) {}

  bool at_end() const { return at_ == tokens_.size(); }
  std::size_t offset() const { return offset_; }
  bool is(TokenKind kind) const { return !at_end() && tokens_[at_].kind == kind; }
  bool is_mark(char c) const { return is(TokenKind::Mark) && tokens_[at_].text.front() == c; }

  void step() {
    if (at_end()) return;
    offset_ += tokens_[at_].text.size();
    ++at_;
  }
  void skip_blanks() {
    while (is(TokenKind::Blank)) step();
  }

  /// Up to the mark that ends it, which stays.
  KeyPath key() {
    KeyPath out;
    while (!at_end() && !is(TokenKind::Mark) && !is(TokenKind::LineEnd)) {
      const std::string_view text = tokens_[at_].text;
      if (is(TokenKind::String)) {
        out.push_back(unquoted(text));
      } else if (is(TokenKind::Word)) {
        for (std::size_t begin = 0; begin < text.size();) {
          const auto end = std::min(text.find('.', begin), text.size());
          if (end > begin) out.emplace_back(text.substr(begin, end - begin));
          begin = end + 1;
        }
      }
      step();
    }
    return out;
  }

  /// After '='; ends before what ends it: a comment, a line end, or ',' and '}' of the table around.
  Extent value() {
    if (is_mark('=')) step();
    skip_blanks();
    Extent out{offset_, offset_};
    for (std::size_t depth = 0; !at_end();) {
      if (depth == 0 && (is(TokenKind::LineEnd) || is(TokenKind::Comment) || is_mark(',') || is_mark('}'))) break;
      if (is_mark('[') || is_mark('{')) ++depth;
      if (depth > 0 && (is_mark(']') || is_mark('}'))) --depth;
      const bool blank = is(TokenKind::Blank);
      step();
      if (!blank) out.end = offset_;
    }
    return out;
  }

  void rest_of_line() {
    while (!at_end() && !is(TokenKind::LineEnd)) step();
    step();
  }

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t offset_;
};

}  // namespace

bool starts_with(const KeyPath& path, const KeyPath& prefix) {
  return path.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

std::vector<Statement> statements_of(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const std::size_t skipped = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  Reader reader(text.substr(skipped), skipped);
  std::vector<Statement> out;
  std::set<KeyPath> arrays;
  KeyPath section;
  std::size_t sections = 0;
  bool in_array = false;
  while (!reader.at_end()) {
    Statement next{.lines = {reader.offset(), 0}};
    reader.skip_blanks();
    if (reader.at_end() || reader.is(TokenKind::LineEnd) || reader.is(TokenKind::Comment)) {
      reader.rest_of_line();
      continue;
    }
    next.key_begin = reader.offset();
    if (reader.is_mark('[')) {
      reader.step();
      next.kind = reader.is_mark('[') ? Statement::Kind::ArrayHeader : Statement::Kind::Header;
      if (reader.is_mark('[')) reader.step();
      section = next.path = reader.key();
      if (next.kind == Statement::Kind::ArrayHeader) arrays.insert(section);
      in_array = false;
      for (KeyPath above = section; !in_array && !above.empty(); above.pop_back()) in_array = arrays.contains(above);
      ++sections;
    } else {
      next.path = section;
      next.section_keys = section.size();
      for (auto& part : reader.key()) next.path.push_back(std::move(part));
      next.value = reader.value();
    }
    next.section = sections;
    next.in_array = in_array;
    reader.rest_of_line();
    next.lines.end = reader.offset();
    out.push_back(std::move(next));
  }
  return out;
}

std::vector<InlineItem> inline_items(std::string_view text, Extent braces) {
  Reader reader(text.substr(braces.begin, braces.end - braces.begin), braces.begin);
  std::vector<InlineItem> out;
  reader.step();  // '{'
  while (!reader.at_end()) {
    reader.skip_blanks();
    if (reader.is_mark('}')) break;
    if (reader.is_mark(',')) {
      reader.step();
      continue;
    }
    InlineItem next{.extent = {reader.offset(), 0}};
    next.path = reader.key();
    next.value = reader.value();
    next.extent.end = next.value.end;
    if (next.extent.end <= next.extent.begin) reader.step();
    out.push_back(std::move(next));
  }
  return out;
}

}  // namespace nimbus::base::toml
