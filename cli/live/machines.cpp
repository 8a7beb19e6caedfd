// nimbusctl machine list, machine describe, explain machine, status --live: what nimbusd
// knows now.
#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/age.hpp"
#include "cli/live/commands.hpp"
#include "cli/live/nimbusd.hpp"

namespace nimbus::cli {
namespace {

using base::Json;

std::string text_of(const Json& value) {
  if (const auto text = value.as_string()) return std::string(*text);
  if (const auto number = value.as_int()) return std::to_string(*number);
  if (const auto truth = value.as_bool()) return *truth ? "yes" : "no";
  return {};
}

Style style_of_health(const std::string& health) {
  if (health == "ok") return Style::Good;
  return health == "trouble" ? Style::Bad : Style::Warning;
}

std::string why(const Json& state) {
  const std::string reason = text_of(state["reason"]);
  const std::string message = text_of(state["message"]);
  if (message.empty()) return reason;
  return reason.empty() ? message : reason + ": " + message;
}

/// "2026-11-24T00:00:00Z (3m ago)", "(in 20s)"; empty for null.
std::string moment(const Json& time, WallTime now) {
  const std::string text = text_of(time);
  const auto when = base::from_rfc3339(text);
  if (!when) return text;
  return *when <= now ? fmt::format("{} ({} ago)", text, age_text(*when, now))
                      : fmt::format("{} (in {})", text, age_text(now, *when));
}

Listing machines_listing(const std::vector<Json>& machines, WallTime now) {
  using enum Column::When;
  Listing out{.columns = {{"MACHINE", Always},
                          {"HEALTH", Always},
                          {"POWER", Always},
                          {"WANTED", Always},
                          {"HELD", Always},
                          {"CLASS", Column::When::Wide},
                          {"FILE", Column::When::Wide},
                          {"SINCE", Always},
                          {"WHY", Always}}};
  for (const auto& machine : machines) {
    const std::string health = text_of(machine["state"]["health"]);
    const std::string observed = text_of(machine["power"]["observed"]);
    const auto since = base::from_rfc3339(text_of(machine["state"]["since"]));
    out.rows.push_back({.name = text_of(machine["name"]),
                        .cells = {{text_of(machine["name"])},
                                  {health, style_of_health(health)},
                                  {observed.empty() ? "-" : observed},
                                  {text_of(machine["power"]["desired"])},
                                  {machine["held"].as_bool().value_or(false) ? "yes" : "-"},
                                  {text_of(machine["class"])},
                                  {text_of(machine["path"])},
                                  {since ? age_text(*since, now) : "-"},
                                  {why(machine["state"])}},
                        .json = machine});
  }
  return out;
}

bool for_people(Format format) { return format == Format::Table || format == Format::Wide; }

class Page {
 public:
  Page(Context& context, const std::string& title)
      : console_(context.console), head_{.columns = {{"MACHINE"}, {title}}} {}
  void add(const char* title, const std::string& text, Style style = Style::Plain) {
    if (!text.empty()) head_.rows.push_back({.cells = {{title, Style::Dim}, {text, style}}});
  }
  void print() { console_.out(render(head_, Format::Table, console_)); }

 private:
  Console& console_;
  Listing head_;
};

/// The lines that answer "why, and what next".
void add_explanation(Page& page, const Json& machine, WallTime now) {
  const Json& state = machine["state"];
  const std::string health = text_of(state["health"]);
  page.add("state", health, style_of_health(health));
  page.add("because", why(state));
  page.add("since", moment(state["since"], now));
  const std::string waiting = text_of(machine["waiting_for"]);
  page.add("waiting for", waiting.empty() ? "nothing" : waiting);
  page.add("until", moment(machine["until"], now));
  page.add("next step", text_of(machine["next_step"]));
  page.add("last error", text_of(machine["error"]["message"]), Style::Bad);
  page.add("stalled", text_of(machine["stalled"]), Style::Bad);
}

void add_observation(Page& page, const Json& machine, WallTime now) {
  const Json& seen = machine["observation"];
  page.add("looked at", moment(seen["looked_at"], now));
  const std::string wanted = text_of(machine["desired"]["power"]);
  page.add("power", text_of(seen["power"]["state"]) +
                        (wanted == "unmanaged" ? std::string(" (unmanaged)") : ", wanted " + wanted));
  const Json& last = seen["power"]["last"];
  if (!last.is_null()) page.add("last seen", text_of(last["state"]) + ", " + moment(last["at"], now));
  page.add("identity",
           fmt::format("{} ({})", text_of(seen["identity"]["verdict"]), text_of(seen["identity"]["reason"])));
  page.add("decision",
           fmt::format("{}: {}", text_of(machine["decision"]["kind"]), text_of(machine["decision"]["reason"])));
  page.add("refused", text_of(machine["refusal"]["message"]), Style::Warning);
}

void print_runs(Context& context, const Json& runs) {
  if (runs.size() == 0) return;
  Listing listing{.columns = {{"RUN"}, {"STARTED"}, {"FINISHED"}, {"OUTCOME"}, {"COMMIT"}, {"REASON"}}};
  for (const auto& run : runs.items()) {
    listing.rows.push_back({.cells = {{text_of(run["action"])},
                                      {text_of(run["started"])},
                                      {text_of(run["finished"])},
                                      {text_of(run["outcome"])},
                                      {text_of(run["commit"]).substr(0, 12)},
                                      {text_of(run["reason"])}}});
  }
  context.console.out("\n" + render(listing, Format::Table, context.console));
}

enum class Detail { Explanation, Everything };

Exit show(Context& context, const Json& machine, Detail detail) {
  if (context.format() == Format::Name) {
    context.console.out(text_of(machine["name"]) + "\n");
    return Exit::Ok;
  }
  if (!for_people(context.format())) {
    context.console.out(render_value(machine, context.format()));
    return Exit::Ok;
  }
  const WallTime now = context.clock.wall();
  Page page(context, text_of(machine["provider"]) + "/" + text_of(machine["name"]));
  add_explanation(page, machine, now);
  add_observation(page, machine, now);
  if (detail == Detail::Everything) {
    page.add("bmc", text_of(machine["desired"]["bmc"]["driver"]) + " " + text_of(machine["desired"]["bmc"]["address"]));
    page.add("enforcement", text_of(machine["desired"]["enforcement"]));
    page.add("lifecycle", text_of(machine["desired"]["lifecycle"]["state"]));
    page.add("file", text_of(machine["path"]));
    page.add("digest", text_of(machine["desired"]["digest"]).substr(0, 16));
  }
  page.print();
  if (detail == Detail::Everything) {
    Listing conditions{.columns = {{"CONDITION"}, {"STATUS"}, {"SINCE"}, {"REASON"}, {"MESSAGE"}}};
    for (const auto& member : machine["conditions"].members()) {
      conditions.rows.push_back({.cells = {{member.key},
                                           {text_of(member.value["status"])},
                                           {text_of(member.value["since"])},
                                           {text_of(member.value["reason"])},
                                           {text_of(member.value["message"])}}});
    }
    if (!conditions.rows.empty()) context.console.out("\n" + render(conditions, Format::Table, context.console));
  }
  print_runs(context, machine["runs"]);
  return Exit::Ok;
}

Exit show_machine(Context& context, const std::string& text, Detail detail) {
  const auto name = machine_name(text);
  if (!name) return fail(context, name.error());
  const auto nimbusd = Nimbusd::of(context);
  if (!nimbusd) return fail_live(context, nimbusd.error());
  const auto machine = nimbusd->get("/v1/machines/" + *name);
  if (!machine) return fail_live(context, machine.error());
  return show(context, *machine, detail);
}

}  // namespace

Exit run_machine_list(Context& context) {
  const auto nimbusd = Nimbusd::of(context);
  if (!nimbusd) return fail_live(context, nimbusd.error());
  const auto health = context.args.get("health");
  const auto machines = nimbusd->all("/v1/machines" + (health ? "?health=" + *health : std::string()), "machines");
  if (!machines) return fail_live(context, machines.error());
  context.console.out(render(machines_listing(*machines, context.clock.wall()), context.format(), context.console));
  return Exit::Ok;
}

Exit run_machine_describe(Context& context) {
  return show_machine(context, context.args.text("MACHINE"), Detail::Everything);
}

Exit explain_machine(Context& context, const std::string& name) {
  return show_machine(context, name, Detail::Explanation);
}

Exit show_live_status(Context& context) {
  const auto nimbusd = Nimbusd::of(context);
  if (!nimbusd) return fail_live(context, nimbusd.error());
  const auto fleet = nimbusd->get("/v1/fleet");
  if (!fleet) return fail_live(context, fleet.error());
  if (context.format() == Format::Name) {
    context.console.out(text_of((*fleet)["provider"]) + "\n");
    return Exit::Ok;
  }
  if (!for_people(context.format())) {
    context.console.out(render_value(*fleet, context.format()));
    return Exit::Ok;
  }
  const Json& controller = (*fleet)["controller"];
  const Json& registry = (*fleet)["registry"];
  const Json& machines = (*fleet)["machines"];
  Listing head{.columns = {{"PROVIDER"}, {text_of((*fleet)["provider"])}}};
  const auto add = [&](const char* title, const std::string& text) {
    if (!text.empty()) head.rows.push_back({.cells = {{title, Style::Dim}, {base::printable(text)}}});
  };
  add("controller",
      fmt::format("{}, {}, term {}{}", text_of(controller["id"]), text_of(controller["authority"]),
                  text_of(controller["term"]), controller["ready"].as_bool() == true ? "" : ", not ready"));
  const std::string detail = text_of(controller["detail"]);
  for (const auto line : base::split(detail, '\n')) add("trouble", std::string(line));
  add("registry", fmt::format("{}, commit {}, {} problems", text_of(registry["state"]),
                              text_of(registry["accepted_commit"]).substr(0, 12), text_of(registry["problem_count"])));
  add("machines", fmt::format("{}: {} ok, {} attention, {} trouble, {} unknown", text_of(machines["total"]),
                              text_of(machines["health"]["ok"]), text_of(machines["health"]["attention"]),
                              text_of(machines["health"]["trouble"]), text_of(machines["health"]["unknown"])));
  add("power", fmt::format("{} on, {} off", text_of(machines["power"]["on"]), text_of(machines["power"]["off"])));
  add("queue", fmt::format("{} queued, {} running", text_of((*fleet)["queue"]["queued"]),
                           text_of((*fleet)["queue"]["running"])));
  for (const auto& hold : (*fleet)["holds"].items()) {
    const std::string machine = text_of(hold["machine"]);
    add("held", fmt::format("{}: {} (by {})", machine.empty() ? "all machines" : machine, text_of(hold["reason"]),
                            text_of(hold["by"])));
  }
  context.console.out(render(head, Format::Table, context.console));
  return Exit::Ok;
}

}  // namespace nimbus::cli
