// nimbusctl instance delete, protect, unprotect, reinstall, restart, start, stop, wait:
// one key of the instance's file, or the file, from check to push.
#include <fmt/core.h>

#include "base/toml/edit.hpp"
#include "cli/instance/commands.hpp"
#include "cli/instance/common.hpp"

namespace nimbus::cli {
namespace {

namespace toml = base::toml;

/// An instance that is there. Errors: as open_instance, NotFound.
Result<Opened> open_existing(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (opened && opened->entry == nullptr) return no_such_instance(*opened);
  return opened;
}

Exit follow_unless_told_not_to(Context& context, const Opened& opened, const ChangeDone& done, const Goal& goal) {
  const bool direct = done.published && !done.published->branch.empty() && context.args.text("push") == "direct";
  if (done.exit != Exit::Ok || !direct || context.args.flag("no-wait")) return done.exit;
  return follow(context, opened, goal);
}

Exit set_one(Context& context, const Opened& opened, const std::string& key, const toml::Value& value,
             InstanceChange change, const Goal& goal) {
  const auto text = opened.loaded.text_of(opened.name.path());
  if (!text) return fail(context, {Code::Invalid, opened.name.path() + " cannot be read"});
  const auto edit = toml::set_key(*text, {key}, value);
  if (!edit) return fail(context, edit.error());
  const std::string changed = toml::applied(*text, *edit);
  if (changed == *text) {
    context.console.say(opened.name.path() + " says so already");
    return Exit::Ok;
  }
  change.file = {opened.name.path(), changed};
  return follow_unless_told_not_to(context, opened, apply_change(context, opened, change), goal);
}

bool is_unprotected(const Opened& opened) {
  const auto* document = opened.fleet.document(opened.name.id());
  return document != nullptr && !text_at(*document, "unprotected_since").empty();
}

/// What Nimbus would refuse anyway, with what to do about it.
std::optional<Error> protection(const Opened& opened) {
  const std::string id = opened.name.id();
  if (opened.entry->value.is_protected)
    return Error{Code::Conflict, id + " is protected: 'nimbusctl instance unprotect " + id + "' first"};
  if (machine_of(opened.fleet, id) != nullptr && !is_unprotected(opened))
    return Error{Code::Conflict, id +
                                     " is unprotected in its file, and its controller has not accepted and told that "
                                     "yet: 'nimbusctl instance wait --for unprotected " +
                                     id + "'"};
  return std::nullopt;
}

Goal unprotected_goal(const std::string& id) {
  return {"unprotected", [id](const Fleet& fleet) {
            const auto* document = fleet.document(id);
            return document != nullptr && !text_at(*document, "unprotected_since").empty();
          }};
}

Goal gone_goal(const std::string& id) {
  return {"released", [id](const Fleet& fleet) { return machine_of(fleet, id) == nullptr; }};
}

Exit set_power(Context& context, const char* power, const char* phase) {
  auto opened = open_existing(context);
  if (!opened) return fail(context, opened.error());
  const std::string id = opened->name.id();
  return set_one(context, *opened, "power", power, {.file = {}, .subject = id + ": power " + power},
                 phase_goal(id, phase));
}

/// Whether the machine's document says that a counter was answered.
Goal counter_goal(const std::string& id, const std::string& key, std::int64_t count, const std::string& word) {
  return {word, [=](const Fleet& fleet) {
            const auto* machine = machine_of(fleet, id);
            const auto* document = fleet.document(id);
            return machine != nullptr && text_at(*machine, key) == std::to_string(count) && document != nullptr &&
                   text_at(*document, "phase") == "running";
          }};
}

}  // namespace

Exit run_instance_start(Context& context) { return set_power(context, "on", "running"); }
Exit run_instance_stop(Context& context) { return set_power(context, "off", "stopped"); }

Exit run_instance_restart(Context& context) {
  auto opened = open_existing(context);
  if (!opened) return fail(context, opened.error());
  const std::string id = opened->name.id();
  const auto count = opened->entry->value.restart + 1;
  return set_one(context, *opened, "restart", count, {.file = {}, .subject = id + ": restart"},
                 counter_goal(id, "restart", count, "restarted"));
}

Exit run_instance_reinstall(Context& context) {
  auto opened = open_existing(context);
  if (!opened) return fail(context, opened.error());
  if (auto refused = protection(*opened)) return fail(context, *refused);
  const std::string id = opened->name.id();
  const auto count = opened->entry->value.reinstall + 1;
  return set_one(context, *opened, "reinstall", count,
                 {.file = {},
                  .subject = id + ": reinstall",
                  .asks = InstanceChange::Asks::Yes,
                  .danger = "the system disk of " + id + " is erased"},
                 counter_goal(id, "installed.reinstall", count, "installed again"));
}

Exit run_instance_unprotect(Context& context) {
  auto opened = open_existing(context);
  if (!opened) return fail(context, opened.error());
  const std::string id = opened->name.id();
  return set_one(context, *opened, "protected", false, {.file = {}, .subject = id + ": no longer protected"},
                 unprotected_goal(id));
}

Exit run_instance_protect(Context& context) {
  auto opened = open_existing(context);
  if (!opened) return fail(context, opened.error());
  const std::string id = opened->name.id();
  return set_one(context, *opened, "protected", true, {.file = {}, .subject = id + ": protected"},
                 {"protected", [](const Fleet&) { return true; }});
}

Exit run_instance_delete(Context& context) {
  auto opened = open_existing(context);
  if (!opened) return fail(context, opened.error());
  if (auto refused = protection(*opened)) return fail(context, *refused);
  const std::string id = opened->name.id();
  const auto done = apply_change(context, *opened,
                                 {.file = {opened->name.path(), std::nullopt},
                                  .subject = id + ": released",
                                  .asks = InstanceChange::Asks::Yes,
                                  .danger = "all disks of the machine of " + id + " are erased"});
  return follow_unless_told_not_to(context, *opened, done, gone_goal(id));
}

Exit run_instance_wait(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  const std::string id = opened->name.id(), what = context.args.text("for");
  if (opened->entry == nullptr && what != "released") return fail(context, no_such_instance(*opened));
  return follow(context, *opened,
                what == "released"      ? gone_goal(id)
                : what == "unprotected" ? unprotected_goal(id)
                                        : phase_goal(id, what));
}

}  // namespace nimbus::cli
