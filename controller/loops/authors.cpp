#include "controller/loops/authors.hpp"

#include <cstddef>
#include <utility>

namespace nimbus::controller {

void Authors::remember(const std::string& commit, std::string author) {
  constexpr std::size_t kKept = 1000;
  const std::lock_guard lock(mutex_);
  if (authors_.size() >= kKept) authors_.clear();
  authors_[commit] = std::move(author);
}

std::string Authors::of(const std::string& commit) const {
  const std::lock_guard lock(mutex_);
  const auto known = authors_.find(commit);
  return known == authors_.end() ? std::string() : known->second;
}

}  // namespace nimbus::controller
