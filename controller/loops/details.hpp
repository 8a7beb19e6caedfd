// Details: what keeps the controller from being ready, or would if it lasted, by topic.
// The loops write them; readiness and the API show them. Thread rule: safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

namespace nimbus::controller {

class Details {
 public:
  enum class Topic : std::size_t { Fetch, Hold, Registry, Place, Push };

  /// Empty: nothing is wrong there.
  void set(Topic topic, std::string text) {
    const std::lock_guard lock(mutex_);
    texts_[static_cast<std::size_t>(topic)] = std::move(text);
  }

  /// All of them, a line each.
  std::string text() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const auto& text : texts_) {
      if (!text.empty()) all += text + "\n";
    }
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::array<std::string, 5> texts_;
};

}  // namespace nimbus::controller
