#include "base/http/event_parser.hpp"

#include <algorithm>
#include <utility>

namespace nimbus::base {
namespace {

constexpr std::string_view kField = "data";
constexpr std::size_t kMostLine = EventParser::kMostKept + 16;  // with the field's name
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void EventParser::feed(std::string_view bytes, const std::function<void(std::string_view)>& on_event) {
  while (!bytes.empty()) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    line_ += bytes.substr(0, std::min(end, kMostLine - line_.size()));
    if (end == bytes.size()) return;
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(on_event);
  }
}

void EventParser::end_line(const std::function<void(std::string_view)>& on_event) {
  std::string_view line = line_;
  if (std::exchange(at_start_, false) && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.empty()) {
    if (has_data_) on_event(data_);
    data_.clear();
    has_data_ = false;
  } else if (line.starts_with(kField)) {
    line.remove_prefix(kField.size());
    if (line.empty()) {
      add_data("");
    } else if (line.front() == ':') {
      line.remove_prefix(line.starts_with(": ") ? 2 : 1);
      add_data(line);
    }
  }
  line_.clear();
}

void EventParser::add_data(std::string_view value) {
  if (has_data_ && data_.size() < kMostKept) data_ += '\n';
  has_data_ = true;
  data_ += value.substr(0, kMostKept - data_.size());
}

}  // namespace nimbus::base
