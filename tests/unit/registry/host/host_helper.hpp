// The example registry with other profiles, and the host of its instance acme/web-1.
#pragma once

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "registry/host/host_configuration.hpp"
#include "registry/support/memory_source.hpp"

namespace nimbus::registry::test {

/// acme/web-1 on m017 with the profiles "one" and "two".
inline MemorySource with_profiles(const std::string& one, const std::string& two = {}) {
  auto source = example();
  source.edit("tenants/acme/instances/web-1.toml", R"(["base", "web", "app"])", R"(["one", "two"])");
  source.files["profiles/one.toml"] = one;
  source.files["profiles/two.toml"] = two;
  return source;
}

struct Built {
  HostBuild host;
  const host::Resource* find(const std::string& id) const {
    const auto& list = host.configuration.resources;
    const auto at = std::ranges::find(list, id, &host::Resource::id);
    return at != list.end() ? &*at : nullptr;
  }
  template <class T>
  const T& get(const std::string& id) const {
    const auto* resource = find(id);
    REQUIRE_MESSAGE(resource != nullptr, id << describe(host.problems));
    const auto* wanted = std::get_if<T>(&resource->wanted);
    REQUIRE_MESSAGE(wanted != nullptr, id);
    return *wanted;
  }
  std::string text(const std::string& path) const { return get<host::File>("file:" + path).content; }
  bool notifies(const std::string& id, const std::string& told) const {
    const auto* resource = find(id);
    return resource != nullptr && std::ranges::find(resource->notifies, told) != resource->notifies.end();
  }
};

struct Setup {
  bool placed = true;
  bool secrets = true;
  std::optional<ControllerAccess> access = std::nullopt;
  const Snapshot* previous = nullptr;  // whose files need not be read again
};

inline Built build(const MemorySource& source, const Setup& setup = {}) {
  const auto snapshot = loaded(source, setup.previous).snapshot;
  const auto* instance = find_instance(*snapshot, "acme", "web-1");
  REQUIRE(instance != nullptr);
  const auto* machine = find_machine(*snapshot, "berlin-1", "m017");
  HostSources sources{.snapshot = *snapshot,
                      .read = [&](const TreeEntry& entry) { return source.read(entry); },
                      .secret = {},
                      .access = setup.access};
  if (setup.secrets) {
    sources.secret = [](std::string_view name) -> Result<Secret> {
      if (name != "tenant/acme/app-token") return Error{Code::NotFound, "no such secret"};
      return Secret("s3cret");
    };
  }
  return {host_configuration(*instance, setup.placed ? &machine->value : nullptr, sources)};
}

/// Of profiles without problems.
inline Built built(const std::string& one, const std::string& two = {}, const Setup& setup = {}) {
  const auto source = with_profiles(one, two);
  // Not inside of the check: loaded() has checks of its own, and doctest does not nest them.
  const auto problems = loaded(source).problems;
  CHECK_MESSAGE(problems.empty(), describe(problems));
  auto out = build(source, setup);
  CHECK_MESSAGE(out.host.problems.empty(), describe(out.host.problems));
  return out;
}

}  // namespace nimbus::registry::test
