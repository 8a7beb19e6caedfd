// A host that knows nothing but packages: it answers probes and corrections as a real one
// would, and can be told to fail in several ways.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>

#include <fmt/core.h>

#include "controller/configure/host_pass.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_host.hpp"

namespace nimbus::testing {

class PackageHost {
 public:
  PackageHost() {
    state.answer = [this](const std::string& script) { return take(script); };
  }

  std::set<std::string> known;  // names that may be asked for
  std::set<std::string> installed;
  std::set<std::string> refuses;   // cannot be installed: exit status 100
  std::set<std::string> pretends;  // says that it was installed, and it was not
  std::string health;              // more lines of its answer to a probe
  std::function<double()> clock = [] { return 1'800'000'000.5; };
  std::optional<Error> fails;      // every script, before it runs
  bool drops_corrections = false;  // they run, and the answer is lost
  test::FakeHostState state;

  std::size_t probes() const { return count("nimbus-probe"); }
  std::size_t corrections() const { return state.scripts.size() - probes(); }

 private:
  std::size_t count(const char* sign) const {
    std::size_t out = 0;
    for (const auto& script : state.scripts) out += script.find(sign) != std::string::npos ? 1U : 0U;
    return out;
  }

  Result<HostAnswer> take(const std::string& script) {
    if (fails) return *fails;
    std::smatch found;
    if (std::regex_search(script, found, std::regex(R"(nimbus-probe\\t1\\t(\w+)\\tbegin)"))) return probe(found[1]);
    if (!std::regex_search(script, found, std::regex("TOKEN='(\\w+)'"))) return HostAnswer{2, "", "what?"};
    auto answer = correct(script, found[1]);
    if (drops_corrections) return Error{Code::Timeout, "it may have run"};
    return answer;
  }

  HostAnswer probe(const std::string& token) const {
    std::string text = fmt::format("nimbus-probe\t1\t{}\tbegin\nclock\t{:.3f}\nhost\t1\t1\tapt\n", token, clock());
    text += health;
    for (const auto& name : installed) text += fmt::format("package\t{}\tamd64\tinstalled\tok\t1.0\n", name);
    return {0, text + fmt::format("told\tpackages\n\nnimbus-probe\t1\t{}\tend\n", token), ""};
  }

  HostAnswer correct(const std::string& script, const std::string& token) {
    std::string text;
    std::size_t at = 0;
    for (const auto& name : known) {
      if (script.find("'" + name + "'") == std::string::npos) continue;
      const bool works = !refuses.contains(name);
      if (works && !pretends.contains(name)) installed.insert(name);
      text += fmt::format("nimbus\t{0}\tstart\t{1}\n|words of {2}\nnimbus\t{0}\tdone\t{1}\t{3}\n", token, at++, name,
                          works ? 0 : 100);
    }
    return {0, text, ""};
  }
};

/// Packages that depend on each other: "b" after "a" is {"b", {"package:a"}}.
inline host::Configuration packages(const std::map<std::string, std::vector<std::string>>& names) {
  host::Configuration out;
  for (const auto& [name, after] : names) {
    out.resources.push_back({"package:" + name, "profiles/web.toml", after, {}, host::Package{.name = name}});
  }
  return out;
}

}  // namespace nimbus::testing
