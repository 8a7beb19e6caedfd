#include "cli/listing.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kLongestCell = 400;
constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;  // a column is not cut below this

std::string render_table(const Listing& listing, Format format, const Console& console) {
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < listing.columns.size(); ++i) {
    if (listing.columns[i].when == Column::When::Always || format == Format::Wide) shown.push_back(i);
  }
  std::vector<std::vector<std::string>> texts;
  std::vector<std::size_t> widths;
  for (const auto i : shown) widths.push_back(display_width(listing.columns[i].title));
  for (const auto& row : listing.rows) {
    auto& line = texts.emplace_back();
    for (std::size_t c = 0; c < shown.size(); ++c) {
      line.push_back(base::printable(row.cells[shown[c]].text, kLongestCell));
      widths[c] = std::max(widths[c], display_width(line.back()));
    }
  }
  // Too wide for the terminal: the last column, free text, gives way.
  std::size_t total = 0;
  for (const auto width : widths) total += width + kGap;
  if (console.width() != 0 && total > console.width() + kGap && !widths.empty()) {
    const std::size_t others = total - kGap - widths.back();
    widths.back() = std::max(kNarrowest, console.width() > others ? console.width() - others : 0);
  }

  const auto line_text = [&](const auto& text_of, const auto& style_of) {
    std::string line;
    for (std::size_t c = 0; c < shown.size(); ++c) {
      const std::string text = cut_to_width(text_of(c), widths[c]);
      line += console.paint(style_of(c), text);
      if (c + 1 < shown.size()) line += std::string(widths[c] - display_width(text) + kGap, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    return line + "\n";
  };
  std::string out = line_text([&](std::size_t c) { return listing.columns[shown[c]].title; },
                              [](std::size_t) { return Style::Bold; });
  for (std::size_t r = 0; r < listing.rows.size(); ++r) {
    out += line_text([&](std::size_t c) { return texts[r][c]; },
                     [&](std::size_t c) { return listing.rows[r].cells[shown[c]].style; });
  }
  return out;
}

}  // namespace

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> names = {"table", "wide", "json", "jsonl", "yaml", "toml", "name"};
  return names;
}

std::optional<Format> parse_format(std::string_view name) {
  const auto& names = format_names();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Format>(found - names.begin());
}

std::string render(const Listing& listing, Format format, const Console& console) {
  base::Json all = base::Json::array();
  std::string lines;
  for (const auto& row : listing.rows) {
    if (format == Format::Jsonl) lines += without_controls(row.json.text()) + "\n";
    if (format == Format::Name) lines += base::printable(row.name) + "\n";
    all.push(row.json);
  }
  switch (format) {
    case Format::Table:
    case Format::Wide:
      return render_table(listing, format, console);
    case Format::Json:
      return without_controls(all.text(base::JsonStyle::Pretty)) + "\n";
    case Format::Yaml:
      return to_yaml(all);
    case Format::Toml:
      return to_toml(base::Json::object({{"item", all}}));
    case Format::Jsonl:
    case Format::Name:
      return lines;
  }
  return {};
}

std::string render_value(const base::Json& value, Format format) {
  switch (format) {
    case Format::Json:
      return without_controls(value.text(base::JsonStyle::Pretty)) + "\n";
    case Format::Jsonl:
      return without_controls(value.text()) + "\n";
    case Format::Toml:
      return to_toml(value);
    case Format::Table:
    case Format::Wide:
    case Format::Name:
    case Format::Yaml:
      return to_yaml(value);
  }
  return {};
}

}  // namespace nimbus::cli
