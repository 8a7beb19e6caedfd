#include "controller/publisher/story.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

constexpr std::string_view kNoEvent = "status";

bool is_machine(const Chapter& chapter) { return chapter.path.find("/machines/") != std::string::npos; }

std::string name_of(const Chapter& chapter) {
  const auto slash = chapter.path.rfind('/');
  auto name = slash == std::string::npos ? chapter.path : chapter.path.substr(slash + 1);
  if (name.ends_with(".toml")) name.resize(name.size() - 5);
  return name;
}

std::string_view event_of(const Chapter& chapter) { return chapter.event.empty() ? kNoEvent : chapter.event; }

}  // namespace

std::size_t machines_in(const std::vector<Chapter>& chapters) {
  return static_cast<std::size_t>(std::ranges::count_if(chapters, is_machine));
}

Story tell(const std::vector<Chapter>& chapters, std::string_view otherwise) {
  if (chapters.empty()) return {std::string(otherwise), ""};
  if (chapters.size() == 1) return {name_of(chapters[0]) + ": " + std::string(event_of(chapters[0])), ""};

  const bool only_machines = machines_in(chapters) == chapters.size();
  Story story;
  story.subject = std::to_string(chapters.size()) + (only_machines ? " machines: " : " documents: ");
  const auto first = event_of(chapters[0]);
  const bool all_same = std::ranges::all_of(chapters, [&](const Chapter& each) { return event_of(each) == first; });
  constexpr std::size_t kNamed = 3;
  if (all_same) {
    story.subject += first;
  } else {
    for (std::size_t i = 0; i < std::min(kNamed, chapters.size()); ++i) {
      story.subject += (i == 0 ? "" : ", ") + name_of(chapters[i]) + " " + std::string(event_of(chapters[i]));
    }
    if (chapters.size() > kNamed) story.subject += ", …";
  }
  constexpr std::size_t kListed = 100;
  constexpr std::size_t kLine = 200;
  for (std::size_t i = 0; i < std::min(kListed, chapters.size()); ++i) {
    story.body += base::printable(name_of(chapters[i]) + ": " + std::string(event_of(chapters[i])), kLine) + "\n";
  }
  if (chapters.size() > kListed) story.body += "and " + std::to_string(chapters.size() - kListed) + " more\n";
  return story;
}

}  // namespace nimbus::controller
