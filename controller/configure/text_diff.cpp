#include "controller/configure/text_diff.hpp"

#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

constexpr std::size_t kMostCells = 4'000'000;  // of the table of common lines
constexpr std::size_t kContext = 3;
constexpr std::size_t kMostLine = 400;
constexpr std::size_t kMostDiff = std::size_t{64} << 10U;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines = base::split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

struct Edit {
  char sign;  // ' ', '-', '+'
  std::string_view line;
  std::size_t before, after;  // line numbers, from 0, on both sides
};

/// The longest common part of what lies between equal beginnings and ends, by the classical table.
std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const std::size_t rows = a.size() - head - tail;
  const std::size_t columns = b.size() - head - tail;
  std::vector<Edit> out;
  for (std::size_t i = 0; i < head; ++i) out.push_back({' ', a[i], i, i});
  const std::size_t width = columns + 1;
  const bool fits = (rows + 1) * width <= kMostCells;
  std::vector<std::uint32_t> common(fits ? (rows + 1) * width : 0);
  for (std::size_t i = rows; fits && i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      common[i * width + j] = a[head + i] == b[head + j]
                                  ? common[(i + 1) * width + j + 1] + 1
                                  : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < rows || j < columns) {
    if (fits && i < rows && j < columns && a[head + i] == b[head + j]) {
      out.push_back({' ', a[head + i], head + i, head + j});
      ++i, ++j;
    } else if (i < rows && (j == columns || !fits || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      out.push_back({'-', a[head + i], head + i, head + j});
      ++i;
    } else {
      out.push_back({'+', b[head + j], head + i, head + j});
      ++j;
    }
  }
  for (std::size_t k = tail; k > 0; --k) out.push_back({' ', a[a.size() - k], a.size() - k, b.size() - k});
  return out;
}

void add_hunk(std::string& out, const std::vector<Edit>& edits, std::size_t from, std::size_t to) {
  std::size_t before = 0;
  std::size_t after = 0;
  for (std::size_t i = from; i < to; ++i) {
    before += edits[i].sign != '+' ? 1U : 0U;
    after += edits[i].sign != '-' ? 1U : 0U;
  }
  out += fmt::format("@@ -{},{} +{},{} @@\n", edits[from].before + (before > 0 ? 1 : 0), before,
                     edits[from].after + (after > 0 ? 1 : 0), after);
  for (std::size_t i = from; i < to; ++i) {
    out += edits[i].sign;
    out += base::printable(edits[i].line, kMostLine) + "\n";
  }
}

}  // namespace

std::string text_diff(std::string_view found, std::string_view declared, std::string_view path) {
  if (found == declared) return {};
  const Lines before = lines_of(found);
  const Lines after = lines_of(declared);
  const auto edits = edits_of(before, after);
  std::string out = fmt::format("--- {} (on the host)\n+++ {} (declared)\n", path, path);
  std::size_t i = 0;
  bool any = false;
  while (i < edits.size()) {
    if (edits[i].sign == ' ') {
      ++i;
      continue;
    }
    const std::size_t from = i > kContext ? i - kContext : 0;
    std::size_t to = i;
    std::size_t quiet = 0;
    for (; to < edits.size() && quiet <= 2 * kContext; ++to) quiet = edits[to].sign == ' ' ? quiet + 1 : 0;
    to -= quiet > kContext ? quiet - kContext : 0;
    add_hunk(out, edits, from, to);
    any = true;
    if (out.size() > kMostDiff) return out.substr(0, kMostDiff) + "\n… cut\n";
    i = to;
  }
  if (!any) out += "(they differ in the last line end only)\n";
  return out;
}

}  // namespace nimbus::controller
