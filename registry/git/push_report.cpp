#include "registry/git/push_report.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::registry {

const PushReport::Line* PushReport::find(std::string_view reference) const noexcept {
  const auto line = std::ranges::find(lines, reference, &Line::reference);
  return line == lines.end() ? nullptr : &*line;
}

PushReport parse_push_report(std::string_view output) {
  constexpr std::string_view kFlags = " +-*!=";
  PushReport report;
  for (const auto text : base::split(output, '\n')) {
    if (text == "Done") report.done = true;
    // "<flag>\t<from>:<to>\t<summary>[ (<reason>)]"
    const auto parts = base::split(text, '\t');
    if (parts.size() != 3 || parts[0].size() != 1 || kFlags.find(parts[0][0]) == std::string_view::npos) continue;
    const auto colon = parts[1].rfind(':');
    if (colon == std::string_view::npos) continue;
    report.lines.push_back({parts[0][0], std::string(parts[1].substr(colon + 1)), std::string(parts[2])});
  }
  return report;
}

}  // namespace nimbus::registry
