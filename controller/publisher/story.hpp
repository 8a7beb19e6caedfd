// The subject and body of a status commit: `git log` of a status branch reads as the
// story of the fleet. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus::controller {

/// One changed document and what happened ("power-on"); may be empty.
struct Chapter {
  std::string path;
  std::string event;
};

struct Story {
  std::string subject;
  std::string body;  // empty for a single event
};

/// "m017: power-on", "3 machines: power-on", "3 machines: m017 power-on, m018
/// unreachable, …"; `otherwise` is the subject if there is no chapter.
Story tell(const std::vector<Chapter>& chapters, std::string_view otherwise);

/// How many of the chapters are about machines.
std::size_t machines_in(const std::vector<Chapter>& chapters);

}  // namespace nimbus::controller
