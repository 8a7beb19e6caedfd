#include "simulator/model/journal.hpp"

#include <utility>

namespace nimbus::simulator {

std::string_view to_string(Source source) noexcept {
  switch (source) {
    case Source::Machine:
      return "machine";
    case Source::Ipmi:
      return "ipmi";
    case Source::Redfish:
      return "redfish";
    case Source::Control:
      return "control";
    case Source::Fault:
      return "fault";
  }
  return "machine";
}

void Journal::add(JournalEntry entry) {
  entry.number = ++total_;
  for (std::string* text : {&entry.what, &entry.detail, &entry.outcome}) {
    if (text->size() <= kMostText) continue;
    text->resize(kMostText);
    text->shrink_to_fit();
  }
  entries_.push_back(std::move(entry));
  if (entries_.size() > kCapacity) entries_.pop_front();
}

}  // namespace nimbus::simulator
