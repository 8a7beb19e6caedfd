#include "base/text/diff.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/core.h>

namespace nimbus::base {
namespace {

using Lines = std::vector<std::string_view>;

/// Each with its line end; the last may lack one.
Lines lines_of(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto size = end == std::string_view::npos ? text.size() : end + 1;
    out.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

enum class Kind : char { Same = ' ', Removed = '-', Added = '+' };
struct Edit {
  Kind kind;
  std::string_view line;
};
using Edits = std::vector<Edit>;

/// Differences beyond this many lines are not worth a search that grows with their square.
constexpr std::ptrdiff_t kMostEdits = 1000;

/// E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986: the furthest points
/// that each number of edits reaches, then the way back. False: more than kMostEdits.
bool shortest_edits(const Lines& a, const Lines& b, Edits& out) {
  const auto n = std::ssize(a), m = std::ssize(b);
  const auto most = std::min(n + m, kMostEdits);
  std::vector<std::vector<std::ptrdiff_t>> trace;
  std::vector<std::ptrdiff_t> furthest(static_cast<std::size_t>(2 * most + 3), 0);
  const auto at = [&](std::vector<std::ptrdiff_t>& v, std::ptrdiff_t k) -> std::ptrdiff_t& {
    return v[static_cast<std::size_t>(k + most + 1)];
  };
  const auto comes_from_above = [&](std::vector<std::ptrdiff_t>& v, std::ptrdiff_t k, std::ptrdiff_t d) {
    return k == -d || (k != d && at(v, k - 1) < at(v, k + 1));
  };
  std::ptrdiff_t d = 0;
  for (bool found = false; !found; ++d) {
    if (d > most) return false;
    trace.push_back(furthest);
    for (std::ptrdiff_t k = -d; k <= d && !found; k += 2) {
      auto x = comes_from_above(furthest, k, d) ? at(furthest, k + 1) : at(furthest, k - 1) + 1;
      while (x < n && x - k < m && a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)]) ++x;
      at(furthest, k) = x;
      found = x >= n && x - k >= m;
    }
  }
  auto x = n, y = m;
  for (--d; d >= 0; --d) {
    auto& before = trace[static_cast<std::size_t>(d)];
    const auto k = x - y;
    const bool above = comes_from_above(before, k, d);
    const auto from_k = above ? k + 1 : k - 1;
    const auto from_x = d == 0 ? 0 : at(before, from_k);
    const auto from_y = d == 0 ? 0 : from_x - from_k;
    const auto begin_x = d == 0 ? 0 : (above ? from_x : from_x + 1);
    while (x > begin_x) {
      --x, --y;
      out.push_back({Kind::Same, a[static_cast<std::size_t>(x)]});
    }
    if (d == 0) break;
    if (above) {
      out.push_back({Kind::Added, b[static_cast<std::size_t>(from_y)]});
    } else {
      out.push_back({Kind::Removed, a[static_cast<std::size_t>(from_x)]});
    }
    x = from_x, y = from_y;
  }
  std::ranges::reverse(out);
  return true;
}

Edits edits_between(Lines a, Lines b) {
  Edits head, tail, middle;
  while (!a.empty() && !b.empty() && a.back() == b.back()) {
    tail.push_back({Kind::Same, a.back()});
    a.pop_back(), b.pop_back();
  }
  std::size_t same = 0;
  while (same < a.size() && same < b.size() && a[same] == b[same]) head.push_back({Kind::Same, a[same++]});
  a.erase(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(same));
  b.erase(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(same));
  if (!shortest_edits(a, b, middle)) {
    middle.clear();
    for (const auto line : a) middle.push_back({Kind::Removed, line});
    for (const auto line : b) middle.push_back({Kind::Added, line});
  }
  head.insert(head.end(), middle.begin(), middle.end());
  head.insert(head.end(), tail.rbegin(), tail.rend());
  return head;
}

/// "12" or "12,3"; an empty range stands after the line before it.
std::string range(std::size_t first, std::size_t count) {
  if (count == 1) return std::to_string(first);
  return fmt::format("{},{}", count == 0 ? first - 1 : first, count);
}

/// One hunk: edits [begin, end), which lie after `a` lines of the old and `b` of the new.
std::string hunk(const Edits& edits, std::size_t begin, std::size_t end, std::size_t a, std::size_t b) {
  std::size_t old_count = 0, new_count = 0;
  std::string body;
  for (auto i = begin; i < end; ++i) {
    old_count += edits[i].kind != Kind::Added ? 1U : 0U;
    new_count += edits[i].kind != Kind::Removed ? 1U : 0U;
    body += static_cast<char>(edits[i].kind);
    body += edits[i].line;
    if (!edits[i].line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
  }
  return fmt::format("@@ -{} +{} @@\n{}", range(a + 1, old_count), range(b + 1, new_count), body);
}

std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto line_end = text.rfind('\n', most);
  const auto keep = line_end == std::string::npos ? 0 : line_end + 1;
  const auto left_out = std::count(text.begin() + static_cast<std::ptrdiff_t>(keep), text.end(), '\n');
  text.resize(keep);
  return text + fmt::format("… {} more line{}\n", left_out, left_out == 1 ? "" : "s");
}

}  // namespace

std::string unified_diff(std::string_view from, std::string_view to, std::string_view from_name,
                         std::string_view to_name, const DiffLimits& limits) {
  if (from == to) return {};
  const auto edits = edits_between(lines_of(from), lines_of(to));
  std::string out = fmt::format("--- {}\n+++ {}\n", from_name, to_name);
  std::size_t a = 0, b = 0;  // lines before edit i
  for (std::size_t i = 0; i < edits.size();) {
    if (edits[i].kind == Kind::Same) {
      ++i, ++a, ++b;
      continue;
    }
    const auto begin = i - std::min({i, limits.context, a, b});
    // Up to the last change that has no more than twice the context between it and the one before.
    auto last = i;
    for (auto next = i; next < edits.size() && next - last <= 2 * limits.context + 1; ++next) {
      if (edits[next].kind != Kind::Same) last = next;
    }
    const auto end = std::min(edits.size(), last + 1 + limits.context);
    out += hunk(edits, begin, end, a - (i - begin), b - (i - begin));
    for (; i < end; ++i) {
      a += edits[i].kind != Kind::Added ? 1U : 0U;
      b += edits[i].kind != Kind::Removed ? 1U : 0U;
    }
  }
  return cut(std::move(out), limits.bytes);
}

}  // namespace nimbus::base
