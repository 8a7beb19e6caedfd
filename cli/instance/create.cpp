// nimbusctl instance create, instance plan, place: which machine would it be, and asking
// for it.
#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/edit.hpp"
#include "base/toml/write.hpp"
#include "cli/instance/commands.hpp"
#include "cli/instance/common.hpp"
#include "cli/settings.hpp"
#include "registry/schema/format.hpp"

namespace nimbus::cli {
namespace {

namespace toml = base::toml;
using base::Json;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out <= 0) return std::nullopt;
  return out;
}

/// "200", "200:ssd", ":nvme".
Result<Instance::DiskRequirement> disk_from(const std::string& text) {
  const Error bad{Code::Invalid, "--disk is SIZE_GIB, SIZE_GIB:TYPE or :TYPE, with nvme, ssd or hdd; not '" +
                                     base::printable(text, 60) + "'"};
  const auto colon = std::min(text.find(':'), text.size());
  Instance::DiskRequirement out;
  if (colon > 0) {
    out.size_gib = number(std::string_view(text).substr(0, colon));
    if (!out.size_gib) return bad;
  }
  if (colon < text.size()) {
    out.type = choice_from<DiskType>(std::string_view(text).substr(colon + 1));
    if (!out.type) return bad;
  }
  if (out == Instance::DiskRequirement{}) return bad;
  return out;
}

Result<> read_labels(const Context& context, std::map<std::string, std::string>& labels) {
  for (const auto& word : context.args.all("label")) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{Code::Invalid, "--label is KEY=VALUE, not '" + base::printable(word, 60) + "'"};
    labels[word.substr(0, equals)] = word.substr(equals + 1);
  }
  if (const auto of_class = context.args.get("class")) labels["class"] = *of_class;
  return {};
}

toml::Value strings(const std::vector<std::string>& list) {
  toml::Array out;
  for (const auto& each : list) out.emplace_back(each);
  return out;
}

std::string line(std::string_view key, const toml::Value& value) {
  return std::string(key) + " = " + toml::inline_text(value) + "\n";
}

std::string requirements_text(const Instance::Requirements& wanted) {
  std::string out;
  const auto text = [&](const char* key, std::string_view value) {
    if (!value.empty()) out += line(key, value);
  };
  text("machine", wanted.machine);
  if (wanted.arch) text("arch", name_of(*wanted.arch));
  if (wanted.cpu_cores) out += line("cpu_cores", *wanted.cpu_cores);
  if (wanted.memory_gib) out += line("memory_gib", *wanted.memory_gib);
  if (!wanted.labels.empty()) {
    toml::Table labels;
    for (const auto& [key, value] : wanted.labels) labels.set(key, value);
    out += line("labels", std::move(labels));
  }
  if (wanted.spread != Spread::None) text("spread", name_of(wanted.spread));
  text("group", wanted.group);
  if (!out.empty()) out = "\n[requirements]\n" + out;
  for (const auto& disk : wanted.disks) {
    out += "\n[[requirements.disk]]\n";
    if (disk.size_gib) out += line("size_gib", *disk.size_gib);
    if (disk.type) out += line("type", name_of(*disk.type));
  }
  return out;
}

/// The new file, in the order that people write it in.
std::string file_text(const Context& context, const Instance& instance) {
  std::string out = line("provider", instance.provider) + line("image", instance.image);
  if (!instance.profiles.empty()) {
    out += line("profiles", strings(instance.profiles));
    out += line("configuration", "enforce");
  }
  out += requirements_text(instance.requirements);
  const auto keys = context.args.all("ssh-key");
  const auto user = context.args.text("user"), user_data = context.args.text("user-data");
  if (!keys.empty() || !user.empty() || !user_data.empty()) {
    out += "\n[access]\n";
    if (!user.empty()) out += line("user", user);
    if (!keys.empty()) out += line("ssh_keys", strings(keys));
    if (!user_data.empty()) out += line("user_data", user_data);
  }
  for (const auto& network : context.args.all("network")) out += "\n[[network]]\n" + line("name", network);
  return out;
}

std::string place_of(const reconcilers::Placement& placement) { return placement.provider + "/" + placement.machine; }

/// The provider that the file names; nothing: none is found, and it was said why.
std::optional<std::string> choose(Context& context, const Opened& opened, const Instance& instance) {
  const Choice choice = choice_of(context);
  const auto answer = ask_placement(*opened.loaded.result.snapshot, opened.fleet, instance, choice);
  if (!answer.placement.machine.empty()) {
    context.console.say(fmt::format("{}: {} fits with least waste", instance.id(), place_of(answer.placement)));
    return answer.placement.provider;
  }
  if (choice.providers.size() == 1 && context.args.flag("wait-for-machine")) {
    context.console.warning("no machine of " + base::printable(choice.providers.front(), 100) +
                            " fits now: the instance waits for one");
    return choice.providers.front();
  }
  print_answer(context, instance, answer);
  context.console.error("no machine fits" +
                        std::string(choice.providers.size() == 1
                                        ? "; with --wait-for-machine the instance waits for one"
                                        : "; with --provider P --wait-for-machine it waits for one of that provider"));
  return std::nullopt;
}

}  // namespace

Result<> read_requirements(const Context& context, Instance& instance) {
  auto& wanted = instance.requirements;
  if (const auto image = context.args.get("image")) instance.image = *image;
  if (const auto machine = context.args.get("machine")) {
    const auto slash = machine->find('/');
    wanted.machine = slash == std::string::npos ? *machine : machine->substr(slash + 1);
  }
  if (const auto arch = context.args.get("arch")) wanted.arch = choice_from<Arch>(*arch);
  const auto count = [&](const char* flag, std::optional<std::int64_t>& into) -> Result<> {
    if (!context.args.get(flag)) return {};
    if (context.args.number(flag) <= 0) return Error{Code::Invalid, fmt::format("--{} is a number above 0", flag)};
    into = context.args.number(flag);
    return {};
  };
  if (auto cores = count("cores", wanted.cpu_cores); !cores) return cores;
  if (auto memory = count("memory", wanted.memory_gib); !memory) return memory;
  if (auto labels = read_labels(context, wanted.labels); !labels) return labels;
  for (const auto& text : context.args.all("disk")) {
    auto disk = disk_from(text);
    if (!disk) return std::move(disk.error());
    wanted.disks.push_back(*disk);
  }
  if (const auto spread = context.args.get("spread"))
    wanted.spread = choice_from<Spread>(*spread).value_or(Spread::None);
  if (const auto group = context.args.get("group")) wanted.group = *group;
  return {};
}

Choice choice_of(const Context& context) {
  Choice out{.providers = context.args.all("provider"), .regions = context.args.all("region")};
  if (const auto machine = has_flag(context, "machine") ? context.args.get("machine") : std::nullopt) {
    if (const auto slash = machine->find('/'); slash != std::string::npos) out.providers = {machine->substr(0, slash)};
  }
  return out;
}

void print_answer(Context& context, const Instance& instance, const Answer& answer) {
  Listing listing{.columns = {{"MACHINE"}, {"VERDICT"}, {"WHY"}}};
  const auto add = [&](const std::string& machine, const char* verdict, Style style, const std::string& why) {
    listing.rows.push_back({.name = machine,
                            .cells = {{machine}, {verdict, style}, {why}},
                            .json = Json::object({{"machine", machine}, {"verdict", verdict}, {"why", why}})});
  };
  if (!answer.placement.machine.empty())
    add(place_of(answer.placement), "chosen", Style::Good,
        place_of(answer.placement) == answer.on ? instance.id() + " is on it" : "fits with least waste");
  for (const auto& other : answer.placement.others) {
    const std::string machine = other.provider + "/" + other.machine;
    const bool fits = other.why == "another fits with less waste";
    add(machine, fits ? "fits" : "no", fits ? Style::Plain : Style::Dim, other.why);
  }
  context.console.out(render(listing, has_flag(context, "output") ? context.format() : Format::Table, context.console));
  for (const auto& provider : answer.unreported)
    context.console.warning("provider " + provider +
                            " has told nothing that this clone knows of: 'git fetch' may bring it");
}

Exit run_instance_plan(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  Instance instance;
  Choice choice = choice_of(context);
  if (opened->entry != nullptr) {
    instance = opened->entry->value;
    if (choice.providers.empty() && choice.regions.empty() && !instance.provider.empty())
      choice.providers = {instance.provider};
  }
  instance.tenant = opened->name.tenant;
  instance.name = opened->name.name;
  if (auto read = read_requirements(context, instance); !read) return usage(context, read.error().message);
  const auto answer = ask_placement(*opened->loaded.result.snapshot, opened->fleet, instance, choice);
  print_answer(context, instance, answer);
  return answer.placement.machine.empty() && context.args.flag("exit-code") ? Exit::Conflict : Exit::Ok;
}

Exit run_instance_create(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  if (opened->entry != nullptr || opened->loaded.result.snapshot->find_file(opened->name.path()) != nullptr)
    return fail(context, {Code::Conflict, opened->name.path() + " exists: 'nimbusctl set instance' changes it"});
  Instance instance{.tenant = opened->name.tenant, .name = opened->name.name};
  instance.profiles = context.args.all("profile");
  if (auto read = read_requirements(context, instance); !read) return usage(context, read.error().message);
  if (instance.image.empty()) return usage(context, "--image is missing: the operating system");
  const auto provider = choose(context, *opened, instance);
  if (!provider) return Exit::Conflict;
  instance.provider = opened->provider = *provider;
  const auto done = apply_change(
      context, *opened,
      {.file = {opened->name.path(), file_text(context, instance)},
       .subject = fmt::format("{}: new instance of {} at {}", opened->name.id(), instance.image, instance.provider)});
  if (done.exit != Exit::Ok || !done.published) return done.exit;
  const bool merged =
      !done.published->branch.empty() && done.published->link.empty() && context.args.text("push") == "direct";
  if (!merged || context.args.flag("no-wait")) return Exit::Ok;
  const auto end = follow(context, *opened, phase_goal(opened->name.id(), "running"));
  if (end == Exit::Ok) context.console.out("nimbusctl instance ssh " + opened->name.id() + "\n");
  return end;
}

Exit run_place(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  if (opened->entry == nullptr) return fail(context, no_such_instance(*opened));
  const auto& instance = opened->entry->value;
  if (const auto* placed = machine_of(opened->fleet, instance.id()); placed != nullptr && !instance.provider.empty())
    return fail(context, {Code::Conflict, instance.id() + " has a machine of " + instance.provider +
                                              " already; instances are never moved by themselves"});
  const auto provider = choose(context, *opened, instance);
  if (!provider) return Exit::Conflict;
  const auto text = opened->loaded.text_of(opened->name.path());
  if (!text) return fail(context, {Code::Invalid, opened->name.path() + " cannot be read"});
  const auto edit = toml::set_key(*text, {"provider"}, *provider);
  if (!edit) return fail(context, edit.error());
  const auto changed = toml::applied(*text, *edit);
  if (changed == *text) {
    context.console.say(opened->name.path() + " says so already");
    return Exit::Ok;
  }
  return apply_change(context, *opened,
                      {.file = {opened->name.path(), changed},
                       .subject = fmt::format("{}: placed at {}", instance.id(), *provider)})
      .exit;
}

}  // namespace nimbus::cli
