// What `git push --porcelain` prints (git-push(1), "OUTPUT"). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nimbus::registry {

struct PushReport {
  struct Line {
    char flag = ' ';        // ' ' forward, '+' forced, '-' deleted, '*' new, '!' rejected, '=' up to date
    std::string reference;  // at the remote
    std::string summary;    // "[rejected] (stale info)", foreign text
  };
  std::vector<Line> lines;
  bool done = false;  // git reached its end and knows what became of every reference

  const Line* find(std::string_view reference) const noexcept;
};

PushReport parse_push_report(std::string_view output);

}  // namespace nimbus::registry
