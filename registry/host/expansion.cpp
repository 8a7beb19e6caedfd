#include "registry/host/expansion.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "registry/checks.hpp"
#include "registry/dependencies.hpp"
#include "registry/host/complete.hpp"

namespace nimbus::registry {

using base::printable;

host::Configuration Expansion::run() {
  repositories();
  packages();
  ca_certificates();
  files();
  secret_files();
  groups();
  users();
  access();
  sudoers();
  services();
  timers();
  kernel();
  disks();
  settings();
  firewall();
  interfaces();
  upkeep();
  commands();
  links_between();
  host::Configuration out;
  out.resources.reserve(resources_.size());
  for (auto& [id, resource] : resources_) out.resources.push_back(std::move(resource));
  return out;
}

void Expansion::fail(const Place& place, ProblemCode code, std::string message) {
  in_.problems.push_back(problem_at(place, code, std::move(message)));
}

Expansion::Resource* Expansion::find(std::string_view id) {
  const auto found = resources_.find(id);
  return found != resources_.end() ? &found->second : nullptr;
}

Expansion::Resource& Expansion::add(host::Wanted wanted, const Place& place) {
  auto id = host::id_of(wanted);
  const auto [at, fresh] = resources_.try_emplace(id);
  if (!fresh) {
    fail(place, ProblemCode::Conflict,
         fmt::format("{} is asked for twice: also by {}", printable(id, 120), at->second.origin));
    return at->second;
  }
  at->second.id = std::move(id);
  at->second.origin = place.file;
  at->second.wanted = std::move(wanted);
  return at->second;
}

Expansion::Resource& Expansion::add_file(std::string path, std::string content, const Place& place, std::string mode) {
  host::File file;
  file.path = std::move(path);
  file.mode = std::move(mode);
  file.sha256 = base::sha256_hex(content);
  file.content = std::move(content);
  return add(std::move(file), place);
}

void Expansion::add_folder(std::string_view path, const Place& place, std::string_view mode) {
  if (find(fmt::format("directory:{}", path)) != nullptr) return;
  host::Directory folder;
  folder.path = path;
  folder.mode = mode;
  add(std::move(folder), place);
}

std::optional<std::string> Expansion::content_of(const std::optional<std::string>& content, const std::string& source,
                                                 bool is_template, const Place& place) {
  if (content) return content;  // its variables were replaced with those of the whole profile
  // A profile's files are those of its own scope.
  const auto* layer = in_.sources.snapshot.find_file(place.file);
  const auto verdict = layer != nullptr ? classify(layer->path) : PathVerdict{};
  const auto* found = find_content(in_.sources.snapshot, verdict.info.tenant, source);
  if (found == nullptr) {
    fail(place, ProblemCode::UnknownReference, fmt::format("there is no file '{}'", printable(source, 200)));
    return std::nullopt;
  }
  auto text = in_.sources.read(*found);
  if (!text) {
    fail(place, ProblemCode::Unreadable, fmt::format("{}: {}", printable(found->path, 200), text.error().message));
    return std::nullopt;
  }
  return is_template ? filled(std::move(*text), found->path) : std::move(*text);
}

std::string Expansion::filled(std::string text, const std::string& file) {
  if (!base::is_valid_utf8(text) || text.find('\0') != std::string::npos) {
    fail({file, {}}, ProblemCode::NotUtf8, "not a text, so it cannot be a template");
    return text;
  }
  std::vector<VariableFault> faults;
  auto out = replace_variables(text, &in_.scope, faults);
  for (auto& fault : faults) {
    const auto before = std::string_view(text).substr(0, fault.offset);
    const auto line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto characters = std::ranges::count_if(before.substr(line_begin), [](char c) { return (c & 0xC0) != 0x80; });
    Place place{file, {}};
    place.span.begin.line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1);
    place.span.begin.column = static_cast<std::uint32_t>(characters + 1);
    fail(place, ProblemCode::UnknownReference, std::move(fault.message));
  }
  return out;
}

std::vector<std::string> Expansion::keys_of(const std::vector<std::string>& keys, const Place& place) {
  constexpr std::string_view kPerson = "person:";
  std::vector<std::string> out;
  for (const auto& key : keys) {
    if (!key.starts_with(kPerson)) {
      out.push_back(key);
      continue;
    }
    const auto* person = find_person(in_.sources.snapshot, std::string_view(key).substr(kPerson.size()));
    if (person == nullptr) {
      fail(place, ProblemCode::UnknownReference, fmt::format("there is no {}", printable(key, 80)));
      continue;
    }
    out.insert(out.end(), person->value.ssh_keys.begin(), person->value.ssh_keys.end());
  }
  return out;
}

std::string unit_name(std::string_view name) {
  constexpr std::array<std::string_view, 8> kSuffixes = {".service", ".socket", ".timer", ".path",
                                                         ".mount",   ".target", ".slice", ".automount"};
  const bool whole = std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); });
  return whole ? std::string(name) : fmt::format("{}.service", name);
}

std::string words(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& each : list) out += (out.empty() ? "" : " ") + each;
  return out;
}

std::string Expansion::id_meant(const std::string& named, const Place& place) {
  const auto colon = named.find(':');
  const auto kind = std::string_view(named).substr(0, colon);
  const auto name = std::string_view(named).substr(colon + 1);
  std::string id = named;
  if (kind == "service") id = "unit:" + unit_name(name);
  if (kind == "timer") id = fmt::format("unit:nimbus-timer-{}.timer", name);
  if (kind == "secret_file") id = fmt::format("file:{}", name);
  if (kind == "repository") id = fmt::format("file:/etc/apt/sources.list.d/nimbus-{}.sources", name);
  if (kind == "ca_certificate") id = fmt::format("file:/usr/local/share/ca-certificates/nimbus-{}.crt", name);
  if (find(id) != nullptr) return id;
  std::vector<std::string> known;
  for (const auto& each : resources_) known.push_back(each.first);
  fail(place, ProblemCode::UnknownReference,
       fmt::format("nothing on this host is called '{}'{}", printable(named, 120), meant(named, known)));
  return {};
}

void Expansion::commands() {
  for (const auto& row : in_.profile.commands) {
    add(host::Command{row.name, row.run, row.creates, row.unless, row.user}, place("command", row.name));
  }
  for (const auto& row : in_.profile.commands) {
    const auto where = place("command", row.name);
    for (const auto& named : row.after) {
      auto id = id_meant(named, where);
      if (!id.empty()) find("command:" + row.name)->after.push_back(std::move(id));
    }
  }
}

namespace {

/// The unit that a path below a folder of units is about: "nginx.service" of itself and of
/// "nginx.service.d/limits.conf". Empty: it is elsewhere.
std::string_view unit_of(std::string_view path) {
  constexpr std::array<std::string_view, 2> kFolders = {"/etc/systemd/system/", "/usr/local/lib/systemd/system/"};
  for (const auto folder : kFolders) {
    if (!path.starts_with(folder)) continue;
    auto unit = path.substr(folder.size());
    unit = unit.substr(0, unit.find('/'));
    if (unit.ends_with(".d")) unit.remove_suffix(2);
    return unit;
  }
  return {};
}

}  // namespace

/// What follows from the kinds of two resources and from no row.
void Expansion::links_between() {
  const bool sources = !in_.profile.repositories.empty();
  for (auto& [id, resource] : resources_) {
    const std::string_view view = id;
    if (view.starts_with("package:") && sources) resource.after.emplace_back(kAptUpdate);
    const auto path = view.starts_with("file:") || view.starts_with("link:") ? view.substr(5) : std::string_view();
    const auto unit = unit_of(path);
    if (unit.empty()) continue;
    const auto told = std::ranges::find(resource.notifies, kDaemonReload) != resource.notifies.end();
    if (!told) resource.notifies.emplace_back(kDaemonReload);
    auto* about = find(fmt::format("unit:{}", unit));
    if (about == nullptr) continue;
    const bool waits = std::ranges::find(about->after, kDaemonReload) != about->after.end();
    if (!waits) about->after.emplace_back(kDaemonReload);
  }
}

}  // namespace nimbus::registry
