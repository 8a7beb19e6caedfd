#include "controller/configure/texts.hpp"

#include <map>
#include <utility>

#include "base/text/diff.hpp"
#include "base/text/text.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::controller {
namespace {

/// "0644": others may read it, so its content is no secret.
bool is_public(const std::string& mode) {
  return !mode.empty() && mode.back() >= '0' && mode.back() <= '7' && ((mode.back() - '0') & 4) != 0;
}

std::string diff_of(const std::string& found, const TextsWish::Wanted& wanted) {
  return base::unified_diff(base::repaired_utf8(found), base::repaired_utf8(wanted.declared),
                            wanted.path + " (on the host)", wanted.path + " (declared)");
}

}  // namespace

TextsWish texts_to_read(const host::Configuration& wanted, const host::Facts& shown,
                        const std::vector<reconcilers::configure::Gap>& gaps) {
  std::map<std::string_view, const host::File*> files;
  for (const auto& resource : wanted.resources) {
    if (const auto* file = std::get_if<host::File>(&resource.wanted)) files[resource.id] = file;
  }
  TextsWish wish;
  for (const auto& gap : gaps) {
    const auto found = files.find(gap.resource);
    if (found == files.end() || wish.files.size() == kMostTexts) continue;
    const host::File& file = *found->second;
    const auto fact = shown.paths.find(file.path);
    if (file.is_secret || file.presence == host::Presence::Absent || fact == shown.paths.end()) continue;
    const bool absent = fact->second.kind == host::PathKind::Absent;
    const bool readable = fact->second.kind == host::PathKind::File && is_public(fact->second.mode) &&
                          fact->second.size <= kMostTextBytes && fact->second.sha256 != file.sha256;
    if (!is_public(file.mode) || file.content.size() > kMostTextBytes || (!absent && !readable)) continue;
    wish.files.push_back({file.path, file.content, absent});
    wish.of += file.path + "\n" + file.sha256 + "\n" + fact->second.sha256 + "\n";
  }
  return wish;
}

/// By nobody: a name may lead elsewhere by now, and what everybody may read is for the host to say.
std::string texts_script(const TextsWish& wish, std::string_view token) {
  std::string script =
      "LC_ALL=C; export LC_ALL\nsu -s /bin/sh nobody -c 'exec /bin/sh -s' <<'" + std::string(token) + "'\n";
  for (std::size_t i = 0; i < wish.files.size(); ++i) {
    if (wish.files[i].absent) continue;
    const std::string path = reconcilers::configure::quote(wish.files[i].path);
    script += "echo; echo '" + std::string(token) + " " + std::to_string(i) + "'\n";
    script += "head -c " + std::to_string(kMostTextBytes + 1) + " " + path + " </dev/null | base64\n";
  }
  return script + std::string(token) + "\necho; echo '" + std::string(token) + " end'\n";
}

std::vector<DriftedText> read_texts_answer(const TextsWish& wish, std::string_view output, std::string_view token) {
  std::map<std::string, std::string> pieces;
  std::string* current = nullptr;
  for (const auto line : base::split(output, '\n')) {
    if (line.starts_with(token) && line.size() > token.size() + 1) {
      current = &pieces[std::string(line.substr(token.size() + 1))];
      current->clear();
    } else if (current != nullptr) {
      current->append(base::trim(line));
    }
  }
  std::vector<DriftedText> out;
  for (std::size_t i = 0; i < wish.files.size(); ++i) {
    std::string found;
    if (!wish.files[i].absent) {
      const auto piece = pieces.find(std::to_string(i));
      const auto bytes = piece == pieces.end() ? std::nullopt : base::from_base64(piece->second);
      if (!bytes || bytes->size() > kMostTextBytes) continue;
      found.assign(bytes->begin(), bytes->end());
    }
    out.push_back({wish.files[i].path, diff_of(found, wish.files[i])});
  }
  return out;
}

}  // namespace nimbus::controller
