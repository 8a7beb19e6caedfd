// Instances' host configuration: what their profiles say together, and labels that
// variables name. A list of profiles that many instances share is merged once.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "registry/checks.hpp"
#include "registry/cross_checks.hpp"
#include "registry/dependencies.hpp"
#include "registry/host/complete.hpp"
#include "registry/host/host_configuration.hpp"
#include "registry/host/merge.hpp"
#include "registry/host/variables.hpp"

namespace nimbus::registry {
namespace {

using Layers = std::vector<const Entry<ProfileFile>*>;

/// A label that a profile names, and where.
struct LabelUse {
  std::string variable;  // "machine.labels.rack"
  Place place;
};

class HostChecker {
 public:
  explicit HostChecker(CrossReport& report) : report_(report), snapshot_(report.snapshot()) {}

  void run() {
    for (const auto& entry : snapshot_.instances) {
      if (!has_errors(entry->problems) && !entry->value.profiles.empty()) one(*entry);
    }
  }

 private:
  void one(const InstanceEntry& instance) {
    Layers layers;
    for (const auto& name : instance.value.profiles) {
      const auto* profile = find_profile(snapshot_, instance.tenant, name);
      if (profile == nullptr || has_errors(profile->problems)) return;  // told elsewhere
      layers.push_back(profile);
    }
    const auto [at, fresh] = uses_.try_emplace(std::move(layers));
    if (fresh) {
      at->second = labels_in(at->first);
      if (is_whole(instance, at->first)) merged(instance);
    }
    labels(instance, at->second);
  }

  /// False: a file or a person is missing, which is told elsewhere.
  bool is_whole(const InstanceEntry& instance, const Layers& layers) const {
    constexpr std::string_view kPerson = "person:";
    const auto known = [&](const std::string& key) {
      return !key.starts_with(kPerson) ||
             find_person(snapshot_, std::string_view(key).substr(kPerson.size())) != nullptr;
    };
    if (!std::ranges::all_of(instance.value.access.ssh_keys, known)) return false;
    return std::ranges::all_of(layers, [&](const auto* layer) {
      const auto& profile = layer->value.profile;
      return std::ranges::all_of(profile.users,
                                 [&](const auto& user) { return std::ranges::all_of(user.ssh_keys, known); }) &&
             std::ranges::all_of(content_sources(profile), [&](const auto& source) {
               return find_content(snapshot_, layer->tenant, source.path) != nullptr;
             });
    });
  }

  /// Files whose content decides something: templates and certificates.
  bool is_looked_into(const TreeEntry& entry) const {
    return std::ranges::any_of(uses_, [&](const auto& each) {
      return std::ranges::any_of(each.first, [&](const auto* layer) {
        const auto& profile = layer->value.profile;
        const auto is_entry = [&](const std::string& source) {
          return !source.empty() && find_content(snapshot_, layer->tenant, source) == &entry;
        };
        return std::ranges::any_of(profile.files,
                                   [&](const auto& file) { return file.is_template && is_entry(file.source); }) ||
               std::ranges::any_of(profile.ca_certificates,
                                   [&](const auto& each_ca) { return is_entry(each_ca.source); });
      });
    });
  }

  static bool is_label(std::string_view variable) {
    const auto* info = find_variable(variable);
    return info != nullptr && info->name.ends_with('.');
  }

  std::vector<LabelUse> labels_in(const Layers& layers) const {
    std::vector<LabelUse> out;
    for (const auto* layer : layers) {
      const auto in_text = [&](std::string_view text, const Place& place) {
        for_each_variable(text, [&](std::string_view name) {
          if (is_label(name)) out.push_back({std::string(name), place});
        });
      };
      for_each_text(layer->value.table, [&](const base::toml::Value& value) {
        in_text(*value.string(), {layer->path, value.span()});
      });
      for (const auto& file : layer->value.profile.files) {
        const auto* found = file.is_template ? find_content(snapshot_, layer->tenant, file.source) : nullptr;
        if (found == nullptr) continue;
        if (const auto text = report_.source().read(*found)) in_text(*text, {found->path, {}});
      }
    }
    return out;
  }

  /// What holds whatever the labels are, and for every instance with these profiles.
  void merged(const InstanceEntry& instance) {
    const auto read = [&](const TreeEntry& file) -> Result<std::string> {
      return is_looked_into(file) ? report_.source().read(file) : std::string();
    };
    const HostSources sources{.snapshot = snapshot_, .read = read, .secret = {}};
    for (auto& problem : host_outline(instance, sources, Keep::OfMachineAndLabels).problems) {
      if (problem.file != instance.path) problem.related = instance.path;
      report_.add(std::move(problem));
    }
  }

  void labels(const InstanceEntry& instance, const std::vector<LabelUse>& uses) {
    const auto* provider = uses.empty() ? nullptr : find_provider(snapshot_, instance.value.provider);
    if (provider == nullptr || has_errors(provider->problems)) return;
    const auto& pin = instance.value.requirements.machine;
    const auto* machine = pin.empty() ? nullptr : find_machine(snapshot_, instance.value.provider, pin);
    const VariableScope scope{instance, &provider->value.provider, machine != nullptr ? &machine->value : nullptr,
                              Keep::OfMachine};
    for (const auto& use : uses) {
      std::vector<VariableFault> faults;
      replace_variables(fmt::format("{{{{{}}}}}", use.variable), &scope, faults);
      for (auto& fault : faults) {
        auto problem = problem_at(use.place, ProblemCode::UnknownReference, std::move(fault.message));
        problem.related = instance.path;
        report_.add(std::move(problem));
      }
    }
  }

  CrossReport& report_;
  const Snapshot& snapshot_;
  std::map<Layers, std::vector<LabelUse>> uses_;
};

}  // namespace

void check_hosts(CrossReport& report) { HostChecker(report).run(); }

}  // namespace nimbus::registry
