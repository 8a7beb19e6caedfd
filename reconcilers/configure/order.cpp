#include "reconcilers/configure/order.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "reconcilers/configure/needs_of_order.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using Positions = std::vector<std::size_t>;

/// All positions so that each comes after what it needs; shorter if there is a cycle.
Positions topological(const std::vector<Positions>& needs) {
  std::vector<Positions> dependents(needs.size());
  Positions open(needs.size()), ready, out;
  for (std::size_t at = 0; at < needs.size(); ++at) {
    open[at] = needs[at].size();
    if (open[at] == 0) ready.push_back(at);
    for (const auto need : needs[at]) dependents[need].push_back(at);
  }
  for (std::size_t next = 0; next < ready.size(); ++next) {
    out.push_back(ready[next]);
    for (const auto dependent : dependents[ready[next]]) {
      if (--open[dependent] == 0) ready.push_back(dependent);
    }
  }
  return out;
}

/// Among what is not in `sorted` everything needs something else of it: whoever walks there
/// comes around.
std::string name_cycle(const host::Configuration& wanted, const std::vector<Positions>& needs,
                       const Positions& sorted) {
  std::vector<bool> outside(needs.size(), false);
  for (const auto at : sorted) outside[at] = true;
  const auto first = std::find(outside.begin(), outside.end(), false);
  auto at = static_cast<std::size_t>(first - outside.begin());
  Positions path;
  while (std::find(path.begin(), path.end(), at) == path.end()) {
    path.push_back(at);
    at = *std::find_if(needs[at].begin(), needs[at].end(), [&](std::size_t need) { return !outside[need]; });
  }
  std::string out = wanted.resources[at].id;
  for (auto it = std::find(path.begin(), path.end(), at) + 1; it != path.end(); ++it) {
    out += " needs " + wanted.resources[*it].id;
  }
  return out + " needs " + wanted.resources[at].id;
}

}  // namespace

Result<Order> order_of(const host::Configuration& wanted) {
  Order order;
  order.needs = direct_needs(wanted);
  const auto sorted = topological(order.needs);
  if (sorted.size() < wanted.resources.size()) {
    return Error{Code::Invalid, "resources wait for each other: " + name_cycle(wanted, order.needs, sorted), {}};
  }
  // What a kind comes before is only a habit: whatever is needed earlier comes earlier.
  std::vector<int> rank(wanted.resources.size());
  const auto repositories = repository_ranks(wanted);
  for (std::size_t at = 0; at < rank.size(); ++at)
    rank[at] = repositories[at] ? 0 : rank_of(wanted.resources[at].wanted);
  for (auto it = sorted.rbegin(); it != sorted.rend(); ++it) {
    for (const auto need : order.needs[*it]) rank[need] = std::min(rank[need], rank[*it]);
  }
  std::vector<std::pair<int, std::size_t>> place(rank.size());
  for (const auto at : sorted) {
    place[at] = {rank[at], 0};
    for (const auto need : order.needs[at]) {
      if (place[need].first == rank[at]) place[at].second = std::max(place[at].second, place[need].second + 1);
    }
  }
  const std::set<std::pair<int, std::size_t>> levels(place.begin(), place.end());
  std::map<std::pair<int, std::size_t>, std::size_t> numbers;
  for (const auto& level : levels) numbers.emplace(level, numbers.size());
  for (const auto& it : place) order.level.push_back(numbers.at(it));
  return order;
}

}  // namespace nimbus::reconcilers::configure
