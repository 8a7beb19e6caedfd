#include "base/json/rapidjson_guard.hpp"

#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json/json.hpp"

namespace nimbus::base {
namespace {

/// Takes the parser's events and builds the tree on a stack of open containers.
/// A refusal is a false return; why_ says which.
class TreeBuilder {
 public:
  explicit TreeBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool Null() { return add(Json()); }
  bool Bool(bool value) { return add(Json(value)); }
  // Numbers come as text: the library's own conversion to double is undefined for
  // some zeros ("-0e86").
  bool RawNumber(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    const char* end = text + size;
    std::int64_t whole = 0;
    // "-0" stays a double: an integer has no negative zero.
    if (const auto [stop, error] = std::from_chars(text, end, whole);
        error == std::errc() && stop == end && !(whole == 0 && *text == '-'))
      return add(Json(whole));
    double number = 0;
    if (const auto [stop, error] = std::from_chars(text, end, number); error != std::errc() || stop != end) {
      why_ = "a number out of range";
      return false;
    }
    return add(Json(number));
  }
  bool Int(int /*value*/) { return false; }
  bool Uint(unsigned /*value*/) { return false; }
  bool Int64(std::int64_t /*value*/) { return false; }
  bool Uint64(std::uint64_t /*value*/) { return false; }
  bool Double(double /*value*/) { return false; }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    return add(Json(std::string_view(text, size)));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    open_.back().key.assign(text, size);
    return true;
  }
  bool StartObject() { return open(true); }
  bool StartArray() { return open(false); }
  bool EndObject(rapidjson::SizeType /*count*/) {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (has_duplicates(done.members)) {
      if (limits_.duplicates == DuplicateKeys::Refuse) {
        why_ = "an object names the same member twice";
        return false;
      }
      keep_first(done.members);
    }
    Json json = Json::object();
    json.adopt_members(std::move(done.members));
    return place(std::move(json));
  }
  bool EndArray(rapidjson::SizeType /*count*/) {
    Json json = Json::array();
    json.adopt_items(std::move(open_.back().items));
    open_.pop_back();
    return place(std::move(json));
  }

  const std::string& why() const noexcept { return why_; }
  Json take() { return std::move(root_); }

 private:
  struct Open {
    bool object = false;
    std::string key;
    Json::Array items;
    Json::Object members;
  };

  bool count() {
    if (++values_ <= limits_.values) return true;
    why_ = fmt::format("more than {} values", limits_.values);
    return false;
  }
  bool open(bool object) {
    if (open_.size() >= limits_.depth) {
      why_ = fmt::format("nested deeper than {} levels", limits_.depth);
      return false;
    }
    if (!count()) return false;
    open_.push_back({.object = object});
    return true;
  }
  bool add(Json value) { return count() && place(std::move(value)); }
  bool place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& top = open_.back(); top.object) {
      top.members.push_back({std::move(top.key), std::move(value)});
      top.key.clear();
    } else {
      top.items.push_back(std::move(value));
    }
    return true;
  }

  static bool has_duplicates(const Json::Object& members) {
    if (members.size() < 2) return false;
    std::vector<std::string_view> keys;
    keys.reserve(members.size());
    for (const auto& member : members) keys.push_back(member.key);
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
  }
  static void keep_first(Json::Object& members) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return members[a].key < members[b].key; });
    std::vector<bool> drop(members.size(), false);
    for (std::size_t i = 1; i < order.size(); ++i) drop[order[i]] = members[order[i]].key == members[order[i - 1]].key;
    Json::Object kept;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!drop[i]) kept.push_back(std::move(members[i]));
    }
    members = std::move(kept);
  }

  const JsonLimits& limits_;
  std::vector<Open> open_;
  Json root_;
  std::size_t values_ = 0;
  std::string why_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (limits.bytes > kMostJsonBytes || limits.depth > kMostJsonDepth)
    return Error{Code::Invalid, "limits for a JSON document above the most that is supported"};
  if (text.size() > limits.bytes)
    return Error{Code::Corrupt,
                 fmt::format("JSON document of {} bytes; at most {} are read", text.size(), limits.bytes)};
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // some devices send a byte order mark
  try {
    TreeBuilder builder(limits);
    rapidjson::MemoryStream bytes(text.data(), text.size());
    rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> input(bytes);
    rapidjson::Reader reader;
    constexpr unsigned kFlags =
        rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
    const auto result = reader.Parse<kFlags>(input, builder);
    if (!result.IsError()) return builder.take();
    const std::string why = builder.why().empty() ? rapidjson::GetParseError_En(result.Code()) : builder.why();
    return Error{Code::Corrupt, fmt::format("no usable JSON: {} (at byte {})", why, result.Offset())};
  } catch (const std::logic_error& error) {
    return Error{Code::Corrupt, fmt::format("no usable JSON: {}", error.what())};
  }
}

}  // namespace nimbus::base
