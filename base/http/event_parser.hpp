// Reads text/event-stream bit by bit, in bounded memory whatever comes.
//
// Source: WHATWG HTML, 9.2.6 (interpreting an event stream). Only the fields "data" and
// blank lines count; comments, names, ids and retry times are passed over. Thread rule:
// a value.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace nimbus::base {

class EventParser {
 public:
  /// Of each event's data the beginning is kept; the rest is read and forgotten.
  static constexpr std::size_t kMostKept = 4096;

  /// `on_event` is called for each event that is complete within what was fed so far.
  void feed(std::string_view bytes, const std::function<void(std::string_view data)>& on_event);

 private:
  void end_line(const std::function<void(std::string_view)>& on_event);
  void add_data(std::string_view value);

  std::string line_;  // the beginning of the present line
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;  // a line feed now belongs to the line end before it
  bool at_start_ = true;       // of the whole stream
};

}  // namespace nimbus::base
